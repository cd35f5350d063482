//! What survives a restart, and how.

use std::path::Path;
use std::time::Duration;

use crate::common::{OUR_TOKEN, Zephyr, config};
use zephyr_control::{Command, EventKind, Mode, Reason};
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint};

const PROBES: &str = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";

async fn start(endpoints: &[&Endpoint], extra: &str, data_dir: &Path) -> Zephyr {
    let urls: Vec<String> = endpoints.iter().map(|endpoint| endpoint.url()).collect();
    let options = Options {
        data_dir: Some(data_dir.to_owned()),
        ..Options::default()
    };
    Zephyr::start(&config(&urls, extra), options).await
}

fn use_endpoint(name: &str) -> Command {
    Command::Use {
        endpoint: name.to_owned(),
    }
}

/// Waits until the file in the data folder says it.
async fn until_written(data_dir: &Path, is_so: impl Fn(&serde_json::Value) -> bool) {
    let file = data_dir.join("state.json");
    let written = async {
        loop {
            let read = std::fs::read(&file).ok();
            let fleet =
                read.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
            if fleet.is_some_and(|document| is_so(&document["fleet"])) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written)
        .await
        .expect("it is written");
}

#[tokio::test]
async fn after_a_crash_it_goes_on_where_it_was() {
    let data = tempfile::tempdir().unwrap();
    let slow = Act::message("from A").after(Duration::from_millis(300));
    let a = Endpoint::start(slow).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let c = Endpoint::start(Act::message("from C")).await;
    let before = start(&[&a, &b, &c], PROBES, data.path()).await;
    before
        .until("all are measured", |snapshot| {
            let mut endpoints = snapshot.endpoints.iter();
            endpoints.all(|endpoint| endpoint.latency_ms.is_some())
        })
        .await;
    before.run(use_endpoint("A")).await;
    before.run(Command::Pause).await;
    let disable_c = Command::Disable {
        endpoint: "C".to_owned(),
    };
    before.run(disable_c).await;
    until_written(data.path(), |fleet| {
        fleet["pinned"] == "A"
            && fleet["paused"] == true
            && fleet["endpoints"][2]["enabled"] == false
    })
    .await;
    let latency = before.snapshot().await.endpoint("A").unwrap().latency_ms;
    drop(before); // Without a drain: as in a crash.
    let probes = a.requests().len() + b.requests().len() + c.requests().len();

    let after = start(&[&a, &b, &c], PROBES, data.path()).await;

    let snapshot = after.snapshot().await;
    let a_after = snapshot.endpoint("A").unwrap();
    assert_eq!(a_after.latency_ms, latency);
    assert_eq!(a_after.latency_history.len(), 1);
    assert!(a_after.last_check_ms.is_some());
    let pinned = Mode::Manual {
        endpoint: "A".to_owned(),
    };
    assert_eq!((snapshot.mode.clone(), snapshot.paused), (pinned, true));
    assert!(!snapshot.endpoint("C").unwrap().enabled);
    assert_eq!(after.used().await, "A");
    let probes_after = a.requests().len() + b.requests().len() + c.requests().len();
    assert_eq!(probes_after, probes + 1, "the request, and no probe");
}

#[tokio::test]
async fn the_fastest_is_chosen_before_the_first_probe_answers() {
    let data = tempfile::tempdir().unwrap();
    let slow = Act::message("from A").after(Duration::from_millis(300));
    let a = Endpoint::start(slow).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let before = start(&[&a, &b], PROBES, data.path()).await;
    before
        .until("B is in use", |snapshot| {
            let mut endpoints = snapshot.endpoints.iter();
            snapshot.current.as_deref() == Some("B")
                && endpoints.all(|endpoint| endpoint.latency_ms.is_some())
        })
        .await;
    before.engine.drain().await;
    drop(before);
    a.set(Act::hang());
    b.set(Act::hang());

    let after = start(&[&a, &b], PROBES, data.path()).await;

    let snapshot = after.snapshot().await;
    assert_eq!(snapshot.current.as_deref(), Some("B"));
    assert_eq!(snapshot.decision.as_ref().unwrap().why, Reason::Remembered);
    let switched = |event: &EventKind| matches!(event, EventKind::Switched { .. });
    assert!(!after.events().await.iter().any(switched));
}

#[tokio::test]
async fn measurements_are_written_without_a_decision() {
    let data = tempfile::tempdir().unwrap();
    let a = Endpoint::start(Act::message("from A")).await;

    let _zephyr = start(&[&a], PROBES, data.path()).await;

    until_written(data.path(), |fleet| {
        fleet["endpoints"][0]["latency"].is_object()
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_removed_from_the_file_takes_its_pin_along() {
    let data = tempfile::tempdir().unwrap();
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let before = start(&[&a, &b], "", data.path()).await;
    before.run(use_endpoint("B")).await;
    until_written(data.path(), |fleet| fleet["pinned"] == "B").await;

    before.rewrite(&config(&[a.url()], ""));
    before.run(Command::Reload).await;

    until_written(data.path(), |fleet| fleet["pinned"].is_null()).await;
}

#[tokio::test]
async fn a_broken_file_does_not_keep_it_from_starting() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("state.json"), "{\"version\": 1, \"fl").unwrap();
    let a = Endpoint::start(Act::message("from A")).await;

    let zephyr = start(&[&a], "", data.path()).await;

    assert_eq!(zephyr.used().await, "A");
    assert_eq!(zephyr.snapshot().await.mode, Mode::Auto);
    assert!(data.path().join("state.json.bad").exists());
}

#[tokio::test]
async fn no_secret_is_written() {
    let data = tempfile::tempdir().unwrap();
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = start(&[&a], "", data.path()).await;
    zephyr.used().await;

    zephyr.engine.drain().await;

    let written = std::fs::read_to_string(data.path().join("state.json")).unwrap();
    assert!(!written.contains(OUR_TOKEN));
}
