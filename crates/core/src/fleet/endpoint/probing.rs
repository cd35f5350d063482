//! What the end of a probe does to its endpoint.

use std::time::{Duration, Instant};

use super::state::Endpoint;
use crate::circuit::{Cause, Change};
use crate::classify::Outcome;
use crate::config::{Breaker, ProbeMode};
use crate::fleet::blame::Blame;
use crate::fleet::probed::ProbeResult;
use crate::latency::Sample;
use crate::schedule::Load;

/// How long an endpoint that has asked us to slow down gets no probes out of turn.
const NO_ROUNDS: Duration = Duration::from_secs(3600);

impl Endpoint {
    /// `mode`: the kind of probe that was made, if it differs from the planned one.
    pub(crate) fn handle_probe(
        &mut self,
        (mode, result): (Option<ProbeMode>, ProbeResult),
        blame: Blame,
        policy: &Breaker,
        (load, jitter_percent): (Load, u64),
        now: Instant,
    ) -> Option<Change> {
        let planned = self.probes.end(now);
        if self.probes.is_round && matches!(result, ProbeResult::Failed(Outcome::Throttled { .. }))
        {
            // It was asked too often, by us alone. Requests would have been answered.
            self.probes.no_rounds_until = Some(now + NO_ROUNDS);
            self.probes.timetable.rounds = 0;
            let pace = (load, jitter_percent);
            let check = &self.spec.health_check;
            self.probes.timetable.plan(check, true, pace, now);
            return None;
        }
        let mode = mode.or(planned).unwrap_or(self.spec.health_check.mode);
        if let ProbeResult::Failed(outcome) = &result
            && let Some(fault) = outcome.fault()
        {
            self.last_fault = Some(fault.clone());
        }
        if blame == Blame::Network {
            self.probes.timetable.back_off(jitter_percent, now);
            return None;
        }
        self.is_remembered = false;
        self.probes.are_inconclusive = matches!(result, ProbeResult::Reached(_));
        let latency = result.latency();
        if let Some(took) = latency {
            self.latency.observe(Sample::Probe { mode, took }, now);
        }
        let change = match result {
            ProbeResult::Answered(_) => self.probe_succeeded(mode, now),
            ProbeResult::Reached(_) => self.probe_reached(now),
            ProbeResult::Failed(outcome) => self.probe_failed(&outcome, policy, now),
        };
        self.standing.last_probe_failed = latency.is_none();
        self.probes.keep(latency);
        let check = &self.spec.health_check;
        let pace = (load, jitter_percent);
        self.probes
            .timetable
            .plan(check, latency.is_some(), pace, now);
        change
    }

    /// Closes the circuit only if the probe proves enough: an opened connection says nothing about answers.
    fn probe_succeeded(&mut self, mode: ProbeMode, now: Instant) -> Option<Change> {
        let proven = match self.standing.out_because() {
            None => false, // The circuit is closed: failures that traffic has counted still count.
            Some(Cause::Refused) => mode.proves_credential(),
            Some(Cause::Failing) => {
                mode.proves_messages() || self.standing.only_connecting_failed()
            }
            Some(Cause::Throttled | Cause::Exhausted) => mode.proves_messages(),
        };
        if proven {
            self.standing.circuit.close(now)
        } else {
            None
        }
    }

    /// The endpoint refused the probe itself. So it can be reached; nothing else is known.
    fn probe_reached(&mut self, now: Instant) -> Option<Change> {
        let failing = self.standing.out_because() == Some(Cause::Failing);
        if failing && self.standing.only_connecting_failed() {
            self.standing.circuit.close(now)
        } else {
            None
        }
    }

    fn probe_failed(
        &mut self,
        outcome: &Outcome,
        policy: &Breaker,
        now: Instant,
    ) -> Option<Change> {
        match outcome {
            Outcome::Failed(_) => {
                let change = self.standing.circuit.fail_probe(policy, now);
                self.standing.note_change(change, outcome);
                change
            }
            Outcome::Refused(_)
            | Outcome::Exhausted { .. }
            | Outcome::Throttled { .. }
            | Outcome::Away { .. } => {
                let pass = self.standing.circuit.issue();
                self.book_failure(pass, outcome, policy, now)
            }
            Outcome::Answered
            | Outcome::ClientFault(_)
            | Outcome::NotServed { .. }
            | Outcome::Abandoned => None,
        }
    }
}
