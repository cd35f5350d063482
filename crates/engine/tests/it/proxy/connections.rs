//! Connections to endpoints are kept, and one that grew stale costs nobody anything.

use zephyr_testkit::{Act, Endpoint, Script, Step};

use crate::common::{Zephyr, plain, streaming};

/// A whole answer that says nothing of closing.
fn answer() -> Step {
    let body = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    Step::raw(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

#[tokio::test]
async fn requests_one_after_another_share_a_connection() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for body in [streaming(), plain(), streaming()] {
        zephyr.post(&body).await.unwrap();
    }

    assert_eq!(a.connections(), 1);
}

#[tokio::test]
async fn a_stale_connection_is_replaced_without_counting() {
    for (what, act) in [("reset", Act::reset()), ("close", Act::close())] {
        let breaks = act.clone();
        let script = Script::by(move |request| {
            if request.number == 1 {
                breaks.clone()
            } else {
                Act::message("Hi")
            }
        });
        let a = Endpoint::start(script).await;
        let zephyr = Zephyr::over(&[&a], "").await;
        zephyr.stream().await.unwrap();

        let answer = zephyr.stream().await.unwrap();

        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "Hi"),
            "{what}"
        );
        assert_eq!(answer.header("x-zephyr-attempts"), Some("1"), "{what}");
        let connections: Vec<usize> = a.requests().iter().map(|seen| seen.connection).collect();
        assert_eq!(connections, [0, 0, 1], "{what}");
        let seen = zephyr.snapshot().await;
        assert_eq!(seen.endpoint("A").unwrap().failures, 0, "{what}");
        assert_eq!(seen.totals.attempts, 2, "{what}");
    }
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_not_used_again() {
    let a = Endpoint::start(Act::raw(vec![answer(), Step::Cut])).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    for round in 1..=5 {
        let answer = zephyr.post(&plain()).await.unwrap();

        assert_eq!(answer.text(), "Hi", "{round}");
        assert_eq!(answer.header("x-zephyr-attempts"), Some("1"), "{round}");
    }
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 0);
}

#[tokio::test]
async fn a_fresh_connection_that_breaks_is_a_failure() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    zephyr.stream().await.unwrap();
    a.set(Act::reset());

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.text(), "from B");
    assert_eq!(answer.header("x-zephyr-attempts"), Some("2"));
    assert_eq!(a.requests().len(), 3, "stale, then fresh, and no more");
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 1);
}

#[tokio::test]
async fn a_body_that_cannot_be_sent_twice_does_not_meet_a_stale_connection() {
    let script = Script::by(|request| {
        if request.number == 1 && request.connection == 0 {
            Act::reset()
        } else {
            Act::message("Hi")
        }
    });
    for target in ["/v1/messages", "/v1/messages/batches"] {
        let a = Endpoint::start(script.clone()).await;
        let zephyr = Zephyr::over(&[&a], "[failover]\nreplay_limit_mb = 1\n").await;
        zephyr.stream().await.unwrap();
        let mut body = plain();
        body["padding"] = "x".repeat(2_000_000).into();
        let body = body.to_string();
        let mut client = zephyr.client().await;
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        client.send(head).await.unwrap();
        client.send(&body).await.unwrap();

        let answer = client.answer().await.unwrap();

        assert_ne!(answer.status, 502, "{target}");
        assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 0);
    }
}
