use std::path::Path;

use serde_json::{Value, json};

use super::{NOW_MS, all};
use crate::message::{Language, text};
use crate::snapshot::{EndpointState, Headline, Overall, Snapshot};

/// Every example as the user interface's tests read it. `UPDATE_TYPES=1 cargo test -p zephyr-control`
/// writes it anew.
#[test]
fn the_examples_of_the_user_interface_are_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/tests/examples.json");
    let snapshots: serde_json::Map<String, Value> = all()
        .into_iter()
        .map(|(name, snapshot)| (name.to_owned(), json!(snapshot)))
        .collect();
    let examples = json!({ "now_ms": NOW_MS, "snapshots": snapshots });
    let mut written = serde_json::to_string_pretty(&examples).unwrap();
    written.push('\n');

    if std::env::var_os("UPDATE_TYPES").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();

    assert!(
        committed.replace("\r\n", "\n") == written,
        "{} is stale; `UPDATE_TYPES=1 cargo test -p zephyr-control` writes it anew",
        path.display()
    );
}

#[test]
fn a_snapshot_comes_back_from_json_as_it_was() {
    for (name, snapshot) in all() {
        let json = serde_json::to_string(&snapshot).unwrap();

        let back: Snapshot = serde_json::from_str(&json).unwrap();

        assert_eq!(back, snapshot, "{name}");
    }
}

#[test]
fn the_examples_have_names_of_their_own_and_contradict_nothing() {
    let mut names: Vec<_> = all().into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().len());

    for (name, snapshot) in all() {
        if let Some(current) = &snapshot.current {
            let state = snapshot.endpoint(current).map(|endpoint| endpoint.state);
            assert_eq!(state, Some(EndpointState::Ready), "{name}");
        }
        assert_eq!(
            snapshot.current.is_some(),
            snapshot.decision.is_some(),
            "{name}"
        );
        let others = snapshot
            .decision
            .iter()
            .flat_map(|decision| &decision.others);
        for other in others {
            assert_ne!(Some(&other.endpoint), snapshot.current.as_ref(), "{name}");
        }
        assert!(
            snapshot.events.is_sorted_by_key(|event| event.seq),
            "{name}"
        );
        for endpoint in &snapshot.endpoints {
            let explained = endpoint.reason.is_some() || endpoint.state == EndpointState::Ready;
            assert!(explained, "{name}: {}", endpoint.name);
        }
    }
}

#[test]
fn every_reason_and_event_of_the_examples_reads_as_a_sentence_in_both_languages() {
    for (name, snapshot) in all() {
        for language in [Language::En, Language::Zh] {
            let reasons = snapshot
                .endpoints
                .iter()
                .filter_map(|one| one.reason.as_ref());
            let events = snapshot.events.iter().map(|event| &event.kind);
            let states = snapshot.endpoints.iter().map(|one| one.state);
            let status = [
                text(language, &snapshot.status.overall),
                text(language, &snapshot.status.headline),
            ];
            let said = reasons
                .map(|reason| text(language, reason))
                .chain(events.map(|event| text(language, event)))
                .chain(states.map(|state| text(language, &state)))
                .chain(status);

            for words in said {
                assert!(
                    !words.is_empty() && !words.contains(['{', '}', '_']),
                    "{name}: {words}"
                );
            }
        }
    }
}

#[test]
fn the_status_of_an_example_is_not_better_than_its_endpoints() {
    for (name, snapshot) in all() {
        let status = &snapshot.status;
        let enabled = || snapshot.endpoints.iter().filter(|one| one.enabled);
        let ready = enabled()
            .filter(|one| one.state == EndpointState::Ready)
            .count();
        match status.overall {
            Overall::Well => assert_eq!(ready, enabled().count(), "{name}"),
            Overall::Degraded => assert!(ready > 0, "{name}"),
            Overall::Out | Overall::Offline => assert_eq!(ready, 0, "{name}"),
            Overall::Paused => assert!(snapshot.paused, "{name}"),
            Overall::Starting => assert_eq!(snapshot.totals.failed, 0, "{name}"),
            Overall::Disconnected => panic!("{name}: only a front-end says so"),
        }
        if let Headline::SomeAnswer { answering, of, .. }
        | Headline::Distributed { answering, of } = &status.headline
        {
            assert_eq!((*answering, *of), (ready, enabled().count()), "{name}");
        }
        if let (Some(told), Some(current)) = (status.answering(), &snapshot.current) {
            assert_eq!(told, current, "{name}");
        }
    }
}

#[test]
fn usable_endpoints_are_those_that_take_requests() {
    let usable = |wanted: &str| {
        let mut examples = all().into_iter();
        let (_, snapshot) = examples.find(|(name, _)| *name == wanted).unwrap();
        (snapshot.usable(), snapshot.has_engine())
    };

    assert_eq!(usable("healthy"), (4, true));
    assert_eq!(usable("degraded"), (2, true));
    assert_eq!(usable("all-down"), (0, true));
    assert_eq!(usable("starting"), (0, false));
}
