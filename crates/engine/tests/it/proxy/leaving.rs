//! A client that leaves takes its upstream request along, and nobody is blamed.

use std::time::{Duration, Instant};

use zephyr_testkit::{Act, Endpoint, Phase};

use crate::common::raw::{RawUpstream, patiently};
use crate::common::{Zephyr, plain, streaming};

/// The promise is 100 ms; a test machine may be busy.
const SOON: Duration = Duration::from_secs(1);

async fn assert_nobody_is_blamed(zephyr: &Zephyr, what: &str) {
    let snapshot = zephyr
        .until(what, |seen| {
            let idle = seen
                .endpoints
                .iter()
                .all(|endpoint| endpoint.in_flight == 0);
            idle && seen.totals.in_flight == 0 && seen.totals.abandoned == 1
        })
        .await;
    assert_eq!(snapshot.endpoint("A").unwrap().failures, 0, "{what}");
    let totals = snapshot.totals;
    assert_eq!((totals.failed, totals.aborted), (0, 0), "{what}");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_cancels_the_upstream_request() {
    let hanging = [
        ("no answer", Act::hang(), streaming()),
        ("no answer, not streamed", Act::hang(), plain()),
        ("held", Act::stall_at(Phase::AfterHeaders), streaming()),
        (
            "held after the start",
            Act::stall_at(Phase::AfterMessageStart),
            streaming(),
        ),
    ];
    for (what, act, body) in hanging {
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;
        let mut client = zephyr.client().await;
        client.send_messages(body.to_string()).await.unwrap();
        a.next_request().await;

        let left = Instant::now();
        drop(client);
        let seen = a.cancelled().await;

        assert!(seen.at - left < SOON, "{what}: {:?}", seen.at - left);
        assert_nobody_is_blamed(&zephyr, what).await;
        assert!(b.requests().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_midway_cancels_the_upstream_request() {
    let a = Endpoint::start(Act::stall_at(Phase::AfterFirstDelta)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    client.send_messages(streaming().to_string()).await.unwrap();
    client.read_head().await.unwrap();

    let left = Instant::now();
    drop(client);
    let seen = a.cancelled().await;

    assert!(seen.at - left < SOON, "{:?}", seen.at - left);
    assert_nobody_is_blamed(&zephyr, "midway").await;
}

#[tokio::test]
async fn a_client_that_leaves_a_path_not_understood_cancels_the_upstream_request() {
    let a = Endpoint::start(Act::hang()).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    client
        .send("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    a.next_request().await;

    let left = Instant::now();
    drop(client);
    let seen = a.cancelled().await;

    assert!(seen.at - left < SOON, "{:?}", seen.at - left);
    assert_nobody_is_blamed(&zephyr, "a path not understood").await;
}

#[tokio::test]
async fn a_client_that_leaves_during_its_upload_cancels_the_upstream_request() {
    for target in ["/v1/messages", "/v1/files"] {
        let upstream = RawUpstream::start().await;
        let zephyr = Zephyr::at(&[upstream.url()], "").await;
        let mut client = zephyr.client().await;
        let head =
            format!("POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n\r\n");
        client.send(head).await.unwrap();
        client.send(vec![b'a'; 100_000]).await.unwrap();
        let (mut peer, _) = upstream.accept().await;
        peer.read_exactly(100_000).await;

        let left = Instant::now();
        drop(client);
        patiently(peer.closed()).await;

        assert!(left.elapsed() < SOON, "{target}: {:?}", left.elapsed());
        assert_nobody_is_blamed(&zephyr, target).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_its_request_is_whole_reaches_no_endpoint() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    client
        .send("POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 200\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(client.read_head().await.unwrap().0, 100, "it is being read");
    client.send("{").await.unwrap();

    drop(client);

    zephyr
        .until("its end", |seen| seen.totals.in_flight == 0)
        .await;
    assert_eq!(a.connections(), 0);
}

#[tokio::test]
async fn clients_that_come_and_go_leave_nothing_behind() {
    let a = Endpoint::start(Act::stall_at(Phase::AfterFirstDelta)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    for _ in 0..50 {
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        client.read_head().await.unwrap();
    }

    a.until_open_connections(0).await;

    let snapshot = zephyr
        .until("the end of all", |seen| seen.totals.in_flight == 0)
        .await;
    assert_eq!(snapshot.totals.abandoned, 50);
    assert_eq!(snapshot.endpoint("A").unwrap().failures, 0);
}
