//! How a probe ended.

use std::time::Duration;

use crate::classify::{Contact, Outcome};
use crate::config::ProbeMode;
use crate::price::Cost;
use crate::quota::Quota;

/// How a probe ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// It was answered, after this time.
    Answered(Duration),
    /// A server that speaks the protocol said after this time that the request is wrong or the model is
    /// unknown. So the endpoint was reached, and nothing more is proven.
    Reached(Duration),
    /// It was not answered. The outcome says what that means.
    Failed(Outcome),
}

impl ProbeResult {
    /// How long the answer took, if one came.
    pub fn latency(&self) -> Option<Duration> {
        match self {
            Self::Answered(took) | Self::Reached(took) => Some(*took),
            Self::Failed(_) => None,
        }
    }

    pub(super) fn contact(&self) -> Contact {
        match self {
            Self::Answered(_) | Self::Reached(_) => Contact::Made,
            Self::Failed(outcome) => outcome.contact(),
        }
    }
}

/// A probe that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// How it ended.
    pub result: ProbeResult,
    /// The kind of probe that was made, if it differs from what
    /// [`Fleet::probe_mode`](super::Fleet::probe_mode) said.
    pub mode: Option<ProbeMode>,
    /// What it cost.
    pub cost: Cost,
    /// What the answer said about the endpoint's quota.
    pub quota: Option<Quota>,
}

impl From<ProbeResult> for Probed {
    /// A probe as planned, which cost nothing.
    fn from(result: ProbeResult) -> Self {
        Self {
            result,
            mode: None,
            cost: Cost::ZERO,
            quota: None,
        }
    }
}
