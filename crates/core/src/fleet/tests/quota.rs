//! Endpoints that are about to run dry.

use super::*;
use crate::price::Cost;
use crate::quota::Quota;
use crate::quota::{Dry, Window};

const SINCE_EPOCH: Duration = Duration::from_secs(1_795_262_400);

impl Scene {
    /// A request that is answered with so many of 100 requests left for the next minute; where it went.
    fn left(&mut self, journey: &mut Journey, remaining: u32) -> String {
        let quota = self.quota(remaining);
        let grant = self.fleet.admit(journey, self.now).unwrap();
        self.fleet.note_quota(&grant.permit, quota, self.now);
        let name = self.name(grant.permit.endpoint());
        self.fleet.settle(grant.permit, Outcome::Answered, self.now);
        name
    }

    /// A probe of A that is answered with so many of 100 requests left for the next minute.
    fn left_by_probe(&mut self, remaining: u32) {
        let probed = Probed {
            result: ProbeResult::Answered(Duration::from_millis(100)),
            mode: None,
            cost: Cost::ZERO,
            quota: Some(self.quota(remaining)),
        };
        self.fleet.handle_probe(self.id("A"), probed, self.now);
    }

    fn quota(&self, remaining: u32) -> Quota {
        let reset = (SINCE_EPOCH + 60 * SECOND).as_secs().to_string();
        let remaining = remaining.to_string();
        let headers = [
            ("anthropic-ratelimit-requests-limit", "100"),
            ("anthropic-ratelimit-requests-remaining", remaining.as_str()),
            ("anthropic-ratelimit-requests-reset", reset.as_str()),
        ];
        Quota::read(headers.into_iter(), self.now, SINCE_EPOCH).unwrap()
    }
}

fn dry(percent: u8, until: Instant) -> Dry {
    Dry {
        window: Window::Requests,
        percent,
        until,
    }
}

#[test]
fn an_endpoint_about_to_run_dry_is_left_to_its_conversations_until_its_reset() {
    let mut scene = Scene::of(2, |_| {});
    scene.probed("A", 100);
    scene.probed("B", 900);
    let reset = scene.now + 60 * SECOND;

    let last = scene.left(&mut conversation("at home"), 4);

    let expected = dry(4, reset);
    assert_eq!(last, "A");
    assert_eq!(scene.preferred().as_deref(), Some("B"));
    assert_eq!(scene.why(), Why::SparesQuota(expected));
    assert_eq!(scene.why_not("A"), WhyNot::RunsDry(expected));
    assert_eq!(scene.request(Outcome::Answered), "B");
    let home = scene.attempt(&mut conversation("at home"), Outcome::Answered);
    assert_eq!(home.unwrap(), "A");
    assert!(scene.fleet.poll_timeout().unwrap() <= reset);
    scene.wait(61);
    assert_eq!(scene.preferred().as_deref(), Some("A"));
    assert_eq!(scene.fleet.status().next().unwrap().dry, None);
}

#[test]
fn a_probe_finds_out_that_an_endpoint_is_about_to_run_dry_and_that_it_no_longer_is() {
    let mut scene = Scene::of(2, |_| {});
    scene.probed("A", 100);
    scene.probed("B", 900);

    scene.left_by_probe(4);
    let preferred = scene.preferred();
    let before = scene.fleet.status().next().unwrap().dry;
    scene.left_by_probe(99);

    assert_eq!(preferred.as_deref(), Some("B"));
    assert_eq!(before, Some(dry(4, scene.now + 60 * SECOND)));
    assert_eq!(scene.fleet.status().next().unwrap().dry, None);
}

#[test]
fn what_is_enough_changes_nothing() {
    let mut scene = Scene::of(2, |_| {});

    scene.left(&mut journey(), 5);

    assert_eq!(scene.preferred().as_deref(), Some("A"));
}

#[test]
fn where_all_are_about_to_run_dry_they_are_used_all_the_same() {
    let mut scene = Scene::of(2, |_| {});

    let went: Vec<_> = (0..4).map(|_| scene.left(&mut journey(), 1)).collect();

    assert_eq!(went, ["A", "B", "B", "B"]);
}

#[test]
fn a_pin_and_a_pause_go_before_the_quota() {
    let mut scene = Scene::of(2, |_| {});
    scene.fleet.pin(scene.id("A"), scene.now);
    let pinned = [
        scene.left(&mut journey(), 1),
        scene.request(Outcome::Answered),
    ];

    let mut paused = Scene::of(2, |_| {});
    paused.fleet.pause(paused.now);
    let paused = [
        paused.left(&mut journey(), 1),
        paused.request(Outcome::Answered),
    ];

    assert_eq!(
        (pinned, paused),
        (["A", "A"].map(str::to_owned), ["A", "A"].map(str::to_owned))
    );
}

#[test]
fn turns_pass_over_what_is_about_to_run_dry() {
    let mut scene = Scene::of(3, |config| config.routing.strategy = Strategy::RoundRobin);

    let went: Vec<_> = [1, 90, 90, 90, 90]
        .map(|left| scene.left(&mut journey(), left))
        .into();

    assert_eq!(went, ["A", "B", "C", "B", "C"]);
}

#[test]
fn an_endpoints_share_is_its_part_of_the_attempts_of_five_minutes() {
    let mut scene = Scene::of(2, |_| {});
    let none = scene.fleet.share(scene.id("A"), scene.now);
    scene.request(Outcome::Answered);
    scene.wait(200);
    scene.fleet.pin(scene.id("B"), scene.now);
    for _ in 0..3 {
        scene.request(Outcome::Answered);
    }

    let share = |scene: &Scene| scene.fleet.share(scene.id("A"), scene.now);
    let both = share(&scene);
    scene.wait(200);

    assert_eq!((none, both, share(&scene)), (None, Some(0.25), Some(0.0)));
}
