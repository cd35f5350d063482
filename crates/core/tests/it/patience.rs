//! Days of requests whose times have heavy tails: who is given up although it would have answered, and what it
//! brings and costs to ask a second endpoint beside a late one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use zephyr_core::Fleet;
use zephyr_core::classify::{Fault, Outcome};
use zephyr_core::config::{HealthCheck, Hedge};
use zephyr_core::fleet::{Journey, Lesson, ProbeResult, Traits};
use zephyr_core::latency::Silences;
use zephyr_core::profile::CallKind;
use zephyr_core::proof::Activity;

use crate::dice::Dice;
use crate::fleets;

const MODEL: &str = "claude-opus-5-5";
/// Its answers begin after a minute.
const THINKER: &str = "claude-thinks-first";
const KB: u64 = 1024;

/// What a request would take, if nothing were wrong.
struct Call {
    model: &'static str,
    bytes: u64,
    begin: Duration,
    longest_silence: Duration,
}

impl Dice {
    /// Lognormal: half of them are below `median`, and one in a thousand is above `median × e^(3.1 × sigma)`.
    fn heavy(&mut self, median: f64, sigma: f64) -> Duration {
        Duration::from_secs_f64(median * (sigma * self.normal()).exp())
    }

    fn call(&mut self) -> Call {
        let bytes = (KB as f64 * 500_f64.powf(self.share())) as u64; // 1 to 500 KB
        let prompt = 0.6 + bytes as f64 / (100.0 * KB as f64);
        let (model, begin) = if self.per_mille(100) {
            (THINKER, Duration::from_secs(20) + self.heavy(12.0, 0.6))
        } else {
            (MODEL, self.heavy(prompt, 0.6))
        };
        Call {
            model,
            bytes,
            begin,
            longest_silence: self.heavy(0.4, 0.6),
        }
    }
}

fn fleet(change: impl FnOnce(&mut zephyr_core::Config), now: Instant) -> Fleet {
    let mut config = fleets::config(&["A", "B", "C"], &HealthCheck::default());
    change(&mut config);
    let mut fleet = Fleet::new(config, &BTreeSet::new(), 7, now);
    for (name, millis) in [("A", 300), ("B", 400), ("C", 500)] {
        let id = fleet.find(name).unwrap();
        fleet.handle_probe(
            id,
            ProbeResult::Answered(Duration::from_millis(millis)),
            now,
        );
    }
    fleet
}

fn journey(call: &Call) -> Journey {
    let traits = Traits {
        bytes: Some(call.bytes),
        ..Traits::default()
    };
    Journey::new(CallKind::Messages, Some(call.model.to_owned()), None).with_traits(traits)
}

fn lesson(begin: Duration) -> Lesson {
    Lesson {
        first_event: Some(begin),
        ..Lesson::default()
    }
}

#[test]
fn of_a_thousand_healthy_answers_at_most_one_is_given_up() {
    let (mut calls, mut given_up, mut broken_off) = (0, 0, 0);
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let mut now = Instant::now();
        let mut fleet = fleet(|_| (), now);
        for _ in 0..2000 {
            let call = dice.call();
            now += Duration::from_secs(20);
            let mut grant = fleet.admit(&mut journey(&call), now).unwrap();
            calls += 1;
            now += call.begin;
            // The limit of the file for streams that have begun is 300 s; none of these takes that.
            if grant
                .pace
                .begin
                .is_some_and(|patience| patience < call.begin)
            {
                given_up += 1;
                let fault = Fault::TimedOut(call.begin);
                fleet.settle(grant.permit, Outcome::Failed(fault), now);
                continue;
            }
            fleet.begin(&mut grant.permit, call.begin, now);
            fleet.learn(&grant.permit, &lesson(call.begin), now);
            if grant.pace.silence.of(Activity::Writing) < call.longest_silence {
                broken_off += 1;
                let fault = Fault::Stalled(call.longest_silence);
                fleet.settle_midway(grant.permit, fault, now);
                continue;
            }
            let mut longest = Silences::default();
            longest.note(Activity::Writing, call.longest_silence);
            fleet.learn_silences(&grant.permit, &longest, now);
            fleet.settle(grant.permit, Outcome::Answered, now);
        }
    }

    println!("measured: {calls} healthy answers: {given_up} given up, {broken_off} broken off");
    assert!(given_up * 1000 <= calls, "{given_up} of {calls}");
    assert!(broken_off * 1000 <= calls, "{broken_off} of {calls}");
}

/// What a day brings.
#[derive(Debug, Default)]
struct Day {
    requests: u32,
    hedges: u32,
    /// Seconds until the answers began, sorted.
    waits: Vec<f64>,
    /// Prompts that were sent a second time, in bytes.
    twice: u64,
}

/// A day of 4,000 requests of which one in a hundred is never answered by the endpoint in use.
fn day(hedge: Hedge, seed: u64) -> Day {
    let mut dice = Dice(seed);
    let mut now = Instant::now();
    let mut fleet = fleet(|config| config.failover.hedge = hedge, now);
    let limit = fleet.config().failover.first_event_timeout;
    let mut day = Day::default();
    for _ in 0..4000 {
        let call = dice.call();
        now += Duration::from_secs(20);
        let mut journey = journey(&call);
        let mut first = fleet.admit(&mut journey, now).unwrap();
        day.requests += 1;
        let hangs = dice.per_mille(10);
        let patience = first.pace.begin.unwrap_or(limit).min(limit);
        let ends = if hangs { patience } else { call.begin };
        let late = first.pace.late;
        let hedged = (late < ends).then(|| {
            fleet
                .hedge(&mut journey, first.permit.endpoint(), late, now + late)
                .ok()
        });
        let waited = if let Some(mut second) = hedged.flatten() {
            day.hedges += 1;
            day.twice += call.bytes;
            let its = late + dice.heavy(call.begin.as_secs_f64().min(5.0), 0.3);
            if its < ends {
                now += its;
                fleet.begin(&mut second.permit, its - late, now);
                fleet.learn(&second.permit, &lesson(its - late), now);
                fleet.settle_overtaken(first.permit, (its, its - late), now);
                fleet.settle(second.permit, Outcome::Answered, now);
                day.waits.push(its.as_secs_f64());
                continue;
            }
            fleet.settle_overtaken(second.permit, (ends - late, ends), now + ends);
            ends
        } else if hangs {
            // It is given up, and another one answers.
            fleet.settle(
                first.permit,
                Outcome::Failed(Fault::TimedOut(ends)),
                now + ends,
            );
            day.waits.push((ends + call.begin).as_secs_f64());
            now += ends;
            continue;
        } else {
            ends
        };
        now += waited;
        fleet.begin(&mut first.permit, waited, now);
        fleet.learn(&first.permit, &lesson(waited), now);
        fleet.settle(first.permit, Outcome::Answered, now);
        day.waits.push(waited.as_secs_f64());
    }
    day.waits.sort_by(f64::total_cmp);
    day
}

#[test]
fn asking_a_second_one_shortens_the_longest_waits_within_its_budget() {
    let [without, with] = [Hedge::Off, Hedge::Auto].map(|hedge| day(hedge, 3));

    let tell = |day: &Day| {
        let at = |per_mille: usize| day.waits[day.waits.len() * per_mille / 1000];
        let mean = day.waits.iter().sum::<f64>() / day.waits.len() as f64;
        println!(
            "measured: {} requests, {} hedges ({:.1} MB of prompts sent twice): mean {mean:.2} s, p95 {:.1} s, p99 {:.1} s, p99.9 {:.1} s",
            day.requests,
            day.hedges,
            day.twice as f64 / 1e6,
            at(950),
            at(990),
            at(999),
        );
        at(990)
    };
    assert!(tell(&with) < tell(&without));
    assert_eq!(without.hedges, 0);
    assert!(with.hedges > 0 && with.hedges <= with.requests * 5 / 100 + 3);
}
