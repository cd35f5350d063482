//! A network that is gone, and comes back.

use super::*;

fn unreachable() -> Outcome {
    Outcome::Failed(Fault::Connect("network is unreachable".to_owned()))
}

fn lost() -> Outcome {
    Outcome::Failed(Fault::Lost("connection reset".to_owned()))
}

impl Scene {
    fn unreached(&mut self, name: &str) {
        let id = self.id(name);
        self.fleet
            .handle_probe(id, ProbeResult::Failed(unreachable()), self.now);
    }

    fn is_offline(&self) -> bool {
        self.fleet.offline_since().is_some()
    }

    fn failures(&self, name: &str) -> Option<u32> {
        match self.fleet.status_of(self.id(name)).unwrap().circuit {
            crate::circuit::CircuitState::Closed { failures } => Some(failures),
            crate::circuit::CircuitState::Open { .. }
            | crate::circuit::CircuitState::HalfOpen { .. } => None,
        }
    }
}

/// Two endpoints, probed once, and then cut off.
fn offline() -> Scene {
    let mut scene = Scene::of(2, |_| ());
    scene.probed("A", 100);
    scene.probed("B", 200);
    scene.unreached("A");
    scene.unreached("B");
    assert!(scene.is_offline());
    scene.effects();
    scene
}

#[test]
fn when_nothing_can_be_reached_it_is_the_network_and_nobody_is_to_blame() {
    let mut scene = Scene::of(2, |config| {
        config.breaker.policy = crate::config::BreakerPolicy::Consecutive { max_failures: 1 };
    });
    scene.probed("A", 100);
    scene.probed("B", 200);
    scene.effects();

    scene.unreached("A");
    let a_after_its_failure = scene.failures("A");
    scene.unreached("B");

    assert_eq!(a_after_its_failure, None, "it opened");
    assert!(scene.is_offline());
    assert_eq!(
        (scene.failures("A"), scene.failures("B")),
        (Some(0), Some(0))
    );
    let effects = scene.effects();
    assert!(effects.contains(&Effect::Offline));
    assert!(!effects.contains(&Effect::AllDown), "offline says more");
    assert!(!effects.contains(&Effect::TakenOut(scene.id("B"))));
}

#[test]
fn one_request_that_reaches_nobody_is_enough() {
    let mut scene = Scene::of(2, |_| ());
    let mut journey = journey();

    scene.attempt(&mut journey, unreachable()).unwrap();
    scene.attempt(&mut journey, unreachable()).unwrap();

    assert!(scene.is_offline());
}

#[test]
fn with_one_host_it_is_the_endpoint() {
    let mut scene = Scene::of(2, |config| {
        config.endpoints[0].url = BaseUrl::parse("https://one.example.com/a").unwrap();
        config.endpoints[1].url = BaseUrl::parse("https://one.example.com:8443/b").unwrap();
    });

    for _ in 0..3 {
        scene.unreached("A");
        scene.unreached("B");
    }

    assert!(!scene.is_offline());
    assert!(scene.effects().contains(&Effect::AllDown));
}

#[test]
fn an_endpoint_that_answers_shows_that_the_network_is_there() {
    for answer in [
        Outcome::Answered,
        Outcome::Refused(Fault::Status(401)),
        failed(),
        throttled(5),
    ] {
        let mut scene = Scene::of(3, |_| ());
        scene.unreached("A");
        scene.fleet.pin(scene.id("C"), scene.now);
        assert_eq!(scene.request(answer), "C");

        scene.unreached("B");

        assert!(!scene.is_offline());
    }
}

#[test]
fn failures_far_apart_are_no_lost_network() {
    let mut scene = Scene::of(2, |_| ());
    scene.probed("B", 100);
    scene.unreached("A");
    scene.wait(11);
    scene.effects();

    scene.unreached("B");
    let at_once = scene.is_offline();
    scene.wait(0);

    assert!(!at_once);
    assert!(
        scene
            .fleet
            .status_of(scene.id("A"))
            .unwrap()
            .last_probe_failed
    );
}

#[test]
fn when_a_second_host_is_missed_the_others_are_asked_at_once() {
    let mut scene = Scene::of(3, |_| ());
    scene.wait(0);
    for name in ["A", "B", "C"] {
        scene.probed(name, 100);
    }
    scene.wait(20);
    scene.effects();

    scene.unreached("A");
    scene.wait(0);
    let after_one = scene.probes_asked_for();
    scene.unreached("B");
    scene.wait(0);

    assert_eq!(after_one, [""; 0]);
    assert_eq!(scene.probes_asked_for(), ["C"]);
}

#[test]
fn an_endpoint_that_nobody_uses_has_no_say() {
    let mut scene = Scene::of(3, |_| ());
    scene.fleet.disable(scene.id("C"), scene.now);

    scene.unreached("A");
    scene.unreached("B");

    assert!(scene.is_offline());
}

#[test]
fn while_offline_nothing_counts_and_requests_are_tried_as_ever() {
    let mut scene = offline();

    for _ in 0..20 {
        let mut journey = journey();
        scene.attempt(&mut journey, unreachable()).unwrap();
        scene.attempt(&mut journey, lost()).unwrap();
        scene.wait(1);
    }

    assert!(scene.is_offline());
    assert_eq!(
        (scene.failures("A"), scene.failures("B")),
        (Some(0), Some(0))
    );
    let told = scene.effects();
    let only_probes = told.iter().all(|effect| matches!(effect, Effect::Probe(_)));
    assert!(only_probes, "{told:?}");
}

#[test]
fn a_conversation_keeps_its_home_while_there_is_no_way_to_it() {
    let mut scene = Scene::of(2, |_| ());
    scene
        .attempt(&mut conversation("s"), Outcome::Answered)
        .unwrap();
    scene.unreached("A");
    scene.unreached("B");
    let mut cut_off = conversation("s");
    scene.attempt(&mut cut_off, unreachable()).unwrap();
    scene.attempt(&mut cut_off, unreachable()).unwrap();

    scene.probed("B", 100);
    scene.probed("A", 100);
    let home = scene.attempt(&mut conversation("s"), Outcome::Answered);

    assert_eq!(home.unwrap(), "A");
}

#[test]
fn probes_go_on_with_a_back_off() {
    let mut scene = offline();
    let mut asked_at = Vec::new();

    for second in 1..=60 {
        scene.wait(1);
        if scene.probes_asked_for().contains(&"A".to_owned()) {
            asked_at.push(second);
            scene.unreached("A");
        }
    }

    let pauses: Vec<u64> = asked_at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(asked_at[0], 1);
    // Up to a tenth less, in whole seconds.
    let expected = [1, 2, 4, 8, 15, 15, 15];
    let as_expected =
        |(pause, expected): (&u64, u64)| (expected.saturating_sub(2)..=expected).contains(pause);
    assert!(
        pauses.iter().zip(expected).all(as_expected) && pauses.len() >= 6,
        "{pauses:?}"
    );
}

#[test]
fn the_first_answer_ends_it_and_asks_everybody() {
    let mut scene = offline();
    scene.wait(0);

    scene.probed("B", 200);
    scene.wait(0);

    assert!(!scene.is_offline());
    let effects = scene.effects();
    assert!(effects.contains(&Effect::Online));
    assert!(effects.contains(&Effect::Probe(scene.id("A"))));
    assert_eq!(
        scene.preferred().as_deref(),
        Some("A"),
        "where it was before"
    );
}

#[test]
fn in_a_pause_only_traffic_ends_it() {
    let mut scene = offline();
    scene.fleet.pause(scene.now);

    scene.wait(3600);
    let probes = scene.probes_asked_for();
    let mut grant = scene.fleet.admit(&mut journey(), scene.now).unwrap();
    scene.fleet.begin(&mut grant.permit, SECOND, scene.now);

    assert_eq!(probes, [""; 0]);
    assert!(!scene.is_offline());
    scene
        .fleet
        .settle(grant.permit, Outcome::Answered, scene.now);
}

#[test]
fn with_one_host_left_there_is_no_telling() {
    let mut scene = offline();

    scene.fleet.disable(scene.id("B"), scene.now);

    assert!(!scene.is_offline());
    assert!(scene.effects().contains(&Effect::Online));
}

#[test]
fn what_failed_before_the_last_answer_stays_counted() {
    let mut scene = Scene::of(2, |_| ());
    scene.unreached("A");
    scene.unreached("A");
    scene.probed("B", 100);
    scene.wait(1);

    scene.unreached("A");
    let opened = scene.failures("A").is_none();
    scene.unreached("B");

    assert!(opened && scene.is_offline());
    assert_eq!(scene.failures("A"), Some(2), "its own; the third was not");
}

#[test]
fn after_a_sleep_all_are_asked_and_first_failures_count_against_nobody() {
    let mut scene = Scene::of(1, |_| ());
    scene.wait(0);
    scene.probed("A", 100);
    scene.effects();

    scene.fleet.wake(scene.now);
    scene.wait(0);
    let asked = scene.probes_asked_for();
    for _ in 0..5 {
        scene.request(lost());
        scene.unreached("A");
    }
    let in_the_first_seconds = scene.failures("A");
    scene.wait(10);
    scene.unreached("A");

    assert_eq!(asked, ["A"]);
    assert_eq!(in_the_first_seconds, Some(0));
    assert_eq!(scene.failures("A"), Some(1));
}

#[test]
fn after_a_sleep_the_first_probe_replaces_what_was_measured() {
    let mut scene = Scene::of(1, |_| ());
    scene.probed("A", 100);

    scene.fleet.wake(scene.now);
    scene.probed("A", 300);

    let status = scene.fleet.status_of(scene.id("A")).unwrap();
    assert_eq!(status.probe_latency, Some(Duration::from_millis(300)));
}

#[test]
fn a_stranger_in_between_is_the_network_and_a_certificate_of_the_wrong_time_is_not() {
    use crate::certificate::{BadCertificate, Distrust};

    for (why, expected) in [
        (Distrust::UnknownIssuer, true),
        (
            Distrust::OtherNames {
                names: "portal.example".to_owned(),
            },
            true,
        ),
        (Distrust::Expired, false),
        (
            Distrust::NotYetValid {
                first_day: "2027-01-31".to_owned(),
            },
            false,
        ),
        (Distrust::Other("revoked".to_owned()), false),
    ] {
        let mut scene = Scene::of(2, |_| ());
        let bad = BadCertificate {
            why: why.clone(),
            issuer: "a stranger".to_owned(),
            last_day: "2027-01-31".to_owned(),
        };
        for name in ["A", "B"] {
            let id = scene.id(name);
            let fault = Fault::Certificate(Box::new(bad.clone()));
            let result = ProbeResult::Failed(Outcome::Failed(fault));
            scene.fleet.handle_probe(id, result, scene.now);
        }

        assert_eq!(scene.is_offline(), expected, "{why:?}");
    }
}
