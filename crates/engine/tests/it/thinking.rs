//! Requests whose thinking others have signed, and what is left out of them.

use serde_json::{Value, json};
use zephyr_control::{Paging, Reason, RequestFilter};
use zephyr_engine::Options;
use zephyr_testkit::{Act, Answer, Endpoint, Received, Script};

use crate::common::{Zephyr, config};

const REPAIRS: &str = "[failover]\nrepair_thinking = true\n";
const SESSION: [(&str, &str); 1] = [(
    "x-claude-code-session-id",
    "5e551011-0000-4000-8000-00000000000a",
)];

/// As a client writes it: neither spaces nor the order of keys are ours.
const WITH_THINKING: &str = r#"{ "model":"claude-opus-5-5", "stream":true,
  "messages":[{"role":"user","content":"Hello"},
    {"content":[ {"type":"thinking","thinking":"Hm.","signature":"bG9uZw=="} , {"type":"text","text":"Hi"}],"role":"assistant"},
    {"role":"user","content":"Go on"}],"max_tokens":64 }"#;
const WITHOUT: &str = r#"{ "model":"claude-opus-5-5", "stream":true,
  "messages":[{"role":"user","content":"Hello"},
    {"content":[ {"type":"text","text":"Hi"}],"role":"assistant"},
    {"role":"user","content":"Go on"}],"max_tokens":64 }"#;

fn refusal(message: &str) -> Act {
    let error = json!({"type": "invalid_request_error", "message": message});
    Act::status(400).body(json!({"type": "error", "error": error}).to_string())
}

fn unreadable() -> Act {
    refusal("messages.1.content.0: Invalid `signature` in `thinking` block")
}

/// An endpoint that did not sign the thinking, and answers `otherwise` where there is none.
async fn reading_none(otherwise: Act) -> Endpoint {
    let script = Script::by(move |request: &Received| {
        if String::from_utf8_lossy(&request.body).contains("signature") {
            unreadable()
        } else {
            otherwise.clone()
        }
    });
    Endpoint::start(script).await
}

async fn ask(zephyr: &Zephyr) -> Answer {
    zephyr
        .request("POST /v1/messages", &SESSION, WITH_THINKING)
        .await
}

fn bodies(endpoint: &Endpoint) -> Vec<String> {
    let requests = endpoint.requests();
    let body = |request: &Received| String::from_utf8_lossy(&request.body).into_owned();
    requests.iter().map(body).collect()
}

#[tokio::test]
async fn what_nobody_can_read_is_left_out_once_and_all_other_bytes_stay() {
    let a = reading_none(Act::message("from A")).await;
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        data_dir: Some(folder.path().to_owned()),
        ..Options::default()
    };
    let zephyr = Zephyr::start(&config(&[a.url()], REPAIRS), options).await;

    let answer = ask(&zephyr).await;

    assert_eq!(answer.text(), "from A");
    assert_eq!(answer.header("x-zephyr-repaired"), Some("thinking"));
    assert_eq!(answer.header("x-zephyr-attempts"), Some("2"));
    assert_eq!(bodies(&a), [WITH_THINKING, WITHOUT]);
    assert_eq!(zephyr.snapshot().await.totals.failed_over, 0);
    zephyr.engine.drain().await;
    let page = zephyr
        .control
        .requests(RequestFilter::default(), Paging::default())
        .await;
    let page = page.unwrap();
    let [refused, repaired] = &page.requests[0].attempts[..] else {
        panic!("{page:?}");
    };
    assert_eq!(
        refused.reason,
        Some(Reason::ThinkingNotTheirs { status: 400 })
    );
    assert_eq!(repaired.why, Some(Reason::WithoutThinking));
}

#[tokio::test]
async fn a_request_whose_home_is_out_goes_on_elsewhere_without_its_thinking() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = reading_none(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], REPAIRS).await;
    let at_home = ask(&zephyr).await;
    a.set(Act::status(503).header("retry-after", "60"));

    let away = ask(&zephyr).await;

    assert_eq!(
        (at_home.text(), away.text()),
        ("from A".into(), "from B".into())
    );
    assert_eq!(away.header("x-zephyr-repaired"), Some("thinking"));
    assert_eq!(bodies(&b), [WITH_THINKING, WITHOUT]);
}

#[tokio::test]
async fn a_home_that_can_read_it_gets_the_request_as_it_is() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = reading_none(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], REPAIRS).await;
    ask(&zephyr).await;
    let endpoint = "B".to_owned();
    zephyr.run(zephyr_control::Command::Use { endpoint }).await;

    let answer = ask(&zephyr).await;

    assert_eq!(answer.text(), "from A");
    assert_eq!(answer.header("x-zephyr-repaired"), None);
    assert_eq!(bodies(&a), [WITH_THINKING, WITH_THINKING]);
}

#[tokio::test]
async fn a_client_whose_repaired_request_is_refused_too_gets_the_refusal_of_its_own() {
    let a = reading_none(refusal("Expected `thinking`, but found `text`")).await;
    let zephyr = Zephyr::over(&[&a], REPAIRS).await;

    let answer = ask(&zephyr).await;

    let told: Value = answer.json();
    assert!(told.to_string().contains("Invalid `signature`"), "{told}");
    assert_eq!((answer.status, a.requests().len()), (400, 2));
    assert_eq!(answer.header("x-zephyr-repaired"), None);
}

#[tokio::test]
async fn bytes_pass_unchanged_unless_that_is_allowed() {
    let a = reading_none(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = ask(&zephyr).await;

    assert_eq!(
        (answer.status, bodies(&a)),
        (400, vec![WITH_THINKING.to_owned()])
    );
}
