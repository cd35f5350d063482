//! The fastest endpoint is used, while it is the fastest.
#![expect(clippy::unwrap_used, reason = "all of it is a test")]

use std::time::Duration;

use serde_json::Value;
use zephyr_control::{EventKind, Measure, Reason, Snapshot};
use zephyr_testkit::{Act, Endpoint};

use crate::common::Zephyr;

fn after(millis: u64) -> Act {
    Act::message("fine").after(Duration::from_millis(millis))
}

/// A answers after 80 ms and B after 121 ms, and both have been checked as often as this.
async fn known(interval: u64, checks: usize) -> (Zephyr, Endpoint, Endpoint) {
    let a = Endpoint::start(after(80)).await;
    let b = Endpoint::start(after(121)).await;
    let health_check =
        format!("[health_check]\nmode = \"message\"\ninterval_seconds = {interval}\n");
    let zephyr = Zephyr::over(&[&a, &b], &health_check).await;
    zephyr
        .until("checked", |snapshot| {
            let mut endpoints = snapshot.endpoints.iter();
            endpoints.all(|endpoint| endpoint.latency_history.len() >= checks)
        })
        .await;
    assert_eq!(zephyr.snapshot().await.current.as_deref(), Some("A"));
    (zephyr, a, b)
}

fn checks_of(snapshot: &Snapshot, name: &str) -> usize {
    snapshot.endpoint(name).unwrap().latency_history.len()
}

async fn has_switched_for_speed(zephyr: &Zephyr) -> bool {
    zephyr.events().await.iter().any(|event| {
        matches!(event, EventKind::Switched { to, decision, .. }
            if to == "B" && matches!(decision.why, Reason::Faster { .. }))
    })
}

#[tokio::test]
async fn an_endpoint_whose_answers_come_later_is_left_within_twenty_of_them() {
    let (zephyr, a, _b) = known(3600, 1).await;
    for _ in 0..8 {
        assert_eq!(zephyr.used().await, "A");
    }
    a.set(after(220));

    let mut answers = 0;
    while zephyr.used().await == "A" {
        answers += 1;
        assert!(answers <= 20, "{:#?}", zephyr.snapshot().await);
    }

    assert!(has_switched_for_speed(&zephyr).await);
    let snapshot = zephyr.snapshot().await;
    println!("measured: {answers} answers until the switch");
    assert!(
        checks_of(&snapshot, "A") > 1,
        "checks have decided, long before their interval"
    );
}

#[tokio::test]
async fn without_traffic_it_is_left_within_three_intervals() {
    let (zephyr, a, _b) = known(1, 3).await;
    let before = checks_of(&*zephyr.snapshot().await, "A");
    a.set(after(220));

    let snapshot = zephyr
        .until("B is in use", |snapshot| {
            snapshot.current.as_deref() == Some("B")
        })
        .await;

    assert!(has_switched_for_speed(&zephyr).await);
    let checks = checks_of(&snapshot, "A") - before;
    // One may have been out already, and after two the rest of a burst follows.
    assert!(checks <= 3 + 5, "{checks} checks");
}

#[tokio::test]
async fn a_decline_that_checks_do_not_share_changes_nothing() {
    let (zephyr, a, _b) = known(3600, 1).await;
    for _ in 0..8 {
        zephyr.used().await;
    }
    let is_check = |body: &Value| body["max_tokens"] == 1;
    a.set(zephyr_testkit::Script::by(move |request| {
        after(if is_check(&request.json()) { 80 } else { 220 })
    }));

    for _ in 0..5 {
        assert_eq!(zephyr.used().await, "A");
    }
    let checked = zephyr
        .until("five further checks", |snapshot| {
            checks_of(snapshot, "A") > 5 && checks_of(snapshot, "B") > 5
        })
        .await;

    assert_eq!(checked.current.as_deref(), Some("A"));
    assert_eq!(zephyr.used().await, "A");
}

#[tokio::test]
async fn both_latencies_are_shown_and_which_of_them_is_compared() {
    let (checked, _a, _b) = known(3600, 1).await;
    checked.used().await;
    let a = Endpoint::start(Act::message("fine")).await;
    let b = Endpoint::start(Act::message("fine")).await;
    let unchecked = Zephyr::over(&[&a, &b], "").await;
    unchecked.used().await;

    let status = checked.get("/status").await.json();

    let snapshot = checked.snapshot().await;
    let in_use = snapshot.endpoint("A").unwrap();
    assert!(in_use.latency_ms.is_some() && in_use.ttft_ms.is_some());
    assert_eq!(in_use.compared_by, Some(Measure::Checks));
    assert!(
        status.to_string().contains(r#""compared_by":"checks""#),
        "{status}"
    );
    let nothing = unchecked.snapshot().await;
    assert_eq!(nothing.endpoint("A").unwrap().compared_by, None);
}
