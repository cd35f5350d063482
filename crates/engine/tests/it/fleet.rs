//! Where requests go: strategies, pins, sessions, circuits, the last resort, the retry budget.

use crate::common::{CLIENT_TOKEN, Zephyr, config, streaming};
use futures_util::future::join_all;
use serde_json::json;
use zephyr_control::{
    Command, EndpointState, ErrorCode, EventKind, Language, Mode, NotChosen, Reason, Snapshot, text,
};
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint, Script};

/// Endpoints that say their names.
async fn named(names: &[&str]) -> Vec<Endpoint> {
    let endpoints = names
        .iter()
        .map(|name| Endpoint::start(Act::message(&format!("from {name}"))));
    join_all(endpoints).await
}

/// Over endpoints that say their names, with keys added to each of them.
async fn with_keys(endpoints: &[Endpoint], keys: &[&str], extra: &str) -> Zephyr {
    let urls: Vec<String> = endpoints.iter().map(Endpoint::url).collect();
    let mut config = config(&urls, extra);
    for (url, keys) in urls.iter().zip(keys) {
        config = config.replace(
            &format!("url = \"{url}\""),
            &format!("url = \"{url}\", {keys}"),
        );
    }
    Zephyr::start(&config, Options::default()).await
}

fn use_endpoint(name: &str) -> Command {
    Command::Use {
        endpoint: name.to_owned(),
    }
}

/// Answers probes and fails everything else.
fn only_probes_work(fails: Act) -> Script {
    Script::by(move |request| {
        let probe = request.body.is_empty() || request.json()["max_tokens"] == 1;
        if probe {
            Act::message("fine")
        } else {
            fails.clone()
        }
    })
}

fn has(snapshot: &Snapshot, wanted: impl Fn(&EventKind) -> bool) -> bool {
    snapshot.events.iter().any(|event| wanted(&event.kind))
}

#[tokio::test]
async fn a_pinned_endpoint_gets_the_requests() {
    let endpoints = named(&["A", "B"]).await;
    let zephyr = with_keys(&endpoints, &[], "").await;

    zephyr.run(use_endpoint("B")).await;

    assert_eq!(zephyr.used().await, "B");
    let snapshot = zephyr.snapshot().await;
    let manual = Mode::Manual {
        endpoint: "B".to_owned(),
    };
    assert_eq!(
        (&snapshot.mode, snapshot.current.as_deref()),
        (&manual, Some("B"))
    );
    let decision = snapshot.decision.as_ref().unwrap();
    let not_a = NotChosen {
        endpoint: "A".to_owned(),
        why: Reason::NotPinned,
    };
    assert_eq!(
        (&decision.why, &decision.others),
        (&Reason::Pinned, &vec![not_a])
    );
    assert!(has(&snapshot, |event| matches!(event,
        EventKind::Pinned { endpoint } if endpoint == "B")));
}

#[tokio::test]
async fn a_pinned_endpoint_that_fails_is_failed_over_and_stays_pinned() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::reset()).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    zephyr.run(use_endpoint("B")).await;

    for _ in 0..4 {
        assert_eq!(zephyr.used().await, "A");
    }
    let while_out = zephyr.snapshot().await;
    b.set(Act::message("from B"));
    zephyr.run(Command::Reinstate { endpoint: None }).await;

    assert_eq!(while_out.current.as_deref(), Some("A"));
    assert!(matches!(&while_out.mode, Mode::Manual { endpoint } if endpoint == "B"));
    assert_eq!(while_out.endpoint("B").unwrap().attempts, 3);
    assert_eq!(zephyr.used().await, "B");
}

#[tokio::test]
async fn without_failover_a_pinned_endpoint_is_all_there_is() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::status(500)).await;
    let zephyr = Zephyr::over(&[&a, &b], "[failover]\nenabled = false\n").await;
    zephyr.run(use_endpoint("B")).await;

    for _ in 0..5 {
        assert_eq!(zephyr.stream().await.unwrap().status, 500);
    }

    assert_eq!((a.requests().len(), b.requests().len()), (0, 5));
}

#[tokio::test]
async fn auto_ends_a_pin() {
    let endpoints = named(&["A", "B"]).await;
    let zephyr = with_keys(
        &endpoints,
        &["priority = 1", "priority = 2"],
        "[routing]\nstrategy = \"priority\"\n",
    )
    .await;
    zephyr.run(use_endpoint("B")).await;

    zephyr.run(Command::Auto).await;

    assert_eq!(zephyr.used().await, "A");
    let snapshot = zephyr.snapshot().await;
    assert_eq!(snapshot.mode, Mode::Auto);
    assert_eq!(
        snapshot.decision.as_ref().unwrap().why,
        Reason::BestPriority { priority: 1 }
    );
    assert!(has(&snapshot, |event| *event == EventKind::Automatic));
}

#[tokio::test]
async fn an_endpoint_that_does_not_exist_or_is_switched_off_cannot_be_pinned() {
    let endpoints = named(&["A", "B"]).await;
    let zephyr = with_keys(&endpoints, &[], "").await;
    let b = "B".to_owned();
    zephyr.run(Command::Disable { endpoint: b }).await;

    let unknown = zephyr.control.execute(use_endpoint("Z")).await.unwrap_err();
    let off = zephyr.control.execute(use_endpoint("B")).await.unwrap_err();

    assert_eq!(unknown.code, ErrorCode::UnknownEndpoint);
    assert!(unknown.message.contains("A, B"), "{unknown}");
    assert_eq!(off.code, ErrorCode::NotPossible);
    assert!(off.message.contains("switched off"), "{off}");
    assert_eq!(zephyr.snapshot().await.mode, Mode::Auto);
}

#[tokio::test]
async fn a_conversation_stays_at_its_endpoint_while_that_is_fit() {
    let in_body = |user_id: &str| {
        let mut body = streaming();
        body["metadata"] = json!({ "user_id": user_id });
        body
    };
    let forms = [
        (
            "header",
            &[("x-claude-code-session-id", "s-1")][..],
            streaming(),
        ),
        (
            "JSON",
            &[],
            in_body(r#"{"device_id":"d","session_id":"s-1"}"#),
        ),
        ("text", &[], in_body("user_ab_account_cd_session_0b1a7e9c")),
    ];
    for (form, headers, body) in forms {
        let endpoints = named(&["A", "B"]).await;
        let zephyr = with_keys(&endpoints, &[], "").await;
        let body = body.to_string();
        let say = async || {
            let answer = zephyr.request("POST /v1/messages", headers, &body).await;
            answer.header("x-used-endpoint").unwrap().to_owned()
        };
        zephyr.run(use_endpoint("B")).await;
        assert_eq!(say().await, "B", "{form}");
        zephyr.run(use_endpoint("A")).await;
        zephyr.run(Command::Auto).await;

        let (others, its) = (zephyr.used().await, say().await);
        let b = "B".to_owned();
        zephyr.run(Command::Disable { endpoint: b }).await;
        let once_unfit = say().await;
        let b = "B".to_owned();
        zephyr.run(Command::Enable { endpoint: b }).await;
        let moved = say().await;

        assert_eq!((others.as_str(), its.as_str()), ("A", "B"), "{form}");
        assert_eq!((once_unfit.as_str(), moved.as_str()), ("A", "A"), "{form}");
    }
}

#[tokio::test]
async fn without_sticky_sessions_a_conversation_goes_where_all_go() {
    let endpoints = named(&["A", "B"]).await;
    let zephyr = with_keys(&endpoints, &[], "[routing]\nsticky_sessions = false\n").await;
    let session = [("x-claude-code-session-id", "s-1")];
    let body = streaming().to_string();
    zephyr.run(use_endpoint("B")).await;
    zephyr.request("POST /v1/messages", &session, &body).await;
    zephyr.run(use_endpoint("A")).await;
    zephyr.run(Command::Auto).await;

    let answer = zephyr.request("POST /v1/messages", &session, &body).await;

    assert_eq!(answer.header("x-used-endpoint"), Some("A"));
}

#[tokio::test]
async fn requests_go_round_robin() {
    let endpoints = named(&["A", "B", "C"]).await;
    let zephyr = with_keys(&endpoints, &[], "[routing]\nstrategy = \"round_robin\"\n").await;

    let mut used = String::new();
    for _ in 0..6 {
        used += &zephyr.used().await;
    }

    assert_eq!(used, "ABCABC");
    let snapshot = zephyr.snapshot().await;
    assert_eq!((&snapshot.current, &snapshot.decision), (&None, &None));
}

#[tokio::test]
async fn weights_share_the_requests_out() {
    let endpoints = named(&["A", "B"]).await;
    let routing = "[routing]\nstrategy = \"weighted_round_robin\"\n";
    let zephyr = with_keys(&endpoints, &["weight = 3", "weight = 1"], routing).await;

    for _ in 0..8 {
        zephyr.used().await;
    }

    let counts: Vec<usize> = endpoints.iter().map(|one| one.requests().len()).collect();
    assert_eq!(counts, [6, 2]);
}

#[tokio::test]
async fn random_uses_every_endpoint() {
    let endpoints = named(&["A", "B"]).await;
    let zephyr = with_keys(&endpoints, &[], "[routing]\nstrategy = \"random\"\n").await;

    for _ in 0..40 {
        zephyr.used().await;
    }

    // That one of two gets none of 40 happens once in 10^12 runs.
    assert!(endpoints.iter().all(|one| !one.requests().is_empty()));
}

#[tokio::test]
async fn priority_and_price_choose_and_come_back_after_a_recovery() {
    for (strategy, keys, why) in [
        (
            "priority",
            ["priority = 2", "priority = 1"],
            Reason::BestPriority { priority: 1 },
        ),
        (
            "price",
            ["price = 2.0", "price = 0.5"],
            Reason::BestPrice { price: 0.5 },
        ),
    ] {
        let endpoints = named(&["A", "B"]).await;
        let routing = format!("[routing]\nstrategy = \"{strategy}\"\nmin_dwell_seconds = 0\n");
        let zephyr = with_keys(&endpoints, &keys, &routing).await;
        let first = zephyr.used().await;
        endpoints[1].push(Act::status(429).header("retry-after", "30"));
        let while_out = zephyr.used().await;

        zephyr.run(Command::Reinstate { endpoint: None }).await;

        assert_eq!((first.as_str(), while_out.as_str()), ("B", "A"));
        assert_eq!(zephyr.used().await, "B", "{strategy}");
        let snapshot = zephyr.snapshot().await;
        assert_eq!(snapshot.decision.as_ref().unwrap().why, why, "{strategy}");
    }
}

#[tokio::test]
async fn the_fastest_by_probes_is_used_only_beyond_the_threshold() {
    let slow = std::time::Duration::from_millis(400);
    for (threshold, used) in [(100, "B"), (5000, "A")] {
        let a = Endpoint::start(Act::message("from A").after(slow)).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let server = format!(
            "[server]\nswitch_threshold_ms = {threshold}\n\n[health_check]\nmode = \"message\"\n"
        );
        let zephyr = Zephyr::over(&[&a, &b], &server).await;

        zephyr
            .until("both are measured", |snapshot| {
                let measured = |name| snapshot.endpoint(name).unwrap().latency_ms.is_some();
                measured("A") && measured("B")
            })
            .await;

        assert_eq!(zephyr.used().await, used, "{threshold}");
        let snapshot = zephyr.snapshot().await;
        let why_not = &snapshot.decision.as_ref().unwrap().others[0].why;
        assert!(
            matches!(why_not, Reason::NotFaster { .. }),
            "{threshold}: {why_not:?}"
        );
    }
}

#[tokio::test]
async fn three_resets_open_the_circuit_and_a_message_probe_closes_it() {
    let a = Endpoint::start(only_probes_work(Act::reset())).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let probes = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";
    let zephyr = Zephyr::over(&[&a, &b], probes).await;
    zephyr.run(use_endpoint("A")).await;
    zephyr
        .until("A was probed", |snapshot| {
            snapshot.endpoint("A").unwrap().last_check_ms.is_some()
        })
        .await;
    for _ in 0..4 {
        assert_eq!(zephyr.used().await, "B");
    }
    let out = zephyr.snapshot().await;

    zephyr.run(Command::Refresh).await;

    let back = zephyr
        .until("A is back", |snapshot| {
            snapshot.endpoint("A").unwrap().state == EndpointState::Ready
        })
        .await;
    let a_out = out.endpoint("A").unwrap();
    assert_eq!(
        (a_out.state, a_out.attempts, a_out.failures),
        (EndpointState::Failing, 3, 3)
    );
    assert!(matches!(a_out.reason, Some(Reason::ConnectionLost { .. })));
    assert!(a_out.until_ms > Some(out.taken_at_ms));
    assert!(has(&out, |event| matches!(event,
        EventKind::TakenOut { endpoint, until_ms: Some(_), .. } if endpoint == "A")));
    assert!(has(&back, |event| matches!(event,
        EventKind::Recovered { endpoint } if endpoint == "A")));
}

#[tokio::test]
async fn a_probe_that_proves_no_messages_does_not_close_the_circuit() {
    for mode in ["connect", "models"] {
        let a = Endpoint::start(only_probes_work(Act::status(500))).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let probes = format!("[health_check]\nmode = \"{mode}\"\ninterval_seconds = 3600\n");
        let zephyr = Zephyr::over(&[&a, &b], &probes).await;
        zephyr.run(use_endpoint("A")).await;
        for _ in 0..3 {
            zephyr.used().await;
        }
        let checks = |snapshot: &Snapshot| snapshot.endpoint("A").unwrap().latency_history.len();
        let before = zephyr
            .until("the first probe is over", |snapshot| checks(snapshot) >= 1)
            .await;

        zephyr.run(Command::Refresh).await;

        let after = zephyr
            .until("A was probed again", |snapshot| {
                checks(snapshot) > checks(&before)
            })
            .await;
        let a = after.endpoint("A").unwrap();
        assert!(a.latency_history.last().unwrap().is_some(), "{mode}");
        assert_eq!(a.state, EndpointState::Failing, "{mode}");
    }
}

#[tokio::test]
async fn a_retry_after_is_honoured_shown_and_bounded() {
    for (asked, seconds) in [("30", 30), ("86400", 600)] {
        let a = Endpoint::start(Act::status(429).header("retry-after", asked)).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        for _ in 0..3 {
            assert_eq!(zephyr.used().await, "B");
        }

        assert_eq!(a.requests().len(), 1, "asked to wait {asked} s");
        let snapshot = zephyr.snapshot().await;
        let a = snapshot.endpoint("A").unwrap();
        assert_eq!(a.state, EndpointState::Throttled);
        assert_eq!(a.reason, Some(Reason::RateLimited { status: 429 }));
        let wait = a.until_ms.unwrap() - snapshot.taken_at_ms;
        assert!(wait <= seconds * 1000 && wait > seconds * 1000 - 15_000);
    }
}

#[tokio::test]
async fn a_retry_after_is_measured_against_the_answers_own_date() {
    let date = "Mon, 30 Nov 2015 10:00:00 GMT";
    for asked in [
        "Mon, 30 Nov 2015 10:01:30 GMT",
        "1448877690",
        "1448877690000",
    ] {
        let refusal = Act::status(429).header("date", date);
        let a = Endpoint::start(refusal.header("retry-after", asked)).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        assert_eq!(zephyr.used().await, "B");

        let snapshot = zephyr.snapshot().await;
        let wait = snapshot.endpoint("A").unwrap().until_ms.unwrap() - snapshot.taken_at_ms;
        assert!(wait <= 90_000 && wait > 75_000, "{asked}: {wait} ms");
    }
}

#[tokio::test]
async fn a_refused_credential_takes_the_endpoint_out_until_a_person_acts() {
    let a = Endpoint::start(Act::status(401)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    for _ in 0..3 {
        assert_eq!(zephyr.used().await, "B");
    }

    let snapshot = zephyr.snapshot().await;
    let view = snapshot.endpoint("A").unwrap();
    assert_eq!((view.state, view.until_ms), (EndpointState::Refused, None));
    let refused = Reason::VariableTokenRefused {
        status: 401,
        variable: "TEST_TOKEN".to_owned(),
    };
    assert_eq!(view.reason, Some(refused));
    assert_eq!(a.requests().len(), 1);
}

#[tokio::test]
async fn the_last_resort_never_tries_a_refused_endpoint() {
    let a = Endpoint::start(Act::status(401)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    assert_eq!(zephyr.stream().await.unwrap().status, 401);

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(
        (answer.status, answer.header("x-zephyr-error")),
        (503, Some("none_usable"))
    );
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("A: refused the credential"), "{message}");
    assert_eq!(a.requests().len(), 1);
}

#[tokio::test]
async fn as_a_last_resort_endpoints_that_are_out_are_tried_anyway() {
    let a = Endpoint::start(Act::status(500)).await;
    let b = Endpoint::start(Act::status(500)).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    for _ in 0..3 {
        zephyr.stream().await.unwrap();
    }
    let down = zephyr.snapshot().await;
    b.set(Act::message("from B"));

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(down.usable(), 0);
    assert!(has(&down, |event| *event == EventKind::AllDown));
    assert_eq!(answer.text(), "from B");
    let up = zephyr.snapshot().await;
    assert_eq!(up.endpoint("B").unwrap().state, EndpointState::Ready);
    assert!(has(&up, |event| *event == EventKind::SomethingUp));
}

#[tokio::test]
async fn without_the_last_resort_nothing_is_tried_while_all_are_out() {
    let a = Endpoint::start(Act::status(500)).await;
    let zephyr = Zephyr::over(&[&a], "[failover]\nlast_resort = false\n").await;
    for _ in 0..3 {
        zephyr.stream().await.unwrap();
    }

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.header("x-zephyr-error"), Some("none_usable"));
    assert_eq!(a.requests().len(), 3);
}

#[tokio::test]
async fn a_request_is_attempted_at_most_max_attempts_times() {
    let endpoints = join_all((0..5).map(|_| Endpoint::start(Act::status(500)))).await;
    let zephyr = with_keys(&endpoints, &[], "[failover]\nmax_attempts = 4\n").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.header("x-zephyr-attempts"), Some("4"));
    let counts: Vec<usize> = endpoints.iter().map(|one| one.requests().len()).collect();
    assert_eq!(counts, [1, 1, 1, 1, 0]);
}

#[tokio::test]
async fn a_burst_spends_few_requests_on_a_bad_endpoint() {
    for (what, act) in [
        ("reset", Act::reset()),
        ("500", Act::status(500)),
        ("529", Act::status(529)),
    ] {
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        for _ in 0..60 {
            assert_eq!(zephyr.used().await, "B", "{what}");
        }

        assert!(a.requests().len() <= 5, "{what}: {}", a.requests().len());
        assert_eq!(b.requests().len(), 60, "{what}");
    }
}

#[tokio::test]
async fn every_endpoint_that_is_up_is_asked_before_a_request_fails() {
    let endpoints = join_all((0..5).map(|_| Endpoint::start(Act::status(500)))).await;
    let zephyr = with_keys(&endpoints, &[], "[failover]\nretry_budget_percent = 0\n").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.header("x-zephyr-attempts"), Some("5"));
    let counts: Vec<usize> = endpoints.iter().map(|one| one.requests().len()).collect();
    assert_eq!(counts, [1; 5]);
}

#[tokio::test]
async fn once_every_endpoint_is_out_a_storm_stays_within_the_retry_budget() {
    let endpoints = join_all((0..4).map(|_| Endpoint::start(Act::status(500)))).await;
    let zephyr = with_keys(&endpoints, &[], "[failover]\nhold_seconds = 0\n").await;

    for _ in 0..100 {
        assert_eq!(zephyr.stream().await.unwrap().status, 500);
    }

    let attempts: usize = endpoints.iter().map(|one| one.requests().len()).sum();
    // Three requests ask all four, and then every circuit is open. As a last resort, each of the others has its
    // first attempt and its first failover; a fifth of all and three have one more.
    let least = 3 * 4 + 97 * 2;
    assert!(
        (least..=least + 20 + 3).contains(&attempts),
        "{least} and at most 23 more: {attempts}"
    );
    assert_eq!(zephyr.snapshot().await.totals.attempts, attempts as u64);
}

#[tokio::test]
async fn decisions_and_events_read_as_sentences_in_both_languages() {
    let a = Endpoint::start(Act::status(429).header("retry-after", "30")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    zephyr.stream().await.unwrap();

    let snapshot = zephyr.snapshot().await;
    let told = |language| -> Vec<String> {
        let events = snapshot.events.iter();
        events.map(|event| text(language, &event.kind)).collect()
    };
    let (en, zh) = (told(Language::En), told(Language::Zh));
    assert_eq!(
        en[1..],
        [
            "A is out: rate limit (HTTP 429)",
            "switched from A to B: the endpoint in use became unusable",
            "a request moved on from A: rate limit (HTTP 429)",
        ]
    );
    let chinese = |text: &String| text.chars().any(|letter| ('一'..='鿿').contains(&letter));
    assert!(zh.iter().all(chinese), "{zh:?}");
    let decision = snapshot.decision.as_ref().unwrap();
    assert_eq!(snapshot.current.as_deref(), Some("B"));
    assert_eq!(decision.others[0].endpoint, "A");
    assert_eq!(
        text(Language::En, &decision.others[0].why),
        "rate limit (HTTP 429)"
    );
    for event in &snapshot.events {
        let json = serde_json::to_string(event).unwrap();
        assert!(!json.contains(CLIENT_TOKEN));
    }
}
