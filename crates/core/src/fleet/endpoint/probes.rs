//! An endpoint's probes: the one in flight, and the results of earlier ones.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::timetable::Timetable;
use crate::config::ProbeMode;
use crate::price::Cost;

/// The number of probes that are remembered for the charts.
const HISTORY: usize = 60;

#[derive(Debug)]
pub(crate) struct Probes {
    pub(crate) timetable: Timetable,
    pub(crate) out: Option<Check>,
    /// Whether that one, or else the last one, was made out of turn.
    pub(super) is_round: bool,
    /// Until when none is made out of turn.
    pub(super) no_rounds_until: Option<Instant>,
    /// The budget allows only free probes today.
    pub(crate) only_free: bool,
    /// The last probe was refused as a request, so probes cannot show whether requests are answered.
    pub(super) are_inconclusive: bool,
    /// The latencies of the last probes, oldest first. `None`: it failed.
    pub(super) history: VecDeque<Option<Duration>>,
    /// When the last probe ended.
    pub(crate) last: Option<Instant>,
}

/// One probe, as it was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    pub(crate) mode: ProbeMode,
    /// The most that it may cost.
    pub(crate) reserved: Cost,
}

/// Which probes are made in addition to those that a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Monitoring {
    /// All that are due.
    Running,
    /// None.
    Paused,
    /// All that are due, also at endpoints that asked for a pause, because no probe reaches them.
    Offline,
}

/// What is next for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A probe is due.
    Probe,
    /// Nothing is due yet.
    Nothing,
}

impl Probes {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            timetable: Timetable::new(now),
            out: None,
            is_round: false,
            no_rounds_until: None,
            only_free: false,
            are_inconclusive: false,
            history: VecDeque::new(),
            last: None,
        }
    }

    pub(super) fn send(&mut self, check: Check) {
        self.out = Some(check);
        self.timetable.is_demanded = false;
        self.is_round = self.timetable.rounds > 0;
        self.timetable.rounds = self.timetable.rounds.saturating_sub(1);
    }

    /// A probe is over. Returns which kind was planned.
    pub(super) fn end(&mut self, now: Instant) -> Option<ProbeMode> {
        self.timetable.is_demanded = false; // The probe that has ended also answers a demand.
        self.last = Some(now);
        self.out.take().map(|check| check.mode)
    }

    pub(super) fn keep(&mut self, latency: Option<Duration>) {
        self.history.push_back(latency);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// Restores the history of an earlier run.
    pub(super) fn recall(&mut self, history: Vec<Option<Duration>>, last: Option<Instant>) {
        let spare = history.len().saturating_sub(HISTORY);
        self.history = history.into_iter().skip(spare).collect();
        self.last = last;
    }
}
