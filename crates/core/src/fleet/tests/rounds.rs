//! Checks out of turn, and what speed decides.

use super::*;
use crate::circuit::CircuitState;
use crate::price::Usage;

const MODEL: &str = "claude-opus-5-5";

impl Scene {
    /// Answers every probe that is asked for in so many seconds; says whose they were.
    fn rounds(&mut self, seconds: u64, millis: impl Fn(&str) -> u64) -> String {
        let mut asked = String::new();
        for second in 0..=seconds {
            self.wait(u64::from(second > 0));
            for name in self.probes_asked_for() {
                self.probed(&name, millis(&name));
                asked += &name;
            }
        }
        asked
    }

    /// Streams of this conversation that begin after so long; where the last one went, and why there.
    fn streams(&mut self, session: Option<&str>, millis: &[u64]) -> (String, Why) {
        let mut went = None;
        for millis in millis {
            let took = Duration::from_millis(*millis);
            let session = session.map(SessionKey::of);
            let mut asked = Journey::new(CallKind::Messages, Some(MODEL.to_owned()), session);
            let mut grant = self.fleet.admit(&mut asked, self.now).unwrap();
            let lesson = Lesson {
                first_event: Some(took),
                whole: None,
                usage: Some(Usage {
                    cache_read: 1000,
                    ..Usage::default()
                }),
            };
            self.fleet.begin(&mut grant.permit, took, self.now);
            self.fleet.learn(&grant.permit, &lesson, self.now);
            went = Some((self.name(grant.permit.endpoint()), grant.why));
            self.fleet.settle(grant.permit, Outcome::Answered, self.now);
        }
        went.unwrap()
    }
}

fn trace(name: &str) -> u64 {
    if name == "A" { 220 } else { 121 }
}

/// A takes 80 ms, B 121 ms, and there were streams at A. All probes have been answered.
fn known(endpoints: usize, change: impl FnOnce(&mut Config)) -> Scene {
    let mut scene = Scene::of(endpoints, change);
    scene.rounds(60 * 5, |name| if name == "A" { 80 } else { 121 });
    assert_eq!(scene.preferred().as_deref(), Some("A"));
    scene.streams(None, &[80; 8]);
    scene.effects();
    scene
}

fn count(asked: &str, name: char) -> usize {
    asked.chars().filter(|asked| *asked == name).count()
}

#[test]
fn streams_that_begin_later_have_everybody_checked_until_the_medians_have_moved() {
    let mut scene = known(3, |_| {});

    scene.streams(None, &[220, 220]);
    let before = scene.rounds(0, trace);
    scene.streams(None, &[220]);
    let asked = scene.rounds(10, trace);

    assert_eq!((before.as_str(), &asked[..3]), ("", "ABC"));
    assert_eq!(
        ["A", "B", "C"].map(|name| asked.matches(name).count()),
        [5; 3]
    );
    assert_eq!(scene.preferred().as_deref(), Some("B"));
    let (to, from) = (Duration::from_millis(121), Duration::from_millis(220));
    assert_eq!(scene.why(), Why::Faster { to, from });
}

#[test]
fn checks_decide_and_streams_alone_do_not() {
    let mut scene = known(2, |_| {});

    scene.streams(None, &[220; 5]);
    scene.rounds(10, |name| if name == "A" { 80 } else { 121 });
    scene.streams(None, &[220; 20]);
    let again = scene.rounds(10, trace);

    assert_eq!(scene.preferred().as_deref(), Some("A"));
    assert_eq!(again, "", "what has risen is what is usual now");
}

#[test]
fn two_checks_that_say_another_is_faster_ask_for_more() {
    let mut scene = known(2, |_| {});

    let asked = scene.rounds(130, trace);

    assert_eq!(scene.preferred().as_deref(), Some("B"));
    assert!(count(&asked, 'A') >= 2 + 5, "{asked}");
}

#[test]
fn a_difference_within_the_noise_is_no_reason_and_says_so() {
    let mut scene = Scene::of(2, |_| {});

    for (a, b) in [(300, 520), (520, 300), (310, 500), (510, 310), (510, 310)] {
        scene.now += SECOND * 60;
        scene.probed("B", b);
        scene.probed("A", a);
    }

    let WhyNot::WithinNoise {
        its,
        chosen,
        needed,
    } = scene.why_not("B")
    else {
        panic!("{:?}", scene.why_not("B"));
    };
    assert_eq!(scene.preferred().as_deref(), Some("A"));
    assert_eq!((its.as_millis(), chosen.as_millis()), (310, 510));
    assert!(needed > Duration::from_millis(400), "{needed:?}");
}

#[test]
fn there_are_only_so_many_rounds() {
    let mut scene = known(2, |_| {});
    let mut asked = String::new();

    for level in 1..=10 {
        scene.streams(None, &[80 + level * 100; 8]);
        asked += &scene.rounds(6, |_| 80);
    }

    assert_eq!(count(&asked, 'A'), 15, "{asked}");
    scene.rounds(60 * 9, |_| 80);
    scene.streams(None, &[3000; 8]);
    asked = scene.rounds(6, |_| 80);
    assert!(count(&asked, 'A') >= 5, "each interval earns one: {asked}");
}

#[test]
fn where_speed_decides_nothing_nobody_is_checked_for_it() {
    let none = |asked: String| assert_eq!(asked, "");
    let mut pinned = known(2, |_| {});
    pinned.fleet.pin(pinned.id("A"), pinned.now);
    let mut paused = known(2, |_| {});
    paused.fleet.pause(paused.now);
    let mut alone = known(2, |_| {});
    alone.fleet.disable(alone.id("B"), alone.now);
    let mut worse = known(2, |config| {
        config.routing.strategy = Strategy::Priority;
        config.endpoints[1].priority = 2;
    });
    let mut unchecked = known(2, |config| {
        config.endpoints[1].health_check.mode = ProbeMode::Off;
        config.endpoints[0].health_check.mode = ProbeMode::ClaudeCli;
    });

    for scene in [
        &mut pinned,
        &mut paused,
        &mut alone,
        &mut worse,
        &mut unchecked,
    ] {
        scene.streams(None, &[220; 5]);
        none(scene.rounds(10, trace));
    }
}

#[test]
fn a_pause_ends_a_burst() {
    let mut scene = known(2, |_| {});
    let as_before = |name: &str| if name == "A" { 80 } else { 121 };
    scene.streams(None, &[220; 5]);
    assert_eq!(scene.rounds(1, as_before), "ABAB");

    scene.fleet.pause(scene.now);
    let paused = scene.rounds(10, as_before);
    scene.fleet.resume(scene.now);
    let resumed = scene.rounds(10, as_before);

    assert_eq!((paused.as_str(), resumed.as_str()), ("", "AB"));
}

#[test]
fn whoever_throttles_a_check_out_of_turn_stays_in_and_gets_no_more_of_them() {
    let mut scene = known(2, |_| {});
    scene.streams(None, &[220; 5]);
    assert_eq!(scene.probes_asked_for(), ["A", "B"]);

    let too_often = ProbeResult::Failed(throttled(60));
    scene
        .fleet
        .handle_probe(scene.id("B"), too_often.clone(), scene.now);
    scene.probed("A", 80);
    let asked = scene.rounds(10, |_| 80);
    let b = scene.fleet.status_of(scene.id("B")).unwrap();
    let stays = (b.circuit, b.last_probe_failed);

    assert!(!asked.contains('B'), "{asked}");
    assert!(matches!(stays, (CircuitState::Closed { .. }, false)));
    // In its turn it counts as ever.
    scene.wait(60);
    scene
        .fleet
        .handle_probe(scene.id("B"), too_often, scene.now);
    assert!(matches!(
        scene.fleet.status_of(scene.id("B")).unwrap().circuit,
        CircuitState::Open { .. }
    ));
}

#[test]
fn who_cannot_be_compared_does_not_hide_who_can() {
    let mut scene = Scene::of(3, |config| {
        config.endpoints[1].health_check.mode = ProbeMode::Connect;
    });
    scene.probed("A", 300);

    scene.probed("B", 5);
    scene.probed("C", 100);

    assert_eq!(scene.preferred().as_deref(), Some("C"));
    assert_eq!(scene.why_not("B"), WhyNot::NotMeasured);
}

#[test]
fn without_checks_streams_are_compared_with_streams() {
    let mut scene = Scene::of(2, |config| {
        for endpoint in &mut config.endpoints {
            endpoint.health_check.mode = ProbeMode::Off;
        }
    });
    scene.streams(None, &[80; 5]);
    scene.fleet.disable(scene.id("A"), scene.now);
    scene.streams(None, &[121; 5]);
    scene.fleet.enable(scene.id("A"), scene.now);
    scene.fleet.disable(scene.id("B"), scene.now);
    scene.fleet.enable(scene.id("B"), scene.now);
    scene.wait(60);
    assert_eq!(scene.preferred().as_deref(), Some("A"));

    let (went, _) = scene.streams(None, &[220, 220, 220, 220]);

    assert_eq!(went, "B");
}

#[test]
fn a_conversation_compares_the_last_streams_if_there_were_some_at_both() {
    for (elsewhere, goes) in [(300, "B"), (2900, "A")] {
        let mut scene = Scene::of(2, |config| config.routing.min_dwell = Duration::ZERO);
        scene.probed("A", 100);
        scene.probed("B", 900);
        scene.streams(Some("s"), &[500; 10]);
        scene.probed("A", 2000);
        scene.probed("A", 2000);
        scene.probed("B", 100);
        scene.probed("B", 100);
        assert_eq!(scene.preferred().as_deref(), Some("B"));
        scene.streams(None, &[elsewhere; 4]);
        scene.streams(Some("s"), &[3000, 3000]);

        let (went, why) = scene.streams(Some("s"), &[3000, 3000]);

        assert_eq!(went, goes, "{why:?}");
    }
}
