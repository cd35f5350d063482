//! `[routing]`: how an endpoint is chosen.

use std::time::Duration;

/// `[routing]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    /// How an endpoint is chosen.
    pub strategy: Strategy,
    /// Whether a conversation stays on its endpoint while that is fit.
    pub sticky_sessions: bool,
    /// How long after its last request a conversation is remembered.
    pub sticky_ttl: Duration,
    /// Minimum time between two switches for speed.
    pub min_dwell: Duration,
    /// What it is worth to its user, in dollars, that an answer begins a second sooner.
    pub second_usd: f64,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            strategy: Strategy::Latency,
            sticky_sessions: true,
            sticky_ttl: Duration::from_secs(300),
            min_dwell: Duration::from_secs(30),
            second_usd: 0.01,
        }
    }
}

/// How an endpoint is chosen among those that may take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The fastest, with hysteresis.
    Latency,
    /// The smallest `priority`. Equal ones by latency.
    Priority,
    /// The smallest `price`. Equal ones by latency.
    Price,
    /// One after the other.
    RoundRobin,
    /// One after the other, in proportion to `weight`.
    WeightedRoundRobin,
    /// A random one; all are equally likely.
    Random,
}

impl Strategy {
    /// Whether requests are distributed over all endpoints, so that no single one is in use.
    pub fn distributes(self) -> bool {
        match self {
            Self::RoundRobin | Self::WeightedRoundRobin | Self::Random => true,
            Self::Latency | Self::Priority | Self::Price => false,
        }
    }
}
