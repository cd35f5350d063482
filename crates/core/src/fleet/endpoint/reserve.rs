//! How much of an endpoint's quota is left.

use std::time::Instant;

use crate::quota::{Dry, Quota};

#[derive(Debug, Default)]
pub(crate) struct Reserve {
    /// The quota, from the last answer that said anything about it.
    pub(super) told: Option<Quota>,
    /// Whether the quota is about to run dry.
    pub(crate) dry: Option<Dry>,
    /// Until when what its subscription includes is spent.
    pub(super) spent: Option<Instant>,
}

impl Reserve {
    /// Takes over what an answer says. Says whether the endpoint begins, or ceases, to run dry or to be spent.
    pub(crate) fn note(&mut self, quota: Quota, now: Instant) -> bool {
        let is = |reserve: &Self| (reserve.dry.is_some(), reserve.spent.is_some());
        let before = is(self);
        self.dry = quota.dry(now);
        self.spent = quota.spent(now);
        self.told = Some(quota);
        is(self) != before
    }

    /// It is to be used as if nothing had been said.
    pub(super) fn forgive(&mut self) {
        self.dry = None;
        self.spent = None;
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let dry = self.dry.map(|dry| dry.until);
        dry.into_iter().chain(self.spent).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.dry.take_if(|dry| dry.until <= now);
        self.spent.take_if(|until| *until <= now);
    }
}
