//! What moving a conversation is worth: milliseconds saved against a prompt cache lost.
//!
//! Every endpoint has its own prompt cache. A conversation that moves writes its prefix again instead of
//! reading it:
//!
//! > cost = tokens × (write rate × price there − read rate × price here) + [`RISK_USD`]
//!
//! Its answers begin sooner from then on:
//!
//! > worth = time saved a turn × turns to come × `routing.second_usd`
//!
//! It moves for speed when `worth > cost`. It is expected to have as many turns to come as it has had, at
//! most `MOST_TURNS`: if only the age of something is known, the best guess is that half of it is over.
//! Before the first answer with a `usage`, the cache is unknown, and the conversation stays. An expired cache
//! costs nothing. An unknown model has the highest rates, so its conversations rather stay.
//!
//! Not for endpoints that are not fit. Fitness comes before all of this.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::config::{Config, Price};
use crate::price::{Cost, Usage, rates};

/// What a move costs besides: another account drops the thinking that this one has signed.
pub const RISK_USD: f64 = 0.02;
/// No request waits this long.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// Maximum number of turns that are expected.
const MOST_TURNS: u32 = 20;

/// A conversation's cached prefix at its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cached {
    model: String,
    tokens: u64,
    /// How long it lives after its last use.
    life: Duration,
    used: Instant,
}

/// Both sides of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// How much sooner an answer would begin.
    pub saved: Duration,
    /// What that is worth over the turns to come.
    pub worth: Cost,
    /// What losing the cache costs.
    pub cost: Cost,
}

/// What the two sides of the comparison are counted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale<'a> {
    /// `[pricing]`: the user's own rates.
    pub(crate) own: &'a BTreeMap<String, Price>,
    /// What a second less to wait is worth.
    pub(crate) second_usd: f64,
}

impl<'a> Scale<'a> {
    pub(crate) fn of(config: &'a Config) -> Self {
        Self {
            own: &config.pricing,
            second_usd: config.routing.second_usd,
        }
    }
}

impl Worth {
    /// Whether the move is worth it.
    pub fn is_worth_it(&self) -> bool {
        self.worth > self.cost
    }
}

impl Cached {
    const FIVE_MINUTES: Duration = Duration::from_secs(300);
    const ONE_HOUR: Duration = Duration::from_secs(3600);

    /// Updates the cache from an answer. A side call of the same conversation has a prefix of its own: a
    /// prefix of less than half the size does not replace the conversation's while that one may still be
    /// there.
    pub(crate) fn update(old: Option<Self>, model: &str, usage: &Usage, now: Instant) -> Self {
        let tokens = tokens_of(usage);
        match old {
            Some(old) if old.tokens / 2 > tokens && !old.has_expired(now) => old,
            old => {
                // An answer that only reads does not say how long the cache lives, so the time stays as
                // before.
                let before = old.map_or(Self::FIVE_MINUTES, |old| old.life);
                let life = if usage.cache_write_1h > 0 {
                    Self::ONE_HOUR
                } else if usage.cache_write_5m > 0 {
                    Self::FIVE_MINUTES
                } else {
                    before
                };
                Self {
                    model: model.to_owned(),
                    tokens,
                    life,
                    used: now,
                }
            }
        }
    }

    /// How many tokens it has. `None`: it has expired.
    pub(crate) fn alive(&self, now: Instant) -> Option<u64> {
        (!self.has_expired(now)).then_some(self.tokens)
    }

    /// Whether an answer of that model with this usage belongs to the conversation itself, not to a side
    /// call.
    pub(crate) fn is_continued_by(&self, model: &str, usage: &Usage) -> bool {
        self.model == model && tokens_of(usage) >= self.tokens / 2
    }

    fn has_expired(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) >= self.life
    }

    /// Compares a move from an endpoint with price `here` to one with price `there`.
    pub(crate) fn weigh(
        &self,
        saved: Duration,
        turns: u32,
        (here, there): (f64, f64),
        scale: Scale<'_>,
        now: Instant,
    ) -> Worth {
        let turns = f64::from(turns.min(MOST_TURNS));
        Worth {
            saved,
            worth: Cost::from_usd(saved.as_secs_f64() * turns * scale.second_usd),
            cost: self.cost_of_a_move((here, there), scale.own, now),
        }
    }

    /// How long a request has to wait here until asking there as well is worth losing the cache. `None`: no
    /// wait is worth it.
    pub(crate) fn wait_worth_a_move(
        &self,
        prices: (f64, f64),
        scale: Scale<'_>,
        now: Instant,
    ) -> Option<Duration> {
        let cost = self.cost_of_a_move(prices, scale.own, now);
        let wait = Duration::try_from_secs_f64(cost.usd() / scale.second_usd).ok();
        wait.filter(|wait| *wait < LONGEST_WAIT)
    }

    fn cost_of_a_move(
        &self,
        (here, there): (f64, f64),
        own: &BTreeMap<String, Price>,
        now: Instant,
    ) -> Cost {
        let tokens = if self.has_expired(now) {
            0
        } else {
            self.tokens
        };
        let rates = rates(&self.model, tokens, own);
        let write = if self.life == Self::ONE_HOUR {
            rates.cache_write_1h
        } else {
            rates.cache_write_5m
        };
        let difference = (write * there - rates.cache_read * here).max(0.0);
        Cost::from_usd(tokens as f64 * difference / 1e6 + RISK_USD)
    }
}

/// What is cached after an answer with this usage.
fn tokens_of(usage: &Usage) -> u64 {
    [usage.cache_read, usage.cache_write_5m, usage.cache_write_1h]
        .into_iter()
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    fn usage(read: u64, written: u64) -> Usage {
        Usage {
            cache_read: read,
            cache_write_5m: written,
            ..Usage::default()
        }
    }

    fn cached(tokens: u64, now: Instant) -> Cached {
        Cached::update(None, "claude-opus-5-5", &usage(tokens, 0), now)
    }

    fn weigh(cached: &Cached, saved_ms: u64, turns: u32, there: f64, now: Instant) -> Worth {
        let saved = Duration::from_millis(saved_ms);
        let (own, second_usd) = (&BTreeMap::new(), 0.01);
        cached.weigh(saved, turns, (1.0, there), Scale { own, second_usd }, now)
    }

    #[test]
    fn a_hundred_thousand_tokens_of_opus_cost_what_they_cost() {
        let now = Instant::now();

        let worth = weigh(&cached(100_000, now), 4500, 10, 1.0, now);

        assert_eq!(worth.cost.usd(), 0.48 + RISK_USD);
        assert_eq!(worth.worth.usd(), 0.45);
        assert!(!worth.is_worth_it());
    }

    #[test]
    fn more_turns_a_cheaper_endpoint_or_an_expired_cache_make_it_worth_it() {
        let now = Instant::now();
        let cached = cached(100_000, now);
        let later = now + Duration::from_secs(301);

        assert!(weigh(&cached, 4500, 12, 1.0, now).is_worth_it());
        assert!(weigh(&cached, 4500, 10, 0.5, now).is_worth_it());
        assert!(weigh(&cached, 4500, 10, 1.0, later).is_worth_it());
    }

    #[test]
    fn an_unknown_model_is_dear() {
        let now = Instant::now();
        let unknown = Cached::update(None, "another", &usage(100_000, 0), now);

        let costs =
            [&unknown, &cached(100_000, now)].map(|cached| weigh(cached, 0, 0, 1.0, now).cost);

        assert!(costs[0] > costs[1]);
    }

    #[test]
    fn what_a_second_is_worth_decides_how_long_a_request_waits() {
        let (now, own) = (Instant::now(), BTreeMap::new());
        let cached = cached(100_000, now);

        let waits = [0.01, 0.1, 0.0].map(|second_usd| {
            let scale = Scale {
                own: &own,
                second_usd,
            };
            cached.wait_worth_a_move((1.0, 1.0), scale, now)
        });

        let seconds = |wait| Some(Duration::from_secs(wait));
        assert_eq!(waits, [seconds(50), seconds(5), None]);
    }

    #[test]
    fn a_side_call_does_not_stand_for_the_conversation() {
        let now = Instant::now();
        let whole = cached(100_000, now);
        let side = usage(0, 2000);
        let later = now + Duration::from_secs(400);

        let at_once = Cached::update(Some(whole.clone()), "claude-opus-5-5", &side, now);
        let expired = Cached::update(Some(whole.clone()), "claude-opus-5-5", &side, later);

        assert_eq!((at_once, expired.tokens), (whole, 2000));
    }
}
