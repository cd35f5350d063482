//! The last time that a conversation's prompt cache was weighed against a faster endpoint, for front-ends.
//! Nothing is decided by it.

use std::time::{Duration, Instant};

use crate::endpoint_id::EndpointId;
use crate::worth::Worth;

/// How long it is worth showing.
const RECENT: Duration = Duration::from_secs(600);

/// A conversation's prompt cache, weighed against a faster endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// When.
    pub at: Instant,
    /// Where the conversation was.
    pub from: EndpointId,
    /// The faster endpoint.
    pub to: EndpointId,
    /// The comparison.
    pub worth: Worth,
    /// Whether the conversation moved. Otherwise it stayed for its cache.
    pub has_moved: bool,
}

impl Weighed {
    /// Whether it was made in the last ten minutes.
    pub(super) fn is_recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < RECENT
    }
}
