//! Nothing is up: requests wait, and go to the first endpoint that returns.

use std::time::{Duration, Instant};

use crate::common::raw::patiently;
use crate::common::{Zephyr, streaming};
use futures_util::future::join_all;
use zephyr_control::{Command, EndpointState};
use zephyr_testkit::{Act, Endpoint, Gate};

/// One failure takes an endpoint out; nothing but a person or a request brings it back.
const ONE_STRIKE: &str = "[breaker]\nmax_failures = 1\n\n[failover]\nhold_seconds = 15\n";

/// The same, and requests do not try what is out.
const NO_SCOUTS: &str = "[breaker]\nmax_failures = 1\ncooldown_seconds = 12\n\n[failover]\nhold_seconds = 15\nlast_resort = false\n";

/// Waits until so many requests wait.
async fn waiting(zephyr: &Zephyr, count: u32) {
    zephyr
        .until("requests wait", |seen| seen.totals.waiting == count)
        .await;
}

async fn reinstate(zephyr: &Zephyr) {
    zephyr.run(Command::Reinstate { endpoint: None }).await;
}

#[tokio::test]
async fn a_request_waits_and_is_answered_when_an_endpoint_returns() {
    let a = Endpoint::start(Act::reset()).await;
    let zephyr = Zephyr::over(&[&a], ONE_STRIKE).await;

    let asking = zephyr.stream();
    let returning = async {
        waiting(&zephyr, 1).await;
        a.set(Act::message("back"));
    };
    let (answer, ()) = patiently(async { tokio::join!(asking, returning) }).await;

    assert_eq!(answer.unwrap().text(), "back");
    let snapshot = zephyr.snapshot().await;
    assert_eq!((snapshot.totals.waiting, snapshot.totals.failed), (0, 0));
    assert_eq!(snapshot.endpoint("A").unwrap().state, EndpointState::Ready);
}

#[tokio::test]
async fn an_endpoint_that_restarts_is_not_noticed() {
    let a = Endpoint::start(Act::message("before")).await;
    let address = a.addr();
    let zephyr = Zephyr::over(&[&a], "[failover]\nhold_seconds = 15\n").await;
    assert_eq!(zephyr.stream().await.unwrap().text(), "before");
    a.stop().await;

    let asking = zephyr.stream();
    let returning = async {
        waiting(&zephyr, 1).await;
        Endpoint::start_at(address, Act::message("after"))
            .await
            .unwrap()
    };
    let (answer, _a) = patiently(async { tokio::join!(asking, returning) }).await;

    assert_eq!(answer.unwrap().text(), "after");
    let snapshot = zephyr.snapshot().await;
    assert_eq!(snapshot.endpoint("A").unwrap().state, EndpointState::Ready);
}

#[tokio::test]
async fn a_request_that_waited_in_vain_gets_the_error_it_would_have_got() {
    let a = Endpoint::start(Act::status(500)).await;
    let hold = ONE_STRIKE.replace("15", "2");
    let zephyr = Zephyr::over(&[&a], &hold).await;
    let started = Instant::now();

    let answer = patiently(zephyr.stream()).await.unwrap();

    assert_eq!(answer.status, 500);
    assert!(started.elapsed() >= Duration::from_secs(2));
    let answered: usize = answer.header("x-zephyr-attempts").unwrap().parse().unwrap();
    assert_eq!((answered, a.requests().len()), (2, 2), "one scout");
}

#[tokio::test]
async fn two_hundred_who_wait_do_not_fall_upon_the_endpoint_that_returns() {
    const CLIENTS: usize = 200;
    let a = Endpoint::start(Act::reset()).await;
    let zephyr = Zephyr::over(&[&a], NO_SCOUTS).await;
    let mut first = zephyr.client().await;
    first.send_messages(streaming().to_string()).await.unwrap();
    waiting(&zephyr, 1).await;
    let gate = Gate::new();
    let before = a.requests().len();

    let clients = join_all((1..CLIENTS).map(|_| zephyr.stream()));
    let returning = async {
        waiting(&zephyr, u32::try_from(CLIENTS).unwrap()).await;
        a.set(Act::message("back").gate(gate.clone()));
        reinstate(&zephyr).await;
        while a.requests().len() == before {
            a.next_request().await;
        }
        let unanswered = a.requests().len() - before;
        gate.open();
        unanswered
    };
    let (answers, unanswered) = patiently(async { tokio::join!(clients, returning) }).await;
    let first = patiently(first.answer()).await.unwrap();

    assert!(unanswered <= 4, "{unanswered} came before one was answered");
    let texts = answers.iter().map(|answer| answer.as_ref().unwrap().text());
    assert!(texts.chain([first.text()]).all(|text| text == "back"));
    assert_eq!(a.requests().len() - before, CLIENTS);
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_reaches_nobody() {
    for size in [10, 500_000] {
        let a = Endpoint::start(Act::reset()).await;
        let zephyr = Zephyr::over(&[&a], NO_SCOUTS).await;
        let mut body = streaming();
        body["messages"][0]["content"] = "x".repeat(size).into();
        let mut client = zephyr.client().await;
        client.send_messages(body.to_string()).await.unwrap();
        waiting(&zephyr, 1).await;
        let before = a.requests().len();

        drop(client);
        let idle = zephyr
            .until("nobody waits", |seen| {
                seen.totals.waiting == 0 && seen.totals.in_flight == 0
            })
            .await;
        a.set(Act::message("back"));
        reinstate(&zephyr).await;

        assert_eq!(zephyr.stream().await.unwrap().text(), "back");
        assert_eq!(a.requests().len(), before + 1, "only ours, {size} bytes");
        assert_eq!(idle.totals.abandoned, 1, "{size}");
    }
}

#[tokio::test]
async fn a_drain_releases_those_who_wait_with_an_error() {
    let a = Endpoint::start(Act::reset()).await;
    let zephyr = Zephyr::over(&[&a], NO_SCOUTS).await;

    let asking = zephyr.stream();
    let ending = async {
        waiting(&zephyr, 1).await;
        zephyr.engine.drain().await;
    };
    let (answer, ()) = patiently(async { tokio::join!(asking, ending) }).await;

    let answer = answer.unwrap();
    assert_eq!(
        (answer.status, answer.header("x-zephyr-error")),
        (503, Some("shutting_down"))
    );
}

#[tokio::test]
async fn who_asked_for_a_longer_pause_is_not_waited_for() {
    let a = Endpoint::start(Act::status(429).header("retry-after", "60")).await;
    let zephyr = Zephyr::over(&[&a], ONE_STRIKE).await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.status, 429);
    assert_eq!(a.requests().len(), 1);
}
