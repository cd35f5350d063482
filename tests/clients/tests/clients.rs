//! What a client's user sees while endpoints fail: nothing, or an honest error.

use std::fs;

use zephyr_clients_test::{
    CLIENT_TOKEN, Call, FIRST_TOKEN, Outcome, SECOND_TOKEN, Sdk, Zephyr, claude_code,
    claude_code_by_its_settings, config_dir,
};
use zephyr_testkit::{Act, Endpoint, Gate, Phase, Received, Step, TextStream};

/// What an endpoint says that works.
const TEXT: &str = "Hello from an endpoint that works.";
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

        let outcome = claude_code(&over.zephyr.url(), |_| {}).await;

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

    let outcome = claude_code(&over.zephyr.url(), |event| {
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

    let outcome = claude_code(&over.zephyr.url(), |event| {
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

#[tokio::test]
async fn claude_code_asks_zephyr_by_its_settings_alone_once_connected() {
    let over = Faulty::then_good(Act::status(529)).await;
    let home = tempfile::tempdir().unwrap();
    let settings = config_dir(home.path()).join("settings.json");
    let before = "{\n\t\"env\": { \"ANTHROPIC_AUTH_TOKEN\": \"of-before\" }\n}\n";
    fs::create_dir(config_dir(home.path())).unwrap();
    fs::write(&settings, before).unwrap();

    over.zephyr
        .claude_code("connect", &config_dir(home.path()))
        .await;
    let outcome = claude_code_by_its_settings(home.path()).await;
    over.zephyr
        .claude_code("disconnect", &config_dir(home.path()))
        .await;

    over.check_hidden(&outcome);
    assert_eq!(fs::read_to_string(&settings).unwrap(), before);
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

/// Zephyr over an endpoint that fails and one that does not.
struct Faulty {
    first: Endpoint,
    second: Endpoint,
    zephyr: Zephyr,
}

impl Faulty {
    /// The preferred endpoint always does `act`.
    async fn then_good(act: Act) -> Self {
        Self::over(Endpoint::start(act).await).await
    }

    /// The preferred endpoint does `act` to the first request, and works from then on.
    async fn once_then_good(act: Act) -> Self {
        let first = Endpoint::start(Act::message(TEXT)).await;
        first.push(act);
        Self::over(first).await
    }

    async fn over(first: Endpoint) -> Self {
        let second = Endpoint::start(Act::message(TEXT)).await;
        let zephyr = Zephyr::over(&first, &second).await;
        Self {
            first,
            second,
            zephyr,
        }
    }

    /// The client got one answer, as if there were no first endpoint; both got the same request,
    /// each with its own credential.
    fn check_hidden(&self, outcome: &Outcome) {
        assert_eq!(outcome.text.as_deref(), Ok(TEXT));
        assert_eq!(outcome.message_starts, 1);
        let [failed, answered] = self.two_requests();
        assert_eq!(self.first.requests().len(), 1);
        assert_eq!(failed.target, answered.target);
        assert!(failed.body == answered.body, "the bodies differ");

        let bearer = format!("Bearer {FIRST_TOKEN}");
        assert_eq!(failed.headers_named("authorization"), [bearer.as_str()]);
        assert!(failed.headers_named("x-api-key").is_empty());
        assert_eq!(answered.headers_named("x-api-key"), [SECOND_TOKEN]);
        assert!(answered.headers_named("authorization").is_empty());
        for (name, value) in failed.headers.iter().chain(&answered.headers) {
            assert!(!value.contains(CLIENT_TOKEN), "{name}: {value}");
        }
    }

    /// What the endpoints received, in the order of time.
    fn two_requests(&self) -> [Received; 2] {
        let mut requests = self.first.requests();
        requests.extend(self.second.requests());
        requests.sort_by_key(|request| request.at);
        let count = requests.len();
        let two = requests.try_into();
        two.unwrap_or_else(|_| panic!("expected two requests, there were {count}"))
    }
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
