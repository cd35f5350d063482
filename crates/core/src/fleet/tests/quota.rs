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

    /// A request that is answered with the five hours used up for the next minute; where it went.
    fn uses_up(&mut self, journey: &mut Journey) -> String {
        let reset = (SINCE_EPOCH + 60 * SECOND).as_secs().to_string();
        let headers = [
            ("anthropic-ratelimit-unified-5h-utilization", "1.0"),
            ("anthropic-ratelimit-unified-5h-reset", reset.as_str()),
        ];
        let quota = Quota::read(headers.into_iter(), self.now, SINCE_EPOCH).unwrap();
        let grant = self.fleet.admit(journey, self.now).unwrap();
        self.fleet.note_quota(&grant.permit, quota, self.now);
        let name = self.name(grant.permit.endpoint());
        self.fleet.settle(grant.permit, Outcome::Answered, self.now);
        name
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

fn never_paying(config: &mut Config) {
    config.endpoints[0].subscription_only = true;
}

#[test]
fn a_subscription_that_is_used_up_takes_nothing_until_its_reset_if_extra_usage_is_not_to_be_spent()
{
    let mut scene = Scene::of(2, never_paying);
    scene.probed("A", 100);
    scene.probed("B", 900);
    let until = scene.now + 60 * SECOND;

    let last = scene.uses_up(&mut conversation("at home"));
    let expected = WhyNot::SubscriptionSpent { until };
    let home = scene.attempt(&mut conversation("at home"), Outcome::Answered);
    scene.trip("B");
    let mut next = journey();
    let last_resort = scene.attempt(&mut next, failed());
    let denied = scene.attempt(&mut next, failed()).unwrap_err().endpoints;

    assert_eq!((last.as_str(), home.unwrap().as_str()), ("A", "B"));
    assert_eq!(last_resort.unwrap(), "B");
    assert_eq!(denied[0], (scene.id("A"), expected));
    assert!(scene.fleet.poll_timeout().unwrap() <= until);
    scene.wait(60);
    assert_eq!(scene.request(Outcome::Answered), "A");
}

#[test]
fn a_subscription_that_may_spend_extra_usage_goes_on() {
    let mut scene = Scene::of(1, |_| {});

    scene.uses_up(&mut journey());

    assert_eq!(scene.request(Outcome::Answered), "A");
}

#[test]
fn a_pin_without_failover_spends_no_extra_usage_and_nobody_waits_for_it() {
    let mut scene = Scene::of(1, |config| {
        never_paying(config);
        config.failover.enabled = false;
    });
    scene.fleet.pin(scene.id("A"), scene.now);

    scene.uses_up(&mut journey());
    let mut next = journey();
    let granted = scene.fleet.admit(&mut next, scene.now);

    assert_eq!(granted.unwrap_err().why, DeniedWhy::NoneFit);
    assert_eq!(scene.fleet.wait(&mut next, 0, scene.now), None);
}

#[test]
fn probes_of_a_subscription_that_is_used_up_are_free_unless_it_may_spend_extra_usage() {
    let probe_of = |change: fn(&mut Config)| {
        let mut scene = Scene::of(1, change);
        scene.uses_up(&mut journey());
        scene.probed("A", 100); // The one that is out.
        scene.fleet.refresh(scene.now);
        scene.fleet.handle_timeout(scene.now);
        scene.fleet.probe_mode(scene.id("A"))
    };

    assert_eq!(probe_of(never_paying), ProbeMode::CountTokens);
    assert_eq!(probe_of(|_| {}), ProbeMode::Message);
}

#[test]
fn a_reinstated_endpoint_is_used_whatever_was_said_of_its_subscription() {
    let mut scene = Scene::of(1, never_paying);
    scene.uses_up(&mut journey());

    scene.fleet.reinstate(scene.id("A"), scene.now);

    assert_eq!(scene.request(Outcome::Answered), "A");
}
