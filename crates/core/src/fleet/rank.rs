//! Which endpoint is better, as data: the rule can be read and tested.

use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::state::Fleet;
use crate::circuit::{Cause, CircuitState};
use crate::config::Strategy;

/// The smaller one is better. The order of the fields is the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) last_probe_failed: bool,
    /// The endpoint is in a brownout.
    pub(super) slow: bool,
    /// Its quota is about to run dry.
    pub(super) runs_dry: bool,
    /// By the strategy. Equal for all under `latency`.
    pub(super) merit: Merit,
    /// Endpoints without a measurement come last, in the order of the configuration.
    pub(super) unmeasured: bool,
    pub(super) latency: Duration,
    pub(super) position: Position,
}

/// The priority, or the bits of the price: the bits of numbers that are not negative have the same order as
/// the numbers.
pub(super) type Merit = u64;

/// The default group comes first, then the order of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) outside_default_group: bool,
    pub(super) index: usize,
}

/// How usable an endpoint is that is out, for the last resort. The smallest is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Remnant {
    /// `None`: the circuit is not open (a trial is in flight, or the model is not served).
    pub(super) cause: Option<Cause>,
    /// An endpoint that may be used earlier is better.
    pub(super) until: Option<Instant>,
    pub(super) position: Position,
}

impl Fleet {
    pub(super) fn rank(&self, endpoint: &Endpoint) -> Rank {
        let latency = endpoint.latency.best_known();
        Rank {
            last_probe_failed: endpoint.standing.last_probe_failed,
            slow: endpoint.latency.slowness().is_some(),
            runs_dry: endpoint.reserve.dry.is_some(),
            merit: self.merit(endpoint),
            unmeasured: latency.is_none(),
            latency: latency.unwrap_or_default(),
            position: self.position(endpoint),
        }
    }

    pub(super) fn merit(&self, endpoint: &Endpoint) -> Merit {
        match self.config.routing.strategy {
            Strategy::Priority => u64::from(endpoint.spec.priority),
            Strategy::Price => endpoint.spec.price.to_bits(),
            Strategy::Latency
            | Strategy::RoundRobin
            | Strategy::WeightedRoundRobin
            | Strategy::Random => 0,
        }
    }

    pub(super) fn remnant(&self, endpoint: &Endpoint) -> Remnant {
        let (cause, until) = match endpoint.standing.circuit.state() {
            CircuitState::Open { cause, until, .. } => (Some(cause), until),
            CircuitState::Closed { .. } | CircuitState::HalfOpen { .. } => (None, None),
        };
        Remnant {
            cause,
            until,
            position: self.position(endpoint),
        }
    }

    fn position(&self, endpoint: &Endpoint) -> Position {
        let default = self.config.groups.iter().find(|group| group.default);
        let index = self
            .endpoints
            .iter()
            .position(|other| other.id == endpoint.id);
        Position {
            outside_default_group: default.is_some_and(|group| group.name != endpoint.spec.group),
            index: index.unwrap_or(usize::MAX),
        }
    }
}
