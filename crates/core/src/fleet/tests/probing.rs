//! How often endpoints are probed, what that costs, and what it tells of their latency.

use super::*;
use crate::fleet::Probed;
use crate::latency::Slower;
use crate::price::Cost;
use crate::spend::Day;

const CENT: f64 = 0.01;

impl Scene {
    /// Answers all probes that are asked for; says whose they were.
    fn answer_probes(&mut self, millis: u64) -> Vec<String> {
        let names = self.probes_asked_for();
        for name in &names {
            self.probed(name, millis);
        }
        names
    }

    /// As many seconds, one at a time, every probe answered at once; when A was probed.
    fn watch(&mut self, seconds: u64) -> Vec<u64> {
        let mut probed = Vec::new();
        for second in 1..=seconds {
            self.wait(1);
            if self.answer_probes(100).contains(&"A".to_owned()) {
                probed.push(second);
            }
        }
        probed
    }

    fn probed_for(&mut self, name: &str, cost: f64) {
        let probed = Probed {
            result: ProbeResult::Answered(Duration::from_millis(100)),
            mode: None,
            cost: Cost::from_usd(cost),
            quota: None,
        };
        self.fleet.handle_probe(self.id(name), probed, self.now);
    }

    fn begin_day(&mut self, date: &str) {
        self.fleet.begin_day(Day {
            date: date.to_owned(),
            ends: self.now + SECOND * 86_400,
        });
    }

    fn slower(&self, name: &str) -> Option<Slower> {
        self.fleet.status_of(self.id(name)).unwrap().slower
    }
}

/// A fleet whose checks together may cost one cent a day.
fn with_a_cent(endpoints: usize) -> Scene {
    let mut scene = Scene::of(endpoints, |config| {
        config.health_check.daily_budget_usd = CENT;
        for endpoint in &mut config.endpoints {
            endpoint.health_check.daily_budget_usd = CENT;
        }
    });
    scene.begin_day("today");
    scene.wait(0);
    scene
}

#[test]
fn everybody_is_measured_at_the_interval_in_use_or_not() {
    let mut scene = Scene::of(2, |_| {});
    scene.wait(0);
    scene.answer_probes(100);
    let mut probed = Vec::new();

    for _ in 0..360 {
        scene.wait(10);
        probed.extend(scene.answer_probes(100));
        scene.request(Outcome::Answered);
    }

    for name in ["A", "B"] {
        let probes = probed.iter().filter(|probed| *probed == name).count();
        assert!((60..=72).contains(&probes), "{name}: {probes} in an hour");
    }
}

#[test]
fn an_idle_fleet_is_probed_ever_less_often() {
    let mut scene = Scene::of(1, |config| {
        config.endpoints[0].health_check.dynamic_scaling = true;
    });

    let probed = scene.watch(3 * 3600);

    let pauses: Vec<u64> = probed.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[0] <= 60 && pauses.last() > Some(&3000), "{pauses:?}");
    assert!(probed.len() < 25, "{probed:?}");
}

#[test]
fn the_first_request_after_a_rest_brings_the_probe_forward() {
    let mut scene = Scene::of(1, |config| {
        config.endpoints[0].health_check.dynamic_scaling = true;
    });
    let probed = scene.watch(2 * 3600);
    assert!(2 * 3600 - probed.last().unwrap() > 60, "{probed:?}");

    let _permit = scene.fleet.admit(&mut journey(), scene.now).unwrap();
    scene.wait(0);

    assert_eq!(scene.probes_asked_for(), ["A"]);
}

#[test]
fn when_the_budget_is_reached_checks_are_free_until_the_day_ends() {
    let mut scene = with_a_cent(2);
    assert_eq!(scene.fleet.probe_mode(scene.id("A")), ProbeMode::Message);
    scene.effects();
    scene.probed_for("A", CENT * 0.4);
    scene.probed_for("B", CENT * 0.6);
    assert_eq!(scene.fleet.budget_reached(), None);

    scene.wait(60);

    let told = scene.effects();
    let limit = Cost::from_usd(CENT);
    assert_eq!(
        told.iter()
            .filter(|effect| **effect == Effect::BudgetReached { limit })
            .count(),
        1
    );
    for name in ["A", "B"] {
        assert_eq!(
            scene.fleet.probe_mode(scene.id(name)),
            ProbeMode::CountTokens
        );
        scene.probed(name, 100);
    }
    assert_eq!(scene.fleet.budget_reached(), Some(limit));
    assert_eq!(scene.fleet.spent_today(), limit);
    assert_eq!(scene.fleet.spent_today_at("A"), Cost::from_usd(CENT * 0.4));

    scene.begin_day("tomorrow");
    scene.wait(60);

    assert_eq!(scene.fleet.probe_mode(scene.id("A")), ProbeMode::Message);
    assert_eq!(scene.fleet.spent_today(), Cost::ZERO);
}

#[test]
fn probes_that_are_out_count_against_the_budget() {
    let bound = Cost::from_usd(0.000_037); // 32 tokens in, 1 out, at haiku 4.5
    let mut scene = Scene::of(3, |config| {
        config.health_check.daily_budget_usd = bound.usd() * 2.5;
    });

    scene.wait(0);

    let modes = ["A", "B", "C"].map(|name| scene.fleet.probe_mode(scene.id(name)));
    assert_eq!(
        modes,
        [
            ProbeMode::Message,
            ProbeMode::Message,
            ProbeMode::CountTokens
        ]
    );
}

#[test]
fn a_groups_own_budget_limits_its_endpoints_alone() {
    let mut scene = Scene::of(2, |config| {
        config.endpoints[0].group = "poor".to_owned();
        config.endpoints[0].health_check.daily_budget_usd = 0.0;
    });

    scene.wait(0);

    let modes = ["A", "B"].map(|name| scene.fleet.probe_mode(scene.id(name)));
    assert_eq!(modes, [ProbeMode::CountTokens, ProbeMode::Message]);
}

#[test]
fn a_restart_is_no_way_around_the_budget() {
    let mut scene = with_a_cent(1);
    scene.probed_for("A", CENT);
    let memory = scene.fleet.memory(scene.now);

    for (date, spent) in [("today", CENT), ("tomorrow", 0.0)] {
        let mut again = with_a_cent(1);
        again.fleet = Fleet::new(scene.fleet.config().clone(), &BTreeSet::new(), 1, scene.now);
        again.fleet.restore(memory.clone(), again.now);
        again.begin_day(date);

        assert_eq!(again.fleet.spent_today(), Cost::from_usd(spent), "{date}");
    }
}

#[test]
fn a_raised_budget_is_used_at_once() {
    let mut scene = with_a_cent(1);
    scene.probed_for("A", CENT);
    scene.wait(60);
    scene.probed("A", 10);
    assert!(scene.fleet.budget_reached().is_some());
    let mut config = scene.fleet.config().clone();
    config.health_check.daily_budget_usd = 1.0;
    config.endpoints[0].health_check.daily_budget_usd = 1.0;

    scene
        .fleet
        .handle_config(config, &BTreeSet::new(), &BTreeSet::new(), scene.now);
    scene.wait(0);

    assert_eq!(scene.fleet.budget_reached(), None);
    assert_eq!(scene.fleet.probe_mode(scene.id("A")), ProbeMode::Message);
}

#[test]
fn a_free_check_closes_no_circuit_that_500s_opened_and_leaves_it_to_a_request() {
    let mut scene = with_a_cent(2);
    scene.probed_for("A", CENT);
    scene.probed("B", 100);
    scene.trip("A");
    scene.wait(60);
    scene.probed("A", 10);
    scene.effects();

    let went_to = scene.request(Outcome::Answered);

    assert_eq!(
        went_to, "A",
        "one request finds out what a free check cannot"
    );
}

#[test]
fn latencies_of_different_probes_are_not_compared() {
    let mut scene = with_a_cent(2);
    scene.probed_for("A", 0.0);
    scene.probed("B", 300);
    assert_eq!(scene.preferred().as_deref(), Some("A"));
    scene.probed_for("A", CENT);
    let free = Probed {
        result: ProbeResult::Answered(Duration::from_millis(5)),
        mode: Some(ProbeMode::Connect),
        cost: Cost::ZERO,
        quota: None,
    };

    scene
        .fleet
        .handle_probe(scene.id("B"), free, scene.now + SECOND * 60);
    scene.now += SECOND * 60;

    assert_eq!(scene.preferred().as_deref(), Some("A"));
    assert_eq!(scene.why_not("B"), WhyNot::NotMeasured);
}

#[test]
fn an_endpoint_that_becomes_slower_says_so_before_it_fails() {
    let mut scene = Scene::of(1, |_| {});
    for _ in 0..6 {
        scene.now += SECOND * 60;
        scene.probed("A", 300);
    }
    assert_eq!(scene.slower("A"), None);

    for _ in 0..3 {
        scene.now += SECOND * 60;
        scene.probed("A", 900);
    }

    let slower = Slower {
        now: Duration::from_millis(900),
        usual: Duration::from_millis(300),
    };
    assert_eq!(scene.slower("A"), Some(slower));
    for _ in 0..3 {
        scene.now += SECOND * 60;
        scene.probed("A", 310);
    }
    assert_eq!(scene.slower("A"), None);
}
