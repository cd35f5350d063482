//! The list of models: whatever is none moves on, within the 3 seconds that Claude Code waits.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use zephyr_control::{EndpointState, Reason};
use zephyr_testkit::{Act, Answer, Endpoint};

use crate::common::Zephyr;

/// Claude Code gives up after this.
const PATIENCE: Duration = Duration::from_secs(3);
const LIST: &str = r#"{"data":[{"type":"model","id":"claude-of-b"}],"has_more":false}"#;

fn json(status: u16, body: &'static str) -> Act {
    Act::status(status)
        .header("content-type", "application/json")
        .body(body)
}

fn body_of(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

#[tokio::test]
async fn whatever_is_no_list_of_models_moves_on() {
    let kinds = [
        ("a page", Act::html(200)),
        ("nothing", json(200, "")),
        ("another shape", json(200, r#"{"models":["claude"]}"#)),
        (
            "a list of something else",
            json(200, r#"{"data":["claude"]}"#),
        ),
        (
            "an empty list",
            json(200, r#"{"data":[],"has_more":false}"#),
        ),
        (
            "an error inside a 200",
            json(200, r#"{"error":{"message":"无此接口"}}"#),
        ),
        ("no JSON", json(200, "ok")),
        ("no content", Act::status(204)),
        (
            "a redirection",
            Act::status(302).header("location", "/login"),
        ),
        ("400", json(400, "{}")),
        ("401", json(401, "{}")),
        ("403", json(403, "<html>")),
        ("404", json(404, "{}")),
        ("405", Act::status(405)),
        ("429", Act::status(429).header("retry-after", "30")),
        ("500", Act::status(500)),
        ("a hanging answer", Act::hang()),
    ];
    for (what, act) in kinds {
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(json(200, LIST)).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;
        for target in ["/v1/models?limit=1000", "/relay/v1/models"] {
            let began = Instant::now();

            let answer = zephyr.get(target).await;

            assert_eq!(answer.status, 200, "{what}");
            assert_eq!(body_of(&answer), LIST, "{what}");
            assert_eq!(answer.header("x-zephyr-attempts"), Some("2"), "{what}");
            assert!(began.elapsed() < PATIENCE, "{what}: {:?}", began.elapsed());
        }
        let snapshot = zephyr.snapshot().await;
        let a = snapshot.endpoint("A").unwrap();
        assert_eq!(
            (a.state, a.failures),
            (EndpointState::Ready, 0),
            "{what} says nothing of messages: {a:?}"
        );
    }
}

#[tokio::test]
async fn one_model_and_a_head_move_on_too() {
    let found = r#"{"type":"model","id":"claude-of-b"}"#;
    let a = Endpoint::start(json(404, "{}")).await;
    let b = Endpoint::start(json(200, found)).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let one = zephyr.get("/v1/models/claude-of-b").await;
    let head = zephyr.request("HEAD /v1/models", &[], "").await;

    assert_eq!(body_of(&one), found);
    for answer in [one, head] {
        assert_eq!(
            (answer.status, answer.header("x-used-endpoint")),
            (200, Some("B"))
        );
    }
}

#[tokio::test]
async fn when_all_is_spent_the_most_telling_answer_is_passed_on() {
    let empty = r#"{"data":[],"has_more":false}"#;
    let cases: [(Act, Act, u16, &str); 4] = [
        (json(401, "who?"), json(500, "no"), 401, "who?"),
        (Act::html(200), json(404, "where?"), 404, "where?"),
        (json(404, "where?"), Act::hang(), 404, "where?"),
        (json(200, empty), json(404, "where?"), 200, empty),
    ];
    for (first, second, status, body) in cases {
        let a = Endpoint::start(first).await;
        let b = Endpoint::start(second).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;
        let began = Instant::now();

        let answer = zephyr.get("/v1/models").await;

        assert_eq!((answer.status, &*body_of(&answer)), (status, body));
        assert!(
            began.elapsed() < PATIENCE,
            "{status}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn where_nobody_has_a_list_the_error_says_what_came() {
    let a = Endpoint::start(Act::html(200)).await;
    let b = Endpoint::start(json(200, "{}")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.get("/v1/models").await;

    assert_eq!(answer.status, 502);
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("A: a web page"), "{message}");
    assert!(message.contains("a list of models"), "{message}");
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_counts_as_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let b = Endpoint::start(json(200, LIST)).await;
    let zephyr = Zephyr::at(&[dead, b.url()], "").await;

    let answer = zephyr.get("/v1/models").await;

    assert_eq!(answer.header("x-used-endpoint"), Some("B"));
    let snapshot = zephyr.snapshot().await;
    let a = snapshot.endpoint("A").unwrap();
    assert_eq!(a.failures, 1);
    assert!(
        matches!(a.reason, None | Some(Reason::ConnectFailed { .. })),
        "{a:?}"
    );
}

#[tokio::test]
async fn a_sole_endpoint_has_all_the_time_that_its_client_has() {
    let a = Endpoint::start(Act::hang()).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    client
        .send("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    a.next_request().await;

    // Longer than the first of two would have.
    let answered = tokio::time::timeout(PATIENCE / 2, client.answer()).await;

    assert!(answered.is_err(), "nobody else could be asked");
}
