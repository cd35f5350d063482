#![expect(
    clippy::disallowed_methods,
    reason = "tests need one instant to start from"
)]

mod broken;
mod brownout;
mod hedging;
mod memory;
mod network;
mod outlook;
mod probing;
mod queue;
mod quota;
mod rounds;
mod thinking;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::*;
use crate::call::CallKind;
use crate::circuit::Cause;
use crate::classify::{Fault, Outcome};
use crate::config::{
    self, Auth, AuthHeader, BaseUrl, Config, CredentialRef, Group, HealthCheck, ProbeAs, ProbeMode,
    ProxyRoute, Strategy,
};
use crate::session::SessionKey;

const SECOND: Duration = Duration::from_secs(1);

/// A fleet of endpoints A, B, C, … and the moment it stands at.
struct Scene {
    fleet: Fleet,
    now: Instant,
}

impl Scene {
    fn of(endpoints: usize, change: impl FnOnce(&mut Config)) -> Self {
        let now = Instant::now();
        let mut config = config(endpoints);
        change(&mut config);
        let fleet = Fleet::new(config, &BTreeSet::new(), 7, now);
        Self { fleet, now }
    }

    fn id(&self, name: &str) -> EndpointId {
        self.fleet.find(name).unwrap()
    }

    fn name(&self, id: EndpointId) -> String {
        self.fleet.status_of(id).unwrap().spec.name.clone()
    }

    fn preferred(&self) -> Option<String> {
        self.fleet.preferred().map(|(id, _)| self.name(id))
    }

    fn why(&self) -> Why {
        self.fleet.preferred().unwrap().1.why
    }

    fn why_not(&self, name: &str) -> WhyNot {
        let (_, decision) = self.fleet.preferred().unwrap();
        decision
            .others
            .iter()
            .find(|(id, _)| *id == self.id(name))
            .unwrap()
            .1
    }

    fn wait(&mut self, seconds: u64) {
        self.now += SECOND * u32::try_from(seconds).unwrap();
        self.fleet.handle_timeout(self.now);
    }

    fn probed(&mut self, name: &str, millis: u64) {
        let id = self.id(name);
        let latency = Duration::from_millis(millis);
        self.fleet
            .handle_probe(id, ProbeResult::Answered(latency), self.now);
    }

    fn probe_failed(&mut self, name: &str) {
        let id = self.id(name);
        let failed = ProbeResult::Failed(Outcome::Failed(Fault::Status(500)));
        self.fleet.handle_probe(id, failed, self.now);
    }

    /// One attempt of `journey`, ended by `outcome`; where it went.
    fn attempt(&mut self, journey: &mut Journey, outcome: Outcome) -> Result<String, Denied> {
        let grant = self.fleet.admit(journey, self.now)?;
        let name = self.name(grant.permit.endpoint());
        self.fleet.settle(grant.permit, outcome, self.now);
        Ok(name)
    }

    fn request(&mut self, outcome: Outcome) -> String {
        self.attempt(&mut journey(), outcome).unwrap()
    }

    fn trip(&mut self, name: &str) {
        self.fleet.pin(self.id(name), self.now);
        for _ in 0..3 {
            assert_eq!(self.request(failed()), name);
        }
        self.fleet.unpin(self.now);
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.fleet.poll_effect()).collect()
    }

    fn probes_asked_for(&mut self) -> Vec<String> {
        let effects = self.effects();
        let probed = effects.iter().filter_map(|effect| match effect {
            Effect::Probe(id) => Some(self.name(*id)),
            Effect::Cut(_)
            | Effect::Switched { .. }
            | Effect::TakenOut(_)
            | Effect::Recovered(_)
            | Effect::AllDown
            | Effect::Moved { .. }
            | Effect::SomethingUp
            | Effect::Called(_)
            | Effect::WaitedInVain(_)
            | Effect::Offline
            | Effect::Online
            | Effect::BudgetReached { .. } => None,
        });
        probed.collect()
    }
}

fn config(endpoints: usize) -> Config {
    let endpoint = |index: usize| {
        let name = char::from(b'A' + u8::try_from(index).unwrap()).to_string();
        config::Endpoint {
            url: BaseUrl::parse(&format!("https://{name}.example.com")).unwrap(),
            name,
            group: "main".to_owned(),
            flag: None,
            enabled: true,
            priority: 1,
            weight: 1,
            price: 1.0,
            auth: Auth::Ours {
                header: AuthHeader::Bearer,
                credential: CredentialRef::Env("TOKEN".to_owned()),
            },
            subscription_only: false,
            allow_insecure: false,
            probe_as: ProbeAs::Zephyr,
            proxy: ProxyRoute::Direct,
            health_check: HealthCheck::default(),
        }
    };
    Config {
        groups: vec![Group {
            name: "main".to_owned(),
            default: true,
        }],
        endpoints: (0..endpoints).map(endpoint).collect(),
        ..Config::default()
    }
}

fn journey() -> Journey {
    Journey::new(CallKind::Messages, Some("m".to_owned()), None)
}

fn conversation(id: &str) -> Journey {
    Journey::new(
        CallKind::Messages,
        Some("m".to_owned()),
        Some(SessionKey::of(id)),
    )
}

fn failed() -> Outcome {
    Outcome::Failed(Fault::Status(500))
}

fn throttled(seconds: u64) -> Outcome {
    Outcome::Throttled {
        fault: Fault::Status(429),
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

#[test]
fn the_default_groups_first_endpoint_is_preferred_until_something_is_measured() {
    let scene = Scene::of(3, |config| {
        config.groups = vec![
            Group {
                name: "main".to_owned(),
                default: false,
            },
            Group {
                name: "other".to_owned(),
                default: true,
            },
        ];
        config.endpoints[2].group = "other".to_owned();
    });

    assert_eq!(
        (scene.preferred().as_deref(), scene.why()),
        (Some("C"), Why::FirstChoice)
    );
    assert_eq!(scene.why_not("A"), WhyNot::NotMeasured);
}

#[test]
fn a_switch_for_speed_needs_the_threshold() {
    let mut scene = Scene::of(2, |_| ());
    scene.probed("A", 200);

    scene.probed("B", 151);
    let within = (scene.preferred(), scene.why_not("B"));
    scene.wait(120);
    scene.probed("B", 40);

    let its = Duration::from_millis(151);
    let chosen = Duration::from_millis(200);
    assert_eq!(
        within,
        (Some("A".to_owned()), WhyNot::NotFaster { its, chosen })
    );
    assert_eq!(scene.preferred().as_deref(), Some("B"));
    assert!(matches!(scene.why(), Why::Faster { .. }));
}

#[test]
fn two_switches_for_speed_keep_the_dwell_between_them() {
    let mut scene = Scene::of(2, |_| ());
    scene.probed("A", 500);
    scene.probed("B", 100);
    assert_eq!(scene.preferred().as_deref(), Some("B"));

    scene.wait(1);
    for _ in 0..30 {
        scene.probed("B", 5000);
        scene.probed("A", 10);
    }
    let early = (scene.preferred(), scene.why_not("A"));
    scene.wait(29);

    assert!(matches!(early, (Some(name), WhyNot::Dwelling { .. }) if name == "B"));
    assert_eq!(
        scene.preferred().as_deref(),
        Some("A"),
        "as soon as the dwell is over"
    );
}

#[test]
fn while_paused_nothing_switches_for_speed_and_nothing_is_probed() {
    let mut scene = Scene::of(2, |_| ());
    scene.fleet.pause(scene.now);
    scene.probed("A", 500);
    scene.probed("B", 100);
    scene.wait(300);

    assert_eq!(scene.preferred().as_deref(), Some("A"));
    assert_eq!(scene.why_not("B"), WhyNot::Paused);
    assert_eq!(scene.probes_asked_for(), [""; 0]);

    scene.fleet.resume(scene.now);
    scene.wait(0);

    assert_eq!(scene.preferred().as_deref(), Some("B"));
    assert_eq!(scene.probes_asked_for(), ["A", "B"]);
}

#[test]
fn a_tripped_endpoint_is_left_at_once_and_returned_to_after_it_is_proven() {
    let mut scene = Scene::of(2, |config| {
        config.routing.strategy = Strategy::Priority;
        config.endpoints[1].priority = 2;
    });
    scene.trip("A");
    let after_trip = (scene.preferred(), scene.why_not("A"));
    scene.wait(60);
    let cooled_down = (scene.request(Outcome::Answered), scene.why_not("A"));

    scene.probed("A", 100);

    assert_eq!(after_trip.0.as_deref(), Some("B"));
    assert!(matches!(
        after_trip.1,
        WhyNot::CircuitOpen {
            cause: Cause::Failing,
            until: Some(_)
        }
    ));
    assert_eq!(cooled_down, ("B".to_owned(), WhyNot::AwaitingProbe));
    assert_eq!(
        (scene.preferred().as_deref(), scene.why()),
        (Some("A"), Why::BestPriority)
    );
}

#[test]
fn failback_waits_for_the_dwell() {
    let mut scene = Scene::of(2, |config| {
        config.routing.strategy = Strategy::Priority;
        config.endpoints[1].priority = 2;
        config.breaker.cooldown = SECOND;
    });
    scene.fleet.pin(scene.id("A"), scene.now);
    scene.fleet.unpin(scene.now);
    for _ in 0..3 {
        scene.request(failed());
    }
    scene.wait(1);
    scene.probed("A", 100);
    let early = (scene.preferred(), scene.why_not("A"));
    scene.wait(30);

    assert!(matches!(early, (Some(name), WhyNot::Dwelling { .. }) if name == "B"));
    assert_eq!(scene.preferred().as_deref(), Some("A"));
}

#[test]
fn the_cheapest_fit_endpoint_is_preferred_by_price() {
    let mut scene = Scene::of(3, |config| {
        config.routing.strategy = Strategy::Price;
        config.endpoints[1].price = 0.5;
        config.endpoints[2].price = 0.8;
    });

    assert_eq!(scene.preferred().as_deref(), Some("B"));
    assert_eq!(scene.why_not("C"), WhyNot::Dearer);
    scene.trip("B");
    assert_eq!(scene.preferred().as_deref(), Some("C"));
}

#[test]
fn round_robin_takes_turns_and_leaves_out_who_is_not_fit() {
    let mut scene = Scene::of(3, |config| config.routing.strategy = Strategy::RoundRobin);

    let all: String = (0..6).map(|_| scene.request(Outcome::Answered)).collect();
    scene.fleet.disable(scene.id("B"), scene.now);
    let without_b: String = (0..4).map(|_| scene.request(Outcome::Answered)).collect();

    assert_eq!((all.as_str(), without_b.as_str()), ("ABCABC", "ACAC"));
    assert_eq!(
        scene.preferred(),
        None,
        "distributing: none is the one in use"
    );
}

#[test]
fn weighted_round_robin_spreads_in_proportion_and_evenly() {
    let mut scene = Scene::of(2, |config| {
        config.routing.strategy = Strategy::WeightedRoundRobin;
        config.endpoints[0].weight = 3;
    });

    let turns: String = (0..8).map(|_| scene.request(Outcome::Answered)).collect();

    assert_eq!(turns, "AABAAABA");
}

#[test]
fn random_reaches_everybody_and_is_repeatable() {
    let turns = || {
        let mut scene = Scene::of(3, |config| config.routing.strategy = Strategy::Random);
        (0..60)
            .map(|_| scene.request(Outcome::Answered))
            .collect::<String>()
    };

    assert_eq!(turns(), turns());
    assert!(
        ["A", "B", "C"]
            .iter()
            .all(|name| turns().matches(name).count() > 8)
    );
}

#[test]
fn a_request_moves_on_and_each_endpoint_is_tried_once() {
    let mut scene = Scene::of(3, |_| ());
    let mut journey = journey();

    let route: Vec<_> = (0..4)
        .map(|_| scene.attempt(&mut journey, failed()))
        .collect();

    let names: Vec<_> = route.iter().flatten().cloned().collect();
    assert_eq!(names, ["A", "B", "C"]);
    assert_eq!(route[3].as_ref().unwrap_err().why, DeniedWhy::NoneFit);
}

#[test]
fn without_failover_a_request_gets_one_attempt() {
    let mut scene = Scene::of(2, |config| config.failover.enabled = false);
    let mut journey = journey();
    scene.attempt(&mut journey, failed()).unwrap();

    let second = scene.attempt(&mut journey, failed());

    assert_eq!(second.unwrap_err().why, DeniedWhy::FailoverOff);
}

#[test]
fn a_pinned_endpoint_that_fails_a_request_fails_over_and_the_pin_stays() {
    let mut scene = Scene::of(2, |_| ());
    scene.fleet.pin(scene.id("B"), scene.now);
    let mut journey = journey();

    let route = [0, 1].map(|_| scene.attempt(&mut journey, failed()).unwrap());

    assert_eq!(route, ["B", "A"]);
    assert_eq!(scene.request(Outcome::Answered), "B");
    assert_eq!(scene.why(), Why::Pinned);
    assert_eq!(scene.why_not("A"), WhyNot::NotPinned);
}

#[test]
fn another_endpoint_stands_in_for_a_pinned_one_that_is_out() {
    let mut scene = Scene::of(2, |_| ());
    scene.fleet.pin(scene.id("B"), scene.now);
    for _ in 0..3 {
        scene.request(failed());
    }

    let stand_in = scene.request(Outcome::Answered);
    scene.wait(60);
    scene.probed("B", 100);

    assert_eq!(stand_in, "A");
    assert_eq!(scene.request(Outcome::Answered), "B", "the pin stayed");
}

#[test]
fn without_failover_the_pin_is_all_there_is() {
    let mut scene = Scene::of(2, |config| config.failover.enabled = false);
    scene.fleet.pin(scene.id("B"), scene.now);

    let route: String = (0..5).map(|_| scene.request(failed())).collect();

    assert_eq!(route, "BBBBB");
}

#[test]
fn a_conversation_stays_where_its_cache_is() {
    let mut scene = Scene::of(2, |_| ());
    let first = scene
        .attempt(&mut conversation("s"), Outcome::Answered)
        .unwrap();
    scene.probed("A", 500);
    scene.probed("B", 100);

    let second = scene
        .attempt(&mut conversation("s"), Outcome::Answered)
        .unwrap();
    let other = scene
        .attempt(&mut conversation("new"), Outcome::Answered)
        .unwrap();

    assert_eq!([first, second, other], ["A", "A", "B"]);
}

#[test]
fn fitness_outranks_stickiness_and_the_conversation_settles_where_it_went() {
    let mut scene = Scene::of(2, |_| ());
    scene
        .attempt(&mut conversation("s"), Outcome::Answered)
        .unwrap();
    let mut hit = conversation("s");
    scene.attempt(&mut hit, throttled(30)).unwrap();
    let moved = scene.attempt(&mut hit, Outcome::Answered).unwrap();
    scene.wait(31);
    scene.probed("A", 10);

    let later = scene
        .attempt(&mut conversation("s"), Outcome::Answered)
        .unwrap();

    assert_eq!([moved, later], ["B", "B"]);
}

#[test]
fn a_conversation_is_free_after_its_time() {
    let mut scene = Scene::of(2, |_| ());
    scene
        .attempt(&mut conversation("s"), Outcome::Answered)
        .unwrap();
    scene.probed("A", 500);
    scene.probed("B", 100);
    scene.wait(300);

    assert_eq!(
        scene
            .attempt(&mut conversation("s"), Outcome::Answered)
            .unwrap(),
        "B"
    );
}

#[test]
fn a_throttled_endpoint_is_not_broken_and_is_left_alone_until_its_time() {
    let mut scene = Scene::of(2, |_| ());
    scene.request(throttled(20));
    scene.effects();
    scene.wait(19);
    let during = (
        scene.preferred(),
        scene.why_not("A"),
        scene.probes_asked_for(),
    );
    scene.wait(1);

    assert!(matches!(
        during.1,
        WhyNot::CircuitOpen {
            cause: Cause::Throttled,
            ..
        }
    ));
    assert_eq!(
        (during.0.as_deref(), during.2),
        (Some("B"), vec![]),
        "B's own probe is out since the start"
    );
    assert_eq!(scene.why_not("A"), WhyNot::AwaitingProbe);
}

#[test]
fn nothing_fit_is_left_so_the_best_of_the_rest_is_tried() {
    let mut scene = Scene::of(3, |_| ());
    scene.fleet.pin(scene.id("C"), scene.now);
    scene
        .attempt(&mut journey(), Outcome::Refused(Fault::Status(401)))
        .unwrap();
    scene.fleet.unpin(scene.now);
    scene.request(throttled(500));
    for _ in 0..3 {
        scene.request(failed());
    }
    let mut last = journey();

    let route: Vec<_> = (0..3).map(|_| scene.attempt(&mut last, failed())).collect();

    assert_eq!(route[0].as_deref(), Ok("B"), "failing before throttled");
    assert_eq!(route[1].as_deref(), Ok("A"));
    assert_eq!(
        route[2].as_ref().unwrap_err().why,
        DeniedWhy::NoneFit,
        "never the one that refuses us"
    );
}

#[test]
fn without_last_resort_open_circuits_stay_shut() {
    let mut scene = Scene::of(1, |config| config.failover.last_resort = false);
    for _ in 0..3 {
        scene.request(failed());
    }

    let denied = scene.attempt(&mut journey(), failed()).unwrap_err();

    assert_eq!(denied.why, DeniedWhy::NoneFit);
    assert!(matches!(denied.endpoints[0].1, WhyNot::CircuitOpen { .. }));
}

#[test]
fn an_answer_of_the_last_resort_closes_the_circuit() {
    let mut scene = Scene::of(1, |_| ());
    for _ in 0..3 {
        scene.request(failed());
    }
    scene.effects();

    scene.request(Outcome::Answered);

    let a = scene.id("A");
    assert!(scene.effects().contains(&Effect::Recovered(a)));
}

#[test]
fn a_storm_of_failures_runs_into_the_retry_budget() {
    let mut scene = Scene::of(4, |_| ());
    let mut attempts = 0;
    let mut denied = Vec::new();

    for _ in 0..100 {
        let mut journey = journey();
        loop {
            match scene.attempt(&mut journey, failed()) {
                Ok(_) => attempts += 1,
                Err(why) => break denied.push(why.why),
            }
        }
    }

    // Three requests ask all four, and then every circuit is open. As a last resort, 97 requests ask two, and
    // some ask further: a fifth of all, and the reserve.
    assert_eq!(attempts, 3 * 4 + 97 * 2 + 100 / 5 + 3);
    assert!(denied.contains(&DeniedWhy::BudgetSpent));
}

#[test]
fn a_first_pass_over_the_endpoints_that_are_up_is_never_cut_short() {
    let mut scene = Scene::of(12, |config| config.failover.retry_budget_percent = 0);

    for _ in 0..2 {
        let mut journey = journey();
        let route: Vec<_> = (0..11)
            .map(|_| scene.attempt(&mut journey, failed()).unwrap())
            .collect();
        let last = scene.attempt(&mut journey, Outcome::Answered).unwrap();

        assert!(!route.contains(&last));
    }
}

#[test]
fn a_model_that_an_endpoint_does_not_serve_is_asked_for_elsewhere_for_a_while() {
    let mut scene = Scene::of(2, |_| ());
    let not_served = || Outcome::model_not_served(Fault::Status(404));
    scene.request(not_served());

    let mut other_model = Journey::new(CallKind::Messages, Some("other".to_owned()), None);
    let same = scene.request(Outcome::Answered);
    let other = scene.attempt(&mut other_model, Outcome::Answered).unwrap();
    scene.wait(600);
    let later = scene.request(Outcome::Answered);

    assert_eq!([same, other, later], ["B", "A", "A"]);
}

#[test]
fn a_model_that_nobody_serves_is_still_asked_for() {
    let mut scene = Scene::of(2, |_| ());
    let not_served = || Outcome::model_not_served(Fault::Status(404));
    let mut first = journey();
    while scene.attempt(&mut first, not_served()).is_ok() {}

    assert!(
        scene.attempt(&mut journey(), not_served()).is_ok(),
        "the client gets the endpoint's own 404"
    );
}

#[test]
fn a_disabled_endpoint_finishes_what_it_has_and_is_cut_when_its_time_is_over() {
    let mut scene = Scene::of(2, |_| ());
    let a = scene.id("A");
    let mut slow = journey();
    let grant = scene.fleet.admit(&mut slow, scene.now).unwrap();
    scene.fleet.disable(a, scene.now);

    let next = scene.request(Outcome::Answered);
    let draining = scene.fleet.status_of(a).unwrap().availability;
    scene.effects();
    scene.wait(30);

    assert_eq!(next, "B");
    assert!(matches!(draining, Availability::Draining { .. }));
    assert!(scene.effects().contains(&Effect::Cut(a)));
    scene.fleet.settle(
        grant.permit,
        Outcome::Failed(Fault::DrainTimeout),
        scene.now,
    );
    assert_eq!(scene.fleet.status_of(a).unwrap().in_flight, 0);
}

#[test]
fn a_drain_is_over_with_the_last_attempt() {
    let mut scene = Scene::of(1, |_| ());
    let mut slow = journey();
    let grant = scene.fleet.admit(&mut slow, scene.now).unwrap();
    scene.fleet.disable(scene.id("A"), scene.now);

    scene
        .fleet
        .settle(grant.permit, Outcome::Answered, scene.now);

    let status = scene.fleet.status_of(scene.id("A")).unwrap();
    assert_eq!(status.availability, Availability::Disabled);
}

#[test]
fn a_connect_probe_does_not_close_a_circuit_opened_by_500s_but_a_request_does() {
    let mut scene = Scene::of(2, |config| {
        for endpoint in &mut config.endpoints {
            endpoint.health_check.mode = ProbeMode::Connect;
        }
    });
    scene.trip("A");
    scene.wait(60);
    scene.probed("A", 5);
    let a = scene.id("A");
    let after_probe = scene.fleet.status_of(a).unwrap().out_because();

    let trial = scene.request(Outcome::Answered);

    assert_eq!(after_probe, Some(Cause::Failing));
    assert_eq!(trial, "A", "one request finds out, since no probe can");
    assert_eq!(scene.fleet.status_of(a).unwrap().out_because(), None);
}

#[test]
fn a_connect_probe_closes_a_circuit_that_failed_connections_opened() {
    let mut scene = Scene::of(1, |config| {
        config.endpoints[0].health_check.mode = ProbeMode::Connect;
    });
    for _ in 0..3 {
        scene.request(Outcome::Failed(Fault::Connect("refused".to_owned())));
    }

    scene.probed("A", 5);

    assert_eq!(scene.fleet.status().next().unwrap().out_because(), None);
}

#[test]
fn a_refused_credential_stays_out_until_a_probe_succeeds_or_it_changes() {
    for by_probe in [true, false] {
        let mut scene = Scene::of(2, |_| ());
        scene.request(Outcome::Refused(Fault::Status(401)));
        scene.wait(100_000);
        assert!(matches!(
            scene.why_not("A"),
            WhyNot::CircuitOpen {
                cause: Cause::Refused,
                until: None
            }
        ));

        if by_probe {
            scene.probed("A", 100);
        } else {
            let changed = BTreeSet::from(["A".to_owned()]);
            scene
                .fleet
                .handle_config(config(2), &BTreeSet::new(), &changed, scene.now);
        }

        assert_eq!(scene.fleet.status().next().unwrap().out_because(), None);
    }
}

#[test]
fn a_failed_probe_moves_the_preference_before_any_request_fails() {
    let mut scene = Scene::of(2, |_| ());
    scene.probed("B", 900);

    scene.probe_failed("A");

    assert_eq!(scene.preferred().as_deref(), Some("B"));
    assert_eq!(scene.why_not("A"), WhyNot::ProbeFailed);
}

#[test]
fn probes_are_due_at_the_start_in_parallel_and_then_by_the_interval() {
    let mut scene = Scene::of(3, |_| ());
    scene.wait(0);
    let first = scene.probes_asked_for();
    for name in ["A", "B", "C"] {
        scene.probed(name, 100);
    }
    scene.wait(53);
    let early = scene.probes_asked_for();
    scene.wait(7);

    assert_eq!((first.len(), early.len()), (3, 0));
    assert_eq!(
        scene.probes_asked_for().len(),
        3,
        "each once, up to a tenth of the interval sooner"
    );
}

#[test]
fn a_missing_credential_keeps_an_endpoint_out_without_touching_the_others() {
    let without = BTreeSet::from(["A".to_owned()]);
    let now = Instant::now();
    let fleet = Fleet::new(config(2), &without, 7, now);
    let scene = Scene { fleet, now };

    assert_eq!(scene.preferred().as_deref(), Some("B"));
    assert_eq!(scene.why_not("A"), WhyNot::NoCredential);
}

#[test]
fn a_reload_keeps_what_was_learned_of_those_who_stay() {
    let mut scene = Scene::of(2, |_| ());
    scene.probed("A", 100);
    scene.probed("B", 400);
    let mut changed = config(3);
    changed.endpoints[1].url = BaseUrl::parse("https://elsewhere.example.com").unwrap();
    let b = scene.id("B");
    let a = scene.id("A");

    scene
        .fleet
        .handle_config(changed, &BTreeSet::new(), &BTreeSet::new(), scene.now);

    assert_eq!(scene.id("A"), a);
    assert_ne!(scene.id("B"), b, "another URL is another endpoint");
    let latencies: Vec<_> = scene
        .fleet
        .status()
        .map(|status| status.probe_latency.is_some())
        .collect();
    assert_eq!(latencies, [true, false, false]);
}

#[test]
fn an_attempt_of_a_removed_endpoint_settles_without_a_trace() {
    let mut scene = Scene::of(2, |_| ());
    let mut journey = journey();
    let grant = scene.fleet.admit(&mut journey, scene.now).unwrap();
    let mut without_a = config(2);
    without_a.endpoints.remove(0);

    scene
        .fleet
        .handle_config(without_a, &BTreeSet::new(), &BTreeSet::new(), scene.now);
    scene.fleet.settle(grant.permit, failed(), scene.now);

    assert_eq!(scene.preferred().as_deref(), Some("B"));
}

#[test]
fn all_down_and_something_up_are_told_once_each() {
    let mut scene = Scene::of(1, |_| ());
    for _ in 0..3 {
        scene.request(failed());
    }
    // The cooldown is over: it may be tried, and fails again.
    scene.wait(60);
    scene.probe_failed("A");
    let down = scene.effects();
    scene.wait(120);
    scene.probed("A", 100);
    let up = scene.effects();

    let told = |effects: &[Effect], wanted: &Effect| {
        let told = effects.iter().filter(|effect| *effect == wanted);
        told.count()
    };
    assert_eq!(told(&down, &Effect::AllDown), 1);
    assert_eq!(told(&down, &Effect::SomethingUp), 0);
    assert_eq!(told(&up, &Effect::AllDown), 0);
    assert_eq!(told(&up, &Effect::SomethingUp), 1);
}

#[test]
fn an_empty_fleet_says_that_it_is_empty() {
    let mut scene = Scene::of(0, |_| ());

    let denied = scene.attempt(&mut journey(), failed()).unwrap_err();

    assert_eq!(denied.why, DeniedWhy::NoEndpoints);
}

#[test]
fn what_is_answered_on_other_paths_closes_no_circuit_and_condemns_nobody() {
    let mut scene = Scene::of(1, |_| ());
    let models = || Journey::new(CallKind::Other, None, None);
    for _ in 0..5 {
        let not_served = Outcome::model_not_served(Fault::Status(500));
        scene.attempt(&mut models(), not_served).unwrap();
    }
    let untouched = scene.fleet.status().next().unwrap().out_because();
    for _ in 0..3 {
        scene.request(failed());
    }
    scene.wait(60);

    scene.attempt(&mut models(), Outcome::Answered).unwrap();

    assert_eq!(untouched, None);
    assert_eq!(
        scene.fleet.status().next().unwrap().out_because(),
        Some(Cause::Failing)
    );
}

#[test]
fn an_attempt_of_last_resort_beside_a_trial_is_no_second_trial() {
    let mut scene = Scene::of(1, |config| {
        config.endpoints[0].health_check.mode = ProbeMode::Off;
    });
    scene.trip("A");
    scene.wait(60);
    let trial = scene.fleet.admit(&mut journey(), scene.now).unwrap();
    let beside = scene.fleet.admit(&mut journey(), scene.now).unwrap();

    scene
        .fleet
        .settle(beside.permit, Outcome::Abandoned, scene.now);
    let next = scene.fleet.admit(&mut journey(), scene.now).unwrap();

    assert_eq!((trial.why, beside.why), (Why::Trial, Why::LastResort));
    assert_eq!(next.why, Why::LastResort, "the trial is still out");
}

#[test]
fn what_opened_a_circuit_outlives_what_was_seen_since() {
    let mut scene = Scene::of(1, |config| {
        config.endpoints[0].health_check.mode = ProbeMode::Connect;
    });
    scene.trip("A");
    let unreachable = Fault::Connect("refused".to_owned());

    scene.request(Outcome::Failed(unreachable.clone()));
    scene.probed("A", 20);

    let status = scene.fleet.status_of(scene.id("A")).unwrap();
    assert_eq!(status.opened_by, Some(&Fault::Status(500)));
    assert_eq!(status.last_fault, Some(&unreachable));
    assert_eq!(status.out_because(), Some(Cause::Failing), "not proven");
}

#[test]
fn an_attempt_that_has_nowhere_to_go_costs_no_budget() {
    let mut scene = Scene::of(2, |config| config.breaker.policy = never());

    for _ in 0..10 {
        let mut journey = journey();
        scene.attempt(&mut journey, failed()).unwrap();
        scene.attempt(&mut journey, failed()).unwrap();
        let denied = scene.attempt(&mut journey, failed()).unwrap_err();
        assert_eq!(denied.why, DeniedWhy::NoneFit);
    }
}

/// A circuit that stays closed.
fn never() -> crate::config::BreakerPolicy {
    crate::config::BreakerPolicy::Consecutive {
        max_failures: u32::MAX,
    }
}

#[test]
fn a_probe_that_is_refused_as_a_request_closes_nothing_and_leaves_it_to_a_request() {
    let mut scene = Scene::of(2, |_| ());
    scene.trip("A");
    scene.wait(60);
    let a = scene.id("A");

    scene
        .fleet
        .handle_probe(a, ProbeResult::Reached(SECOND), scene.now);
    let after_probe = scene.fleet.status_of(a).unwrap().out_because();
    let trial = scene.request(Outcome::Answered);

    assert_eq!(after_probe, Some(Cause::Failing));
    assert_eq!(trial, "A");
    assert_eq!(scene.fleet.status_of(a).unwrap().out_because(), None);
}

#[test]
fn a_side_call_that_goes_elsewhere_leaves_the_conversation_at_home() {
    let mut scene = Scene::of(2, |_| ());
    scene
        .attempt(&mut conversation("s"), Outcome::Answered)
        .unwrap();
    let session = Some(SessionKey::of("s"));
    let mut count = Journey::new(CallKind::CountTokens, Some("m".to_owned()), session);
    let not_served = Outcome::model_not_served(Fault::Status(404));
    scene.attempt(&mut count, not_served).unwrap();
    let elsewhere = scene.attempt(&mut count, Outcome::Answered).unwrap();

    let next = scene
        .attempt(&mut conversation("s"), Outcome::Answered)
        .unwrap();

    assert_eq!([elsewhere, next], ["B", "A"]);
}
