//! How things are as a whole, against what a request of that moment really gets.
//!
//! Random fleets with random histories. After each step the fleet is asked how things are, and then it gets a
//! real request.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use zephyr_core::classify::{Fault, Outcome};
use zephyr_core::config::{Config, HealthCheck, ProbeMode, Strategy as Routing};
use zephyr_core::fleet::{
    About, Because, Journey, Mode, Outlook, Overall, Permit, ProbeResult, Ticket, Why,
};
use zephyr_core::profile::CallKind;
use zephyr_core::{EndpointId, Fleet};

use crate::fleets;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What a random fleet is made of.
#[derive(Clone, Debug)]
struct Made {
    endpoints: usize,
    routing: Routing,
    probes: bool,
    last_resort: bool,
    failover: bool,
    /// How many endpoints have no credential.
    without_credential: usize,
}

/// One thing that happens. Numbers pick among what there is.
#[derive(Clone, Copy, Debug)]
enum Op {
    Wait(u16),
    Request(End),
    /// A request that stays in flight.
    Begin,
    /// A request that fails everywhere, and then waits.
    Held,
    Settle(usize, End),
    Probe(usize, End),
    Pin(usize),
    Unpin,
    Pause,
    Resume,
    Enable(usize),
    Disable(usize),
    Reinstate(usize),
    /// No connection to any endpoint comes about.
    Gone,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Answered,
    Failed,
    Unreachable,
    Throttled,
    Exhausted,
    Refused,
    Abandoned,
}

impl End {
    fn outcome(self) -> Outcome {
        match self {
            Self::Answered => Outcome::Answered,
            Self::Failed => Outcome::Failed(Fault::Status(500)),
            Self::Unreachable => Outcome::Failed(Fault::Connect("no route".to_owned())),
            Self::Throttled => Outcome::Throttled {
                fault: Fault::Status(529),
                retry_after: Some(Duration::from_secs(30)),
            },
            Self::Exhausted => Outcome::Exhausted {
                fault: Fault::Status(402),
                retry_after: None,
            },
            Self::Refused => Outcome::Refused(Fault::Status(401)),
            Self::Abandoned => Outcome::Abandoned,
        }
    }
}

struct World {
    fleet: Fleet,
    now: Instant,
    in_flight: Vec<Permit>,
    waiting: Vec<Ticket>,
}

impl World {
    fn of(made: &Made) -> Self {
        let checks = HealthCheck {
            mode: if made.probes {
                ProbeMode::Message
            } else {
                ProbeMode::Off
            },
            ..HealthCheck::default()
        };
        let mut config: Config = fleets::config(&NAMES[..made.endpoints], &checks);
        config.routing.strategy = made.routing;
        config.failover.last_resort = made.last_resort;
        config.failover.enabled = made.failover;
        let without: BTreeSet<String> = NAMES[..made.without_credential.min(made.endpoints)]
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let now = Instant::now();
        Self {
            fleet: Fleet::new(config, &without, 11, now),
            now,
            in_flight: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn id(&self, number: usize) -> Option<EndpointId> {
        let count = self.fleet.status().count();
        let number = number.checked_rem(count)?;
        self.fleet.status().nth(number).map(|one| one.id)
    }

    fn apply(&mut self, op: Op) {
        let now = self.now;
        match op {
            Op::Wait(seconds) => self.now += Duration::from_secs(seconds.into()),
            Op::Request(end) => {
                if let Ok(grant) = self.fleet.admit(&mut usual(), now) {
                    self.fleet.settle(grant.permit, end.outcome(), now);
                }
            }
            Op::Begin => {
                let grant = self.fleet.admit(&mut usual(), now);
                self.in_flight.extend(grant.map(|grant| grant.permit));
            }
            Op::Held => {
                let mut journey = usual();
                while let Ok(grant) = self.fleet.admit(&mut journey, now) {
                    self.fleet.settle(grant.permit, End::Failed.outcome(), now);
                }
                self.waiting.extend(self.fleet.wait(&mut journey, 100, now));
            }
            Op::Settle(number, end) => {
                if let Some(number) = number.checked_rem(self.in_flight.len()) {
                    let permit = self.in_flight.swap_remove(number);
                    self.fleet.settle(permit, end.outcome(), now);
                }
            }
            Op::Probe(number, end) => {
                let outcome = end.outcome();
                let result = if outcome == Outcome::Answered {
                    ProbeResult::Answered(Duration::from_millis(40))
                } else {
                    ProbeResult::Failed(outcome)
                };
                if let Some(id) = self.id(number) {
                    self.fleet.handle_probe(id, result, now);
                }
            }
            Op::Pin(number) => {
                if let Some(id) = self.id(number) {
                    self.fleet.pin(id, now);
                }
            }
            Op::Unpin => self.fleet.unpin(now),
            Op::Pause => self.fleet.pause(now),
            Op::Resume => self.fleet.resume(now),
            Op::Enable(number) => {
                if let Some(id) = self.id(number) {
                    self.fleet.enable(id, now);
                }
            }
            Op::Disable(number) => {
                if let Some(id) = self.id(number) {
                    self.fleet.disable(id, now);
                }
            }
            Op::Reinstate(number) => {
                if let Some(id) = self.id(number) {
                    self.fleet.reinstate(id, now);
                }
            }
            Op::Gone => {
                let ids: Vec<_> = self.fleet.status().map(|one| one.id).collect();
                for id in ids {
                    let lost = ProbeResult::Failed(End::Unreachable.outcome());
                    self.fleet.handle_probe(id, lost, now);
                }
            }
        }
        self.fleet.handle_timeout(self.now);
    }

    /// Compares what is said with what a request of now gets.
    fn check(&mut self, made: &Made) {
        let now = self.now;
        let said = self.fleet.outlook(now);
        self.check_reasons(&said);
        let looked_again = self.fleet.outlook(now);
        assert_eq!(said, looked_again, "asking changes nothing");
        let paused = self.fleet.is_paused();
        let mode = self.fleet.mode();
        let open = |fleet: &Fleet, id| {
            let status = fleet.status_of(id).unwrap();
            matches!(
                status.circuit,
                zephyr_core::circuit::CircuitState::Open { .. }
            )
        };
        match self.fleet.admit(&mut usual(), now) {
            Err(denied) => {
                assert!(
                    matches!(said.overall, Overall::Out | Overall::Offline),
                    "{said:?}, but denied: {denied:?}"
                );
            }
            Ok(grant) => {
                let id = grant.permit.endpoint();
                let hopeless = grant.why == Why::LastResort || open(&self.fleet, id);
                if hopeless {
                    let told = matches!(said.overall, Overall::Out | Overall::Offline);
                    assert!(told, "{said:?}, but it is a last resort");
                }
                self.check_subject(&said, mode, id, made);
                self.fleet.settle(grant.permit, Outcome::Abandoned, now);
            }
        }
        match said.overall {
            Overall::Well => {
                assert!(!paused, "{said:?}");
                assert_eq!(said.answering, said.of, "{said:?}");
                assert_eq!(said.because, Because::AllAnswer);
            }
            Overall::Paused => assert!(paused, "{said:?}"),
            Overall::Offline => assert!(self.fleet.offline_since().is_some()),
            Overall::Starting => assert_eq!(said.because, Because::NothingKnown),
            Overall::Degraded | Overall::Out => {}
        }
    }

    fn check_subject(&self, said: &Outlook, mode: Mode, id: EndpointId, made: &Made) {
        match (said.about, mode) {
            (About::Endpoint(told), Mode::Auto) => assert_eq!(told, id, "{said:?}"),
            (About::Several, Mode::Auto) => assert!(made.routing.distributes(), "{said:?}"),
            (About::Pin { pin, stand_in }, Mode::Pinned(pinned)) => {
                assert_eq!(pin, pinned, "{said:?}");
                let distributes = made.routing.distributes();
                let goes_there = id == pin || stand_in == Some(id);
                let to_one_of_several = stand_in.is_none() && distributes;
                assert!(goes_there || to_one_of_several, "{said:?}, but {id:?}");
                if id != pin {
                    assert_ne!(said.overall, Overall::Well, "{said:?}");
                }
            }
            (about, mode) => panic!("{about:?} while {mode:?}"),
        }
    }

    /// No reason is left over from before.
    fn check_reasons(&self, said: &Outlook) {
        let known = self
            .fleet
            .status()
            .any(|one| one.last_probe.is_some() || one.attempts > 0);
        if known {
            assert_ne!(said.because, Because::NothingKnown);
            assert_ne!(said.overall, Overall::Starting);
        }
        let Some((chosen, decision)) = self.fleet.preferred() else {
            return;
        };
        let probed = self
            .fleet
            .status()
            .filter(|one| one.id == chosen)
            .any(|one| one.probe_latency.is_some());
        let all_answer = said.answering == self.fleet.status().count();
        let why = decision.why;
        assert!(
            why != Why::FirstChoice || !probed,
            "{why:?}, but it was measured"
        );
        assert!(
            why != Why::Replaces || !all_answer,
            "{why:?}, but all are fine"
        );
        let is_pinned = self.fleet.mode() == Mode::Pinned(chosen);
        assert_eq!(why == Why::Pinned, is_pinned, "{why:?}");
    }
}

fn usual() -> Journey {
    Journey::new(CallKind::Messages, None, None)
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Answered),
        3 => Just(End::Failed),
        1 => Just(End::Unreachable),
        2 => Just(End::Throttled),
        1 => Just(End::Exhausted),
        1 => Just(End::Refused),
        1 => Just(End::Abandoned),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let number = 0..8_usize;
    prop_oneof![
        3 => prop_oneof![0..10_u16, 20..200_u16].prop_map(Op::Wait),
        6 => end().prop_map(Op::Request),
        2 => Just(Op::Begin),
        2 => Just(Op::Held),
        2 => (number.clone(), end()).prop_map(|(which, end)| Op::Settle(which, end)),
        6 => (number.clone(), end()).prop_map(|(which, end)| Op::Probe(which, end)),
        2 => number.clone().prop_map(Op::Pin),
        1 => Just(Op::Unpin),
        1 => Just(Op::Pause),
        1 => Just(Op::Resume),
        1 => number.clone().prop_map(Op::Enable),
        1 => number.clone().prop_map(Op::Disable),
        1 => number.prop_map(Op::Reinstate),
        1 => Just(Op::Gone),
    ]
}

fn made() -> impl Strategy<Value = Made> {
    let routing = prop_oneof![
        Just(Routing::Latency),
        Just(Routing::Priority),
        Just(Routing::RoundRobin),
        Just(Routing::WeightedRoundRobin),
        Just(Routing::Random),
    ];
    let bools = (
        any::<bool>(),
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.8),
    );
    (0..=4_usize, routing, bools, 0..2_usize).prop_map(
        |(endpoints, routing, (probes, last_resort, failover), without_credential)| Made {
            endpoints,
            routing,
            probes,
            last_resort,
            failover,
            without_credential,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_is_never_better_than_what_a_request_of_now_gets(
        made in made(),
        ops in prop::collection::vec(op(), 1..40),
    ) {
        let mut world = World::of(&made);
        world.check(&made);
        for op in ops {
            world.apply(op);
            world.check(&made);
        }
    }
}
