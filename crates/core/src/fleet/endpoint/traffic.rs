//! Counts the attempts at an endpoint.

use std::time::Instant;

use super::lately::Lately;

#[derive(Debug)]
pub(crate) struct Traffic {
    /// Attempts in flight.
    pub(crate) in_flight: u32,
    /// All attempts so far.
    pub(super) attempts: u64,
    /// Failed attempts so far.
    pub(super) failures: u64,
    lately: Lately,
}

impl Traffic {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            in_flight: 0,
            attempts: 0,
            failures: 0,
            lately: Lately::new(now),
        }
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.in_flight += 1;
        self.attempts += 1;
        self.lately.note(now);
    }

    pub(super) fn end(&mut self) {
        self.in_flight -= 1;
    }

    /// Whether there was any attempt.
    pub(crate) fn has_begun(&self) -> bool {
        self.attempts > 0
    }

    /// Attempts in the last five minutes.
    pub(crate) fn lately(&self, now: Instant) -> u64 {
        self.lately.count(now)
    }
}
