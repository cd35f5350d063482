//! When an endpoint's next probe is due.

use std::time::{Duration, Instant};

use crate::config::HealthCheck;
use crate::schedule::{self, Load};

/// The first pause between probes while nothing can be reached.
pub(crate) const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest pause between probes while nothing can be reached.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(15);
/// The pause between two rounds, if a tenth of the interval is not shorter: limits of so many requests a
/// minute may be enforced by the second.
const ROUND_PAUSE: Duration = Duration::from_secs(1);
/// The time to the next probe after a failed one, if the interval is longer.
const PROBE_AFTER_FAILURE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Timetable {
    pub(super) due: Instant,
    /// A person asked for the next probe, so a pause does not stop it.
    pub(crate) is_demanded: bool,
    /// How many probes out of turn are still to be made.
    pub(crate) rounds: u32,
    /// How the next probe was planned, if it follows the interval.
    paced: Option<Paced>,
    /// The number of probes in a row that failed because of the network.
    in_vain: u32,
}

#[derive(Clone, Copy, Debug)]
struct Paced {
    since: Instant,
    jitter_percent: u64,
}

impl Timetable {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            due: now,
            is_demanded: false,
            rounds: 0,
            paced: None,
            in_vain: 0,
        }
    }

    /// Makes the probe due at this time, regardless of the interval.
    pub(crate) fn demand_at(&mut self, at: Instant) {
        self.due = at;
        self.paced = None;
        self.rounds = 0;
    }

    /// Makes so many probes due, one after another. `last`: when a probe last ended.
    pub(super) fn ask_for_rounds(
        &mut self,
        check: &HealthCheck,
        rounds: u32,
        last: Option<Instant>,
        now: Instant,
    ) {
        let rested = last.map_or(now, |last| last + round_pause(check));
        self.demand_at(self.due.min(rested.max(now)));
        self.rounds = rounds;
    }

    /// Makes the probe due at this time, and starts the back-off again.
    pub(crate) fn ask_at(&mut self, at: Instant) {
        self.demand_at(at);
        self.in_vain = 0;
    }

    /// A probe has a result. The next one follows after the interval, or soon if a round asks for it.
    pub(super) fn plan(
        &mut self,
        check: &HealthCheck,
        was_answered: bool,
        (load, jitter_percent): (Load, u64),
        now: Instant,
    ) {
        self.in_vain = 0;
        if was_answered && self.rounds > 0 {
            self.due = now + round_pause(check);
            self.paced = None;
            return;
        }
        self.rounds = 0;
        let interval = schedule::interval(check, load);
        let next = if was_answered {
            interval
        } else {
            interval.min(PROBE_AFTER_FAILURE)
        };
        self.due = now + jittered(next, jitter_percent);
        self.paced = was_answered.then_some(Paced {
            since: now,
            jitter_percent,
        });
    }

    /// A probe has said something about the network, but nothing about the endpoint.
    pub(super) fn back_off(&mut self, jitter_percent: u64, now: Instant) {
        let doubled = FIRST_BACK_OFF.saturating_mul(1 << self.in_vain.min(8));
        let pause = doubled.min(LONGEST_BACK_OFF);
        self.demand_at(now + jittered(pause, jitter_percent));
        self.in_vain = self.in_vain.saturating_add(1);
    }

    /// The load has risen. A probe that was planned for a smaller load is due sooner.
    pub(super) fn hasten(&mut self, check: &HealthCheck, load: Load) {
        if let Some(paced) = self.paced
            && check.dynamic_scaling
        {
            let interval = schedule::interval(check, load);
            let due = paced.since + jittered(interval, paced.jitter_percent);
            self.due = self.due.min(due);
        }
    }
}

fn round_pause(check: &HealthCheck) -> Duration {
    ROUND_PAUSE.min(check.interval / 10)
}

/// Makes the pause up to a tenth shorter, so that probes of endpoints do not all run at the same time.
fn jittered(pause: Duration, percent: u64) -> Duration {
    pause - pause.mul_f64(0.001 * (percent % 100) as f64)
}
