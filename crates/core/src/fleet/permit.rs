//! The right to one attempt, and what the attempt may report.

use std::sync::Arc;
use std::time::Duration;

use super::asked::{Asked, Traits};
use super::queue::Ticket;
use super::reason::Why;
use crate::circuit::Pass;
use crate::endpoint_id::EndpointId;
use crate::latency::Pace;
use crate::price::Usage;
use crate::session::SessionKey;
use crate::worth::Worth;

/// The right to send exactly one attempt.
#[must_use = "an unsettled permit leaks an in-flight slot"]
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    pub(super) endpoint: EndpointId,
    pub(super) pass: Pass,
    pub(super) asked: Arc<Asked>,
    pub(super) traits: Traits,
    pub(super) session: Option<SessionKey>,
    /// The place of its request in the queue, if it has waited.
    pub(super) ticket: Option<Ticket>,
    /// For a move: the home that the conversation leaves, and what the move is worth.
    pub(super) moves: Option<(EndpointId, Worth)>,
    /// Whether it goes out beside a late first one.
    pub(super) is_hedge: bool,
    /// Whether its answer has begun.
    pub(super) has_begun: bool,
}

impl Permit {
    /// Where the attempt goes.
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// The model that is asked for.
    pub fn model(&self) -> Option<&str> {
        self.asked.model.as_deref()
    }
}

/// An attempt was granted.
#[derive(Debug)]
pub struct Grant {
    /// The right to send the attempt.
    pub permit: Permit,
    /// Why this endpoint.
    pub why: Why,
    /// How long the attempt may take.
    pub pace: Pace,
    /// No other endpoint is fit to take the request after this one.
    pub is_last: bool,
}

/// What the beginning of a message says, besides that it is real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// The time to the first event of a stream.
    pub first_event: Option<Duration>,
    /// The time of an answer that is not streamed.
    pub whole: Option<Duration>,
    /// Its tokens, as far as they are known.
    pub usage: Option<Usage>,
}
