//! A network that is gone, and comes back. Two addresses of the loopback network stand for two hosts.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]
#![cfg(target_os = "linux")] // Elsewhere the loopback interface has one address.

use std::net::{Ipv4Addr, SocketAddr};

use crate::common::Zephyr;
use zephyr_control::{Command, EndpointState, EventKind, Headline, Overall, Snapshot};
use zephyr_testkit::{Act, Endpoint};

const PROBES: &str = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";

async fn at_host(last: u8) -> Endpoint {
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    Endpoint::start_at(address, Act::message("fine"))
        .await
        .unwrap()
}

fn is_offline(snapshot: &Snapshot) -> bool {
    snapshot.offline_since_ms.is_some()
}

fn count(snapshot: &Snapshot, event: &EventKind) -> usize {
    let events = snapshot.events.iter();
    events.filter(|one| &one.kind == event).count()
}

#[tokio::test]
async fn it_goes_offline_as_a_whole_and_comes_back_by_itself() {
    let (a, b) = (at_host(2).await, at_host(3).await);
    let addresses = [a.addr(), b.addr()];
    let zephyr = Zephyr::over(&[&a, &b], PROBES).await;
    zephyr
        .until("both are measured", |snapshot| {
            let mut endpoints = snapshot.endpoints.iter();
            endpoints.all(|endpoint| endpoint.latency_ms.is_some())
        })
        .await;
    a.stop().await;
    b.stop().await;

    zephyr.run(Command::Refresh).await;
    let gone = zephyr.until("it is offline", is_offline).await;
    let answer = zephyr.stream().await.unwrap();
    let status = zephyr.get("/status").await;
    let _back = Endpoint::start_at(addresses[1], Act::message("back"))
        .await
        .unwrap();
    let back = zephyr
        .until("it is online", |snapshot| !is_offline(snapshot))
        .await;

    let not_reached = |snapshot: &Snapshot| {
        let mut endpoints = snapshot.endpoints.iter();
        endpoints.all(|endpoint| endpoint.state == EndpointState::Unreachable)
    };
    assert!(
        not_reached(&gone),
        "nobody is to blame, and nobody is ready"
    );
    assert_eq!(gone.usable(), 0);
    assert_eq!(gone.status.overall, Overall::Offline);
    assert_eq!(gone.status.headline, Headline::Unreachable);
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("x-zephyr-error"), Some("offline"));
    assert_eq!(status.json()["offline"], true);
    assert_eq!(status.json()["status"]["overall"], "offline");
    for event in [EventKind::Offline, EventKind::Online] {
        assert_eq!(count(&back, &event), 1, "{event:?}");
    }
    assert_eq!(count(&back, &EventKind::AllDown), 0, "offline says more");
    assert_eq!(zephyr.used().await, "B");
}

#[tokio::test]
async fn requests_alone_find_it_out_and_end_it() {
    let (a, b) = (at_host(4).await, at_host(5).await);
    let addresses = [a.addr(), b.addr()];
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    a.stop().await;
    b.stop().await;

    let failed = zephyr.stream().await.unwrap();
    let gone = zephyr.snapshot().await;
    let _back = Endpoint::start_at(addresses[0], Act::message("back"))
        .await
        .unwrap();
    let used = zephyr.used().await;

    let message = String::from_utf8(failed.body.clone()).unwrap();
    assert!(message.contains("check its network"), "{message}");
    assert!(is_offline(&gone));
    assert_eq!(used, "A");
    let back = zephyr.snapshot().await;
    assert!(!is_offline(&back));
}

#[tokio::test]
async fn with_one_host_the_endpoints_are_to_blame() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let breaker = "[breaker]\nmax_failures = 1\n";
    let zephyr = Zephyr::over(&[&a, &b], breaker).await;
    a.stop().await;
    b.stop().await;

    let failed = zephyr.stream().await.unwrap();

    assert_eq!(failed.header("x-zephyr-error"), Some("all_failed"));
    let snapshot = zephyr.snapshot().await;
    assert!(!is_offline(&snapshot));
    assert_eq!(count(&snapshot, &EventKind::AllDown), 1);
}
