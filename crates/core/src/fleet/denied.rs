//! Why a request gets no attempt, or no further one.

use super::reason::WhyNot;
use crate::endpoint_id::EndpointId;

/// The request gets no attempt, or no further one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The reason as a whole.
    pub why: DeniedWhy,
    /// Why each endpoint was passed over.
    pub endpoints: Vec<(EndpointId, WhyNot)>,
}

/// Why there is no attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedWhy {
    /// No endpoint is configured.
    NoEndpoints,
    /// No endpoint may take it.
    NoneFit,
    /// Failover is switched off.
    FailoverOff,
    /// `failover.max_attempts` is reached.
    AttemptsSpent,
    /// The retry budget is spent: too many requests fail at the same time.
    BudgetSpent,
    /// Other requests wait for an endpoint to return, and come first.
    OthersWait,
}
