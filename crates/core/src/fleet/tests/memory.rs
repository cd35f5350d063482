//! What outlives a fleet.

use super::*;
use crate::fleet::Memory;
use crate::latency::Remembered;

/// Another run with the memory of `scene`, `later` by so much.
fn restarted(scene: &Scene, later: Duration, change: impl FnOnce(&mut Config)) -> Scene {
    let written = serde_json::to_string(&scene.fleet.memory(scene.now)).unwrap();
    let read: Memory = serde_json::from_str(&written).unwrap();
    let endpoints = scene.fleet.config().endpoints.len();
    let mut scene = Scene::of(endpoints, change);
    scene.fleet.restore(read.aged(later), scene.now);
    scene
}

fn latency(scene: &Scene, name: &str) -> Option<Duration> {
    scene.fleet.status_of(scene.id(name)).unwrap().probe_latency
}

#[test]
fn what_persons_decided_survives() {
    let mut scene = Scene::of(3, |_| ());
    scene.fleet.pin(scene.id("B"), scene.now);
    scene.fleet.pause(scene.now);
    scene.fleet.disable(scene.id("C"), scene.now);

    let mut after = restarted(&scene, SECOND, |_| ());
    after.wait(3600);

    assert_eq!(after.fleet.mode(), Mode::Pinned(after.id("B")));
    assert_eq!(after.preferred().as_deref(), Some("B"));
    let c = after.fleet.status_of(after.id("C")).unwrap();
    assert_eq!(c.availability, Availability::Disabled);
    assert_eq!(after.probes_asked_for(), [""; 0], "still paused");
}

#[test]
fn the_fastest_is_chosen_before_any_probe() {
    let mut scene = Scene::of(2, |_| ());
    scene.probed("A", 200);
    scene.probed("B", 80);

    let mut after = restarted(&scene, SECOND * 30, |_| ());

    assert_eq!(
        (after.preferred().as_deref(), after.why()),
        (Some("B"), Why::Remembered)
    );
    assert_eq!(latency(&after, "B"), Some(Duration::from_millis(80)));
    let told = after.effects();
    assert!(
        matches!(&told[..], [Effect::Switched { from: None, .. }]),
        "nothing was in use before: {told:?}"
    );
}

#[test]
fn an_old_latency_is_replaced_by_the_first_probe() {
    let mut scene = Scene::of(1, |_| ());
    scene.probed("A", 200);

    let mut after = restarted(&scene, SECOND * 3600, |_| ());
    let before_probe = latency(&after, "A");
    after.probed("A", 50);

    assert_eq!(before_probe, Some(Duration::from_millis(200)));
    assert_eq!(latency(&after, "A"), Some(Duration::from_millis(50)));
}

#[test]
fn an_endpoint_at_another_url_is_another_endpoint() {
    let mut scene = Scene::of(2, |_| ());
    scene.probed("A", 200);
    scene.fleet.pin(scene.id("A"), scene.now);
    scene.fleet.disable(scene.id("A"), scene.now);

    let after = restarted(&scene, SECOND, |config| {
        config.endpoints[0].url = BaseUrl::parse("https://elsewhere.example.com").unwrap();
    });

    let a = after.fleet.status_of(after.id("A")).unwrap();
    assert_eq!(a.probe_latency, None);
    assert_eq!(a.availability, Availability::Enabled);
    assert_eq!(after.fleet.mode(), Mode::Auto);
}

#[test]
fn an_endpoint_that_the_file_switched_since_follows_the_file() {
    let mut scene = Scene::of(2, |config| config.endpoints[1].enabled = false);
    scene.fleet.enable(scene.id("B"), scene.now);
    let availability = |scene: &Scene| scene.fleet.status_of(scene.id("B")).unwrap().availability;

    let same_file = restarted(&scene, SECOND, |config| config.endpoints[1].enabled = false);
    scene.fleet.disable(scene.id("B"), scene.now);
    let changed_file = restarted(&scene, SECOND, |_| ());

    assert_eq!(availability(&same_file), Availability::Enabled);
    assert_eq!(availability(&changed_file), Availability::Enabled);
}

#[test]
fn latencies_of_another_kind_of_probe_are_forgotten() {
    let mut scene = Scene::of(1, |_| ());
    scene.probed("A", 200);

    let after = restarted(&scene, SECOND, |config| {
        config.endpoints[0].health_check.mode = ProbeMode::Connect;
    });

    assert_eq!(latency(&after, "A"), None);
}

#[test]
fn a_pinned_endpoint_that_is_out_is_stood_in_for_as_ever() {
    let mut scene = Scene::of(2, |_| ());
    scene.fleet.pin(scene.id("A"), scene.now);
    scene.fleet.disable(scene.id("A"), scene.now);

    let mut after = restarted(&scene, SECOND, |_| ());

    assert_eq!(after.fleet.mode(), Mode::Pinned(after.id("A")));
    assert_eq!(after.request(Outcome::Answered), "B");
    after.fleet.enable(after.id("A"), after.now);
    assert_eq!(after.request(Outcome::Answered), "A");
}

#[test]
fn a_memory_ages_as_a_whole() {
    let mut scene = Scene::of(1, |_| ());
    scene.probed("A", 200);

    let aged = scene.fleet.memory(scene.now).aged(SECOND * 5);

    let endpoint = &aged.endpoints[0];
    let value = Duration::from_millis(200);
    let age = SECOND * 5;
    assert_eq!(endpoint.latency, Some(Remembered { value, age }));
    assert_eq!(endpoint.last_probe, Some(age));
}
