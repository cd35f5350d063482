//! What counts against an endpoint: its circuit, what opened it, and its last probe.

use crate::circuit::{Cause, Change, Circuit, CircuitState};
use crate::classify::{Fault, Outcome};

#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) circuit: Circuit,
    /// What opened the circuit last. Late attempts and last resorts do not change it.
    pub(super) opened_by: Option<Fault>,
    pub(crate) last_probe_failed: bool,
}

impl Standing {
    pub(super) fn note_change(&mut self, change: Option<Change>, outcome: &Outcome) {
        if let Some(Change::Opened | Change::Reopened) = change {
            self.opened_by = outcome.fault().cloned();
        }
    }

    /// Why the endpoint is out, if its circuit is not closed.
    pub(super) fn out_because(&self) -> Option<Cause> {
        out_because(self.circuit.state())
    }

    pub(super) fn only_connecting_failed(&self) -> bool {
        matches!(
            self.opened_by,
            Some(Fault::Connect(_) | Fault::Certificate(_) | Fault::ClearText)
        )
    }
}

/// Why a circuit in this state is not closed.
pub(super) fn out_because(state: CircuitState) -> Option<Cause> {
    match state {
        CircuitState::Closed { .. } => None,
        CircuitState::Open { cause, .. } | CircuitState::HalfOpen { cause, .. } => Some(cause),
    }
}
