//! What the end of an attempt means.

use std::time::Duration;

use super::fault::{Contact, Fault};
use super::subject::Subject;

/// What the end of an attempt means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is complete.
    Answered,
    /// The client made a mistake. The endpoint is healthy.
    ClientFault(u16),
    /// Not answered, for a reason that does not concern the endpoint as a whole.
    NotServed {
        /// What was seen.
        fault: Fault,
        /// What it is about.
        subject: Subject,
        /// How long it lasts, if the answer said so.
        lasts: Option<Duration>,
    },
    /// Our credential is refused. The circuit is open until the credential changes, a person reinstates the
    /// endpoint, or a probe succeeds.
    Refused(Fault),
    /// The quota or credit is used up. The circuit is open for a long time.
    Exhausted {
        /// What was seen.
        fault: Fault,
        /// The wait that the endpoint asks for.
        retry_after: Option<Duration>,
    },
    /// The endpoint asked us to slow down. It is not broken.
    Throttled {
        /// What was seen.
        fault: Fault,
        /// The wait that the endpoint asks for.
        retry_after: Option<Duration>,
    },
    /// The answer was not usable, and said when the endpoint will be back. It is out until then.
    Away {
        /// What was seen.
        fault: Fault,
        /// When it will be back.
        returns_in: Duration,
    },
    /// The answer was not usable. This counts against the endpoint.
    Failed(Fault),
    /// The client left. This says nothing about the endpoint.
    Abandoned,
}

impl Outcome {
    /// The endpoint does not serve this model or path, and did not say for how long.
    pub fn model_not_served(fault: Fault) -> Self {
        Self::NotServed {
            fault,
            subject: Subject::Model,
            lasts: None,
        }
    }

    /// The endpoint does not serve this one request.
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

    /// How long the outcome holds, if the answer said so.
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

    /// What the outcome is about, if something went wrong.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::NotServed { subject, .. } => Some(subject.clone()),
            Self::Refused(_) | Self::Exhausted { .. } => Some(Subject::Account),
            Self::Throttled { .. } | Self::Away { .. } | Self::Failed(_) => Some(Subject::Endpoint),
            Self::ClientFault(_) => Some(Subject::Client),
            Self::Answered | Self::Abandoned => None,
        }
    }

    /// What the outcome says about the network in between.
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

    /// Whether another endpoint should be asked, as long as the client has seen nothing.
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
