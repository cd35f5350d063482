//! Endpoints that answer slowly, and conversations with a cache.

use std::time::Duration;

use crate::common::{Zephyr, streaming};
use zephyr_control::{Command, EventKind, Reason};
use zephyr_testkit::{Act, Endpoint, Usage};

const SLOW: Duration = Duration::from_millis(600);

fn cached(tokens: u64) -> Usage {
    Usage {
        cache_read: tokens,
        ..Usage::default()
    }
}

#[tokio::test]
async fn new_conversations_leave_a_brownout_after_two_slow_answers_and_are_told_why() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    for _ in 0..3 {
        assert_eq!(zephyr.used().await, "A");
    }
    a.set(Act::message("from A").after(SLOW));

    let mut used = String::new();
    for _ in 0..4 {
        used += &zephyr.used().await;
    }

    assert_eq!(used, "AABB");
    let snapshot = zephyr.snapshot().await;
    let slow = |event: &EventKind| {
        matches!(event, EventKind::Switched { to, decision, .. }
            if to == "B" && matches!(decision.why, Reason::LeavesSlow { ms, .. } if ms >= 600))
    };
    assert!(snapshot.events.iter().any(|event| slow(&event.kind)));
    assert_eq!(snapshot.endpoint("A").unwrap().failures, 0);
}

#[tokio::test]
async fn a_conversation_with_a_large_cache_stays_and_one_with_a_small_one_moves() {
    let answers = |name: &str, tokens| Act::message(name).usage(cached(tokens));
    for (tokens, used, says) in [
        (
            500_000,
            "A",
            "stays for its prompt cache: another would save",
        ),
        (1000, "B", "worth leaving the prompt cache: saves"),
    ] {
        let a = Endpoint::start(answers("from A", tokens)).await;
        let b = Endpoint::start(answers("from B", tokens)).await;
        let routing = "[routing]\nmin_dwell_seconds = 0\n";
        let zephyr = Zephyr::over(&[&a, &b], routing).await;
        let session = [("x-claude-code-session-id", "s-1")];
        let body = streaming().to_string();
        for _ in 0..8 {
            zephyr.request("POST /v1/messages", &session, &body).await;
        }
        a.set(answers("from A", tokens).after(SLOW));
        zephyr.used().await;
        zephyr.used().await;

        let answer = zephyr.request("POST /v1/messages", &session, &body).await;

        let why = answer.header("x-zephyr-why").unwrap_or_default();
        assert_eq!(answer.header("x-used-endpoint"), Some(used), "{why}");
        assert!(why.starts_with(says) && why.contains('$'), "{why}");
        let moved = zephyr.events().await.into_iter().any(|event| {
            matches!(event, EventKind::Moved { from, to, why: Reason::WorthMoving { .. } }
                if from == "A" && to == "B")
        });
        assert_eq!(moved, used == "B");
        let weighed = zephyr.snapshot().await.weighed.clone().unwrap();
        assert_eq!((weighed.from.as_str(), weighed.to.as_str()), ("A", "B"));
        assert_eq!(weighed.moved, moved);
        assert!(weighed.saved_ms >= 500, "{weighed:?}");
        assert_eq!(weighed.worth_usd > weighed.cost_usd, moved, "{weighed:?}");
        zephyr.run(Command::Pause).await;
        let paused = zephyr.request("POST /v1/messages", &session, &body).await;
        assert_eq!(paused.header("x-zephyr-why"), None);
    }
}
