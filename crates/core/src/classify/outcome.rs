//! What the end of an attempt means.

use std::time::Duration;

use super::fault::{Contact, Fault};
use super::subject::Subject;

/// What an attempt's end means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered, completely.
    Answered,
    /// The client's mistake; the endpoint is healthy.
    ClientFault(u16),
    /// Not answered, for a reason that does not concern the endpoint as a whole.
    NotServed {
        /// What was seen.
        fault: Fault,
        /// What it concerns.
        subject: Subject,
        /// For how long, if that was told.
        lasts: Option<Duration>,
    },
    /// Our credential is refused: open until it changes, a person reinstates, or a probe succeeds.
    Refused(Fault),
    /// Quota or credit is used up: open for long.
    Exhausted {
        /// What was seen.
        fault: Fault,
        /// How long the endpoint asks for.
        retry_after: Option<Duration>,
    },
    /// Asked to slow down; not broken.
    Throttled {
        /// What was seen.
        fault: Fault,
        /// How long the endpoint asks for.
        retry_after: Option<Duration>,
    },
    /// No usable answer, and it said when it will be back: out until then.
    Away {
        /// What was seen.
        fault: Fault,
        /// When it will be back.
        returns_in: Duration,
    },
    /// No usable answer; counts against the endpoint.
    Failed(Fault),
    /// The client left, which says nothing about the endpoint.
    Abandoned,
}

impl Outcome {
    /// It does not serve this model or path, and did not say for how long.
    pub fn model_not_served(fault: Fault) -> Self {
        Self::NotServed {
            fault,
            subject: Subject::Model,
            lasts: None,
        }
    }

    /// It does not serve this one request.
    pub fn request_not_served(fault: Fault) -> Self {
        Self::NotServed {
            fault,
            subject: Subject::Request,
            lasts: None,
        }
    }

    /// What was seen, if something went wrong at the endpoint.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused(fault) | Self::Failed(fault) => Some(fault),
            Self::NotServed { fault, .. }
            | Self::Exhausted { fault, .. }
            | Self::Throttled { fault, .. }
            | Self::Away { fault, .. } => Some(fault),
            Self::Answered | Self::ClientFault(_) | Self::Abandoned => None,
        }
    }

    /// For how long what it means holds, if that was told.
    pub fn lasts(&self) -> Option<Duration> {
        match self {
            Self::NotServed { lasts, .. } => *lasts,
            Self::Exhausted { retry_after, .. } | Self::Throttled { retry_after, .. } => {
                *retry_after
            }
            Self::Away { returns_in, .. } => Some(*returns_in),
            Self::Answered
            | Self::ClientFault(_)
            | Self::Refused(_)
            | Self::Failed(_)
            | Self::Abandoned => None,
        }
    }

    /// What it is about, if something went wrong.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::NotServed { subject, .. } => Some(subject.clone()),
            Self::Refused(_) | Self::Exhausted { .. } => Some(Subject::Account),
            Self::Throttled { .. } | Self::Away { .. } | Self::Failed(_) => Some(Subject::Endpoint),
            Self::ClientFault(_) => Some(Subject::Client),
            Self::Answered | Self::Abandoned => None,
        }
    }

    /// What it tells of the network in between.
    pub fn contact(&self) -> Contact {
        match self {
            Self::Answered
            | Self::ClientFault(_)
            | Self::NotServed { .. }
            | Self::Refused(_)
            | Self::Exhausted { .. }
            | Self::Throttled { .. }
            | Self::Away { .. } => Contact::Made,
            Self::Failed(fault) => fault.contact(),
            Self::Abandoned => Contact::Unknown,
        }
    }

    /// Whether another endpoint should be asked, if the client has seen nothing yet.
    pub fn moves_on(&self, on_client_errors: bool) -> bool {
        match self {
            Self::NotServed { .. }
            | Self::Refused(_)
            | Self::Exhausted { .. }
            | Self::Throttled { .. }
            | Self::Away { .. }
            | Self::Failed(_) => true,
            Self::ClientFault(_) => on_client_errors,
            Self::Answered | Self::Abandoned => false,
        }
    }
}
