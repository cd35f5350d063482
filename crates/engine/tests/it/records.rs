//! What every request leaves in the journal, and what is shown of it on its way.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use crate::common::{CLIENT_TOKEN, OUR_TOKEN, Zephyr, config, plain, streaming};
use serde_json::{Value, json};
use zephyr_control::{
    AttemptOutcome, AttemptRecord, EndpointState, Reason, RequestEnd, RequestRecord, Tokens,
};
use zephyr_engine::Options;
use zephyr_journal::{Captured, Entry, Finished, Journal};
use zephyr_testkit::{
    Act, Encoding, Endpoint, Gate, PATIENCE, Phase, Step, TextStream, TlsEndpoint, Usage,
};

/// The other end of the journal.
pub(crate) struct Records(Arc<Mutex<Receiver<Entry>>>);

impl Records {
    fn new() -> (Self, Options) {
        let (queue, entries) = sync_channel(100);
        let options = Options {
            journal: Some(Journal::into_queue(queue)),
            ..Options::default()
        };
        (Self(Arc::new(Mutex::new(entries))), options)
    }

    /// The records of an engine with this configuration.
    pub(crate) async fn of(config: &str) -> (Zephyr, Self) {
        let (records, options) = Self::new();
        (Zephyr::start(config, options).await, records)
    }

    async fn next_whole(&self) -> Finished {
        let entries = Arc::clone(&self.0);
        let wait = move || {
            let entries = entries.lock().unwrap();
            loop {
                match entries.recv_timeout(PATIENCE).unwrap() {
                    Entry::Request(finished) => return *finished,
                    Entry::Sighting(_) => {}
                }
            }
        };
        tokio::task::spawn_blocking(wait).await.unwrap()
    }

    pub(crate) async fn next(&self) -> RequestRecord {
        self.next_whole().await.record
    }
}

pub(crate) async fn over(endpoints: &[&Endpoint], extra: &str) -> (Zephyr, Records) {
    let urls: Vec<String> = endpoints.iter().map(|endpoint| endpoint.url()).collect();
    Records::of(&config(&urls, extra)).await
}

/// Sends a Messages request with these headers.
async fn say(zephyr: &Zephyr, headers: &[(&str, &str)], body: &Value) -> zephyr_testkit::Answer {
    let body = body.to_string();
    zephyr
        .request("POST /v1/messages?beta=true", headers, &body)
        .await
}

pub(crate) fn outcomes(record: &RequestRecord) -> Vec<(&str, AttemptOutcome)> {
    let of = |attempt: &AttemptRecord| attempt.outcome;
    record
        .attempts
        .iter()
        .map(|attempt| (attempt.endpoint.as_str(), of(attempt)))
        .collect()
}

const TOKENS: Tokens = Tokens {
    input: 25,
    cache_write_5m: 300,
    cache_write_1h: 0,
    cache_read: 7_000,
    output: 12,
    thinking: 0,
};

/// Of claude-opus-5-5: 25 × $4 + 300 × $5 + 7,000 × $0.20 + 12 × $20, by the million.
const COST: f64 = 0.00324;
/// 7,000 × ($4 − $0.20), by the million.
const SAVED: f64 = 0.0266;

#[tokio::test]
async fn a_stream_leaves_a_record_of_all_that_was_seen_of_it() {
    let a = Endpoint::start(Act::message("from A")).await;
    let (zephyr, records) = over(&[&a], "").await;
    let headers = [
        ("user-agent", "claude-cli/2.1.329 (external, cli)"),
        ("x-claude-code-session-id", "session-1"),
        ("x-claude-code-agent-id", "agent-1"),
    ];

    let answer = say(&zephyr, &headers, &streaming()).await;

    let record = records.next().await;
    assert_eq!(
        Some(record.request.as_str()),
        answer.header("x-zephyr-request-id")
    );
    assert_eq!(
        (record.method.as_str(), record.path.as_str()),
        ("POST", "/v1/messages")
    );
    assert_eq!(
        (record.status, record.end),
        (Some(200), RequestEnd::Answered)
    );
    assert_eq!(record.client.as_deref(), Some("claude-cli/2.1.329"));
    assert_eq!(record.session.as_deref(), Some("session-1"));
    assert_eq!(record.agent.as_deref(), Some("agent-1"));
    assert_eq!(record.model.as_deref(), Some("claude-opus-5-5"));
    assert_eq!(record.served_model.as_deref(), Some("claude-opus-5-5"));
    assert_eq!(
        (record.stream, record.endpoint.as_deref()),
        (Some(true), Some("A"))
    );
    assert_eq!(record.request_bytes, streaming().to_string().len() as u64);
    assert_eq!(record.response_bytes, answer.body.len() as u64);
    assert_eq!(record.tokens, Some(TOKENS));
    assert_eq!(record.stop_reason.as_deref(), Some("end_turn"));
    assert_eq!(
        (record.cost_usd, record.cache_saved_usd),
        (Some(COST), Some(SAVED))
    );
    assert_eq!((record.cache_lost_usd, record.error), (None, None));
    let [attempt] = &record.attempts[..] else {
        panic!("one attempt, not {:?}", record.attempts);
    };
    assert_eq!(
        (attempt.endpoint.as_str(), attempt.status),
        ("A", Some(200))
    );
    assert_eq!(attempt.outcome, AttemptOutcome::Answered);
    assert_eq!(
        (&attempt.why, &attempt.reason),
        (&Some(Reason::InUse), &None)
    );
    let remaining = (
        "anthropic-ratelimit-requests-remaining".to_owned(),
        "3999".to_owned(),
    );
    assert!(attempt.rate_limits.contains(&remaining), "{attempt:?}");
}

#[tokio::test]
async fn the_times_of_an_attempt_follow_one_another() {
    let a = Endpoint::start(Act::message("from A")).await;
    let (zephyr, records) = over(&[&a], "").await;

    zephyr.stream().await.unwrap();
    zephyr.stream().await.unwrap();

    let (first, second) = (records.next().await, records.next().await);
    let attempt = &first.attempts[0];
    let [connect, headers, first_event] = [
        attempt.connect_ms,
        attempt.headers_ms,
        attempt.first_event_ms,
    ]
    .map(Option::unwrap);
    assert!(connect > 0.0 && connect <= headers, "{attempt:?}");
    assert!(
        headers <= first_event && first_event <= attempt.last_byte_ms,
        "{attempt:?}"
    );
    let ttft = first.ttft_ms.unwrap();
    assert!(
        first_event <= ttft && ttft <= first.duration_ms,
        "{first:?}"
    );
    assert!(
        attempt.queue_ms + attempt.last_byte_ms <= first.duration_ms,
        "{first:?}"
    );
    assert_eq!(
        (attempt.tls_ms, second.attempts[0].connect_ms),
        (None, None)
    );
    assert!(first.at_ms <= second.at_ms);
}

#[tokio::test]
async fn a_tls_handshake_has_a_time_of_its_own() {
    let a = TlsEndpoint::start(Act::message("from A")).await;
    let (records, mut options) = Records::new();
    options.extra_roots = vec![a.ca_der().into()];
    let zephyr = Zephyr::start(&config(&[a.url()], ""), options).await;

    zephyr.stream().await.unwrap();

    let attempt = &records.next().await.attempts[0];
    let [connect, tls] = [attempt.connect_ms, attempt.tls_ms].map(Option::unwrap);
    assert!(connect > 0.0 && tls > 0.0, "{attempt:?}");
    assert!(connect + tls <= attempt.headers_ms.unwrap(), "{attempt:?}");
}

#[tokio::test]
async fn every_attempt_says_what_it_came_to_and_why() {
    let a = Endpoint::start(Act::status(429).header("retry-after", "7")).await;
    let b = Endpoint::start(Act::html(200)).await;
    let c = Endpoint::start(Act::message("from C")).await;
    let (zephyr, records) = over(&[&a, &b, &c], "").await;

    zephyr.stream().await.unwrap();

    let record = records.next().await;
    let expected = [
        ("A", AttemptOutcome::Throttled),
        ("B", AttemptOutcome::Invalid),
        ("C", AttemptOutcome::Answered),
    ];
    assert_eq!(outcomes(&record), expected);
    let reasons: Vec<_> = record
        .attempts
        .iter()
        .map(|attempt| attempt.reason.clone())
        .collect();
    assert_eq!(
        reasons,
        [
            Some(Reason::RateLimited { status: 429 }),
            Some(Reason::Html),
            None
        ]
    );
    assert_eq!(
        record.attempts[0].rate_limits,
        [("retry-after".to_owned(), "7".to_owned())]
    );
    assert!(record.attempts[0].queue_ms < record.attempts[2].queue_ms);
    assert_eq!(
        (record.end, record.endpoint.as_deref()),
        (RequestEnd::Answered, Some("C"))
    );
}

#[tokio::test]
async fn a_request_that_nobody_answers_leaves_an_error() {
    let a = Endpoint::start(Act::status(500)).await;
    let b = Endpoint::start(Act::reset()).await;
    let (zephyr, records) = over(&[&a, &b], "").await;

    let passed_on = zephyr.stream().await.unwrap();
    a.set(Act::close());
    let our_own = zephyr.stream().await.unwrap();

    let (first, second) = (records.next().await, records.next().await);
    assert_eq!((passed_on.status, our_own.status), (500, 502));
    assert_eq!((first.status, first.end), (Some(500), RequestEnd::Failed));
    assert_eq!(first.endpoint.as_deref(), Some("A"));
    assert_eq!((second.status, second.end), (Some(502), RequestEnd::Failed));
    assert_eq!(
        (second.endpoint, second.tokens, second.cost_usd),
        (None, None, None)
    );
    assert!(second.error.unwrap().starts_with("every endpoint failed"));
    assert_eq!(second.response_bytes, our_own.body.len() as u64);
}

#[tokio::test]
async fn an_error_that_is_the_clients_is_passed_on_and_recorded_as_one() {
    let a = Endpoint::start(Act::status(400)).await;
    let (zephyr, records) = over(&[&a], "").await;

    zephyr.stream().await.unwrap();

    let record = records.next().await;
    assert_eq!((record.status, record.end), (Some(400), RequestEnd::Failed));
    assert_eq!(outcomes(&record), [("A", AttemptOutcome::ClientFault)]);
    assert_eq!(
        record.attempts[0].reason,
        Some(Reason::ClientFault { status: 400 })
    );
    assert!(record.error.is_some());
}

#[tokio::test]
async fn an_aborted_stream_keeps_what_it_told() {
    let a = Endpoint::start(Act::cut_at(Phase::BetweenDeltas)).await;
    let (zephyr, records) = over(&[&a], "").await;

    zephyr.stream().await.unwrap();

    let record = records.next().await;
    assert_eq!(
        (record.status, record.end),
        (Some(200), RequestEnd::Aborted)
    );
    assert_eq!(
        record.tokens,
        Some(Tokens {
            output: 1,
            ..TOKENS
        })
    );
    // Eleven tokens of output were not told.
    assert_eq!(record.cost_usd, Some(0.00302));
    assert_eq!(
        (record.stop_reason.as_ref(), record.served_model.is_some()),
        (None, true)
    );
    assert_eq!(outcomes(&record), [("A", AttemptOutcome::Failed)]);
    assert!(record.error.is_some());
}

#[tokio::test]
async fn a_client_that_leaves_leaves_a_record_wherever_it_was() {
    let a = Endpoint::start(Act::hang()).await;
    let (zephyr, records) = over(&[&a], "").await;
    let mut client = zephyr.client().await;
    client.send_messages(streaming().to_string()).await.unwrap();
    a.next_request().await;

    drop(client);
    let before = records.next().await;
    a.set(Act::stall_at(Phase::AfterFirstDelta));
    let mut client = zephyr.client().await;
    client.send_messages(streaming().to_string()).await.unwrap();
    client.read_head().await.unwrap();
    drop(client);
    let midway = records.next().await;

    assert_eq!((before.status, before.end), (None, RequestEnd::Abandoned));
    assert_eq!(
        (midway.status, midway.end),
        (Some(200), RequestEnd::Abandoned)
    );
    for record in [&before, &midway] {
        assert_eq!(outcomes(record), [("A", AttemptOutcome::Abandoned)]);
        assert_eq!(record.error, None);
    }
    assert_eq!(midway.tokens.map(|tokens| tokens.cache_read), Some(7_000));
}

#[tokio::test]
async fn what_is_refused_at_the_door_leaves_a_record_too() {
    let a = Endpoint::start(Act::message("from A")).await;
    let (zephyr, records) = over(&[&a], "[server]\nmax_body_mb = 1\n\n").await;
    let too_large = "x".repeat(2 * 1024 * 1024);

    let foreign = zephyr
        .request("GET /x", &[("host", "evil.example")], "")
        .await;
    let large = zephyr
        .request("POST /v1/messages", &[("connection", "close")], &too_large)
        .await;

    let (first, second) = (records.next().await, records.next().await);
    assert_eq!(
        (first.status, first.end),
        (Some(foreign.status), RequestEnd::Refused)
    );
    assert_eq!((first.path.as_str(), first.attempts.len()), ("/x", 0));
    assert_eq!(
        (second.status, second.end),
        (Some(413), RequestEnd::Refused)
    );
    assert_eq!(large.status, 413);
    assert!(first.error.is_some() && second.error.unwrap().contains("max_body_mb"));
    assert_eq!(a.requests().len(), 0);
}

#[tokio::test]
async fn a_hundred_side_calls_of_a_kind_leave_one_record() {
    let a = Endpoint::start(Act::message("from A")).await;
    let (zephyr, records) = over(&[&a], "").await;
    let kinds = ["GET /api/hello", "POST /api/event_logging/batch"];

    for _ in 0..100 {
        for kind in kinds {
            zephyr.request(kind, &[], "").await;
        }
    }
    zephyr.get("/v1/files").await;
    zephyr.get("/v1/files").await;

    let mut left = Vec::new();
    for _ in 0..4 {
        let record = records.next().await;
        left.push(format!("{} {}", record.method, record.path));
    }
    assert_eq!(left, [kinds[0], kinds[1], "GET /v1/files", "GET /v1/files"]);
    assert_eq!(a.requests().len(), 202, "all of them are forwarded");
}

#[tokio::test]
async fn answers_in_one_piece_and_other_calls_have_their_own_usage() {
    let a = Endpoint::start(Act::message("from A")).await;
    let (zephyr, records) = over(&[&a], "").await;
    let body = plain().to_string();

    zephyr.request("POST /v1/messages", &[], &body).await;
    zephyr
        .request("POST /v1/messages/count_tokens", &[], &body)
        .await;
    zephyr.get("/v1/models").await;
    zephyr.get("/v1/nothing").await;

    let message = records.next().await;
    assert_eq!(
        (message.tokens, message.cost_usd),
        (Some(TOKENS), Some(COST))
    );
    assert_eq!(
        (message.stream, message.stop_reason.as_deref()),
        (Some(false), Some("end_turn"))
    );
    let count = records.next().await;
    assert_eq!((count.tokens, count.cost_usd), (None, Some(0.0)));
    assert_eq!(count.end, RequestEnd::Answered);
    let models = records.next().await;
    assert_eq!(
        (models.method.as_str(), models.path.as_str()),
        ("GET", "/v1/models")
    );
    assert_eq!(
        (models.end, models.tokens, models.cost_usd),
        (RequestEnd::Answered, None, None)
    );
    let nothing = records.next().await;
    assert_eq!(
        (nothing.status, nothing.end),
        (Some(404), RequestEnd::Failed)
    );
}

#[tokio::test]
async fn compressed_and_unvalidated_streams_tell_their_usage_as_well() {
    let a = Endpoint::start(Act::message("from A").compressed(Encoding::Zstd)).await;
    for extra in ["", "[validation]\nvalidate_streaming = false\n"] {
        let (zephyr, records) = over(&[&a], extra).await;

        say(&zephyr, &[("accept-encoding", "zstd")], &streaming()).await;

        assert_eq!(records.next().await.tokens, Some(TOKENS), "{extra}");
    }
}

#[tokio::test]
async fn a_model_without_a_known_price_costs_nobody_knows_what() {
    let mut unknown = streaming();
    unknown["model"] = json!("a-model-of-tomorrow");
    let stream = |model: &str| TextStream {
        model: model.to_owned(),
        ..TextStream::new("one two three")
    };
    let a = Endpoint::start(Act::sse(stream("a-model-of-tomorrow").steps())).await;
    let priced = "[pricing.\"a-model-of-tomorrow\"]\ninput = 4.0\noutput = 20.0\n\
        cache_write_5m = 5.0\ncache_write_1h = 8.0\ncache_read = 0.2\n";
    for (extra, cost) in [("", None), (priced, Some(COST))] {
        let (zephyr, records) = over(&[&a], extra).await;

        zephyr.post(&unknown).await.unwrap();

        let record = records.next().await;
        assert_eq!((record.tokens, record.cost_usd), (Some(TOKENS), cost));
        assert_eq!(record.cache_saved_usd.is_some(), cost.is_some());
    }
}

#[tokio::test]
async fn a_conversation_that_moves_loses_what_it_writes_anew() {
    let cached = |creation, read| Usage {
        input: 10,
        cache_creation: creation,
        cache_read: read,
        output: 12,
    };
    let a = Endpoint::start(Act::message("from A").usage(cached(1_000, 99_000))).await;
    let b = Endpoint::start(Act::message("from B").usage(cached(101_000, 0))).await;
    let (zephyr, records) = over(&[&a, &b], "").await;
    let session = [("x-claude-code-session-id", "session-1")];

    say(&zephyr, &session, &streaming()).await;
    a.set(Act::status(500));
    say(&zephyr, &session, &plain()).await;
    say(&zephyr, &session, &streaming()).await;

    let lost = [
        records.next().await,
        records.next().await,
        records.next().await,
    ]
    .map(|record| record.cache_lost_usd);
    assert_eq!(lost, [None, Some(0.48), None]);
}

#[tokio::test]
async fn bodies_are_kept_as_the_configuration_says() {
    let a = Endpoint::start(Act::message(&"word ".repeat(20_000))).await;
    let body = {
        let mut body = plain();
        body["messages"][0]["content"] = json!("x".repeat(100_000));
        body.to_string()
    };
    let kept = |body: &Option<Captured>| {
        let body = body.as_ref()?;
        Some((body.pieces.concat(), body.truncated))
    };
    for (wanted, most) in [
        ("none", None),
        ("truncated", Some(16 * 1024)),
        ("full", Some(usize::MAX)),
    ] {
        let extra = format!(
            "[logging]\nlog_request_body = \"{wanted}\"\nlog_response_body = \"{wanted}\"\n"
        );
        let (zephyr, records) = over(&[&a], &extra).await;

        let answer = zephyr.request("POST /v1/messages", &[], &body).await;

        let finished = records.next_whole().await;
        let expected = |body: &[u8]| {
            let most = most?;
            Some((body[..body.len().min(most)].to_vec(), body.len() > most))
        };
        assert!(
            kept(&finished.request_body) == expected(body.as_bytes()),
            "{wanted}"
        );
        assert!(
            kept(&finished.response_body) == expected(&answer.body),
            "{wanted}"
        );
    }
}

#[tokio::test]
async fn headers_are_kept_beside_bodies_and_print_no_secret() {
    let bodies = "[logging]\nlog_request_body = \"full\"\nlog_response_body = \"full\"\n";

    let finished = with_headers(bodies).await;

    assert_eq!(finished.request_headers["x-mine"], "yes");
    assert!(finished.request_headers.contains_key("host"));
    assert_eq!(finished.response_headers["x-used-endpoint"], "A");
    prints_no_secret(&finished);
}

#[tokio::test]
async fn without_bodies_only_the_headers_that_are_looked_into_are_kept() {
    let finished = with_headers("").await;

    let mut names: Vec<&str> = finished
        .request_headers
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "user-agent", "x-corporate-token"]);
    assert!(finished.response_headers.is_empty());
    prints_no_secret(&finished);
}

/// What is handed over of a request with credentials and more.
async fn with_headers(extra: &str) -> Finished {
    let a = Endpoint::start(Act::message("from A")).await;
    let (zephyr, records) = over(&[&a], extra).await;
    let token = format!("Bearer {CLIENT_TOKEN}");
    let headers = [
        ("authorization", token.as_str()),
        ("x-corporate-token", CLIENT_TOKEN),
        ("user-agent", "claude-cli/2.1.0 (external, cli)"),
        ("x-mine", "yes"),
    ];

    say(&zephyr, &headers, &streaming()).await;

    records.next_whole().await
}

fn prints_no_secret(finished: &Finished) {
    let printed = format!("{finished:?}");
    assert!(
        !printed.contains(CLIENT_TOKEN) && !printed.contains(OUR_TOKEN),
        "{printed}"
    );
}

#[tokio::test]
async fn a_request_is_shown_on_its_way_and_for_a_moment_after_its_end() {
    let gate = Gate::new();
    let stream = TextStream::new(&"word ".repeat(100));
    let mut steps = stream.until(Phase::BetweenDeltas);
    steps.push(Step::Gate(gate.clone()));
    steps.extend(stream.after(Phase::BetweenDeltas));
    let a = Endpoint::start(Act::sse(steps)).await;
    let (zephyr, _records) = over(&[&a], "").await;
    let mut client = zephyr.client().await;
    client.send_messages(streaming().to_string()).await.unwrap();

    let far = zephyr.until("tokens", |snapshot| {
        snapshot
            .requests
            .first()
            .is_some_and(|live| live.output_tokens > 90)
    });
    let live = far.await.requests[0].clone();
    gate.open();
    client.answer().await.unwrap();
    let over = zephyr.until("its end", |snapshot| {
        snapshot
            .requests
            .first()
            .is_some_and(|live| live.end.is_some())
    });
    let ended = over.await.requests[0].clone();

    assert_eq!((live.end, live.endpoint.as_deref()), (None, Some("A")));
    assert_eq!((live.attempts, live.streaming), (1, true));
    assert_eq!(live.model.as_deref(), Some("claude-opus-5-5"));
    assert!(live.output_tokens < 160, "about 125: {live:?}");
    assert_eq!(
        (ended.request, ended.end),
        (live.request, Some(RequestEnd::Answered))
    );
    assert_eq!(ended.output_tokens, 12);
    assert!(ended.ended_at_ms.unwrap() >= ended.at_ms);
    zephyr
        .until("nothing any more", |snapshot| snapshot.requests.is_empty())
        .await;
}

#[tokio::test]
async fn a_request_that_waits_is_nowhere() {
    let a = Endpoint::start(Act::status(503)).await;
    let (zephyr, records) = over(&[&a], "[failover]\nhold_seconds = 60\n").await;
    let client = {
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        client
    };

    let waits = zephyr
        .until("it waits", |snapshot| snapshot.totals.waiting == 1)
        .await;
    drop(client);

    let live = &waits.requests[0];
    assert_eq!(
        (live.endpoint.as_deref(), live.streaming, live.end),
        (None, false, None)
    );
    let record = records.next().await;
    assert_eq!((record.status, record.end), (None, RequestEnd::Abandoned));
}

/// An answer of an endpoint whose five hours are used to this part.
fn used(part: &str) -> Act {
    Act::message("from A")
        .header("anthropic-ratelimit-unified-status", "allowed_warning")
        .header("anthropic-ratelimit-unified-5h-utilization", part)
        .header("anthropic-ratelimit-unified-5h-reset", "4102444800")
}

/// As [`config`] has it, but A spends no extra usage.
fn with_subscription(a: &Endpoint, b: &Endpoint) -> String {
    let config = config(&[a.url(), b.url()], "[routing]\nstrategy = \"priority\"\n");
    config.replacen("proxy =", "subscription_only = true, proxy =", 1)
}

#[tokio::test]
async fn a_subscription_that_is_used_up_spends_no_extra_usage_if_it_is_not_to() {
    let a = Endpoint::start(used("1.0")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::start(&with_subscription(&a, &b), Options::default()).await;
    let session = [("x-claude-code-session-id", "session-1")];

    let first = say(&zephyr, &session, &streaming()).await;
    let next = say(&zephyr, &session, &streaming()).await;
    let after = zephyr.snapshot().await;
    b.set(Act::status(500));
    let in_need = say(&zephyr, &[], &streaming()).await;

    assert_eq!(
        (first.text(), next.text()),
        ("from A".into(), "from B".into())
    );
    let shown = after.endpoint("A").unwrap();
    assert_eq!(shown.state, EndpointState::Exhausted);
    assert!(
        matches!(
            shown.reason,
            Some(Reason::SubscriptionSpent { remaining_min: 1.. })
        ),
        "{shown:?}"
    );
    assert!(shown.until_ms.unwrap().abs_diff(4_102_444_800_000) < 1_000);
    let others = &after.decision.as_ref().unwrap().others;
    assert!(
        matches!(others[0].why, Reason::SubscriptionSpent { .. }),
        "{others:?}"
    );
    assert_eq!((in_need.status, a.requests().len()), (500, 1));
}

#[tokio::test]
async fn what_limits_the_counting_of_tokens_does_not_limit_messages() {
    let a = Endpoint::start(used("0.96")).await;
    let (zephyr, _records) = over(&[&a], "").await;
    let body = plain().to_string();

    let count = zephyr
        .request("POST /v1/messages/count_tokens", &[], &body)
        .await;
    let counted = zephyr.snapshot().await;
    say(&zephyr, &[], &streaming()).await;
    let asked = zephyr.snapshot().await;

    assert_eq!(count.status, 200);
    assert_eq!(counted.endpoint("A").unwrap().quota, []);
    assert_ne!(asked.endpoint("A").unwrap().quota, []);
}

#[tokio::test]
async fn an_endpoint_that_is_about_to_run_dry_is_shown_and_spared() {
    let a = Endpoint::start(used("0.5")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let (zephyr, records) = over(&[&a, &b], "").await;
    let session = [("x-claude-code-session-id", "session-1")];

    say(&zephyr, &session, &streaming()).await;
    let before = zephyr.snapshot().await;
    a.set(used("0.96"));
    say(&zephyr, &session, &streaming()).await;
    let others = zephyr.used().await;
    let home = say(&zephyr, &session, &streaming()).await;
    let after = zephyr.snapshot().await;

    let quota = &before.endpoint("A").unwrap().quota;
    let window = quota.iter().find(|window| window.name == "5h").unwrap();
    assert_eq!(window.left, 0.5);
    assert!(window.resets_at_ms.unwrap().abs_diff(4_102_444_800_000) < 1_000);
    assert_eq!(
        (others.as_str(), home.header("x-used-endpoint")),
        ("B", Some("A"))
    );
    let runs_dry = Reason::RunsDry {
        window: "5h".to_owned(),
        left_percent: 4,
    };
    assert_eq!(after.endpoint("A").unwrap().reason, Some(runs_dry));
    let decision = after.decision.as_ref().unwrap();
    assert!(
        matches!(
            &decision.why,
            Reason::SparesQuota {
                left_percent: 4,
                ..
            }
        ),
        "{decision:?}"
    );
    assert_eq!(after.endpoint("A").unwrap().share, Some(0.75));
    let limits = records.next().await.attempts[0].rate_limits.clone();
    assert!(
        limits
            .iter()
            .any(|(name, _)| name == "anthropic-ratelimit-unified-5h-reset")
    );
}

#[tokio::test]
async fn tokens_and_their_cost_are_counted_by_endpoint() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    zephyr.stream().await.unwrap();
    zephyr
        .until("its end", |snapshot| snapshot.totals.in_flight == 0)
        .await;

    let metrics = zephyr.control.metrics().await.unwrap();
    for line in [
        "zephyr_tokens_total{endpoint=\"A\",kind=\"cache_read\"} 7000",
        "zephyr_tokens_total{endpoint=\"A\",kind=\"output\"} 12",
        "zephyr_cost_usd_total{endpoint=\"A\"} 0.00324",
        "zephyr_requests_waiting 0",
        "zephyr_probe_cost_today_usd{endpoint=\"A\"} 0.0",
    ] {
        assert!(
            metrics.lines().any(|has| has == line),
            "no {line} in {metrics}"
        );
    }
}
