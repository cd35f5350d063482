//! Why a request gets no (further) attempt.

use super::reason::WhyNot;
use crate::endpoint_id::EndpointId;

/// No (further) attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What stands in the way as a whole.
    pub why: DeniedWhy,
    /// Why each endpoint was passed over.
    pub endpoints: Vec<(EndpointId, WhyNot)>,
}

/// What stands in the way of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedWhy {
    /// No endpoint is configured.
    NoEndpoints,
    /// None may take it.
    NoneFit,
    /// Failover is switched off.
    FailoverOff,
    /// `failover.max_attempts` is reached.
    AttemptsSpent,
    /// The retry budget is spent: too many requests fail at once.
    BudgetSpent,
    /// Others wait for an endpoint to return, and go first.
    OthersWait,
}
