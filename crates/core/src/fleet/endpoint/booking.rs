//! What the end of an attempt does to its endpoint.

use std::sync::Arc;
use std::time::Instant;

use super::state::Endpoint;
use crate::call::CallKind;
use crate::circuit::{Cause, Change, CircuitState, Pass};
use crate::classify::{Fault, Outcome};
use crate::config::Breaker;
use crate::fleet::asked::{Asked, Traits};
use crate::fleet::blame::Blame;

/// What the end of an attempt has changed.
pub(crate) struct Booked {
    pub(crate) change: Option<Change>,
    /// When the mark that was set ends, if it ends by itself.
    pub(crate) until: Option<Instant>,
}

impl Endpoint {
    pub(crate) fn settle(
        &mut self,
        pass: Pass,
        (asked, traits): (Arc<Asked>, Traits),
        outcome: Outcome,
        blame: Blame,
        policy: &Breaker,
        now: Instant,
    ) -> Booked {
        self.traffic.end();
        if self.traffic.in_flight == 0 {
            self.access.note_idle();
        }
        // A person's decision ended the attempt. This says nothing about the endpoint.
        let outcome = if outcome == Outcome::Failed(Fault::DrainTimeout) {
            Outcome::Abandoned
        } else {
            outcome
        };
        if let Some(fault) = outcome.fault() {
            self.last_fault = Some(fault.clone());
        }
        self.is_remembered &= outcome == Outcome::Abandoned;
        if outcome == Outcome::Answered {
            self.marks.lift(&asked, traits);
        }
        let mut until = None;
        let change = match outcome {
            Outcome::Answered | Outcome::ClientFault(_) if asked.kind == CallKind::Messages => {
                self.standing.last_probe_failed = false;
                self.standing.circuit.succeed(pass, now)
            }
            Outcome::NotServed { subject, lasts, .. } => {
                if asked.kind.is_understood() {
                    until = self.marks.note(&subject, &asked, traits, lasts, now);
                }
                self.standing.circuit.release(pass);
                None
            }
            // An answer on another path says nothing about messages.
            Outcome::Answered | Outcome::ClientFault(_) | Outcome::Abandoned => {
                self.standing.circuit.release(pass);
                None
            }
            failed @ (Outcome::Refused(_)
            | Outcome::Exhausted { .. }
            | Outcome::Throttled { .. }
            | Outcome::Away { .. }
            | Outcome::Failed(_)) => {
                self.traffic.failures += 1;
                match blame {
                    Blame::Endpoint => self.book_failure(pass, &failed, policy, now),
                    Blame::Network => {
                        self.standing.circuit.release(pass);
                        None
                    }
                }
            }
        };
        if let CircuitState::Open { until: back, .. } = self.standing.circuit.state() {
            until = until.or(back);
        }
        Booked { change, until }
    }

    pub(super) fn book_failure(
        &mut self,
        pass: Pass,
        outcome: &Outcome,
        policy: &Breaker,
        now: Instant,
    ) -> Option<Change> {
        let circuit = &mut self.standing.circuit;
        let change = match outcome {
            Outcome::Refused(_) => circuit.refuse(pass),
            Outcome::Exhausted { retry_after, .. } => {
                circuit.throttle(pass, Cause::Exhausted, *retry_after, policy, now)
            }
            Outcome::Throttled { retry_after, .. } => {
                circuit.throttle(pass, Cause::Throttled, *retry_after, policy, now)
            }
            Outcome::Away { returns_in, .. } => {
                circuit.throttle(pass, Cause::Failing, Some(*returns_in), policy, now)
            }
            Outcome::Failed(_)
            | Outcome::Answered
            | Outcome::ClientFault(_)
            | Outcome::NotServed { .. }
            | Outcome::Abandoned => circuit.fail(pass, policy, now),
        };
        self.standing.note_change(change, outcome);
        change
    }
}
