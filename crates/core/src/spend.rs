//! What probes may cost per day: what was spent, what is in flight, and whether another probe is allowed.
//!
//! [`crate::budget`] is another budget: it limits retries.
//!
//! A paid probe is allowed if three amounts together stay within `health_check.daily_budget_usd`: today's
//! spending, the maximum cost of the probes in flight, and its own maximum cost. A group with a budget of its
//! own has that as a further limit for its endpoints. Above the limit an endpoint gets free probes until
//! midnight.
//!
//! The owner says when midnight is ([`Day`]). Spending is kept by the endpoint's name. So it survives a
//! reload and a restart, and removing and adding an endpoint does not reset it.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::config::{Price, ProbeMode};
use crate::price::{self, Cost, Usage};

/// A calendar day at the user's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// A text that no other day has.
    pub date: String,
    /// When it ends.
    pub ends: Instant,
}

/// What was spent on one day, for the next run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The day.
    pub date: String,
    /// By endpoint.
    pub endpoints: BTreeMap<String, Cost>,
    /// The limit that was reached, if it was reported.
    pub reached: Option<Cost>,
}

/// What was spent today.
#[derive(Debug, Default)]
pub(crate) struct Spend {
    ends: Option<Instant>,
    today: Spent,
}

/// The maximum cost of a probe whose answer is not known yet.
pub fn bound(model: &str, mode: ProbeMode, own: &BTreeMap<String, Price>, multiplier: f64) -> Cost {
    let usage = match mode {
        ProbeMode::Message => Usage {
            input: MESSAGE_INPUT,
            output: 1,
            ..Usage::default()
        },
        ProbeMode::ClaudeCli => Usage {
            cache_write_1h: CLI_INPUT,
            output: CLI_OUTPUT,
            ..Usage::default()
        },
        ProbeMode::CountTokens | ProbeMode::Models | ProbeMode::Connect | ProbeMode::Off => {
            return Cost::ZERO;
        }
    };
    price::cost(model, &usage, own, multiplier)
}

/// More tokens than the prompt of a one-token call has, also with the line that Claude Code begins with.
const MESSAGE_INPUT: u64 = 32;
/// The Claude CLI sends fewer tokens by itself.
const CLI_INPUT: u64 = 25_000;
/// The answer to a greeting has fewer tokens.
const CLI_OUTPUT: u64 = 500;

impl Spend {
    /// A day has begun, or the clock was set. Spending on another day no longer counts.
    pub(crate) fn begin(&mut self, day: Day) {
        if self.today.date != day.date {
            self.today = Spent {
                date: day.date,
                ..Spent::default()
            };
        }
        self.ends = Some(day.ends);
    }

    /// Whether the end of the day is known.
    pub(crate) fn knows_day(&self, now: Instant) -> bool {
        self.ends.is_some_and(|ends| ends > now)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.ends
    }

    /// Ends a day that is over, even if the next day is not known yet.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.ends.is_some_and(|ends| ends <= now) {
            self.ends = None;
            self.today = Spent::default();
        }
    }

    /// Books what a probe cost.
    pub(crate) fn book(&mut self, endpoint: &str, cost: Cost) {
        if cost == Cost::ZERO {
            return;
        }
        match self.today.endpoints.get_mut(endpoint) {
            Some(spent) => *spent += cost,
            None => {
                self.today.endpoints.insert(endpoint.to_owned(), cost);
            }
        }
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(cost) = self.today.endpoints.remove(from) {
            self.book(to, cost);
        }
    }

    pub(crate) fn total(&self) -> Cost {
        self.today.endpoints.values().copied().sum()
    }

    pub(crate) fn of(&self, endpoint: &str) -> Cost {
        self.today
            .endpoints
            .get(endpoint)
            .copied()
            .unwrap_or_default()
    }

    /// The limit that was reached today.
    pub(crate) fn reached(&self) -> Option<Cost> {
        self.today.reached
    }

    /// A limit was reached. Returns whether this is new.
    pub(crate) fn note_reached(&mut self, limit: Cost) -> bool {
        self.today.reached.replace(limit).is_none()
    }

    /// The limits have changed.
    pub(crate) fn forget_reached(&mut self) {
        self.today.reached = None;
    }

    pub(crate) fn remember(&self) -> Spent {
        self.today.clone()
    }

    /// Restores what an earlier run spent, if that was today as far as is known.
    pub(crate) fn recall(&mut self, spent: Spent) {
        if self.ends.is_none() || spent.date == self.today.date {
            self.today = spent;
        }
    }
}
