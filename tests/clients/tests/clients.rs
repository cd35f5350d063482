//! What a client's user sees while endpoints fail: nothing, or an honest error.

use zephyr_clients_test::{
    CLIENT_TOKEN, Call, Client, FIRST_TOKEN, Outcome, SECOND_TOKEN, Zephyr, said,
};
use zephyr_testkit::{Act, Endpoint, Phase, Received};

const TEXT: &str = "Hello from an endpoint that works.";

/// Faults that end before an answer has any content.
fn hidden_faults() -> Vec<(&'static str, Act)> {
    vec![
        ("529", Act::status(529)),
        ("a web page", Act::html(200)),
        ("a reset", Act::reset()),
        (
            "a cut after message_start",
            Act::cut_at(Phase::AfterMessageStart),
        ),
        (
            "an error event first",
            Act::error_event_at(Phase::AfterHeaders, "overloaded_error"),
        ),
    ]
}

#[tokio::test]
async fn the_python_sdk_notices_no_hidden_fault() {
    sdk_notices_no_hidden_fault(Client::Python).await;
}

#[tokio::test]
async fn the_typescript_sdk_notices_no_hidden_fault() {
    sdk_notices_no_hidden_fault(Client::TypeScript).await;
}

#[tokio::test]
async fn claude_code_notices_no_hidden_fault() {
    for (fault, act) in hidden_faults() {
        hides_from(Client::ClaudeCode, Call::Stream, fault, act).await;
    }
}

#[tokio::test]
async fn the_python_sdk_gets_an_error_for_a_cut_midway_and_its_next_call_succeeds() {
    sdk_recovers_from_a_cut(Client::Python).await;
}

#[tokio::test]
async fn the_typescript_sdk_gets_an_error_for_a_cut_midway_and_its_next_call_succeeds() {
    sdk_recovers_from_a_cut(Client::TypeScript).await;
}

#[tokio::test]
async fn claude_code_asks_again_after_a_cut_within_a_block() {
    let (first, second) = endpoints().await;
    first.push(Act::reset_at(Phase::BetweenDeltas));
    let zephyr = Zephyr::over(&first, &second).await;

    let outcomes = Client::ClaudeCode
        .calls(&zephyr.url(), &[Call::Stream])
        .await;

    assert_eq!(answer_of(&outcomes), TEXT);
    let requests = requests(&first, &second);
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn claude_code_resumes_after_a_cut_behind_a_block() {
    let (first, second) = endpoints().await;
    first.push(Act::reset_at(Phase::AfterBlockStop));
    let zephyr = Zephyr::over(&first, &second).await;

    let outcomes = Client::ClaudeCode
        .calls(&zephyr.url(), &[Call::Stream])
        .await;

    assert!(answer_of(&outcomes).ends_with(TEXT), "{outcomes:?}");
    let requests = requests(&first, &second);
    assert_eq!(requests.len(), 2);
    let asked_again = String::from_utf8_lossy(&requests[1].body);
    assert!(asked_again.contains("cut off mid-stream"));
}

/// The tests above would be worth nothing if the clients bore these faults by themselves.
#[tokio::test]
async fn without_zephyr_the_sdks_notice_every_one_of_these_faults() {
    for client in [Client::Python, Client::TypeScript] {
        for (fault, act) in hidden_faults() {
            let endpoint = Endpoint::start(act).await;

            let outcomes = client.calls(&endpoint.url(), &[Call::Stream]).await;

            assert_ne!(outcomes[0].text.as_deref(), Ok(TEXT), "{client:?}, {fault}");
        }
    }
}

async fn sdk_notices_no_hidden_fault(client: Client) {
    for (fault, act) in hidden_faults() {
        hides_from(client, Call::Stream, fault, act).await;
    }
    let answers = [
        ("529", Act::status(529)),
        ("a web page", Act::html(200)),
        ("an error with status 200", Act::json_error_200()),
        ("nothing with status 200", Act::empty_200()),
    ];
    for (fault, act) in answers {
        hides_from(client, Call::Message, fault, act).await;
    }
}

/// One call; the first endpoint fails, and the client must not be able to tell.
async fn hides_from(client: Client, call: Call, fault: &str, act: Act) {
    println!("{client:?}, {call:?}: {fault}");
    let first = Endpoint::start(act).await;
    let second = Endpoint::start(Act::message(TEXT)).await;
    let zephyr = Zephyr::over(&first, &second).await;

    let outcomes = client.calls(&zephyr.url(), &[call]).await;

    assert_eq!(said(&outcomes), TEXT);
    let (refused, answered) = (only(&first), only(&second));
    assert_eq!(refused.body, answered.body);
    assert_eq!(refused.target, answered.target);
    check_credentials(&refused, &answered);
}

async fn sdk_recovers_from_a_cut(client: Client) {
    let (first, second) = endpoints().await;
    first.push(Act::reset_at(Phase::BetweenDeltas));
    let zephyr = Zephyr::over(&first, &second).await;

    let outcomes = client
        .calls(&zephyr.url(), &[Call::Stream, Call::Stream])
        .await;

    let [cut, next] = outcomes.as_slice() else {
        panic!("expected two outcomes: {outcomes:?}")
    };
    assert!(cut.text.is_err(), "{cut:?}");
    assert_eq!(next.text.as_deref(), Ok(TEXT));
    assert_eq!(next.message_starts, 1);
    // Content had reached the client, so its request was never sent again.
    assert_eq!(requests(&first, &second).len(), 2);
}

fn check_credentials(first: &Received, second: &Received) {
    let bearer = format!("Bearer {FIRST_TOKEN}");
    assert_eq!(first.headers_named("authorization"), [bearer.as_str()]);
    assert!(first.headers_named("x-api-key").is_empty());
    assert_eq!(second.headers_named("x-api-key"), [SECOND_TOKEN]);
    assert!(second.headers_named("authorization").is_empty());
    for (name, value) in first.headers.iter().chain(&second.headers) {
        assert!(!value.contains(CLIENT_TOKEN), "{name}: {value}");
    }
}

fn answer_of(outcomes: &[Outcome]) -> &str {
    match outcomes {
        [Outcome { text: Ok(text), .. }] => text,
        other => panic!("expected one answer: {other:?}"),
    }
}

async fn endpoints() -> (Endpoint, Endpoint) {
    let good = || Endpoint::start(Act::message(TEXT));
    (good().await, good().await)
}

fn only(endpoint: &Endpoint) -> Received {
    let requests = endpoint.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.into_iter().next().expect("there is one")
}

/// What both endpoints received, in the order of time.
fn requests(first: &Endpoint, second: &Endpoint) -> Vec<Received> {
    let mut requests = first.requests();
    requests.extend(second.requests());
    requests.sort_by_key(|request| request.at);
    requests
}
