//! What an answer was taken for, and what shows that.

use super::outcome::Outcome;

/// What an answer was taken for, and what shows that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it means.
    pub outcome: Outcome,
    /// What shows that.
    pub ground: Ground,
}

/// What shows that an answer means what it was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Its status, or how it broke.
    Status,
    /// The words in its body.
    Words,
    /// Its headers.
    Headers,
    /// What a gateway in front of the endpoint said.
    Gateway,
    /// A rule of the user's: its place in `failover.rules`, from 0.
    Rule(usize),
}

/// What is known without an answer's words.
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
