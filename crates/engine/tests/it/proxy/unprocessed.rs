//! Requests that an endpoint did nothing with: sent once more on a fresh connection, and booked nowhere.

use zephyr_control::{EndpointState, EventKind};
use zephyr_engine::Options;
use zephyr_testkit::{Act, Answer, Endpoint, TlsEndpoint};

use crate::common::{Zephyr, config};

/// Once sent, a request is not repeated unless the endpoint is known to have done nothing with it.
const SENT_ONCE: &str = "[failover]\nretry_sent_requests = false\n";

/// Over an endpoint of HTTP/2 and one behind it; each with a warm connection.
async fn over(first: &TlsEndpoint, second: &Endpoint) -> Zephyr {
    let options = Options {
        extra_roots: vec![first.ca_der().into()],
        ..Options::default()
    };
    let zephyr = Zephyr::start(&config(&[first.url(), second.url()], SENT_ONCE), options).await;
    assert_eq!(zephyr.stream().await.unwrap().text(), "from A");
    zephyr
}

async fn nothing_was_booked(zephyr: &Zephyr, answer: &Answer) {
    assert_eq!(answer.text(), "from A");
    assert_eq!(answer.header("x-zephyr-attempts"), Some("1"));
    let snapshot = zephyr.snapshot().await;
    let a = snapshot.endpoint("A").unwrap();
    assert_eq!((a.failures, a.state), (0, EndpointState::Ready));
    let failed_over = |event: &EventKind| matches!(event, EventKind::FailedOver { .. });
    assert!(!zephyr.events().await.iter().any(failed_over));
}

#[tokio::test]
async fn a_refused_stream_is_sent_once_more_and_books_nothing() {
    let (a, b) = (
        TlsEndpoint::start(Act::message("from A")).await,
        Endpoint::start(Act::message("from B")).await,
    );
    let zephyr = over(&a, &b).await;
    a.push(Act::refuse());

    let answer = zephyr.stream().await.unwrap();

    nothing_was_booked(&zephyr, &answer).await;
}

#[tokio::test]
async fn a_connection_that_goes_away_below_a_stream_has_not_processed_it() {
    let (a, b) = (
        TlsEndpoint::start(Act::message("from A")).await,
        Endpoint::start(Act::message("from B")).await,
    );
    let zephyr = over(&a, &b).await;
    a.push(Act::go_away());

    let answer = zephyr.stream().await.unwrap();

    nothing_was_booked(&zephyr, &answer).await;
    assert_eq!(a.connections(), 2);
}

#[tokio::test]
async fn an_endpoint_that_refuses_twice_has_failed_and_the_request_moves_on() {
    let (a, b) = (
        TlsEndpoint::start(Act::message("from A")).await,
        Endpoint::start(Act::message("from B")).await,
    );
    let zephyr = over(&a, &b).await;
    a.set(Act::refuse());

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.text(), "from B");
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 1);
}

#[tokio::test]
async fn an_answer_that_switches_protocols_unasked_is_a_fault() {
    let upgraded = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    let (a, b) = (
        Endpoint::start(Act::bytes(upgraded)).await,
        Endpoint::start(Act::message("from B")).await,
    );
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!((answer.status, answer.text().as_str()), (200, "from B"));
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 1);
}
