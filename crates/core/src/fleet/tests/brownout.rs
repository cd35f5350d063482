//! Brownouts, and conversations that weigh speed against their cache.

use super::*;
use crate::price::{Cost, Usage};

const USUAL: Duration = Duration::from_millis(400);
const SLOW: Duration = Duration::from_secs(4);
const MODEL: &str = "claude-opus-5-5";

fn asking(session: Option<&str>) -> Journey {
    let session = session.map(SessionKey::of);
    Journey::new(CallKind::Messages, Some(MODEL.to_owned()), session)
}

impl Scene {
    /// A stream that begins after the time that `took` says for where it goes; where, and why there.
    fn stream(
        &mut self,
        session: Option<&str>,
        cached: u64,
        took: impl Fn(&str) -> Duration,
    ) -> (String, Why) {
        let mut grant = self.fleet.admit(&mut asking(session), self.now).unwrap();
        let name = self.name(grant.permit.endpoint());
        let first_event = took(&name);
        self.now += first_event;
        self.fleet.begin(&mut grant.permit, first_event, self.now);
        let lesson = Lesson {
            first_event: Some(first_event),
            whole: None,
            usage: Some(Usage {
                cache_read: cached,
                ..Usage::default()
            }),
        };
        self.fleet.learn(&grant.permit, &lesson, self.now);
        self.fleet.settle(grant.permit, Outcome::Answered, self.now);
        (name, grant.why)
    }

    fn new_conversation(&mut self, took: impl Fn(&str) -> Duration) -> String {
        self.stream(None, 0, took).0
    }
}

fn always(took: Duration) -> impl Fn(&str) -> Duration {
    move |_| took
}

fn a_slow(name: &str) -> Duration {
    if name == "A" { SLOW } else { USUAL }
}

/// A is in use and known; both are probed.
fn known() -> Scene {
    let mut scene = Scene::of(2, |_| {});
    scene.probed("A", 100);
    scene.probed("B", 110);
    for _ in 0..3 {
        assert_eq!(scene.new_conversation(always(USUAL)), "A");
    }
    scene
}

#[test]
fn a_brownout_is_left_after_two_slow_answers_whatever_the_probes_say() {
    let mut scene = known();

    let went: Vec<_> = (0..4).map(|_| scene.new_conversation(a_slow)).collect();

    assert_eq!(went, ["A", "A", "B", "B"]);
    assert!(matches!(scene.why(), Why::LeavesSlow(slowness) if slowness.its == SLOW));
    assert!(matches!(scene.why_not("A"), WhyNot::Slow(_)));
    assert_eq!(
        scene
            .effects()
            .iter()
            .filter(|effect| matches!(effect, Effect::TakenOut(_)))
            .count(),
        0
    );
}

#[test]
fn while_paused_or_where_nobody_is_better_a_slow_endpoint_is_used() {
    let mut paused = known();
    paused.fleet.pause(paused.now);
    let mut alone = known();
    alone.fleet.disable(alone.id("B"), alone.now);

    for scene in [&mut paused, &mut alone] {
        let went: Vec<_> = (0..4).map(|_| scene.new_conversation(a_slow)).collect();
        assert_eq!(went, ["A"; 4]);
    }
}

#[test]
fn distributed_requests_leave_a_slow_endpoint_out() {
    let mut scene = Scene::of(3, |config| config.routing.strategy = Strategy::RoundRobin);
    for _ in 0..12 {
        scene.new_conversation(always(USUAL));
    }
    for _ in 0..6 {
        scene.new_conversation(a_slow);
    }

    let went: String = (0..4).map(|_| scene.new_conversation(a_slow)).collect();

    assert!(!went.contains('A'), "{went}");
}

#[test]
fn one_new_conversation_tries_a_slow_endpoint_after_a_rest_and_quick_answers_bring_it_back() {
    let mut scene = known();
    scene.new_conversation(a_slow);
    scene.new_conversation(a_slow);
    scene.wait(30);
    for _ in 0..3 {
        scene.probed("A", 100);
        scene.probed("B", 300);
    }

    let still_slow: String = (0..4).map(|_| scene.new_conversation(a_slow)).collect();
    scene.wait(60);
    let quick_again: String = (0..4)
        .map(|_| scene.new_conversation(always(USUAL)))
        .collect();

    assert_eq!(
        (still_slow.as_str(), quick_again.as_str()),
        ("ABBB", "AAAA")
    );
}

#[test]
fn a_conversation_stays_for_its_cache_and_the_reason_has_both_numbers() {
    let mut scene = Scene::of(2, |config| config.routing.min_dwell = Duration::ZERO);
    scene.probed("A", 400);
    scene.probed("B", 500);
    for _ in 0..5 {
        assert_eq!(scene.stream(Some("s"), 100_000, always(USUAL)).0, "A");
    }
    scene.wait(60);
    scene.probed("B", 100);

    let (name, why) = scene.stream(Some("s"), 100_000, always(USUAL));
    let new = scene.new_conversation(always(USUAL));

    let Why::StaysForCache(worth) = why else {
        panic!("{why:?}");
    };
    assert_eq!((name.as_str(), new.as_str()), ("A", "B"));
    assert!(worth.saved > Duration::from_millis(100), "{worth:?}");
    assert_eq!(worth.cost.usd(), 0.50);
    let five_turns = worth.saved.as_secs_f64() * 5.0 * 0.01;
    assert_eq!(worth.worth, Cost::from_usd(five_turns));
}

#[test]
fn a_small_cache_is_left_behind_in_a_brownout_and_a_large_one_is_not() {
    for (cached, goes) in [(10_000, "B"), (1_000_000, "A")] {
        let mut scene = known();
        for _ in 0..5 {
            scene.stream(Some("s"), cached, always(USUAL));
        }
        scene.wait(30);
        scene.new_conversation(a_slow);
        scene.new_conversation(a_slow);

        let (name, why) = scene.stream(Some("s"), cached, a_slow);

        assert_eq!(name, goes, "{why:?}");
        let (moves, stays) = (
            matches!(why, Why::WorthMoving(worth) if worth.is_worth_it()),
            matches!(why, Why::StaysForCache(worth) if !worth.is_worth_it()),
        );
        assert_eq!((moves, stays), (goes == "B", goes == "A"), "{why:?}");
    }
}

#[test]
fn the_last_comparison_is_told_for_ten_minutes() {
    for (cached, has_moved) in [(10_000, true), (1_000_000, false)] {
        let mut scene = known();
        for _ in 0..5 {
            scene.stream(Some("s"), cached, always(USUAL));
        }
        scene.wait(30);
        scene.new_conversation(a_slow);
        scene.new_conversation(a_slow);
        let before = scene.fleet.last_weighed(scene.now);

        let (_, why) = scene.stream(Some("s"), cached, a_slow);
        let weighed = scene.fleet.last_weighed(scene.now).unwrap();
        let until = weighed.at + Duration::from_secs(600);

        let (Why::WorthMoving(worth) | Why::StaysForCache(worth)) = why else {
            panic!("{why:?}");
        };
        assert_eq!(before, None);
        assert_eq!((weighed.from, weighed.to), (scene.id("A"), scene.id("B")));
        assert_eq!((weighed.worth, weighed.has_moved), (worth, has_moved));
        let just_before = until - Duration::from_secs(1);
        assert!(scene.fleet.last_weighed(just_before).is_some());
        assert_eq!(scene.fleet.last_weighed(until), None);
    }
}

#[test]
fn a_move_that_no_answer_confirms_is_not_told() {
    let mut scene = known();
    for _ in 0..5 {
        scene.stream(Some("s"), 10_000, always(USUAL));
    }
    scene.wait(30);
    scene.new_conversation(a_slow);
    scene.new_conversation(a_slow);

    let went = scene.attempt(&mut asking(Some("s")), failed());

    assert_eq!(went.as_deref(), Ok("B"));
    assert_eq!(scene.fleet.last_weighed(scene.now), None);
}

#[test]
fn fitness_outranks_the_cache_and_an_unknown_cache_is_no_reason_to_move() {
    let mut scene = known();
    let mut unknown = asking(Some("new"));
    scene.attempt(&mut unknown, Outcome::Answered).unwrap();
    scene.stream(Some("s"), 1_000_000, always(USUAL));
    scene.wait(30);
    scene.new_conversation(a_slow);
    scene.new_conversation(a_slow);

    let stays = scene.attempt(&mut asking(Some("new")), Outcome::Answered);
    scene.fleet.disable(scene.id("A"), scene.now);
    let goes = scene.stream(Some("s"), 0, always(USUAL)).0;

    assert_eq!((stays.as_deref(), goes.as_str()), (Ok("A"), "B"));
}
