//! Whether an endpoint may take an attempt.

use std::time::Instant;

use super::state::Endpoint;
use crate::circuit::{Cause, CircuitState};
use crate::config::Auth;
use crate::fleet::journey::Journey;
use crate::fleet::reason::WhyNot;

/// Failures in a row from which an endpoint falters. A single one is a stray.
const FALTERING_FROM: u32 = 2;

impl Endpoint {
    /// Whether it may take an attempt of `journey`. A half-open endpoint may only if `trial_wanted`.
    pub(crate) fn check(
        &self,
        journey: &Journey,
        trial_wanted: bool,
        now: Instant,
    ) -> Result<(), WhyNot> {
        if journey.tried.contains(&self.id) {
            return Err(WhyNot::AlreadyTried);
        }
        self.check_standing(trial_wanted)?;
        self.marks.check(&journey.asked, journey.traits, now)?;
        journey.check_needs(self.id, self.spec.auth != Auth::Passthrough)?;
        journey.check_avoided(self.id)
    }

    /// Whether it may take any attempts.
    pub(crate) fn check_standing(&self, trial_wanted: bool) -> Result<(), WhyNot> {
        self.access.check()?;
        self.check_subscription()?;
        match self.standing.circuit.state() {
            CircuitState::Closed { .. } => Ok(()),
            CircuitState::Open { cause, until, .. } => Err(WhyNot::CircuitOpen { cause, until }),
            CircuitState::HalfOpen {
                trial_in_flight: true,
                ..
            } => Err(WhyNot::TrialInFlight),
            CircuitState::HalfOpen {
                trial_in_flight: false,
                ..
            } if trial_wanted => Ok(()),
            CircuitState::HalfOpen {
                trial_in_flight: false,
                ..
            } => Err(WhyNot::AwaitingProbe),
        }
    }

    /// Whether it may be tried although its circuit is not closed.
    pub(crate) fn check_last_resort(&self, journey: &Journey) -> Result<(), WhyNot> {
        if journey.tried.contains(&self.id) {
            return Err(WhyNot::AlreadyTried);
        }
        self.access.check()?;
        self.check_subscription()?;
        journey.check_needs(self.id, self.spec.auth != Auth::Passthrough)?;
        match self.standing.circuit.state() {
            CircuitState::Open {
                cause: cause @ Cause::Refused,
                until,
                ..
            } => Err(WhyNot::CircuitOpen { cause, until }),
            // Zephyr itself sends the scout, so an endpoint that asked for a pause is not disturbed.
            CircuitState::Open {
                cause: cause @ (Cause::Throttled | Cause::Exhausted),
                until,
                ..
            } if journey.scouts => Err(WhyNot::CircuitOpen { cause, until }),
            CircuitState::Closed { .. }
            | CircuitState::Open { .. }
            | CircuitState::HalfOpen { .. } => Ok(()),
        }
    }

    /// Whether its circuit is closed although the last news of it is a failure: its last check failed, no
    /// connection came about, or [`FALTERING_FROM`] requests in a row failed.
    pub(crate) fn is_faltering(&self) -> bool {
        let CircuitState::Closed { failures } = self.standing.circuit.state() else {
            return false;
        };
        self.standing.last_probe_failed
            || self.silence.missed_at.is_some()
            || failures >= FALTERING_FROM
    }

    /// Whether it answers, as far as is known: it takes attempts, and the last news of it is no failure.
    pub(crate) fn answers(&self) -> bool {
        self.check_standing(false).is_ok() && !self.is_faltering()
    }

    /// Whether anything has been learned of it: by a check, by a request, or before a restart.
    pub(crate) fn has_news(&self) -> bool {
        self.is_remembered
            || self.probes.last.is_some()
            || self.traffic.has_begun()
            || self.latency.best_known().is_some()
    }

    /// Until when no request goes there, so that none spends its subscription's extra usage.
    pub(crate) fn spent_until(&self) -> Option<Instant> {
        self.reserve.spent.filter(|_| self.spec.subscription_only)
    }

    fn check_subscription(&self) -> Result<(), WhyNot> {
        match self.spent_until() {
            Some(until) => Err(WhyNot::SubscriptionSpent { until }),
            None => Ok(()),
        }
    }

    pub(crate) fn is_half_open(&self) -> bool {
        matches!(self.standing.circuit.state(), CircuitState::HalfOpen { .. })
    }

    /// Whether a probe will test the half-open circuit, so that no request has to.
    pub(crate) fn probe_decides(&self, paused: bool) -> bool {
        !paused
            && !self.probes.only_free
            && self.spec.health_check.mode.proves_messages()
            && !self.probes.are_inconclusive
    }
}
