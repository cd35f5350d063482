//! What an endpoint's quota has left.

use std::time::Instant;

use crate::quota::{Dry, Quota};

#[derive(Debug, Default)]
pub(crate) struct Reserve {
    /// What its last answer that said anything said of the quota.
    pub(super) told: Option<Quota>,
    /// Whether that is about to run dry.
    pub(crate) dry: Option<Dry>,
}

impl Reserve {
    /// Takes over what an answer says. Says whether the endpoint begins, or ceases, to run dry.
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
