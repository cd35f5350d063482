//! Request bodies: however framed, up to the limit, and beyond it.

use zephyr_testkit::{Act, Answer, End, Endpoint, RawClient};

use crate::common::raw::RawUpstream;
use crate::common::{Zephyr, plain};

const MB: usize = 1024 * 1024;
const FILES: &str = "/v1/files";
const MESSAGES: &str = "/v1/messages";

fn by_length(target: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn by_chunks(target: &str, body: &[u8], size: usize, trailers: &str) -> Vec<u8> {
    let mut request = format!(
        "POST {target} HTTP/1.1\r\nhost: localhost\r\ntrailer: x-checksum\r\n\
         transfer-encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for chunk in body.chunks(size) {
        request.extend_from_slice(format!("{:x};an=extension\r\n", chunk.len()).as_bytes());
        request.extend_from_slice(chunk);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
    request
}

/// A Messages request of exactly this length.
fn messages_of(length: usize) -> Vec<u8> {
    let mut body = plain();
    body["padding"] = "".into();
    let padding = length - body.to_string().len();
    body["padding"] = "x".repeat(padding).into();
    let body = body.to_string().into_bytes();
    assert_eq!(body.len(), length);
    body
}

async fn send(zephyr: &Zephyr, request: Vec<u8>) -> Answer {
    let mut client = zephyr.client().await;
    client.send(request).await.unwrap();
    client.answer().await.unwrap()
}

fn assert_too_large(answer: &Answer) {
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("x-zephyr-error"), Some("body_too_large"));
    let body = answer.json();
    assert_eq!(body["type"], "error");
    assert_eq!(body["error"]["type"], "request_too_large");
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("max_body_mb")
    );
    assert!(body["request_id"].is_string());
}

#[tokio::test]
async fn a_body_arrives_whole_however_it_is_framed() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    for target in [MESSAGES, FILES] {
        for length in [200, 64 * 1024, 64 * 1024 + 1, 300_000] {
            let body = messages_of(length);
            for request in [
                by_length(target, &body),
                by_chunks(target, &body, 1_000_000, ""),
                by_chunks(target, &body, 999, ""),
                by_chunks(target, &body, 50_000, "x-checksum: abc\r\n"),
            ] {
                send(&zephyr, request).await;

                let received = a.next_request().await;
                assert_eq!(received.body, body, "{target}, {length}");
            }
        }
    }
}

#[tokio::test]
async fn announced_trailers_pass() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let request = by_chunks(MESSAGES, &messages_of(200), 100, "x-checksum: abc\r\n");

    send(&zephyr, request).await;

    let trailers = a.next_request().await.trailers;
    assert_eq!(trailers, [("x-checksum".to_owned(), "abc".to_owned())]);
}

#[tokio::test]
async fn an_empty_body_arrives_empty() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    for target in [MESSAGES, FILES] {
        for request in [by_length(target, b""), by_chunks(target, b"", 1, "")] {
            send(&zephyr, request).await;

            assert!(a.next_request().await.body.is_empty(), "{target}");
        }
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "[server]\nmax_body_mb = 1\n").await;
    let (fits, exceeds) = (messages_of(MB), messages_of(MB + 1));
    for target in [MESSAGES, "/v1/messages/count_tokens"] {
        for request in [
            by_length(target, &fits),
            by_chunks(target, &fits, 10_000, ""),
        ] {
            let answer = send(&zephyr, request).await;

            assert_eq!(answer.status, 200, "{target}");
            assert_eq!(a.next_request().await.body.len(), MB);
        }
        for request in [
            by_length(target, &exceeds),
            by_chunks(target, &exceeds, 10_000, ""),
        ] {
            let answer = send(&zephyr, request).await;

            assert_too_large(&answer);
            assert_eq!(answer.end, End::Clean);
        }
    }
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 0);
    assert_eq!(a.requests().len(), 4, "nothing else arrived whole");
}

#[tokio::test]
async fn a_body_that_announces_itself_as_too_large_is_refused_unread() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    let head = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
                content-length: 73400320\r\n\r\n";

    client.send(head).await.unwrap();

    let (status, _) = client.read_head().await.unwrap();
    assert_eq!(status, 413, "and no 100 Continue before it");
    assert_eq!(a.connections(), 0);
}

#[tokio::test]
async fn a_client_that_sends_70_mb_all_the_same_still_reads_its_413() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let body = messages_of(70 * MB);
    for request in [
        by_length(MESSAGES, &body),
        by_chunks(MESSAGES, &body, MB, ""),
    ] {
        let mut client = zephyr.client().await;

        let sent = client.send(&request).await;

        assert!(sent.is_ok(), "a reset would hide the answer: {sent:?}");
        assert_too_large(&client.answer().await.unwrap());
    }
    assert_eq!(zephyr.stream().await.unwrap().status, 200);
}

#[tokio::test]
async fn other_paths_stream_without_a_limit_and_once() {
    let a = Endpoint::start(Act::status(500)).await;
    let b = Endpoint::start(Act::json(&serde_json::json!({ "id": "file_011" }))).await;
    let zephyr = Zephyr::over(&[&a, &b], "[server]\nmax_body_mb = 1\n").await;
    let body = vec![b'x'; 80 * MB];

    let refused = send(&zephyr, by_length(FILES, &body)).await;

    assert_eq!(refused.status, 500);
    assert_eq!(a.next_request().await.body.len(), body.len());
    assert!(b.requests().is_empty(), "such a body is sent once");
    a.set(Act::json(&serde_json::json!({ "id": "file_011" })));
    let accepted = send(&zephyr, by_chunks(FILES, &body, MB, "")).await;
    assert_eq!(accepted.status, 200);
    assert_eq!(a.next_request().await.body.len(), body.len());
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    for target in [MESSAGES, FILES] {
        let mut client = zephyr.client().await;
        let body = messages_of(100_000);
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        client.send(head).await.unwrap();
        assert_eq!(client.read_head().await.unwrap().0, 100, "{target}");

        client.send(&body).await.unwrap();

        assert!(client.answer().await.unwrap().status >= 200);
        let received = a.next_request().await;
        assert_eq!(received.body, body);
        assert_eq!(received.header("expect"), None, "answered here");
    }
}

#[tokio::test]
async fn a_request_with_two_lengths_reaches_no_endpoint_with_both() {
    for (first, second) in [
        ("content-length: 3", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 3"),
    ] {
        let upstream = RawUpstream::start().await;
        let zephyr = Zephyr::at(&[upstream.url()], "").await;
        let mut client = zephyr.client().await;
        let request = format!(
            "POST {FILES} HTTP/1.1\r\nhost: localhost\r\n{first}\r\n{second}\r\n\r\n\
             8\r\nsmuggled\r\n0\r\n\r\n"
        );
        client.send(request).await.unwrap();

        let (mut peer, head) = upstream.accept().await;

        assert!(!head.contains("content-length"), "{first}: {head}");
        assert!(
            head.contains("transfer-encoding: chunked"),
            "{first}: {head}"
        );
        assert!(peer.read_past("0\r\n\r\n").await.contains("smuggled"));
    }
}

#[tokio::test]
async fn an_answer_with_two_lengths_reaches_the_client_with_one() {
    let raw = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n\
               8\r\nsmuggled\r\n0\r\n\r\n";
    let a = Endpoint::start(Act::bytes(raw)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client: RawClient = zephyr.client().await;
    client
        .send("GET /v1/thing HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();

    let answer = client.answer().await.unwrap();

    assert_eq!(answer.body, b"smuggled");
    assert_eq!(answer.header("content-length"), None);
}
