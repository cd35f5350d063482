//! How much of an endpoint's quota is left.

use std::time::Instant;

use crate::quota::{Dry, Quota};

#[derive(Debug, Default)]
pub(crate) struct Reserve {
    /// The quota, from the last answer that said anything about it.
    pub(super) told: Option<Quota>,
    /// Whether the quota is about to run dry.
    pub(crate) dry: Option<Dry>,
}

impl Reserve {
    /// Notes what an answer says. Returns whether the endpoint has begun or stopped to run dry.
    pub(crate) fn note(&mut self, quota: Quota, now: Instant) -> bool {
        let before = self.dry.is_some();
        self.dry = quota.dry(now);
        self.told = Some(quota);
        self.dry.is_some() != before
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.dry.map(|dry| dry.until)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.dry.take_if(|dry| dry.until <= now);
    }
}
