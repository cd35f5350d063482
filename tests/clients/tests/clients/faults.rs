//! Faults that an endpoint can have: hidden from the client where they can be, an honest error else.

use zephyr_clients_test::{Call, ClaudeCode, Sdk};
use zephyr_testkit::{Act, Endpoint, Gate, Phase, Step, TextStream};

use crate::faulty::{Faulty, TEXT};

/// What an endpoint says that breaks.
const BROKEN_TEXT: &str = "Hello from an endpoint that breaks";

/// Faults of a stream before it has any content.
fn hidden_faults() -> Vec<(&'static str, Act)> {
    let overloaded = Act::error_event_at(Phase::AfterHeaders, "overloaded_error");
    let cut = Act::cut_at(Phase::AfterMessageStart);
    vec![
        ("status 529", Act::status(529)),
        ("a web page", Act::html(200)),
        ("a reset", Act::reset()),
        ("a cut after message_start", cut),
        ("an error event first", overloaded),
    ]
}

/// Faults of an answer in one piece.
fn hidden_faults_of_messages() -> Vec<(&'static str, Act)> {
    vec![
        ("status 529", Act::status(529)),
        ("a web page", Act::html(200)),
        ("an error with status 200", Act::json_error_200()),
        ("nothing with status 200", Act::empty_200()),
    ]
}

#[tokio::test]
async fn the_python_sdk_notices_no_hidden_fault() {
    sdk_notices_no_hidden_fault(Sdk::Python).await;
}

#[tokio::test]
async fn the_typescript_sdk_notices_no_hidden_fault() {
    sdk_notices_no_hidden_fault(Sdk::TypeScript).await;
}

#[tokio::test]
async fn claude_code_notices_no_hidden_fault() {
    for (fault, act) in hidden_faults() {
        println!("{fault}");
        let over = Faulty::then_good(act).await;

        let outcome = ClaudeCode::at(&over.zephyr.url()).ask("Hello").await;

        over.check_hidden(&outcome);
    }
}

#[tokio::test]
async fn the_python_sdk_gets_an_error_for_a_cut_midway_and_its_next_call_succeeds() {
    sdk_recovers_from_a_cut_midway(Sdk::Python).await;
}

#[tokio::test]
async fn the_typescript_sdk_gets_an_error_for_a_cut_midway_and_its_next_call_succeeds() {
    sdk_recovers_from_a_cut_midway(Sdk::TypeScript).await;
}

#[tokio::test]
async fn claude_code_asks_again_when_a_block_is_cut() {
    let (act, gate) = cut_once_seen(Phase::AfterFirstDelta);
    let over = Faulty::once_then_good(act).await;

    let claude_code = ClaudeCode::at(&over.zephyr.url());
    let outcome = claude_code
        .ask_and_watch("Hello", |event| {
            if event["type"] == "content_block_delta" {
                gate.open();
            }
        })
        .await;

    assert_eq!(outcome.text.as_deref(), Ok(TEXT));
    let [cut, again] = over.two_requests();
    assert!(cut.body == again.body, "the bodies differ");
}

#[tokio::test]
async fn claude_code_resumes_when_it_is_cut_after_a_block() {
    let (act, gate) = cut_once_seen(Phase::AfterBlockStop);
    let over = Faulty::once_then_good(act).await;

    let claude_code = ClaudeCode::at(&over.zephyr.url());
    let outcome = claude_code
        .ask_and_watch("Hello", |event| {
            if event["type"] == "content_block_stop" {
                gate.open();
            }
        })
        .await;

    let text = outcome.text.unwrap();
    assert!(text.ends_with(TEXT), "{text}");
    let [_, resumed] = over.two_requests();
    let body = String::from_utf8_lossy(&resumed.body);
    assert!(body.contains(BROKEN_TEXT), "what was seen is lost");
    assert!(body.contains("cut off mid-stream"), "it does not resume");
}

/// The tests above would prove nothing if the clients bore these faults by themselves.
#[tokio::test]
async fn without_zephyr_the_sdks_notice_each_of_these_faults() {
    for sdk in Sdk::ALL {
        for (fault, act) in hidden_faults() {
            let endpoint = Endpoint::start(act).await;

            let outcomes = sdk.calls(&endpoint.url(), &[Call::Stream]).await;

            assert_ne!(outcomes[0].text.as_deref(), Ok(TEXT), "{sdk:?}, {fault}");
        }
    }
}

async fn sdk_notices_no_hidden_fault(sdk: Sdk) {
    let streamed = hidden_faults().into_iter();
    let whole = hidden_faults_of_messages().into_iter();
    let cases = streamed
        .map(|(fault, act)| (Call::Stream, fault, act))
        .chain(whole.map(|(fault, act)| (Call::Message, fault, act)));
    for (call, fault, act) in cases {
        println!("{call:?}: {fault}");
        let over = Faulty::then_good(act).await;

        let outcomes = sdk.calls(&over.zephyr.url(), &[call]).await;

        over.check_hidden(&outcomes[0]);
    }
}

async fn sdk_recovers_from_a_cut_midway(sdk: Sdk) {
    let over = Faulty::once_then_good(Act::reset_at(Phase::BetweenDeltas)).await;

    let outcomes = sdk.calls(&over.zephyr.url(), &[Call::Stream; 2]).await;

    let [cut, next] = outcomes.as_slice() else {
        panic!("expected two outcomes: {outcomes:?}")
    };
    assert!(cut.text.is_err(), "{cut:?}");
    assert_eq!(next.text.as_deref(), Ok(TEXT));
    assert_eq!(next.message_starts, 1);
    // Content had reached the client: its request must not have been sent again.
    let _ = over.two_requests();
}

/// Streams up to `phase`, and resets the connection when the gate is opened: once the client has
/// shown what was sent, since an abort may overtake what it has not yet read.
fn cut_once_seen(phase: Phase) -> (Act, Gate) {
    let gate = Gate::new();
    let mut steps = TextStream::new(BROKEN_TEXT).until(phase);
    steps.push(Step::Gate(gate.clone()));
    steps.push(Step::Reset);
    (Act::sse(steps), gate)
}
