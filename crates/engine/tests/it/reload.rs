//! A changed configuration takes effect without a restart, and a broken one does not.

use std::time::Duration;

use crate::common::{OUR_TOKEN, Zephyr, config, streaming};
use zephyr_control::{
    Command, EndpointState, ErrorCode, EventKind, Mode, Problem, ProblemKind, Snapshot,
};
use zephyr_engine::{Engine, Options, Source};
use zephyr_testkit::{Act, End, Endpoint, Gate, Phase, Script};

fn names(snapshot: &Snapshot) -> Vec<&str> {
    let endpoints = snapshot.endpoints.iter();
    endpoints.map(|endpoint| endpoint.name.as_str()).collect()
}

fn problem(snapshot: &Snapshot, kind: ProblemKind) -> Option<&Problem> {
    snapshot
        .problems
        .iter()
        .find(|problem| problem.kind == kind)
}

/// Demands another credential than before.
fn wants(header: &'static str, value: &str) -> Script {
    let value = value.to_owned();
    Script::by(move |request| {
        if request.header(header) == Some(&value) {
            Act::message("welcome")
        } else {
            Act::status(401)
        }
    })
}

#[tokio::test]
async fn a_saved_file_takes_effect_by_itself() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    zephyr.rewrite(&config(
        &[a.url(), b.url()],
        "[routing]\nstrategy = \"random\"\n",
    ));

    let snapshot = zephyr
        .until("B is there", |snapshot| names(snapshot) == ["A", "B"])
        .await;
    assert_eq!(snapshot.strategy, zephyr_control::Strategy::Random);
    let events = zephyr.events().await;
    assert!(events.contains(&EventKind::ConfigReloaded));
}

#[tokio::test]
async fn a_running_stream_outlives_the_change_of_its_endpoint() {
    type Change = fn(&str, &str) -> String;
    let changes: [(&str, Change); 4] = [
        ("removed", |_, b| {
            config(&[b.to_owned()], "").replace("\"A\"", "\"B\"")
        }),
        ("renamed", |a, b| {
            config(&[b.to_owned(), a.to_owned()], "").replace("\"A\"", "\"Z\"")
        }),
        ("its URL changed", |_, b| config(&[b.to_owned()], "")),
        ("every endpoint gone", |_, _| {
            "[server]\nport = 0\n".to_owned()
        }),
    ];
    for (what, change) in changes {
        let gate = Gate::new();
        let a = Endpoint::start(Act::gate_at(Phase::BetweenDeltas, gate.clone())).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a], "").await;
        let mut running = zephyr.client().await;
        running
            .send_messages(streaming().to_string())
            .await
            .unwrap();
        running.read_head().await.unwrap();
        running.next_event().await.unwrap().unwrap();

        zephyr.rewrite(&change(&a.url(), &b.url()));
        zephyr.run(Command::Reload).await;
        let next = zephyr.stream().await.unwrap();
        gate.open();
        let (_, end) = running.read_body().await.unwrap();

        assert_eq!(end, End::Clean, "{what}");
        if what == "every endpoint gone" {
            assert_eq!(next.header("x-zephyr-error"), Some("no_endpoints"));
        } else {
            assert_eq!(next.text(), "from B", "{what}");
        }
        zephyr
            .until("nothing is in flight", |snapshot| {
                snapshot.totals.in_flight == 0
            })
            .await;
    }
}

#[tokio::test]
async fn what_was_learned_and_decided_survives_a_reload() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::status(429).header("retry-after", "30")).await;
    let c = Endpoint::start(Act::message("from C")).await;
    let urls = [a.url(), b.url(), c.url()];
    let probes = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";
    let zephyr = Zephyr::at(&urls[..2], probes).await;
    let before = zephyr
        .until("A is measured and B throttled", |snapshot| {
            snapshot.endpoint("A").unwrap().latency_ms.is_some()
                && snapshot.endpoint("B").unwrap().state == EndpointState::Throttled
        })
        .await;
    zephyr.used().await;
    let endpoint = "A".to_owned();
    zephyr.run(Command::Disable { endpoint }).await;

    zephyr.rewrite(&config(&urls, probes));
    zephyr.run(Command::Reload).await;

    let after = zephyr.snapshot().await;
    let view = after.endpoint("A").unwrap();
    assert_eq!(view.latency_ms, before.endpoint("A").unwrap().latency_ms);
    assert_eq!((view.state, view.attempts), (EndpointState::Disabled, 1));
    assert_eq!(after.endpoint("B").unwrap().state, EndpointState::Throttled);
    assert_eq!(after.totals.requests, 1);
    assert_eq!(zephyr.used().await, "C");
}

#[tokio::test]
async fn a_pin_survives_as_long_as_its_endpoint() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let urls = [a.url(), b.url()];
    let zephyr = Zephyr::at(&urls, "").await;
    let endpoint = "B".to_owned();
    zephyr.run(Command::Use { endpoint }).await;

    zephyr.rewrite(&config(&urls, "[failover]\nmax_attempts = 2\n"));
    zephyr.run(Command::Reload).await;
    let kept = zephyr.used().await;
    zephyr.rewrite(&config(&urls[..1], ""));
    zephyr.run(Command::Reload).await;

    assert_eq!(kept, "B");
    assert_eq!(zephyr.used().await, "A");
    assert_eq!(zephyr.snapshot().await.mode, Mode::Auto);
}

#[tokio::test]
async fn a_broken_file_keeps_the_running_configuration_and_says_where_it_is_broken() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let good = config(&[a.url()], "");

    let bad = config(&[a.url()], "[routing]\nstrategy = \"fastest\"\n");
    zephyr.rewrite(&bad);
    let broken = zephyr
        .until("the file is rejected", |snapshot| {
            problem(snapshot, ProblemKind::ConfigError).is_some()
        })
        .await;
    let error = zephyr.control.execute(Command::Reload).await.unwrap_err();
    let meanwhile = zephyr.used().await;
    zephyr.rewrite(&good);

    let mended = zephyr
        .until("it is mended", |snapshot| {
            problem(snapshot, ProblemKind::ConfigError).is_none()
        })
        .await;
    let line = 1 + bad
        .lines()
        .position(|line| line.contains("fastest"))
        .unwrap();
    let told = &problem(&broken, ProblemKind::ConfigError).unwrap().message;
    assert!(
        told.contains(&format!("line {line}:"))
            && told.contains("routing.strategy")
            && told.contains("latency"),
        "{told}"
    );
    assert_eq!(
        (error.code, &error.message),
        (ErrorCode::InvalidConfiguration, told)
    );
    assert_eq!(meanwhile, "A");
    let events: Vec<_> = mended.events.iter().map(|event| &event.kind).collect();
    assert!(events.contains(&&EventKind::ConfigRejected));
    assert_eq!(events.last(), Some(&&EventKind::ConfigReloaded));
}

#[tokio::test]
async fn a_file_that_vanishes_keeps_the_running_configuration() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    std::fs::remove_file(zephyr.folder.path().join("config.toml")).unwrap();

    zephyr
        .until("it is missed", |snapshot| {
            problem(snapshot, ProblemKind::ConfigError).is_some()
        })
        .await;
    assert_eq!(zephyr.used().await, "A");
}

#[tokio::test]
async fn a_new_credential_in_the_dotenv_reinstates_a_refused_endpoint() {
    let a = Endpoint::start(wants("authorization", "Bearer renewed")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    assert_eq!(zephyr.stream().await.unwrap().status, 401);
    assert_eq!(zephyr.state_of("A").await, EndpointState::Refused);

    zephyr.dotenv("TEST_TOKEN=renewed\n");

    zephyr
        .until("A is back", |snapshot| {
            snapshot.endpoint("A").unwrap().state == EndpointState::Ready
        })
        .await;
    assert_eq!(zephyr.stream().await.unwrap().text(), "welcome");
}

#[tokio::test]
async fn another_header_for_the_credential_reinstates_a_refused_endpoint() {
    let a = Endpoint::start(wants("x-api-key", OUR_TOKEN)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    assert_eq!(zephyr.stream().await.unwrap().status, 401);

    let as_key = "auth_type = \"api_key\"\nauth_token_env";
    zephyr.rewrite(&config(&[a.url()], "").replace("auth_token_env", as_key));
    zephyr.run(Command::Reload).await;

    assert_eq!(zephyr.stream().await.unwrap().text(), "welcome");
}

#[tokio::test]
async fn a_refusal_of_the_old_credential_is_not_held_against_the_new_one() {
    let gate = Gate::new();
    let a = Endpoint::start(wants("authorization", "Bearer renewed")).await;
    a.push(Act::status(401).gate(gate.clone()));
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut waiting = zephyr.client().await;
    waiting
        .send_messages(streaming().to_string())
        .await
        .unwrap();
    a.next_request().await;

    zephyr.dotenv("TEST_TOKEN=renewed\n");
    zephyr.run(Command::Reload).await;
    gate.open();
    waiting.answer().await.unwrap();

    assert_eq!(zephyr.state_of("A").await, EndpointState::Ready);
    assert_eq!(zephyr.stream().await.unwrap().text(), "welcome");
}

#[tokio::test]
async fn a_variable_that_appears_brings_its_endpoint_in() {
    let a = Endpoint::start(Act::message("from A")).await;
    let late = config(&[a.url()], "").replace("TEST_TOKEN", "ZEPHYR_TEST_LATE");
    let zephyr = Zephyr::start(&late, Options::default()).await;
    assert_eq!(zephyr.state_of("A").await, EndpointState::NoCredential);

    zephyr.dotenv("ZEPHYR_TEST_LATE=late\n");

    let snapshot = zephyr
        .until("A has its credential", |snapshot| {
            snapshot.endpoint("A").unwrap().state == EndpointState::Ready
        })
        .await;
    assert_eq!(problem(&snapshot, ProblemKind::Credential), None);
    assert_eq!(zephyr.used().await, "A");
}

#[tokio::test]
async fn a_configuration_without_a_file_cannot_be_read_again() {
    let a = Endpoint::start(Act::message("from A")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, config(&[a.url()], "")).unwrap();
    let loaded = zephyr_config::load(&path).unwrap();
    let engine = Engine::start(loaded, Source::Fixed).await.unwrap();

    let error = engine.control().execute(Command::Reload).await.unwrap_err();

    assert_eq!(error.code, ErrorCode::NotPossible);
    assert!(error.message.contains("no configuration file"), "{error}");
}

#[tokio::test]
async fn a_changed_port_is_warned_about_until_it_is_changed_back() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let moved = config(&[a.url()], "").replace("port = 0", "port = 45678");
    let warned = async || {
        let snapshot = zephyr.snapshot().await;
        problem(&snapshot, ProblemKind::Port).cloned()
    };

    zephyr.rewrite(&moved);
    zephyr.run(Command::Reload).await;
    let first = warned().await;
    zephyr.rewrite(&format!("{moved}\n[ui]\ntheme = \"dark\"\n"));
    zephyr.run(Command::Reload).await;
    let second = warned().await;
    zephyr.rewrite(&config(&[a.url()], ""));
    zephyr.run(Command::Reload).await;

    let first = first.unwrap();
    assert!(first.message.contains("45678") && first.remedy.contains("restart"));
    assert_eq!(second, Some(first), "another edit does not take it back");
    assert_eq!(warned().await, None);
    assert_eq!(zephyr.used().await, "A");
}

#[tokio::test]
async fn limits_and_probes_of_the_new_configuration_are_in_force() {
    let slow = Duration::from_millis(1500);
    let a = Endpoint::start(Act::message("from A").after(slow)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let changed =
        "[failover]\nfirst_event_timeout_seconds = 1\n\n[health_check]\nmode = \"models\"\n";

    zephyr.rewrite(&config(&[a.url()], changed));
    zephyr.run(Command::Reload).await;

    assert_eq!(a.next_request().await.path(), "/v1/models");
    assert_eq!(zephyr.stream().await.unwrap().status, 502);
}

#[tokio::test]
async fn warm_connections_outlive_changes_that_do_not_concern_them() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    assert_eq!(zephyr.stream().await.unwrap().text(), "from A");
    let text = config(&[a.url(), b.url()], "");
    let (line_of_a, line_of_b) = {
        let mut lines = text
            .lines()
            .filter(|line| line.contains("proxy = \"direct\""));
        (lines.next().unwrap(), lines.next().unwrap())
    };

    for changed in [
        text.replace(
            &format!("{line_of_a}\n{line_of_b}"),
            &format!("{line_of_b}\n{line_of_a}"),
        ),
        text.replace(
            line_of_a,
            &line_of_a.replace(" }", ", priority = 2, price = 3.0 }"),
        ),
        text.replace("TEST_TOKEN", "OTHER_TOKEN"),
    ] {
        assert_ne!(changed, text);
        zephyr.dotenv(&format!("TEST_TOKEN={OUR_TOKEN}\nOTHER_TOKEN=another\n"));
        zephyr.rewrite(&changed);
        zephyr.run(Command::Reload).await;
        let endpoint = "A".to_owned();
        zephyr.run(Command::Use { endpoint }).await;

        assert_eq!(zephyr.stream().await.unwrap().text(), "from A");
    }
    assert_eq!(a.connections(), 1);
}
