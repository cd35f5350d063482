//! Checks out of turn: rounds in which everybody is checked, a second apart.
//!
//! Checks decide which endpoint is faster, and three new ones move a median. At the interval that takes three
//! intervals. Rounds come at once when
//!
//! - the first events of real streams at some endpoint come later than before, or
//! - the last three checks say that another endpoint is faster than the one in use, and the last five do not
//!   say so yet, or not by enough.
//!
//! A burst has `FIRST` rounds, which replaces all samples of a median. It goes on up to `MOST` while another
//! endpoint seems to be faster, but by less than both vary. Traffic only triggers: checks of everybody decide,
//! because they are measured in the same way.
//!
//! [`super::rounds`] limits how many there are. The daily budget holds for them as for all checks.
//!
//! There are none where speed decides nothing: under a pin, in a pause, offline, with a strategy that
//! distributes, or where no other endpoint is as good by everything else. Endpoints without checks, endpoints
//! that are out, and checks by the Claude CLI, which are dear, have no part in them. A check out of turn that
//! is throttled says nothing about its endpoint, but for an hour that endpoint has no part either.

use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::mode::Mode;
use super::preference::Precedence;
use super::state::Fleet;
use crate::latency::{Comparison, Verdict};
use crate::schedule;

/// Rounds of a burst.
const FIRST: u32 = 5;
/// Fewer rounds would move no median.
const LEAST: u32 = 3;
/// Rounds of a burst that finds a difference but cannot prove it.
const MOST: u32 = 15;

impl Fleet {
    /// Streams begin later than before somewhere.
    pub(super) fn note_rise(&mut self, now: Instant) {
        if self.rounds.asked == 0 && self.has_rivals() {
            self.ask_everybody(FIRST, LEAST, now);
        }
    }

    /// A check has ended. Asks for further rounds if the last checks leave a doubt.
    pub(super) fn look_for_doubt(&mut self, now: Instant) {
        if self.rounds.asked == 0 {
            if self.is_change_suspected() {
                self.ask_everybody(FIRST, LEAST, now);
            }
            return;
        }
        if self
            .endpoints
            .iter()
            .any(|endpoint| endpoint.has_rounds(now))
        {
            return;
        }
        let left = MOST.saturating_sub(self.rounds.asked);
        let goes_on = left > 0 && self.is_difference_unproven();
        if !goes_on || !self.ask_everybody(left.min(FIRST), 1, now) {
            self.rounds.asked = 0;
        }
    }

    /// Ends the burst under way.
    pub(super) fn end_rounds(&mut self) {
        self.rounds.asked = 0;
        for endpoint in &mut self.endpoints {
            endpoint.probes.timetable.rounds = 0;
        }
    }

    /// Says whether there was credit for it.
    fn ask_everybody(&mut self, most: u32, least: u32, now: Instant) -> bool {
        let Some(interval) = self.longest_interval(now) else {
            return false;
        };
        let Some(rounds) = self.rounds.take(most, least, interval, now) else {
            return false;
        };
        for endpoint in &mut self.endpoints {
            endpoint.ask_for_rounds(rounds, now);
        }
        true
    }

    /// The interval of the endpoint that is checked most rarely. `None`: nobody may be checked out of turn.
    fn longest_interval(&self, now: Instant) -> Option<Duration> {
        let load = self.load(now);
        let checked = self.endpoints.iter().filter(|one| one.may_have_rounds(now));
        let intervals = checked.map(|one| schedule::interval(&one.spec.health_check, load));
        intervals.max()
    }

    /// Whether the last three checks say that another endpoint is faster, and the last five do not.
    fn is_change_suspected(&self) -> bool {
        let threshold = self.config.server.switch_threshold;
        self.comparisons().any(|comparison| {
            comparison.verdict(threshold) != Verdict::Faster && comparison.is_suspected(threshold)
        })
    }

    /// Whether another endpoint seems to be faster, but by less than both vary.
    fn is_difference_unproven(&self) -> bool {
        let threshold = self.config.server.switch_threshold;
        let mut verdicts = self.comparisons().map(|one| one.verdict(threshold));
        verdicts.any(|verdict| matches!(verdict, Verdict::WithinNoise { .. }))
    }

    /// The endpoint in use compared with each of its rivals.
    fn comparisons(&self) -> impl Iterator<Item = Comparison> {
        let current = self.preferred.and_then(|id| self.get(id));
        self.rivals()
            .filter_map(move |other| current?.latency.compare(&other.latency))
    }

    fn has_rivals(&self) -> bool {
        self.rivals().next().is_some()
    }

    /// The endpoints that only speed decides about: the ones that would be used if they were faster.
    fn rivals(&self) -> impl Iterator<Item = &Endpoint> {
        let speed_decides = self.mode == Mode::Auto
            && !self.paused
            && self.offline_since.is_none()
            && !self.config.routing.strategy.distributes();
        let current = self.preferred.filter(|_| speed_decides);
        let current = current.and_then(|id| self.get(id));
        self.endpoints.iter().filter(move |other| {
            current.is_some_and(|current| {
                other.id != current.id
                    && other.check_standing(false).is_ok()
                    && self.precedence(other, current) == Precedence::Equal
            })
        })
    }
}
