//! What a call costs: five rates per model, applied to the `usage` of its answer.
//!
//! The table is that of November 2026 (list prices in USD per million tokens); `[pricing]` in the
//! configuration goes before it. A model that is in neither is taken for the dearest there ever was:
//! an estimate may be too high, and is never zero for want of knowledge. An endpoint's own `price`
//! multiplies all of it.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Price;

/// An amount of money, in billionths of a US dollar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Cost(u64);

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// This many dollars; what is no amount is none.
    pub fn from_usd(usd: f64) -> Self {
        // Saturates, and what is not a number is zero.
        Self((usd * BILLION).round() as u64)
    }

    /// In dollars.
    pub fn usd(self) -> f64 {
        self.0 as f64 / BILLION
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Add::add)
    }
}

/// The tokens of one call, by their rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Fresh input.
    pub input: u64,
    /// Output, thinking included.
    pub output: u64,
    /// Written to the five-minute cache.
    pub cache_write_5m: u64,
    /// Written to the one-hour cache.
    pub cache_write_1h: u64,
    /// Read from the cache.
    pub cache_read: u64,
}

impl Usage {
    /// Reads an answer's `usage`, if it is one.
    pub fn read(usage: &Value) -> Option<Self> {
        let count = |value: &Value| value.as_u64().unwrap_or_default();
        let input = usage.get("input_tokens")?.as_u64()?;
        let written = count(&usage["cache_creation_input_tokens"]);
        let one_hour = count(&usage["cache_creation"]["ephemeral_1h_input_tokens"]).min(written);
        Some(Self {
            input,
            output: count(&usage["output_tokens"]),
            cache_write_5m: written - one_hour,
            cache_write_1h: one_hour,
            cache_read: count(&usage["cache_read_input_tokens"]),
        })
    }

    /// Tokens of the prompt, whatever their rate.
    pub fn prompt(&self) -> u64 {
        [
            self.input,
            self.cache_write_5m,
            self.cache_write_1h,
            self.cache_read,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

/// The rates of a model for a prompt of that length.
pub fn rates(model: &str, prompt: u64, own: &BTreeMap<String, Price>) -> Price {
    let bare = without_date(model);
    let listed = own.get(model).or_else(|| own.get(bare)).copied();
    listed.or_else(|| built_in(bare, prompt)).unwrap_or(DEAREST)
}

/// What a call of that model costs by its usage, at an endpoint with this `price`.
pub fn cost(model: &str, usage: &Usage, own: &BTreeMap<String, Price>, multiplier: f64) -> Cost {
    let rates = rates(model, usage.prompt(), own);
    let parts = [
        (usage.input, rates.input),
        (usage.output, rates.output),
        (usage.cache_write_5m, rates.cache_write_5m),
        (usage.cache_write_1h, rates.cache_write_1h),
        (usage.cache_read, rates.cache_read),
    ];
    let millionths: f64 = parts
        .iter()
        .map(|&(tokens, rate)| tokens as f64 * rate)
        .sum();
    let usd = millionths * multiplier / MILLION;
    // Rounded up: what costs anything costs something.
    Cost((usd * BILLION).ceil() as u64)
}

const MILLION: f64 = 1e6;
const BILLION: f64 = 1e9;

/// Above this a prompt of Claude Haiku 5.5 is charged at its higher rates, as a whole.
const LONG_PROMPT: u64 = 100_000;

const fn price([input, output, cache_write_5m, cache_write_1h, cache_read]: [f64; 5]) -> Price {
    Price {
        input,
        output,
        cache_write_5m,
        cache_write_1h,
        cache_read,
    }
}

/// Claude Opus 4 and 4.1: nothing dearer was ever listed.
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

/// `claude-haiku-4-5-20251001` is `claude-haiku-4-5` of a day.
fn without_date(model: &str) -> &str {
    match model.rsplit_once('-') {
        Some((bare, date)) if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) => {
            bare
        }
        Some(_) | None => model,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a probe is.
    const ONE_TOKEN: Usage = Usage {
        input: 10,
        output: 1,
        cache_write_5m: 0,
        cache_write_1h: 0,
        cache_read: 0,
    };

    fn usd(model: &str) -> f64 {
        cost(model, &ONE_TOKEN, &BTreeMap::new(), 1.0).usd()
    }

    #[test]
    fn a_one_token_call_costs_its_rates() {
        assert_eq!(usd("claude-haiku-5-5"), 0.0000015);
        assert_eq!(usd("claude-haiku-4-5"), 0.000015);
        assert_eq!(usd("claude-haiku-4-5-20251001"), 0.000015);
    }

    #[test]
    fn an_unknown_model_is_taken_for_the_dearest() {
        for known in ["claude-fable-5", "claude-opus-4-1", "claude-haiku-4-5"] {
            assert!(usd("a-model-of-tomorrow") >= usd(known), "{known}");
        }
    }

    #[test]
    fn the_configuration_goes_before_the_table_and_the_endpoint_multiplies() {
        let own = BTreeMap::from([("claude-haiku-4-5".to_owned(), price([2.0; 5]))]);

        let cost = cost("claude-haiku-4-5", &ONE_TOKEN, &own, 0.5);

        assert_eq!(cost.usd(), 0.000011);
    }

    #[test]
    fn a_long_prompt_of_haiku_5_5_has_the_higher_rates() {
        let own = BTreeMap::new();

        let [short, long] =
            [100_000, 100_001].map(|prompt| rates("claude-haiku-5-5", prompt, &own));

        assert_eq!((short.input, long.input), (0.1, 0.5));
    }

    #[test]
    fn usage_is_read_with_both_kinds_of_cache() {
        let usage = json!({
            "input_tokens": 3, "output_tokens": 7, "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 50,
            "cache_creation": { "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30 },
        });

        let read = Usage::read(&usage).unwrap();

        let expected = Usage {
            input: 3,
            output: 7,
            cache_write_5m: 20,
            cache_write_1h: 30,
            cache_read: 100,
        };
        assert_eq!((read, read.prompt()), (expected, 153));
        assert_eq!(Usage::read(&json!({})), None);
    }
}
