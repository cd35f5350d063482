//! How many rounds of checks out of turn may be made.
//!
//! Each interval earns one round, and `CREDIT` rounds can be saved up. So rounds at most double the number of
//! checks, whatever the traffic is like.

use std::time::{Duration, Instant};

/// Rounds that can be saved up.
const CREDIT: u32 = 15;

/// The rounds that may be made, and those that are being made.
#[derive(Debug)]
pub(super) struct Rounds {
    credit: u32,
    /// Until when the credit is counted.
    counted: Instant,
    /// The rounds of the burst under way. Zero: there is none.
    pub(super) asked: u32,
}

impl Rounds {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            credit: CREDIT,
            counted: now,
            asked: 0,
        }
    }

    /// Takes up to so many rounds, if there is credit for at least `least`. `interval`: what earns one.
    pub(super) fn take(
        &mut self,
        most: u32,
        least: u32,
        interval: Duration,
        now: Instant,
    ) -> Option<u32> {
        while self.credit < CREDIT && self.counted + interval <= now {
            self.credit += 1;
            self.counted += interval;
        }
        if self.credit >= CREDIT {
            self.counted = now;
        }
        let rounds = self.credit.min(most);
        (rounds >= least).then(|| {
            self.credit -= rounds;
            self.asked += rounds;
            rounds
        })
    }
}
