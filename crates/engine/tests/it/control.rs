//! What front-ends ask for: pauses, probes, drains, reinstatement.

use std::time::Duration;

use crate::common::{OUR_TOKEN, Zephyr, streaming};
use futures_util::future::join_all;
use zephyr_control::EndpointState::{self, Exhausted, Ready, Refused, Throttled};
use zephyr_control::{Command, ErrorCode, EventKind, Mode, Reason};
use zephyr_testkit::{Act, End, Endpoint, Gate, Phase};

fn disable(name: &str) -> Command {
    Command::Disable {
        endpoint: name.to_owned(),
    }
}

fn enable(name: &str) -> Command {
    Command::Enable {
        endpoint: name.to_owned(),
    }
}

#[tokio::test]
async fn a_request_that_is_not_in_the_journal_is_said_to_be_unknown() {
    let a = Endpoint::start(Act::message("fine")).await;
    let kept = Zephyr::over(&[&a], "[logging]\nlog_directory = \"records\"\n").await;
    let not_kept = Zephyr::over(&[&a], "").await;

    let unknown = kept.control.request(17).await.unwrap_err();
    let nothing = not_kept.control.request(17).await.unwrap_err();

    assert_eq!(unknown.code, ErrorCode::UnknownRequest);
    assert!(unknown.message.contains("no request 17"), "{unknown}");
    assert_eq!(nothing.code, ErrorCode::NotPossible);
}

#[tokio::test]
async fn a_pause_stops_probes_and_a_resumption_starts_them() {
    let a = Endpoint::start(Act::message("from A")).await;
    // Its answer takes longer than an interval, which is how this test lets time pass.
    let slow = Duration::from_millis(2500);
    let b = Endpoint::start(Act::message("from B").after(slow)).await;
    let probes = "[health_check]\nmode = \"message\"\ninterval_seconds = 1\n";
    let zephyr = Zephyr::over(&[&a, &b], probes).await;
    a.next_request().await;

    zephyr.run(Command::Pause).await;
    zephyr.run(disable("A")).await;
    let meanwhile = zephyr.stream().await.unwrap();
    let while_paused = a.requests().len();
    zephyr.run(enable("A")).await;
    zephyr.run(Command::Resume).await;

    assert_eq!(meanwhile.text(), "from B");
    assert_eq!(while_paused, 1);
    a.next_request().await;
    let snapshot = zephyr.snapshot().await;
    assert!(!snapshot.paused);
    let events = zephyr.events().await;
    assert!(events.contains(&EventKind::Paused) && events.contains(&EventKind::Resumed));
}

#[tokio::test]
async fn while_paused_requests_go_on_and_fail_over() {
    let a = Endpoint::start(Act::reset()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    zephyr.run(Command::Pause).await;

    assert_eq!(zephyr.used().await, "B");
    assert!(zephyr.snapshot().await.paused);
}

#[tokio::test]
async fn a_refresh_probes_every_endpoint_at_once_even_in_a_pause() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let probes = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";
    let zephyr = Zephyr::over(&[&a, &b], probes).await;
    let checked = |snapshot: &zephyr_control::Snapshot, times: usize| {
        let mut endpoints = snapshot.endpoints.iter();
        endpoints.all(|endpoint| endpoint.latency_history.len() == times)
    };
    zephyr
        .until("both are probed at the start", |snapshot| {
            checked(snapshot, 1)
        })
        .await;
    zephyr.run(Command::Pause).await;

    zephyr.run(Command::Refresh).await;

    zephyr
        .until("both are probed again", |snapshot| checked(snapshot, 2))
        .await;
    assert_eq!((a.requests().len(), b.requests().len()), (2, 2));
}

#[tokio::test]
async fn a_message_probe_is_one_real_call_with_one_token_and_our_credential() {
    let a = Endpoint::start(Act::message("fine")).await;
    let probes = "[health_check]\nmode = \"message\"\nmodel = \"claude-haiku-5-5\"\n";
    let _zephyr = Zephyr::over(&[&a], probes).await;

    let probe = a.next_request().await;

    assert_eq!(
        (probe.method.as_str(), probe.target.as_str()),
        ("POST", "/v1/messages")
    );
    let body = probe.json();
    assert_eq!(
        (&body["model"], &body["max_tokens"]),
        (&"claude-haiku-5-5".into(), &1.into())
    );
    assert_eq!(
        probe.headers_named("authorization"),
        [format!("Bearer {OUR_TOKEN}")]
    );
    assert_eq!(probe.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(probe.header("content-type"), Some("application/json"));
    assert_eq!(probe.header("host"), Some(a.addr().to_string().as_str()));
}

#[tokio::test]
async fn a_models_probe_asks_for_the_models_with_our_credential() {
    let a = Endpoint::start(Act::message("fine")).await;
    let zephyr = Zephyr::over(&[&a], "[health_check]\nmode = \"models\"\n").await;

    let probe = a.next_request().await;

    assert_eq!(
        (probe.method.as_str(), probe.target.as_str()),
        ("GET", "/v1/models?limit=1")
    );
    assert_eq!(
        probe.headers_named("authorization"),
        [format!("Bearer {OUR_TOKEN}")]
    );
    assert!(probe.body.is_empty());
    zephyr
        .until("it is measured", |snapshot| {
            snapshot.endpoint("A").unwrap().latency_ms.is_some()
        })
        .await;
}

#[tokio::test]
async fn a_connect_probe_only_connects() {
    let a = Endpoint::start(Act::message("fine")).await;
    let zephyr = Zephyr::over(&[&a], "[health_check]\nmode = \"connect\"\n").await;

    zephyr
        .until("it is measured", |snapshot| {
            snapshot.endpoint("A").unwrap().latency_ms.is_some()
        })
        .await;

    assert_eq!((a.connections(), a.requests().len()), (1, 0));
}

#[tokio::test]
async fn probes_run_in_parallel_at_the_start() {
    let gate = Gate::new();
    let held = || Endpoint::start(Act::message("fine").gate(gate.clone()));
    let endpoints = [held().await, held().await, held().await];
    let probes = "[health_check]\nmode = \"message\"\n";
    let zephyr = Zephyr::over(&endpoints.each_ref(), probes).await;

    join_all(endpoints.iter().map(Endpoint::next_request)).await;
    gate.open();

    zephyr
        .until("all are measured", |snapshot| {
            let mut endpoints = snapshot.endpoints.iter();
            endpoints.all(|endpoint| endpoint.latency_ms.is_some())
        })
        .await;
}

#[tokio::test]
async fn a_probe_ends_at_its_timeout_and_marks_the_endpoint() {
    for mode in ["message", "models"] {
        let a = Endpoint::start(Act::hang()).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let probes = format!("[health_check]\nmode = \"{mode}\"\ntimeout_seconds = 1\n");
        let zephyr = Zephyr::over(&[&a, &b], &probes).await;

        let snapshot = zephyr
            .until("the probe of A failed", |snapshot| {
                snapshot.endpoint("A").unwrap().latency_history == [None]
            })
            .await;

        let a = snapshot.endpoint("A").unwrap();
        assert_eq!(a.last_error, Some(Reason::TimedOut { after_ms: 1000 }));
        assert!(
            matches!(&a.reason, Some(Reason::ProbeFailed { detail }) if detail.contains("1000 ms")),
            "{:?}",
            a.reason
        );
        assert_eq!(snapshot.current.as_deref(), Some("B"), "{mode}");
    }
}

#[tokio::test]
async fn failing_probes_alone_open_the_circuit_and_recovered_ones_close_it() {
    let a = Endpoint::start(Act::status(500)).await;
    let zephyr = Zephyr::over(
        &[&a],
        "[health_check]\nmode = \"message\"\n\n[breaker]\nmax_failures = 1\n",
    )
    .await;
    zephyr
        .until("A is out", |snapshot| {
            snapshot.endpoint("A").unwrap().state == EndpointState::Failing
        })
        .await;
    a.set(Act::message("fine"));

    zephyr.run(Command::Refresh).await;

    zephyr
        .until("A is back", |snapshot| {
            snapshot.endpoint("A").unwrap().state == EndpointState::Ready
        })
        .await;
}

#[tokio::test]
async fn a_drain_lets_a_running_stream_finish_and_sends_new_requests_elsewhere() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::gate_at(Phase::BetweenDeltas, gate.clone())).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    let mut running = zephyr.client().await;
    running
        .send_messages(streaming().to_string())
        .await
        .unwrap();
    running.read_head().await.unwrap();
    running.next_event().await.unwrap().unwrap();

    zephyr.run(disable("A")).await;
    let draining = zephyr.snapshot().await;
    let elsewhere = zephyr.used().await;
    gate.open();
    let (_, end) = running.read_body().await.unwrap();

    let view = draining.endpoint("A").unwrap();
    assert_eq!((view.state, view.in_flight), (EndpointState::Draining, 1));
    assert!(!view.enabled && view.until_ms > Some(draining.taken_at_ms));
    assert_eq!((elsewhere.as_str(), end), ("B", End::Clean));
    zephyr
        .until("A is switched off", |snapshot| {
            snapshot.endpoint("A").unwrap().state == EndpointState::Disabled
        })
        .await;
}

#[tokio::test]
async fn what_runs_on_when_the_drain_is_over_is_aborted_and_not_held_against_the_endpoint() {
    let a = Endpoint::start(Act::stall_at(Phase::BetweenDeltas)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let timeout = "[server]\ngraceful_switch_timeout_ms = 300\n\n[breaker]\nmax_failures = 1\n";
    let zephyr = Zephyr::over(&[&a, &b], timeout).await;
    let mut running = zephyr.client().await;
    running
        .send_messages(streaming().to_string())
        .await
        .unwrap();
    running.read_head().await.unwrap();
    running.next_event().await.unwrap().unwrap();

    zephyr.run(disable("A")).await;
    let (_, end) = running.read_body().await.unwrap();
    a.cancelled().await;
    zephyr.run(enable("A")).await;

    assert_eq!(end, End::Cut);
    let snapshot = zephyr.snapshot().await;
    let view = snapshot.endpoint("A").unwrap();
    assert_eq!((view.state, view.failures), (EndpointState::Ready, 0));
    assert_eq!((view.in_flight, view.last_error.as_ref()), (0, None));
    assert!(zephyr.events().await.contains(&EventKind::Aborted {
        endpoint: "A".to_owned(),
        why: Reason::DrainTimeout
    }));
}

#[tokio::test]
async fn a_request_without_an_answer_yet_moves_on_when_the_drain_is_over() {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let timeout = "[server]\ngraceful_switch_timeout_ms = 200\n\n";
    let zephyr = Zephyr::over(&[&a, &b], timeout).await;
    let mut waiting = zephyr.client().await;
    waiting
        .send_messages(streaming().to_string())
        .await
        .unwrap();
    a.next_request().await;

    zephyr.run(disable("A")).await;

    assert_eq!(waiting.answer().await.unwrap().text(), "from B");
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 0);
}

#[tokio::test]
async fn an_endpoint_that_is_switched_on_again_takes_requests() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    zephyr.run(disable("A")).await;
    let off = zephyr.stream().await.unwrap();

    zephyr.run(enable("A")).await;

    assert_eq!(
        (off.status, off.header("x-zephyr-error")),
        (503, Some("none_usable"))
    );
    assert_eq!(zephyr.used().await, "A");
    let events = zephyr.events().await;
    let endpoint = || "A".to_owned();
    assert!(events.contains(&EventKind::Disabled {
        endpoint: endpoint()
    }));
    assert!(events.contains(&EventKind::Enabled {
        endpoint: endpoint()
    }));
}

#[tokio::test]
async fn reinstatement_forgets_what_is_held_against_one_endpoint_or_all() {
    let endpoints = [
        Endpoint::start(Act::status(401)).await,
        Endpoint::start(Act::status(402)).await,
        Endpoint::start(Act::status(429)).await,
    ];
    let zephyr = Zephyr::over(&endpoints.each_ref(), "").await;
    zephyr.stream().await.unwrap();
    let states = async || {
        let snapshot = zephyr.snapshot().await;
        let states = snapshot.endpoints.iter().map(|endpoint| endpoint.state);
        states.collect::<Vec<_>>()
    };

    assert_eq!(states().await, [Refused, Exhausted, Throttled]);

    let a = Some("A".to_owned());
    zephyr.run(Command::Reinstate { endpoint: a }).await;
    let one = states().await;
    zephyr.run(Command::Reinstate { endpoint: None }).await;
    let all = states().await;

    assert_eq!(one, [Ready, Exhausted, Throttled]);
    assert_eq!(all, [Ready, Ready, Ready]);
}

#[tokio::test]
async fn a_command_for_an_unknown_endpoint_changes_nothing() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let before = zephyr.snapshot().await;
    let reinstate = Command::Reinstate {
        endpoint: Some("Z".to_owned()),
    };

    for command in [enable("Z"), disable("Z"), reinstate] {
        let error = zephyr.control.execute(command).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownEndpoint);
        assert!(error.message.contains("\"Z\"") && error.message.contains("A"));
    }

    let after = zephyr.snapshot().await;
    assert_eq!(after.events, before.events);
    assert_eq!(after.mode, Mode::Auto);
}
