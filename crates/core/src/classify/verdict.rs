//! The verdict on an answer: what it means, and what shows it.

use super::outcome::Outcome;

/// What an answer means, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it means.
    pub outcome: Outcome,
    /// What shows it.
    pub ground: Ground,
}

/// What shows the meaning of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Its status, or how it broke off.
    Status,
    /// The words in its body.
    Words,
    /// Its headers.
    Headers,
    /// What a gateway in front of the endpoint said.
    Gateway,
    /// A rule of the user: its place in `failover.rules`, from 0.
    Rule(usize),
}

/// A verdict without a look at the words of an answer.
impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        Self::new(outcome, Ground::Status)
    }
}

impl Verdict {
    pub(super) fn new(outcome: Outcome, ground: Ground) -> Self {
        Self { outcome, ground }
    }
}
