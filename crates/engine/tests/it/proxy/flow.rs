//! Bytes flow while they come, in both directions, and no faster than they are taken.

use zephyr_testkit::{Act, Endpoint, Gate, Phase};

use crate::common::raw::{RawUpstream, write_until_stuck};
use crate::common::{Zephyr, streaming};

const MB: usize = 1024 * 1024;
/// What sockets and buffers between two ends may hold; far less than what is offered.
const IN_BETWEEN: usize = 64 * MB;
const OFFERED: usize = 256 * MB;

#[tokio::test]
async fn a_body_is_streamed_on_while_the_client_still_sends() {
    for target in ["/v1/messages", "/v1/files"] {
        let upstream = RawUpstream::start().await;
        let zephyr = Zephyr::at(&[upstream.url()], "").await;
        let mut client = zephyr.client().await;
        let (first, rest) = (vec![b'a'; 100_000], vec![b'b'; 100_000]);
        let head =
            format!("POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n\r\n");
        client.send(head).await.unwrap();
        client.send(&first).await.unwrap();

        let (mut peer, _) = upstream.accept().await;
        assert_eq!(peer.read_exactly(first.len()).await, &first[..]);
        client.send(&rest).await.unwrap();

        assert_eq!(peer.read_exactly(rest.len()).await, &rest[..]);
    }
}

#[tokio::test]
async fn an_answer_to_an_unfinished_body_reaches_the_client() {
    for target in ["/v1/messages", "/v1/files"] {
        let upstream = RawUpstream::start().await;
        let zephyr = Zephyr::at(&[upstream.url()], "").await;
        let mut client = zephyr.client().await;
        let head =
            format!("POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n\r\n");
        client.send(head).await.unwrap();
        client.send(vec![b'a'; 100_000]).await.unwrap();
        let (mut peer, _) = upstream.accept().await;

        peer.write("HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno")
            .await;

        let answer = client.answer().await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (400, &b"no"[..]));
    }
}

#[tokio::test]
async fn an_early_refusal_reaches_a_client_that_sends_all_of_its_body() {
    let a = Endpoint::start(Act::early(413)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut body = streaming();
    body["padding"] = "x".repeat(8 * MB).into();

    let answer = zephyr.post(&body).await.unwrap();

    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("x-zephyr-error"), None, "the endpoint's own");
}

#[tokio::test]
async fn a_stream_reaches_the_client_event_by_event() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::gate_at(Phase::AfterFirstDelta, gate.clone())).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    client.send_messages(streaming().to_string()).await.unwrap();
    client.read_head().await.unwrap();

    let mut seen = Vec::new();
    while seen.last().is_none_or(|name| name != "content_block_delta") {
        seen.push(client.next_event().await.unwrap().unwrap().0);
    }
    gate.open();

    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(
        client.next_event().await.unwrap().unwrap().0,
        "content_block_delta"
    );
}

#[tokio::test]
async fn a_slow_client_bounds_what_is_read_from_the_endpoint() {
    let upstream = RawUpstream::start().await;
    let zephyr = Zephyr::at(&[upstream.url()], "").await;
    let mut client = zephyr.client().await;
    client
        .send("GET /v1/files/file_011/content HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let (mut peer, _) = upstream.accept().await;
    peer.write(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {OFFERED}\r\n\r\n"
    ))
    .await;
    client.read_head().await.unwrap();

    let taken = write_until_stuck(&peer.socket, OFFERED).await;

    assert!(taken < IN_BETWEEN, "{taken} bytes for nobody");
}

#[tokio::test]
async fn a_slow_client_of_a_stream_bounds_what_is_read_from_the_endpoint() {
    let upstream = RawUpstream::start().await;
    let zephyr = Zephyr::at(&[upstream.url()], "").await;
    let mut client = zephyr.client().await;
    client.send_messages(streaming().to_string()).await.unwrap();
    let (mut peer, _) = upstream.accept().await;
    peer.write(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {OFFERED}\r\n\r\n\
         event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"usage\":{{\"input_tokens\":1,\"output_tokens\":1}}}}}}\n\n\
         event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}\n\n: "
    ))
    .await;
    assert_eq!(client.read_head().await.unwrap().0, 200);

    let taken = write_until_stuck(&peer.socket, OFFERED).await;

    assert!(taken < IN_BETWEEN, "{taken} bytes for nobody");
}

#[tokio::test]
async fn a_slow_endpoint_bounds_what_is_taken_from_the_client() {
    let upstream = RawUpstream::start().await;
    let zephyr = Zephyr::at(&[upstream.url()], "[server]\nmax_body_mb = 1024\n").await;
    for target in ["/v1/messages", "/v1/files"] {
        let client = tokio::net::TcpStream::connect(zephyr.engine.proxy_addr())
            .await
            .unwrap();
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {OFFERED}\r\n\r\n"
        );
        assert_eq!(client.try_write(head.as_bytes()).unwrap(), head.len());

        let accepting = upstream.accept();
        let (taken, _peer) = tokio::join!(write_until_stuck(&client, OFFERED), accepting);

        assert!(taken < IN_BETWEEN, "{target}: {taken} bytes for nobody");
    }
}
