//! Whether the fastest endpoint is used: endpoints whose latencies cross, and equal ones whose latencies vary,
//! by seed. The numbers are printed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use zephyr_core::classify::Outcome;
use zephyr_core::config::{Config, HealthCheck, ProbeMode};
use zephyr_core::fleet::{Journey, Lesson, Permit, ProbeResult};
use zephyr_core::profile::CallKind;
use zephyr_core::{Effect, EndpointId, Fleet};

use crate::dice::Dice;
use crate::fleets;

const MODEL: &str = "claude-opus-5-5";
const INTERVAL: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];

/// How much a latency varies around its level.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Noise {
    None,
    /// Evenly, up to 30 % less or more.
    Uniform,
    /// By a normal distribution with a standard deviation of 30 %.
    Normal,
}

impl Noise {
    fn around(self, level: f64, dice: &mut Dice) -> Duration {
        let factor = match self {
            Self::None => 1.0,
            Self::Uniform => 0.7 + 0.6 * dice.share(),
            Self::Normal => (1.0 + 0.3 * dice.normal()).max(0.1),
        };
        Duration::from_secs_f64(level * factor / 1000.0)
    }
}

/// How often requests come: none, or one after another with pauses of this mean.
type Traffic = Option<Duration>;

struct World {
    fleet: Fleet,
    dice: Dice,
    noise: Noise,
    traffic: Traffic,
    now: Instant,
    /// The latency of each, in milliseconds: of its checks and of its first events.
    levels: Vec<f64>,
    checks: Vec<(EndpointId, Instant, Duration)>,
    answer: Option<(Permit, Instant, Duration)>,
    next_request: Option<Instant>,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    checks: u32,
    answers: u32,
    switches: u32,
}

impl World {
    fn new(seed: u64, levels: &[f64], (noise, traffic): (Noise, Traffic)) -> Self {
        let now = Instant::now();
        let mut world = Self {
            fleet: Fleet::new(config(levels.len()), &BTreeSet::new(), seed, now),
            dice: Dice(seed),
            noise,
            traffic,
            now,
            levels: levels.to_vec(),
            checks: Vec::new(),
            answer: None,
            next_request: traffic.map(|_| now),
            seen: Seen::default(),
        };
        world.carry_out();
        world
    }

    /// Lives for this time, or until `is_over`.
    fn run(&mut self, time: Duration, is_over: impl Fn(&Self) -> bool) {
        let end = self.now + time;
        while !is_over(self) {
            let ends = self.checks.iter().map(|(_, at, _)| *at);
            let begins = self.answer.as_ref().map(|(_, at, _)| *at);
            let next = ends.chain(begins).chain(self.next_request);
            let next = next.chain(self.fleet.poll_timeout()).min().unwrap();
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            self.fleet.handle_timeout(self.now);
            self.carry_out();
            self.end_checks();
            self.begin_answer();
            self.ask();
        }
    }

    fn ask(&mut self) {
        let is_due = self.next_request.is_some_and(|at| at <= self.now);
        if let Some(pause) = self.traffic.filter(|_| is_due && self.answer.is_none()) {
            let mut journey = Journey::new(CallKind::Messages, Some(MODEL.to_owned()), None);
            let permit = self.fleet.admit(&mut journey, self.now).unwrap().permit;
            let took = self.takes(permit.endpoint());
            self.answer = Some((permit, self.now + took, took));
            let pause = pause.mul_f64(-(1.0 - self.dice.share()).ln());
            self.next_request = Some(self.now + took + pause);
            self.carry_out();
        }
    }

    fn begin_answer(&mut self) {
        let now = self.now;
        if let Some((mut permit, _, took)) = self.answer.take_if(|(_, at, _)| *at <= now) {
            self.seen.answers += 1;
            let lesson = Lesson {
                first_event: Some(took),
                ..Lesson::default()
            };
            self.fleet.begin(&mut permit, took, now);
            self.fleet.learn(&permit, &lesson, now);
            self.fleet.settle(permit, Outcome::Answered, now);
            self.carry_out();
        }
    }

    fn end_checks(&mut self) {
        let now = self.now;
        let over: Vec<_> = self
            .checks
            .extract_if(.., |(_, at, _)| *at <= now)
            .collect();
        for (id, _, took) in over {
            self.seen.checks += 1;
            self.fleet
                .handle_probe(id, ProbeResult::Answered(took), now);
            self.carry_out();
        }
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.fleet.poll_effect() {
            match effect {
                Effect::Probe(id) => {
                    let took = self.takes(id);
                    self.checks.push((id, self.now + took, took));
                }
                Effect::Switched { from: Some(_), .. } => self.seen.switches += 1,
                Effect::Switched { from: None, .. } => {}
                other @ (Effect::Cut(_)
                | Effect::TakenOut(_)
                | Effect::Recovered(_)
                | Effect::AllDown
                | Effect::Moved { .. }
                | Effect::SomethingUp
                | Effect::Called(_)
                | Effect::WaitedInVain(_)
                | Effect::Offline
                | Effect::Online
                | Effect::BudgetReached { .. }) => panic!("{other:?}"),
            }
        }
    }

    fn takes(&mut self, id: EndpointId) -> Duration {
        let level = self.levels[self.number(id)];
        self.noise.around(level, &mut self.dice)
    }

    fn in_use(&self) -> usize {
        self.number(self.fleet.preferred().unwrap().0)
    }

    fn number(&self, id: EndpointId) -> usize {
        let name = &self.fleet.status_of(id).unwrap().spec.name;
        NAMES.iter().position(|known| known == name).unwrap()
    }
}

fn config(endpoints: usize) -> Config {
    let checks = HealthCheck {
        mode: ProbeMode::Message,
        interval: INTERVAL,
        ..HealthCheck::default()
    };
    fleets::config(&NAMES[..endpoints], &checks)
}

fn every(seconds: u64) -> Traffic {
    Some(Duration::from_secs(seconds))
}

/// How soon A is left for B after its latency has crossed B's.
struct Crossings {
    /// The share that is acted on within three intervals or twenty answers, whichever is first.
    in_time: f64,
    /// Seconds and answers until then: of half of them, and of 95 of 100.
    seconds: [f64; 2],
    answers: [u32; 2],
}

fn crossings(before: f64, after: f64, other: f64, how: (Noise, Traffic), seeds: u64) -> Crossings {
    let (mut in_time, mut seconds, mut answers) = (0, Vec::new(), Vec::new());
    for seed in 0..seeds {
        let mut world = World::new(seed, &[before, other], how);
        // The checks are anywhere in their interval when the latencies cross.
        world.run(HOUR / 2 + Duration::from_secs(seed % 60), |_| false);
        world.run(HOUR, |world| world.in_use() == 0);
        let (begun, answered) = (world.now, world.seen.answers);
        world.levels[0] = after;

        world.run(HOUR, |world| world.in_use() == 1);

        let took = world.now - begun;
        let asked = world.seen.answers - answered;
        in_time += u32::from(took <= INTERVAL * 3 || (1..=20).contains(&asked));
        seconds.push(took.as_secs_f64());
        answers.push(asked);
    }
    seconds.sort_unstable_by(f64::total_cmp);
    answers.sort_unstable();
    let [half, most] = [50, 95].map(|percent| (seconds.len() - 1) * percent / 100);
    let found = Crossings {
        in_time: f64::from(in_time) / seeds as f64,
        seconds: [seconds[half], seconds[most]],
        answers: [answers[half], answers[most]],
    };
    println!(
        "measured: {before} → {after} ms against {other}, {how:?}: in time {:.3}, seconds {:.1?}, answers {:?}",
        found.in_time, found.seconds, found.answers
    );
    found
}

/// Switches an hour between so many endpoints that are equally fast, and checks an hour of each, after the
/// first ten minutes.
fn flaps(endpoints: usize, level: f64, how: (Noise, Traffic), (seeds, hours): (u64, u32)) -> f64 {
    let (mut switches, mut checks) = (Vec::new(), 0);
    for seed in 0..seeds {
        let mut world = World::new(seed, &vec![level; endpoints], how);
        world.run(HOUR / 6, |_| false);
        world.seen = Seen::default();
        world.run(HOUR * hours, |_| false);
        switches.push(world.seen.switches);
        checks += world.seen.checks;
    }
    let lived = f64::from(hours) * seeds as f64;
    let hourly = f64::from(switches.iter().sum::<u32>()) / lived;
    let most = switches.iter().max().unwrap();
    println!(
        "measured: {endpoints} equal at {level} ms, {how:?}: {hourly:.2} switches an hour, at most {most} in {hours} h, {:.0} checks an hour",
        f64::from(checks) / lived / endpoints as f64
    );
    hourly
}

const TRAFFIC: [Traffic; 3] = [
    None,
    Some(Duration::from_secs(10)),
    Some(Duration::from_secs(1)),
];
const NOISE: [Noise; 2] = [Noise::Uniform, Noise::Normal];

#[test]
fn without_noise_a_crossing_is_always_acted_on_in_time() {
    for traffic in TRAFFIC {
        for (before, after, other) in [(80.0, 220.0, 121.0), (100.0, 170.0, 115.0)] {
            let found = crossings(before, after, other, (Noise::None, traffic), 30);

            assert_eq!(found.in_time, 1.0, "{traffic:?}");
        }
    }
}

#[test]
fn with_noise_a_crossing_is_nearly_always_acted_on_in_time() {
    for noise in NOISE {
        let alone = crossings(80.0, 220.0, 121.0, (noise, None), 60);
        let with_traffic = crossings(80.0, 220.0, 121.0, (noise, every(3)), 60);

        assert!(alone.in_time >= 0.8, "{noise:?}");
        assert!(with_traffic.in_time >= 0.95, "{noise:?}");
    }
}

#[test]
fn equal_endpoints_are_hardly_ever_exchanged_whatever_their_noise() {
    for noise in NOISE {
        for level in [100.0, 300.0, 1000.0] {
            let hourly = flaps(2, level, (noise, every(10)), (8, 3));

            assert!(hourly <= 0.75, "{noise:?} at {level}");
        }
    }
}

#[test]
fn rounds_at_most_double_the_checks() {
    let mut world = World::new(1, &[100.0, 400.0], (Noise::None, every(1)));

    // It becomes slower again and again, but never slower than the other one.
    for minute in 0..240_u32 {
        world.levels[0] = f64::from(100 + minute % 4 * 60);
        world.run(INTERVAL, |_| false);
    }

    let planned = 240 * 2 * 10 / 9; // Up to a tenth sooner than the interval.
    let made = world.seen.checks;
    println!("measured: {made} checks of {planned} planned ones");
    assert!(made > planned && made <= planned * 2 + 30, "{made}");
    assert_eq!(world.in_use(), 0);
}

#[test]
#[ignore = "long: minutes"]
fn crossings_and_flaps_over_many_seeds() {
    for noise in [Noise::None, Noise::Uniform, Noise::Normal] {
        for traffic in TRAFFIC {
            for (before, after, other) in [
                (80.0, 220.0, 121.0),
                (100.0, 170.0, 115.0),
                (500.0, 1500.0, 800.0),
            ] {
                crossings(before, after, other, (noise, traffic), 500);
            }
        }
    }
    for noise in NOISE {
        for traffic in TRAFFIC {
            for level in [100.0, 300.0, 1000.0] {
                assert!(flaps(2, level, (noise, traffic), (40, 10)) <= 0.5);
            }
            flaps(5, 300.0, (noise, traffic), (20, 10));
        }
    }
}
