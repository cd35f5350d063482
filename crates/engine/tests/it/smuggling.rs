//! Heads that two readers could understand differently: none leaves us, in either direction.
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use zephyr_testkit::{Act, Endpoint, RawClient};

use crate::common::Zephyr;

/// The status, and the code of Zephyr's own error.
async fn refused(zephyr: &Zephyr, request: &str) -> (u16, Option<String>) {
    let mut client = RawClient::connect(zephyr.engine.proxy_addr())
        .await
        .unwrap();
    client.send(request).await.unwrap();
    let answer = client.answer().await.unwrap();
    let code = answer.header("x-zephyr-error").map(str::to_owned);
    (answer.status, code)
}

#[tokio::test]
async fn a_request_that_could_be_read_in_two_ways_reaches_nobody() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let host = "host: localhost\r\n";

    for (head, status) in [
        (String::new(), 400),
        (format!("{host}{host}"), 400),
        (format!("{host}host: 127.0.0.1\r\n"), 400),
        (
            format!("{host}content-length: 2\r\ncontent-length: 3\r\n"),
            400,
        ),
        (format!("{host}content-length: 2, 2\r\n"), 400),
        (format!("{host}transfer-encoding: gzip, chunked\r\n"), 501),
        (
            format!("{host}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
            501,
        ),
    ] {
        let request = format!("POST /v1/messages HTTP/1.1\r\n{head}\r\n0\r\n\r\n");

        let (found, code) = refused(&zephyr, &request).await;

        assert_eq!(found, status, "{head:?}: {code:?}");
    }
    assert!(a.requests().is_empty());
    assert_eq!(zephyr.used().await, "A");
}

#[tokio::test]
async fn a_length_that_is_said_twice_is_passed_on_once() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let twice = "content-length: 2\r\ncontent-length: 2\r\n";
    let request = format!("POST /v1/x HTTP/1.1\r\nhost: localhost\r\n{twice}\r\n{{}}");
    let mut client = RawClient::connect(zephyr.engine.proxy_addr())
        .await
        .unwrap();
    client.send(&request).await.unwrap();
    client.read_head().await.unwrap();

    let received = a.next_request().await;

    assert_eq!(received.headers_named("content-length"), ["2"]);
    assert_eq!(received.body, "{}");
}

#[tokio::test]
async fn a_body_goes_where_its_request_goes() {
    let a = Endpoint::start(Act::json(&serde_json::json!({}))).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT", "QUERY"] {
        let request = format!(
            "{method} /v1/things HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n\
             5\r\nhello\r\n0\r\n\r\n"
        );
        let mut client = RawClient::connect(zephyr.engine.proxy_addr())
            .await
            .unwrap();
        client.send(&request).await.unwrap();
        client.read_head().await.unwrap();

        let received = a.next_request().await;

        assert_eq!(
            (received.method.as_str(), &received.body[..]),
            (method, &b"hello"[..])
        );
        assert_eq!(received.headers_named("host").len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_could_be_read_in_two_ways_is_passed_over() {
    for doubtful in [
        "content-length: 2\r\ncontent-length: 2\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
    ] {
        let bytes = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{doubtful}\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        let a = Endpoint::start(Act::bytes(bytes)).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        let answer = zephyr.stream().await.unwrap();

        assert_eq!(answer.text(), "from B", "{doubtful:?}");
        assert_eq!(a.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_prefix_of_an_endpoint_is_not_left() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let under = format!("{}/anthropic", a.url());
    let zephyr = Zephyr::at(&[under], "").await;
    let open = Zephyr::over(&[&a], "").await;

    for path in [
        "/../admin",
        "/v1/../../admin",
        "/%2e%2e/admin",
        "/v1/..%2f..%2fadmin",
    ] {
        let line = format!("GET {path}");
        let answer = zephyr.request(&line, &[], "").await;

        assert_eq!(
            answer.header("x-zephyr-error"),
            Some("path_not_allowed"),
            "{path}"
        );
    }
    assert!(a.requests().is_empty());
    open.request("GET /v1/../x", &[], "").await;
    assert_eq!(
        a.requests()[0].target,
        "/v1/../x",
        "without a prefix it passes unchanged"
    );
}
