//! The rates of each model, in USD per million tokens.
//!
//! The table has the list prices of November 2026; `[pricing]` in the configuration takes precedence. A model
//! that is in neither has no price. If a limit must be kept anyway ([`cost`]), such a model has the highest
//! rates that were ever listed: the estimate may be too high, but it is never zero because a price is
//! unknown.

use std::collections::BTreeMap;

use super::cost::Cost;
use super::tokens::Usage;
use crate::config::Price;

pub(super) const MILLION: f64 = 1e6;

/// Whether the configuration has a price for that model.
pub fn is_priced_by_hand(model: &str, own: &BTreeMap<String, Price>) -> bool {
    own_price(model, own).is_some()
}

/// The rates of a model for a prompt of that length. `None`: unknown.
pub fn known_rates(model: &str, prompt: u64, own: &BTreeMap<String, Price>) -> Option<Price> {
    own_price(model, own).or_else(|| built_in(without_date(model), prompt))
}

/// The rates of a model for a prompt of that length. If they are unknown: the highest ever listed.
pub fn rates(model: &str, prompt: u64, own: &BTreeMap<String, Price>) -> Price {
    known_rates(model, prompt, own).unwrap_or(DEAREST)
}

/// The cost of a call of that model by its usage, at an endpoint with this `price`.
pub fn cost(model: &str, usage: &Usage, own: &BTreeMap<String, Price>, multiplier: f64) -> Cost {
    let rates = rates(model, usage.prompt(), own);
    Cost::rounded_up(rates.millionths(usage) * multiplier / MILLION)
}

impl Price {
    /// The cost of these tokens, in millionths of a dollar.
    pub(super) fn millionths(&self, usage: &Usage) -> f64 {
        let parts = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_write_5m, self.cache_write_5m),
            (usage.cache_write_1h, self.cache_write_1h),
            (usage.cache_read, self.cache_read),
        ];
        parts
            .iter()
            .map(|&(tokens, rate)| tokens as f64 * rate)
            .sum()
    }

    pub(super) fn times(&self, factor: f64) -> Self {
        Self {
            input: self.input * factor,
            output: self.output * factor,
            cache_write_5m: self.cache_write_5m * factor,
            cache_write_1h: self.cache_write_1h * factor,
            cache_read: self.cache_read * factor,
        }
    }
}

pub(super) fn own_price(model: &str, own: &BTreeMap<String, Price>) -> Option<Price> {
    own.get(model)
        .or_else(|| own.get(without_date(model)))
        .copied()
}

/// A longer prompt of Claude Haiku 5.5 has higher rates for all of its tokens.
const LONG_PROMPT: u64 = 100_000;

pub(super) const fn price(
    [input, output, cache_write_5m, cache_write_1h, cache_read]: [f64; 5],
) -> Price {
    Price {
        input,
        output,
        cache_write_5m,
        cache_write_1h,
        cache_read,
    }
}

/// Claude Opus 4 and 4.1: the highest rates ever listed.
const DEAREST: Price = price([15.0, 75.0, 18.75, 30.0, 1.5]);

fn built_in(model: &str, prompt: u64) -> Option<Price> {
    let rates = match model {
        "claude-fable-5-2" | "claude-mythos-5-2" => [8.0, 40.0, 10.0, 16.0, 0.2],
        "claude-fable-5-1" | "claude-mythos-5-1" => [10.0, 50.0, 12.5, 20.0, 0.25],
        "claude-fable-5" | "claude-mythos-5" => [10.0, 50.0, 12.5, 20.0, 1.0],
        "claude-opus-5-5" => [4.0, 20.0, 5.0, 8.0, 0.2],
        "claude-opus-5" | "claude-opus-4-8" | "claude-opus-4-7" | "claude-opus-4-6"
        | "claude-opus-4-5" => [5.0, 25.0, 6.25, 10.0, 0.5],
        "claude-sonnet-5-5" => [2.0, 10.0, 2.5, 4.0, 0.1],
        "claude-sonnet-5" => [2.0, 10.0, 2.5, 4.0, 0.2],
        "claude-sonnet-4-6" | "claude-sonnet-4-5" | "claude-sonnet-4" | "claude-3-7-sonnet" => {
            [3.0, 15.0, 3.75, 6.0, 0.3]
        }
        "claude-haiku-5-5" if prompt > LONG_PROMPT => [0.5, 2.5, 0.625, 1.0, 0.05],
        "claude-haiku-5-5" => [0.1, 0.5, 0.125, 0.2, 0.01],
        "claude-haiku-4-5" => [1.0, 5.0, 1.25, 2.0, 0.1],
        "claude-3-5-haiku" => [0.8, 4.0, 1.0, 1.6, 0.08],
        "claude-opus-4-1" | "claude-opus-4" => return Some(DEAREST),
        _ => return None,
    };
    Some(price(rates))
}

/// `claude-haiku-4-5-20251001` is a dated `claude-haiku-4-5`.
pub(super) fn without_date(model: &str) -> &str {
    match model.rsplit_once('-') {
        Some((bare, date)) if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) => {
            bare
        }
        Some(_) | None => model,
    }
}
