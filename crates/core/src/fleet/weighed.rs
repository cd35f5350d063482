//! The last time that a conversation's prompt cache was weighed against a faster endpoint, for front-ends.
//! Nothing is decided by it.

use std::time::{Duration, Instant};

use super::state::Fleet;
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

impl Fleet {
    /// The last comparison, if it was made in the last ten minutes.
    pub fn last_weighed(&self, now: Instant) -> Option<Weighed> {
        let is_recent = |weighed: &Weighed| now.saturating_duration_since(weighed.at) < RECENT;
        self.weighed.filter(is_recent)
    }

    /// A conversation stays at an endpoint for its cache, although the preferred one is faster.
    pub(super) fn note_stay(&mut self, at: EndpointId, worth: Worth, now: Instant) {
        let note = |to| Weighed {
            at: now,
            from: at,
            to,
            worth,
            has_moved: false,
        };
        self.weighed = self.preferred.map(note);
    }

    /// A conversation has moved: its answer has begun at the new endpoint.
    pub(super) fn note_move(
        &mut self,
        (from, to): (EndpointId, EndpointId),
        worth: Worth,
        now: Instant,
    ) {
        self.weighed = Some(Weighed {
            at: now,
            from,
            to,
            worth,
            has_moved: true,
        });
    }
}
