//! Whoever sends too much of anything gets a clear refusal, and takes neither memory nor the place of
//! others.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use crate::common::{Zephyr, config, plain, streaming};
use zephyr_engine::Options;
use zephyr_testkit::{Act, End, Endpoint, Gate, Phase, RawClient, Step, TextStream};

const MIB: usize = 1024 * 1024;
/// More than the engine may hold of anything here, and far less than what is sent.
const SOME: usize = 16 * MIB;

async fn with_room_for(connections: usize, endpoint: &Endpoint) -> Zephyr {
    let options = Options {
        max_connections: Some(connections),
        ..Options::default()
    };
    Zephyr::start(&config(&[endpoint.url()], ""), options).await
}

/// A connection over which a request is on its way. Its answer waits for a gate.
async fn busy(zephyr: &Zephyr, endpoint: &Endpoint) -> RawClient {
    let mut client = zephyr.client().await;
    client.send_messages(streaming().to_string()).await.unwrap();
    endpoint.next_request().await;
    client
}

/// A connection that is kept open, and idle.
async fn idle(zephyr: &Zephyr) -> RawClient {
    let mut client = zephyr.client().await;
    let ask = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    client.send(ask).await.unwrap();
    assert_eq!(client.answer().await.unwrap().status, 200);
    client
}

async fn counted(zephyr: &Zephyr, series: &str) -> u64 {
    let text = zephyr.control.metrics().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_connection_too_many_is_told_so_and_a_place_that_is_free_again_is_given() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::message("Hi").gate(gate.clone())).await;
    let zephyr = with_room_for(3, &a).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(busy(&zephyr, &a).await);
    }

    let refused = zephyr.stream().await.unwrap();

    assert_eq!(refused.status, 503);
    assert_eq!(refused.end, End::Clean);
    assert_eq!(
        refused.header("x-zephyr-error"),
        Some("too_many_connections")
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["error"]["type"], "overloaded_error");
    assert_eq!(
        counted(&zephyr, "zephyr_client_connections_refused_total").await,
        1
    );
    assert_eq!(counted(&zephyr, "zephyr_client_connections_open").await, 3);

    clients.pop();
    while counted(&zephyr, "zephyr_client_connections_open").await == 3 {
        tokio::task::yield_now().await;
    }
    gate.open();
    assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");
}

#[tokio::test]
async fn a_request_on_its_way_keeps_its_place_while_others_are_refused() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::message("Hi").gate(gate.clone())).await;
    let zephyr = with_room_for(1, &a).await;
    let mut client = busy(&zephyr, &a).await;

    // More than wait for their client at a time, and none of them reads.
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(zephyr.client().await);
    }

    gate.open();
    assert_eq!(client.answer().await.unwrap().text(), "Hi");
}

#[tokio::test]
async fn connections_that_ask_nothing_close_the_port_to_nobody() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = with_room_for(4, &a).await;
    let mut oldest = idle(&zephyr).await;
    let mut holding = Vec::new();
    for begun in ["", "POST /v1/mess", "GET /health HTTP/1.1\r\nhost: "] {
        let mut client = zephyr.client().await;
        client.send(begun).await.unwrap();
        holding.push(client);
    }

    for _ in 0..8 {
        assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");
    }

    let ended = !matches!(oldest.read_piece().await, Ok(Ok(_)));
    assert!(ended, "it has given its place away");
    assert_eq!(
        counted(&zephyr, "zephyr_client_connections_refused_total").await,
        0
    );
}

/// A message of this many bytes.
fn message_of(bytes: usize) -> String {
    let mut message = streaming();
    message["messages"][0]["content"] = "x".repeat(bytes).into();
    message.to_string()
}

#[tokio::test]
async fn many_large_uploads_at_once_stay_within_the_memory_for_them() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::message("Hi").gate(gate.clone())).await;
    let zephyr = Zephyr::over(&[&a], "[server]\nmemory_budget_mb = 16\n\n").await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = zephyr.client().await;
        client.send_messages(message_of(6 * MIB)).await.unwrap();
        a.next_request().await;
        clients.push(client);
    }

    let kept = counted(&zephyr, "zephyr_kept_bytes").await;

    assert!(
        (12 * MIB..=16 * MIB).contains(&usize::try_from(kept).unwrap()),
        "{kept}"
    );
    gate.open();
    for mut client in clients {
        assert_eq!(client.answer().await.unwrap().text(), "Hi");
    }
    assert_eq!(counted(&zephyr, "zephyr_kept_bytes").await, 0);
}

#[tokio::test]
async fn a_request_without_room_is_sent_once_and_one_with_room_moves_on() {
    let a = Endpoint::start(Act::status(500)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "[server]\nmemory_budget_mb = 16\n\n").await;

    let mut large = zephyr.client().await;
    large.send_messages(message_of(20 * MIB)).await.unwrap();
    let large = large.answer().await.unwrap();
    let small = zephyr.stream().await.unwrap();

    assert_eq!(large.status, 500);
    assert_eq!(small.text(), "from B");
    assert_eq!(counted(&zephyr, "zephyr_kept_bytes").await, 0);
}

#[tokio::test]
async fn an_endpoint_that_sends_endless_headers_is_passed_over() {
    let many: String = (0..20_000).map(|n| format!("x-flood-{n}: 1\r\n")).collect();
    let large = format!("x-flood: {}\r\n", "x".repeat(4 * MIB));
    for (what, flood) in [("many", many), ("large", large)] {
        let a = Endpoint::start(Act::bytes(format!("HTTP/1.1 200 OK\r\n{flood}\r\n"))).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        let answer = zephyr.stream().await.unwrap();

        assert_eq!(answer.text(), "from B", "{what}");
        assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 1);
    }
}

/// A line that does not end, of 64 MiB.
fn endless_line() -> Vec<Step> {
    vec![Step::raw(vec![b'x'; MIB]); 64]
}

#[tokio::test]
async fn an_endless_line_before_the_content_is_passed_over() {
    let mut steps = vec![Step::raw("data: ")];
    steps.extend(endless_line());
    let a = Endpoint::start(Act::sse(steps)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.text(), "from B");
    a.until_open_connections(0).await;
}

#[tokio::test]
async fn an_endless_line_after_the_content_ends_the_answer() {
    let mut steps = TextStream::new("Hello there").until(Phase::AfterFirstDelta);
    steps.push(Step::raw("data: "));
    steps.extend(endless_line());
    let a = Endpoint::start(Act::sse(steps)).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!((answer.status, answer.end), (200, End::Cut));
    assert!(answer.body.len() < SOME, "{} bytes", answer.body.len());
    assert_eq!(zephyr.snapshot().await.totals.aborted, 1);
}

#[tokio::test]
async fn an_endless_refusal_is_judged_by_its_beginning() {
    let head =
        "HTTP/1.1 500 Oh\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = [b"100000\r\n".as_slice(), &vec![b'x'; MIB], b"\r\n"].concat();
    let mut steps = vec![Step::raw(head)];
    steps.extend(vec![Step::raw(chunk); 64]);
    let a = Endpoint::start(Act::raw(steps)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.text(), "from B");
    a.until_open_connections(0).await;
}

#[tokio::test]
async fn a_body_without_an_end_is_refused_at_the_limit() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "[server]\nmax_body_mb = 1\n\n").await;
    let mut client = zephyr.client().await;
    let head =
        "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
    client.send(head).await.unwrap();
    for _ in 0..64 {
        // The refusal may come before all is sent.
        if client.send(&chunk).await.is_err() {
            break;
        }
    }

    let answer = client.answer().await.unwrap();

    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("x-zephyr-error"), Some("body_too_large"));
    assert_eq!(zephyr.post(&plain()).await.unwrap().text(), "Hi");
}
