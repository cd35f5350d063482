//! Before the end: what runs may finish, what is new is refused, what lasts too long is cut.

use std::io::Read;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zephyr_control::Command;
use zephyr_testkit::{Act, End, Endpoint, Gate, Phase, RawClient};

use crate::common::raw::patiently;
use crate::common::{Zephyr, config, streaming};

/// A client whose stream is under way.
async fn under_way(zephyr: &Zephyr) -> RawClient {
    let mut client = zephyr.client().await;
    client.send_messages(streaming().to_string()).await.unwrap();
    client.read_head().await.unwrap();
    client
}

#[tokio::test]
async fn a_drain_lets_a_running_stream_finish_and_refuses_what_is_new() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::gate_at(Phase::AfterFirstDelta, gate.clone())).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut running = under_way(&zephyr).await;
    let mut idle = zephyr.client().await;
    idle.send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    idle.answer().await.unwrap();
    let address = zephyr.engine.proxy_addr();

    let draining = async { zephyr.engine.drain().await };
    let finishing = async {
        zephyr.until("the drain", |seen| seen.drain.is_some()).await;
        let idle = idle.read_head().await;
        assert!(idle.is_err(), "an idle connection is closed: {idle:?}");
        let refused = zephyr_testkit::get(address, "/v1/models").await;
        assert!(refused.is_err(), "nobody listens: {refused:?}");
        gate.open();
        running.read_body().await.unwrap()
    };
    let ((), (_, end)) = patiently(async { tokio::join!(draining, finishing) }).await;

    assert_eq!(end, End::Clean);
    assert_eq!(a.requests().len(), 1);
    let totals = zephyr.snapshot().await.totals;
    assert_eq!(
        (totals.in_flight, totals.aborted, totals.abandoned),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn a_drain_ends_when_the_last_byte_has_left() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut running = under_way(&zephyr).await;

    patiently(zephyr.engine.drain()).await;
    drop(zephyr);

    assert_eq!(running.read_body().await.unwrap().1, End::Clean);
}

#[tokio::test]
async fn a_drain_cuts_what_lasts_too_long() {
    for (what, act) in [
        ("midway", Act::stall_at(Phase::AfterFirstDelta)),
        ("no answer", Act::hang()),
    ] {
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(Act::hang()).await;
        let zephyr = Zephyr::over(&[&a, &b], "[server]\ngraceful_switch_timeout_ms = 100\n").await;
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        a.next_request().await;
        if what == "midway" {
            client.read_head().await.unwrap();
        }

        patiently(zephyr.engine.drain()).await;

        if what == "midway" {
            assert_eq!(client.read_body().await.unwrap().1, End::Cut, "{what}");
        } else {
            let answer = client.answer().await;
            assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status >= 500));
            assert!(b.requests().is_empty(), "not sent to another one now");
        }
        assert_eq!(zephyr.snapshot().await.totals.in_flight, 0, "{what}");
    }
}

#[tokio::test]
async fn when_a_drain_is_over_every_connection_is() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = TcpStream::connect(zephyr.engine.proxy_addr())
        .await
        .unwrap();
    client
        .write_all(b"HEAD /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    while client.read_u8().await.unwrap() != b'\r' {} // It has been accepted.

    patiently(zephyr.engine.drain()).await;

    let mut client = client.into_std().unwrap();
    let rest = client.read_to_end(&mut Vec::new());
    assert!(rest.is_ok(), "its end is here already: {rest:?}");
}

#[tokio::test]
async fn a_drain_also_cuts_what_runs_at_an_endpoint_that_is_gone() {
    let a = Endpoint::start(Act::stall_at(Phase::AfterFirstDelta)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let short = "[server]\ngraceful_switch_timeout_ms = 50\n\n";
    let zephyr = Zephyr::over(&[&a], short).await;
    let mut running = under_way(&zephyr).await;
    zephyr.rewrite(&config(&[b.url()], short).replace("\"A\"", "\"B\""));
    zephyr.run(Command::Reload).await;

    patiently(zephyr.engine.drain()).await;

    assert_eq!(running.read_body().await.unwrap().1, End::Cut);
    let totals = zephyr.snapshot().await.totals;
    assert_eq!((totals.in_flight, totals.aborted), (0, 1));
}
