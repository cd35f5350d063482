//! Hours of a whole fleet's life, seeded: clients that come and go, endpoints that fail, throttle, slow
//! down and come back, a network that is gone at times. At every step, what must never happen has not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use zephyr_core::circuit::{Cause, CircuitState};
use zephyr_core::classify::{Contact, Fault, Outcome};
use zephyr_core::config::{Config, HealthCheck, ProbeMode};
use zephyr_core::fleet::{
    Availability, DeniedWhy, Journey, Lesson, Permit, ProbeResult, Ticket, Why,
};
use zephyr_core::profile::{CallKind, SessionKey};
use zephyr_core::{Effect, EndpointId, Fleet};

use crate::dice::Dice;
use crate::fleets;

const MODEL: &str = "claude-opus-5-5";
const TICK: Duration = Duration::from_millis(100);
const MAX_WAIT: Duration = Duration::from_secs(10);
/// A request that waits may be this much later on the slope.
const ON_THE_SLOPE: Duration = Duration::from_secs(7);
const NAMES: [&str; 3] = ["A", "B", "C"];
/// What its first event usually takes, and its probes.
const PACE: [u64; 3] = [300, 600, 700];

/// How an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Weather {
    Fair,
    /// One in ten fails.
    Shaky,
    Failing,
    Unreachable,
    Throttling,
    TenTimesSlower,
}

/// What happens besides clients coming and going.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Story {
    /// Everything, at random, and calm at the end.
    Troubles,
    /// Nothing but noise.
    Noise,
    /// The network is gone at times, and nothing else.
    Network,
}

/// A request, and what it is doing.
struct Client {
    journey: Journey,
    is_new: bool,
    doing: Doing,
}

enum Doing {
    Waiting(Ticket, Instant),
    Out(Box<Attempt>),
}

struct Attempt {
    permit: Permit,
    endpoint: usize,
    slow: bool,
    took: Duration,
    begins_at: Option<Instant>,
    ends_at: Instant,
    outcome: Outcome,
}

struct World {
    fleet: Fleet,
    config: Config,
    dice: Dice,
    now: Instant,
    weather: [Weather; 3],
    changes_at: [Instant; 3],
    network: bool,
    network_changes_at: Instant,
    clients: Vec<Client>,
    probes: Vec<(usize, Instant)>,
    switches: Vec<(Instant, Why)>,
    enabled: [bool; 3],
    /// Slow answers of each since its last quick one.
    slow_answers: [u32; 3],
    quick_answers: [u32; 3],
    /// Was slow before its usual pace was known.
    begun_slow: [bool; 3],
    /// Quick answers of each since its last slow one, if there was one.
    since_slow: [Option<u32>; 3],
    only_the_network_fails: bool,
    told_offline: bool,
    /// Probes take what they take.
    is_calm: bool,
    /// Could not be connected to when last tried.
    missed: [bool; 3],
    seen: Seen,
}

/// So that a run that proves nothing is seen.
#[derive(Debug, Default)]
struct Seen {
    answered: u64,
    failed: u64,
    waited: u64,
    in_vain: u64,
    last_resorts: u64,
    offline: u64,
    brownouts: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let now = Instant::now();
        let config = config(&mut dice);
        let mut world = Self {
            fleet: Fleet::new(config.clone(), &BTreeSet::new(), seed, now),
            config,
            dice,
            now,
            weather: [Weather::Fair; 3],
            changes_at: [now; 3],
            network: true,
            network_changes_at: now + Duration::from_secs(600),
            clients: Vec::new(),
            probes: Vec::new(),
            switches: Vec::new(),
            enabled: [true; 3],
            slow_answers: [0; 3],
            quick_answers: [0; 3],
            begun_slow: [false; 3],
            since_slow: [None; 3],
            only_the_network_fails: true,
            told_offline: false,
            is_calm: false,
            missed: [false; 3],
            seen: Seen::default(),
        };
        world.carry_out();
        world
    }

    fn run(&mut self, story: Story, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            match story {
                Story::Troubles => {
                    self.only_the_network_fails = false;
                    self.change_the_weather();
                    self.change_the_network();
                }
                Story::Network => self.change_the_network(),
                Story::Noise => {}
            }
            self.step();
        }
    }

    fn step(&mut self) {
        self.now += TICK;
        self.fleet.handle_timeout(self.now);
        self.carry_out();
        self.end_probes();
        self.end_attempts();
        if self.dice.per_mille(60) {
            let burst = if self.dice.per_mille(30) { 30 } else { 1 };
            for _ in 0..burst {
                self.come();
            }
        }
        if self.dice.per_mille(5) {
            self.leave();
        }
        // Whoever owns a fleet runs its timers after every step.
        self.fleet.handle_timeout(self.now);
        self.carry_out();
        self.check();
    }

    fn change_the_weather(&mut self) {
        for index in 0..NAMES.len() {
            if self.changes_at[index] > self.now {
                continue;
            }
            let (weather, seconds) = match self.dice.below(12) {
                0 => (Weather::Shaky, 60),
                1 => (Weather::Failing, 30),
                2 => (Weather::Unreachable, 30),
                3 => (Weather::Throttling, 20),
                4 => (Weather::TenTimesSlower, 120),
                _ => (Weather::Fair, 120),
            };
            self.turn(index, weather);
            self.changes_at[index] = self.now + self.dice.about(seconds * 1000);
        }
        if self.dice.per_mille(1) {
            self.switch_one_on_or_off();
        }
    }

    fn change_the_network(&mut self) {
        if self.network_changes_at <= self.now {
            self.network = !self.network;
            let seconds = if self.network { 900 } else { 15 };
            self.network_changes_at = self.now + self.dice.about(seconds * 1000);
        }
    }

    fn switch_one_on_or_off(&mut self) {
        let index = usize::try_from(self.dice.below(3)).unwrap();
        let id = self.id(index);
        self.enabled[index] = !self.enabled[index];
        if self.enabled[index] {
            self.fleet.enable(id, self.now);
        } else {
            self.fleet.disable(id, self.now);
        }
        self.carry_out();
    }

    fn turn(&mut self, index: usize, weather: Weather) {
        self.weather[index] = weather;
    }

    fn come(&mut self) {
        let session = self.dice.per_mille(500).then(|| self.dice.below(20));
        let key = session.map(|session| SessionKey::of(&session.to_string()));
        let journey = Journey::new(CallKind::Messages, Some(MODEL.to_owned()), key);
        self.ask(journey, session.is_none());
        self.carry_out();
    }

    fn leave(&mut self) {
        if self.clients.is_empty() {
            return;
        }
        let pick = self.dice.below(self.clients.len() as u64);
        let client = self.clients.swap_remove(usize::try_from(pick).unwrap());
        match client.doing {
            Doing::Waiting(ticket, _) => self.fleet.leave(ticket, self.now),
            Doing::Out(attempt) => {
                let outcome = Outcome::Abandoned;
                self.fleet.settle(attempt.permit, outcome, self.now);
            }
        }
        self.carry_out();
    }

    /// Asks for an attempt, waits, or gives up.
    fn ask(&mut self, mut journey: Journey, is_new: bool) {
        match self.fleet.admit(&mut journey, self.now) {
            Ok(grant) => {
                let endpoint = self.number(grant.permit.endpoint());
                self.check_grant(endpoint, grant.why, is_new && journey.attempts() == 1);
                assert!(journey.attempts() <= 3 * 8, "attempts without end");
                let doing = Doing::Out(Box::new(self.send(grant.permit, endpoint)));
                self.clients.push(Client {
                    journey,
                    is_new,
                    doing,
                });
            }
            Err(denied) => match self.fleet.wait(&mut journey, 1000, self.now) {
                Some(ticket) => {
                    self.seen.waited += 1;
                    self.clients.push(Client {
                        journey,
                        is_new,
                        doing: Doing::Waiting(ticket, self.now),
                    });
                }
                None => {
                    assert_ne!(denied.why, DeniedWhy::NoEndpoints);
                    self.seen.failed += 1;
                }
            },
        }
    }

    fn send(&mut self, permit: Permit, endpoint: usize) -> Attempt {
        let mut weather = self.weather[endpoint];
        if !self.network {
            weather = Weather::Unreachable;
        } else if weather == Weather::Shaky && self.dice.per_mille(100) {
            weather = Weather::Failing;
        }
        let pace = PACE[endpoint];
        let slow = weather == Weather::TenTimesSlower;
        let (took, outcome) = match weather {
            Weather::Fair | Weather::Shaky => (self.dice.about(pace), Outcome::Answered),
            Weather::TenTimesSlower => {
                let middle = self.dice.about(pace).mul_f64(0.2);
                let took = Duration::from_millis(pace * 11) + middle;
                (took, Outcome::Answered)
            }
            Weather::Failing => (TICK, Outcome::Failed(Fault::Status(500))),
            Weather::Unreachable => (TICK, unreachable()),
            Weather::Throttling => (TICK, throttled()),
        };
        let answers = outcome == Outcome::Answered;
        let rest = if answers { self.dice.about(3000) } else { TICK };
        Attempt {
            permit,
            endpoint,
            slow,
            took,
            begins_at: answers.then(|| self.now + took),
            ends_at: self.now + took + rest,
            outcome,
        }
    }

    fn end_attempts(&mut self) {
        let clients = std::mem::take(&mut self.clients);
        for mut client in clients {
            let Doing::Out(attempt) = &mut client.doing else {
                self.clients.push(client);
                continue;
            };
            if !self.network && attempt.outcome == Outcome::Answered {
                attempt.outcome = Outcome::Failed(Fault::Lost("reset".to_owned()));
                attempt.begins_at = None;
                attempt.ends_at = self.now;
            }
            if attempt.begins_at.is_some_and(|at| at <= self.now) {
                attempt.begins_at = None;
                let lesson = Lesson {
                    first_event: Some(attempt.took),
                    ..Lesson::default()
                };
                self.missed[attempt.endpoint] = false;
                self.fleet
                    .begin(&mut attempt.permit, attempt.took, self.now);
                self.fleet.learn(&attempt.permit, &lesson, self.now);
                if attempt.slow {
                    self.slow_answers[attempt.endpoint] += 1;
                    self.begun_slow[attempt.endpoint] |= self.quick_answers[attempt.endpoint] < 3;
                    self.since_slow[attempt.endpoint] = Some(0);
                } else {
                    self.slow_answers[attempt.endpoint] = 0;
                    self.quick_answers[attempt.endpoint] += 1;
                    if let Some(quick) = &mut self.since_slow[attempt.endpoint] {
                        *quick += 1;
                    }
                }
            }
            if attempt.ends_at > self.now {
                self.clients.push(client);
                continue;
            }
            let Doing::Out(attempt) = client.doing else {
                unreachable!("looked at above");
            };
            let answered = attempt.outcome == Outcome::Answered;
            self.note_contact(attempt.endpoint, attempt.outcome.contact());
            self.fleet.settle(attempt.permit, attempt.outcome, self.now);
            if answered {
                self.seen.answered += 1;
            } else {
                self.ask(client.journey, client.is_new);
            }
        }
        self.carry_out();
    }

    fn end_probes(&mut self) {
        let probes = std::mem::take(&mut self.probes);
        for (endpoint, at) in probes {
            if at > self.now {
                self.probes.push((endpoint, at));
                continue;
            }
            let latency = if self.is_calm {
                Duration::from_millis(PACE[endpoint] / 3)
            } else {
                self.dice.about(PACE[endpoint] / 3)
            };
            let result = match self.weather[endpoint] {
                _ if !self.network => ProbeResult::Failed(unreachable()),
                Weather::Fair | Weather::Shaky | Weather::TenTimesSlower => {
                    ProbeResult::Answered(latency)
                }
                Weather::Failing => ProbeResult::Failed(Outcome::Failed(Fault::Status(500))),
                Weather::Unreachable => ProbeResult::Failed(unreachable()),
                Weather::Throttling => ProbeResult::Failed(throttled()),
            };
            let contact = match &result {
                ProbeResult::Failed(outcome) => outcome.contact(),
                ProbeResult::Answered(_) | ProbeResult::Reached(_) => Contact::Made,
            };
            self.note_contact(endpoint, contact);
            let id = self.id(endpoint);
            self.fleet.handle_probe(id, result, self.now);
        }
        self.carry_out();
    }

    fn note_contact(&mut self, endpoint: usize, contact: Contact) {
        match contact {
            Contact::Made => self.missed[endpoint] = false,
            Contact::NotMade => self.missed[endpoint] = true,
            Contact::Broken | Contact::Unknown => {}
        }
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.fleet.poll_effect() {
            match effect {
                Effect::Probe(id) => {
                    let endpoint = self.number(id);
                    self.probes.push((endpoint, self.now + TICK));
                }
                Effect::Called(ticket) => {
                    self.check_order(ticket);
                    let client = self.take_waiting(ticket);
                    self.ask(client.journey, client.is_new);
                }
                Effect::WaitedInVain(ticket) => {
                    assert!(!self.something_is_up(), "sent away from what is up");
                    self.take_waiting(ticket);
                    self.seen.in_vain += 1;
                }
                Effect::Switched {
                    from: Some(_),
                    decision,
                    ..
                } => self.note_switch(decision.why),
                Effect::Offline => {
                    self.told_offline = true;
                    self.seen.offline += 1;
                }
                Effect::Online => {
                    self.told_offline = false;
                    self.missed = [false; 3];
                    self.check_online();
                }
                Effect::TakenOut(_) => {
                    assert!(!self.told_offline, "by the network's fault");
                }
                Effect::Switched { from: None, .. }
                | Effect::Cut(_)
                | Effect::BudgetReached { .. }
                | Effect::Recovered(_)
                | Effect::AllDown
                | Effect::Moved { .. }
                | Effect::SomethingUp => {}
            }
        }
    }

    fn take_waiting(&mut self, ticket: Ticket) -> Client {
        let at = self
            .clients
            .iter()
            .position(|client| matches!(client.doing, Doing::Waiting(waits, _) if waits == ticket));
        self.clients.swap_remove(at.expect("who is called waits"))
    }

    fn note_switch(&mut self, why: Why) {
        if matches!(why, Why::LeavesSlow(_)) {
            self.seen.brownouts += 1;
        }
        if let Why::Faster { .. } = why
            && let Some((last, _)) = self.switches.last()
            && self.fleet.offline_since().is_none()
            && self.only_the_network_fails
        {
            assert!(self.now - *last >= self.config.routing.min_dwell, "flaps");
        }
        self.switches.push((self.now, why));
    }

    fn check_grant(&mut self, endpoint: usize, why: Why, is_new: bool) {
        let status = self.fleet.status_of(self.id(endpoint)).unwrap();
        assert_eq!(status.availability, Availability::Enabled, "{why:?}");
        if let CircuitState::Open { cause, .. } = status.circuit {
            assert!(
                why == Why::LastResort && self.config.failover.last_resort,
                "open: {why:?}"
            );
            assert_ne!(cause, Cause::Refused);
            self.seen.last_resorts += 1;
        }
        let others_are_better = (0..NAMES.len()).any(|other| {
            let status = self.fleet.status_of(self.id(other)).unwrap();
            let quick = self.since_slow[other].is_none_or(|quick| quick >= 2);
            let closed = matches!(status.circuit, CircuitState::Closed { .. });
            let enabled = status.availability == Availability::Enabled;
            let known = self.quick_answers[other] >= 3 && !status.last_probe_failed;
            other != endpoint && quick && closed && enabled && known
        });
        let is_known = self.quick_answers[endpoint] >= 3 && !self.begun_slow[endpoint];
        if is_new && self.slow_answers[endpoint] >= 2 && is_known && others_are_better {
            let tries = matches!(why, Why::Trial | Why::LastResort);
            let decision = self.fleet.preferred();
            assert!(
                tries,
                "{endpoint} is slow and still chosen: {why:?}; {decision:?}"
            );
        }
    }

    fn check_order(&self, called: Ticket) {
        for client in &self.clients {
            // Who was called beside it may be back at its old place already.
            if let Doing::Waiting(ticket, since) = client.doing
                && since < self.now
            {
                assert!(called <= ticket, "out of order");
            }
        }
    }

    fn check_online(&self) {
        if self.only_the_network_fails {
            for status in self.fleet.status() {
                assert!(
                    matches!(status.circuit, CircuitState::Closed { .. }),
                    "taken out"
                );
            }
        }
    }

    fn check(&self) {
        for client in &self.clients {
            if let Doing::Waiting(_, since) = client.doing {
                assert!(self.now - since <= MAX_WAIT + ON_THE_SLOPE, "starves");
            }
        }
        let waiting = self
            .clients
            .iter()
            .filter(|client| matches!(client.doing, Doing::Waiting(..)));
        assert_eq!(waiting.count(), self.fleet.waiting());
        let timeout = self.fleet.poll_timeout();
        assert!(timeout.is_none_or(|at| at > self.now), "a timer that spins");
    }

    fn something_is_up(&self) -> bool {
        self.fleet.offline_since().is_none()
            && self.fleet.status().any(|status| {
                !self.missed[self.number(status.id)]
                    && status.availability == Availability::Enabled
                    && matches!(status.circuit, CircuitState::Closed { .. })
            })
    }

    /// From now on all is well.
    fn calm_down(&mut self) {
        self.network = true;
        self.is_calm = true;
        for index in 0..NAMES.len() {
            self.turn(index, Weather::Fair);
            if !self.enabled[index] {
                self.enabled[index] = true;
                self.fleet.enable(self.id(index), self.now);
            }
        }
        self.carry_out();
    }

    fn check_all_is_well(&self) {
        for status in self.fleet.status() {
            assert!(
                matches!(status.circuit, CircuitState::Closed { .. }),
                "still out"
            );
        }
        let preferred = self.fleet.preferred().map(|(id, _)| self.number(id));
        let decision = self.fleet.preferred();
        assert_eq!(preferred, Some(0), "the best is in use: {decision:?}");
        assert_eq!(self.fleet.waiting(), 0);
    }

    fn id(&self, endpoint: usize) -> EndpointId {
        self.fleet.find(NAMES[endpoint]).unwrap()
    }

    fn number(&self, id: EndpointId) -> usize {
        let name = &self.fleet.status_of(id).unwrap().spec.name;
        NAMES.iter().position(|known| known == name).unwrap()
    }
}

fn unreachable() -> Outcome {
    Outcome::Failed(Fault::Connect("no route".to_owned()))
}

fn throttled() -> Outcome {
    Outcome::Throttled {
        fault: Fault::Status(429),
        retry_after: Some(Duration::from_secs(8)),
    }
}

fn config(dice: &mut Dice) -> Config {
    let mode = match dice.below(3) {
        0 => ProbeMode::Connect,
        _ => ProbeMode::Message,
    };
    let checks = HealthCheck {
        mode,
        ..HealthCheck::default()
    };
    let mut config = fleets::config(&NAMES, &checks);
    config.failover.max_wait = MAX_WAIT;
    config.failover.last_resort = dice.per_mille(700);
    config
}

/// Half an hour of troubles, and as long until all is well again.
fn troubles(seed: u64) -> Seen {
    let mut world = World::new(seed);
    world.run(Story::Troubles, Duration::from_secs(1800));
    world.calm_down();
    world.run(Story::Noise, Duration::from_secs(1800));
    world.check_all_is_well();
    world.seen
}

fn add(sum: &mut BTreeMap<&'static str, u64>, seen: &Seen) {
    for (what, count) in [
        ("answered", seen.answered),
        ("failed", seen.failed),
        ("waited", seen.waited),
        ("waited in vain", seen.in_vain),
        ("last resorts", seen.last_resorts),
        ("offline", seen.offline),
        ("brownouts left", seen.brownouts),
    ] {
        *sum.entry(what).or_default() += count;
    }
}

fn simulate(seeds: std::ops::Range<u64>) {
    let mut sum = BTreeMap::new();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let lived = std::panic::catch_unwind(|| troubles(seed));
        match lived {
            Ok(seen) => add(&mut sum, &seen),
            Err(_) => panic!("in the history of seed {seed}"),
        }
    }
    println!("measured: {count} histories of an hour: {sum:?}");
    assert!(
        sum.values().all(|&count| count > 0),
        "proves little: {sum:?}"
    );
}

#[test]
fn whatever_happens_the_rules_hold_and_all_is_well_in_the_end() {
    simulate(0..8);
}

#[test]
#[ignore = "long: minutes"]
fn whatever_happens_the_rules_hold_over_many_histories() {
    simulate(1000..4000);
}

#[test]
fn noise_does_not_make_it_flap() {
    for seed in 0..3 {
        let mut world = World::new(seed);

        world.run(Story::Noise, Duration::from_secs(2 * 3600));

        let hourly = world.switches.len() / 2;
        assert!(hourly <= 2, "seed {seed}: {:?}", world.switches);
        assert_eq!(world.seen.failed, 0);
    }
}

#[test]
fn a_lost_network_takes_nothing_out() {
    for seed in 0..3 {
        let mut world = World::new(seed);

        world.run(Story::Network, Duration::from_secs(2 * 3600));
        world.calm_down();
        world.run(Story::Noise, Duration::from_secs(60));

        assert!(world.seen.offline > 0);
        world.check_all_is_well();
    }
}
