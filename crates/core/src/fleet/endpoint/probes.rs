//! An endpoint's probes: the one that is out, and what earlier ones have shown.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::timetable::Timetable;
use crate::config::ProbeMode;
use crate::price::Cost;

/// Probes remembered for the charts.
const HISTORY: usize = 60;

#[derive(Debug)]
pub(crate) struct Probes {
    pub(crate) timetable: Timetable,
    pub(crate) out: Option<Check>,
    /// The budget allows no other probes today.
    pub(crate) only_free: bool,
    /// The last probe was refused as a request, so probes cannot tell whether requests are answered.
    pub(super) are_inconclusive: bool,
    /// Latencies of the last probes, oldest first; `None` failed.
    pub(super) history: VecDeque<Option<Duration>>,
    /// When the last one ended.
    pub(crate) last: Option<Instant>,
}

/// One probe, as it was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    pub(crate) mode: ProbeMode,
    /// What it may cost at most.
    pub(crate) reserved: Cost,
}

/// Which probes are made besides those that a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Monitoring {
    /// Those that are due.
    Running,
    /// None.
    Paused,
    /// Those that are due, also at endpoints that asked for silence: nothing reaches them.
    Offline,
}

/// What an endpoint waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A probe.
    Probe,
    /// Time to pass.
    Nothing,
}

impl Probes {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            timetable: Timetable::new(now),
            out: None,
            only_free: false,
            are_inconclusive: false,
            history: VecDeque::new(),
            last: None,
        }
    }

    pub(super) fn send(&mut self, check: Check) {
        self.out = Some(check);
        self.timetable.is_demanded = false;
    }

    /// A probe is over. Says which kind was planned.
    pub(super) fn end(&mut self, now: Instant) -> Option<ProbeMode> {
        self.timetable.is_demanded = false; // The probe that was out has answered the demand as well.
        self.last = Some(now);
        self.out.take().map(|check| check.mode)
    }

    pub(super) fn keep(&mut self, latency: Option<Duration>) {
        self.history.push_back(latency);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// Takes over the history of an earlier run.
    pub(super) fn recall(&mut self, history: Vec<Option<Duration>>, last: Option<Instant>) {
        let spare = history.len().saturating_sub(HISTORY);
        self.history = history.into_iter().skip(spare).collect();
        self.last = last;
    }
}
