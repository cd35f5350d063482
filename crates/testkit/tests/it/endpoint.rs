//! Requests and complete answers.

use std::io;

use serde_json::json;
use zephyr_testkit::{Act, Encoding, End, Endpoint, RawClient, Script, Usage, get, post_messages};

use crate::{STREAMED, WHOLE};

#[tokio::test]
async fn a_message_is_whole_or_streamed_as_the_request_asks() {
    let endpoint = Endpoint::start(Act::message("a fresh breeze from the east")).await;

    let whole = post_messages(endpoint.addr(), WHOLE).await.unwrap();
    let streamed = post_messages(endpoint.addr(), STREAMED).await.unwrap();

    assert_eq!(whole.header("content-type"), Some("application/json"));
    assert_eq!(whole.json()["type"], "message");
    assert_eq!(whole.json()["model"], "claude-haiku-5-5");
    assert!(
        streamed
            .header("content-type")
            .unwrap()
            .starts_with("text/event-stream")
    );
    assert_eq!(streamed.events().last().unwrap().0, "message_stop");
    for answer in [whole, streamed] {
        assert_eq!((answer.status, answer.end), (200, End::Clean));
        assert_eq!(answer.text(), "a fresh breeze from the east");
        assert!(answer.header("request-id").is_some());
    }
}

#[tokio::test]
async fn every_event_repeats_its_name_as_its_type() {
    let endpoint = Endpoint::start(Act::message("hi")).await;
    let answer = post_messages(endpoint.addr(), STREAMED).await.unwrap();
    for (name, data) in answer.events() {
        assert_eq!(data["type"], name.as_str());
    }
}

#[tokio::test]
async fn usage_is_the_same_whole_and_streamed() {
    let usage = Usage {
        input: 1,
        cache_creation: 2,
        cache_read: 3,
        output: 4,
    };
    let endpoint = Endpoint::start(Act::message("x").usage(usage)).await;

    let whole = post_messages(endpoint.addr(), WHOLE).await.unwrap().json();
    let events = post_messages(endpoint.addr(), STREAMED)
        .await
        .unwrap()
        .events();

    assert_eq!(whole["usage"]["cache_read_input_tokens"], 3);
    assert_eq!(events[0].1["message"]["usage"]["input_tokens"], 1);
    assert_eq!(events[events.len() - 2].1["usage"], whole["usage"]);
}

#[tokio::test]
async fn the_other_paths_are_answered_as_by_a_real_endpoint() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let addr = endpoint.addr();

    let models = get(addr, "/v1/models?limit=1").await.unwrap();
    let model = get(addr, "/v1/models/claude-opus-5-5").await.unwrap();
    let unknown = get(addr, "/v1/models/gpt-4o").await.unwrap();
    let mut client = RawClient::connect(addr).await.unwrap();
    client
        .send("POST /v1/messages/count_tokens?beta=true HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}")
        .await
        .unwrap();
    let count = client.answer().await.unwrap();

    assert_eq!(models.json()["data"][0]["type"], "model");
    assert_eq!(model.json()["id"], "claude-opus-5-5");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["error"]["type"], "not_found_error");
    assert!(count.json()["input_tokens"].is_u64());
}

#[tokio::test]
async fn the_answer_to_a_head_request_has_no_body() {
    let endpoint = Endpoint::start(Act::status(404)).await;
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    for _ in 0..2 {
        client
            .send("HEAD /api/hello HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        let answer = client.answer().await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (404, 0));
    }
}

#[tokio::test]
async fn an_error_has_the_type_of_its_status() {
    let endpoint = Endpoint::start(Act::status(500)).await;
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ] {
        endpoint.push(
            Act::status(status)
                .header("retry-after", "7")
                .error_message("too bad"),
        );
        let answer = post_messages(endpoint.addr(), WHOLE).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(
            answer.json()["error"],
            json!({"type": kind, "message": "too bad"})
        );
        assert_eq!(
            answer.json()["request_id"],
            answer.header("request-id").unwrap()
        );
    }
}

#[tokio::test]
async fn a_header_of_the_test_replaces_the_endpoints_own() {
    let act = Act::message("x")
        .header("Request-Id", "mine")
        .also_header("set-cookie", "a")
        .also_header("set-cookie", "b");
    let endpoint = Endpoint::start(act).await;
    let answer = post_messages(endpoint.addr(), WHOLE).await.unwrap();
    let named = |name: &str| {
        answer
            .headers
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name))
            .count()
    };
    assert_eq!(answer.header("request-id"), Some("mine"));
    assert_eq!((named("request-id"), named("set-cookie")), (1, 2));
}

#[tokio::test]
async fn pushed_acts_are_used_up_in_order_before_the_script() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    endpoint.push(Act::status(529));
    endpoint.push(Act::status(401));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(post_messages(endpoint.addr(), WHOLE).await.unwrap().status);
    }
    assert_eq!(seen, [529, 401, 200]);
}

#[tokio::test]
async fn a_script_can_choose_by_the_request_and_be_replaced() {
    let endpoint = Endpoint::start(Script::by(|request| {
        Act::status(if request.json()["stream"] == true {
            500
        } else {
            400
        })
    }))
    .await;
    let streamed = post_messages(endpoint.addr(), STREAMED).await.unwrap();
    let whole = post_messages(endpoint.addr(), WHOLE).await.unwrap();
    endpoint.set(Act::message("better"));
    let later = post_messages(endpoint.addr(), WHOLE).await.unwrap();
    assert_eq!(
        (streamed.status, whole.status, later.status),
        (500, 400, 200)
    );
}

#[tokio::test]
async fn a_request_is_recorded_as_it_was_sent() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    client
        .send(
            "POST /v1/messages?beta=true HTTP/1.1\r\nX-B: 1\r\nx-a:2\r\nX-b: 3\r\n\
             Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;ext=1\r\n\":1}\r\n0\r\nX-Sum: 9\r\n\r\n",
        )
        .await
        .unwrap();
    client.answer().await.unwrap();

    let request = endpoint.next_request().await;

    assert_eq!(
        (request.method.as_str(), request.path()),
        ("POST", "/v1/messages")
    );
    assert_eq!(request.target, "/v1/messages?beta=true");
    let names: Vec<&str> = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["X-B", "x-a", "X-b", "Transfer-Encoding"]);
    assert_eq!(request.header("X-A"), Some("2"));
    assert_eq!(request.headers_named("x-b"), ["1", "3"]);
    assert_eq!(request.json(), json!({"a": 1}));
    assert_eq!(request.trailers, [("X-Sum".to_owned(), "9".to_owned())]);
}

#[tokio::test]
async fn a_client_that_expects_it_is_told_to_continue() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    client
        .send("POST /v1/messages HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(client.read_head().await.unwrap().0, 100);
    client.send("{}").await.unwrap();
    assert_eq!(client.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_connection_serves_many_requests_even_if_they_come_at_once() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    client.send_messages(STREAMED).await.unwrap();
    client.send_messages(WHOLE).await.unwrap();
    assert_eq!(client.answer().await.unwrap().text(), "x");
    assert_eq!(client.answer().await.unwrap().text(), "x");
    assert_eq!(
        (endpoint.connections(), endpoint.open_connections()),
        (1, 1)
    );
    drop(client);
    endpoint.until_open_connections(0).await;
}

#[tokio::test]
async fn a_last_answer_is_announced_and_the_connection_closed() {
    let endpoint = Endpoint::start(Act::message("x").close_after()).await;
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    client.send_messages(WHOLE).await.unwrap();
    assert_eq!(
        client.answer().await.unwrap().header("connection"),
        Some("close")
    );
    let error = client.read_head().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn answers_can_be_compressed_whole_and_streamed() {
    let endpoint = Endpoint::start(Act::status(500)).await;
    for encoding in Encoding::ALL {
        endpoint.set(Act::message("puffs of wind").compressed(encoding));
        for body in [WHOLE, STREAMED] {
            let answer = post_messages(endpoint.addr(), body).await.unwrap();
            assert_eq!(answer.header("content-encoding"), Some(encoding.name()));
            assert_eq!(
                (answer.end, answer.text().as_str()),
                (End::Clean, "puffs of wind")
            );
            assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_err());
        }
    }
}

#[tokio::test]
async fn a_payload_can_be_split_anywhere() {
    let endpoint = Endpoint::start(Act::message("puffs of wind")).await;
    for size in [1, 2, 7] {
        endpoint.set(Act::message("puffs of wind").chunked_as(size));
        for body in [WHOLE, STREAMED] {
            let answer = post_messages(endpoint.addr(), body).await.unwrap();
            assert_eq!(
                (answer.end, answer.text().as_str()),
                (End::Clean, "puffs of wind")
            );
        }
        let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
        client.send_messages(STREAMED).await.unwrap();
        client.read_head().await.unwrap();
        while let Ok(piece) = client.read_piece().await.unwrap() {
            assert!(piece.len() <= size);
        }
    }
}

#[tokio::test]
async fn an_endpoint_can_come_back_on_the_same_port() {
    let endpoint = Endpoint::start(Act::message("x")).await;
    let addr = endpoint.addr();
    let mut client = RawClient::connect(addr).await.unwrap();
    client.send_messages(WHOLE).await.unwrap();
    client.answer().await.unwrap();

    endpoint.stop().await;

    assert!(client.read_head().await.is_err());
    let refused = RawClient::connect(addr).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let again = Endpoint::start_at(addr, Act::message("back"))
        .await
        .unwrap();
    assert_eq!(again.addr(), addr);
    assert_eq!(post_messages(addr, WHOLE).await.unwrap().text(), "back");
}

#[tokio::test]
async fn a_dropped_endpoint_closes_its_connections() {
    let endpoint = Endpoint::start(Act::hang()).await;
    let mut client = RawClient::connect(endpoint.addr()).await.unwrap();
    client.send_messages(WHOLE).await.unwrap();
    endpoint.next_request().await;
    drop(endpoint);
    assert!(client.read_head().await.is_err());
}
