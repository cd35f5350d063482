//! What a call costs: five rates per model, applied to the `usage` of its answer.
//!
//! The table is that of November 2026 (list prices in USD per million tokens); `[pricing]` in the
//! configuration goes before it. A model that is in neither has no price, and a bill says so ([`Bill`]).
//! Where a limit has to be kept all the same ([`cost`]), it is taken for the dearest there ever was: an
//! estimate may be too high, and is never zero for want of knowledge. An endpoint's own `price` multiplies
//! all of it.

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

    /// What costs anything costs something. What lies above only by the rounding of floats is not raised.
    fn rounded_up(usd: f64) -> Self {
        Self((usd * BILLION - HARDLY_ANYTHING).ceil() as u64)
    }

    /// So many billionths of a dollar.
    pub const fn from_billionths(billionths: u64) -> Self {
        Self(billionths)
    }

    /// In billionths of a dollar.
    pub const fn billionths(self) -> u64 {
        self.0
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

/// What `usage` tells besides the tokens, as far as it has a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Answered in a batch.
    pub batch: bool,
    /// Kept in the United States.
    pub us_only: bool,
    /// Answered in fast mode.
    pub fast: bool,
    /// Searches of the web.
    pub web_searches: u64,
}

/// What an answer cost by list prices: nothing is guessed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bill {
    /// All of it.
    pub cost: Cost,
    /// What reading from the prompt cache saved against reading all as fresh input.
    pub cache_saved: Cost,
    /// In USD per million tokens, before the endpoint's `price`.
    rates: Price,
    price: f64,
    usage: Usage,
}

/// A conversation's cache that it left behind when it moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Left {
    /// Tokens that were cached there.
    pub tokens: u64,
    /// The `price` of the endpoint.
    pub price: f64,
}

impl Bill {
    /// Of an answer of that model at an endpoint with this `price`; `None`: the model has no known price.
    pub fn of(
        model: &str,
        usage: &Usage,
        terms: &Terms,
        own: &BTreeMap<String, Price>,
        price: f64,
    ) -> Option<Self> {
        let listed = known_rates(model, usage.prompt(), own)?;
        let factor = terms.factor(model, own)?;
        let rates = listed.times(factor);
        let searches = terms.web_searches as f64 * WEB_SEARCH_USD;
        let cost = rates.millionths(usage) / MILLION + searches;
        let saved = usage.cache_read as f64 * (rates.input - rates.cache_read) / MILLION;
        Some(Self {
            cost: Cost::rounded_up(cost * price),
            cache_saved: Cost::from_usd(saved * price),
            rates,
            price,
            usage: *usage,
        })
    }

    /// What writing anew cost more than reading would have, of what was cached where the conversation was.
    pub fn cache_lost(&self, left: &Left) -> Cost {
        let (short, long) = (self.usage.cache_write_5m, self.usage.cache_write_1h);
        let written = short.saturating_add(long);
        let anew = left.tokens.min(written);
        if anew == 0 {
            return Cost::ZERO;
        }
        let rates = &self.rates;
        let writing = short as f64 * rates.cache_write_5m + long as f64 * rates.cache_write_1h;
        let each = writing / written as f64 * self.price - rates.cache_read * left.price;
        Cost::from_usd(anew as f64 * each / MILLION)
    }
}

impl Terms {
    /// By how much tokens are dearer or cheaper; `None`: that is not known.
    fn factor(&self, model: &str, own: &BTreeMap<String, Price>) -> Option<f64> {
        let bare = without_date(model);
        let fast = match (self.fast, bare) {
            (false, _) => 1.0,
            (true, "claude-opus-5-5" | "claude-opus-5" | "claude-opus-4-8") => 2.0,
            // Whoever sets a price knows how the model is used.
            (true, _) if own_price(model, own).is_some() => 1.0,
            (true, _) => return None,
        };
        let batch = if self.batch { 0.5 } else { 1.0 };
        let region = if self.us_only { 1.1 } else { 1.0 };
        Some(fast * batch * region)
    }
}

/// Whether the configuration has a price of that model's own.
pub fn is_priced_by_hand(model: &str, own: &BTreeMap<String, Price>) -> bool {
    own_price(model, own).is_some()
}

/// The rates of a model for a prompt of that length, if they are known.
pub fn known_rates(model: &str, prompt: u64, own: &BTreeMap<String, Price>) -> Option<Price> {
    own_price(model, own).or_else(|| built_in(without_date(model), prompt))
}

/// The rates of a model for a prompt of that length; the dearest, if they are not known.
pub fn rates(model: &str, prompt: u64, own: &BTreeMap<String, Price>) -> Price {
    known_rates(model, prompt, own).unwrap_or(DEAREST)
}

/// What a call of that model costs by its usage, at an endpoint with this `price`.
pub fn cost(model: &str, usage: &Usage, own: &BTreeMap<String, Price>, multiplier: f64) -> Cost {
    let rates = rates(model, usage.prompt(), own);
    Cost::rounded_up(rates.millionths(usage) * multiplier / MILLION)
}

impl Price {
    /// What these tokens cost, in millionths of a dollar.
    fn millionths(&self, usage: &Usage) -> f64 {
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

    fn times(&self, factor: f64) -> Self {
        Self {
            input: self.input * factor,
            output: self.output * factor,
            cache_write_5m: self.cache_write_5m * factor,
            cache_write_1h: self.cache_write_1h * factor,
            cache_read: self.cache_read * factor,
        }
    }
}

fn own_price(model: &str, own: &BTreeMap<String, Price>) -> Option<Price> {
    own.get(model)
        .or_else(|| own.get(without_date(model)))
        .copied()
}

const MILLION: f64 = 1e6;
const BILLION: f64 = 1e9;
/// Of a billionth of a dollar: less than any price, more than floats are wrong by.
const HARDLY_ANYTHING: f64 = 1e-6;

/// One search of the web.
const WEB_SEARCH_USD: f64 = 0.01;

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

    fn bill(model: &str, usage: &Usage, terms: &Terms) -> Option<Bill> {
        Bill::of(model, usage, terms, &BTreeMap::new(), 1.0)
    }

    /// Five numbers per million, one of each rate.
    const MILLION_OF_EACH: Usage = Usage {
        input: 1_000_000,
        output: 1_000_000,
        cache_write_5m: 1_000_000,
        cache_write_1h: 1_000_000,
        cache_read: 1_000_000,
    };

    #[test]
    fn a_million_tokens_of_each_kind_cost_the_sum_of_the_five_rates() {
        for (model, sum) in [
            ("claude-fable-5-2", 8.0 + 40.0 + 10.0 + 16.0 + 0.2),
            ("claude-opus-5-5", 4.0 + 20.0 + 5.0 + 8.0 + 0.2),
            ("claude-opus-4-8", 5.0 + 25.0 + 6.25 + 10.0 + 0.5),
            ("claude-sonnet-5-5", 2.0 + 10.0 + 2.5 + 4.0 + 0.1),
            ("claude-sonnet-4-5-20250929", 3.0 + 15.0 + 3.75 + 6.0 + 0.3),
            // The prompt is longer than 100,000 tokens.
            ("claude-haiku-5-5", 0.5 + 2.5 + 0.625 + 1.0 + 0.05),
            ("claude-haiku-4-5-20251001", 1.0 + 5.0 + 1.25 + 2.0 + 0.1),
        ] {
            let bill = bill(model, &MILLION_OF_EACH, &Terms::default()).unwrap();

            assert!((bill.cost.usd() - sum).abs() < 1e-9, "{model}: {bill:?}");
        }
    }

    #[test]
    fn a_warm_turn_of_a_hundred_thousand_tokens_costs_two_cents_and_saves_thirty_eight() {
        let usage = Usage {
            cache_read: 100_000,
            ..Usage::default()
        };

        let bill = bill("claude-opus-5-5", &usage, &Terms::default()).unwrap();

        assert_eq!((bill.cost.usd(), bill.cache_saved.usd()), (0.02, 0.38));
    }

    #[test]
    fn a_move_with_a_hundred_thousand_cached_tokens_loses_what_the_table_says() {
        for (model, lost) in [
            ("claude-opus-5-5", 0.48),
            ("claude-sonnet-5-5", 0.24),
            ("claude-fable-5-2", 0.98),
            ("claude-opus-4-8", 0.575),
            ("claude-haiku-4-5", 0.115),
        ] {
            let usage = Usage {
                input: 10,
                cache_write_5m: 101_000,
                ..Usage::default()
            };
            let left = Left {
                tokens: 100_000,
                price: 1.0,
            };

            let bill = bill(model, &usage, &Terms::default()).unwrap();

            assert_eq!(bill.cache_lost(&left).usd(), lost, "{model}");
        }
    }

    #[test]
    fn what_was_not_written_anew_is_not_lost_and_each_endpoint_has_its_own_price() {
        let left = Left {
            tokens: 100_000,
            price: 2.0,
        };
        let wrote = |cache_write_1h| Usage {
            cache_write_1h,
            ..Usage::default()
        };
        let bill = |usage: &Usage| {
            let own = BTreeMap::new();
            Bill::of("claude-opus-5-5", usage, &Terms::default(), &own, 0.5).unwrap()
        };

        let [nothing, half] = [0, 50_000].map(|tokens| bill(&wrote(tokens)).cache_lost(&left));

        // 0.05 million at half of $8, not at twice $0.20.
        assert_eq!((nothing.usd(), half.usd()), (0.0, 0.18));
    }

    #[test]
    fn terms_multiply_the_tokens_and_searches_are_added() {
        let usage = Usage {
            input: 100_000,
            output: 10_000,
            ..Usage::default()
        };
        let plain = Terms::default();
        let cases = [
            (plain, 0.6),
            (
                Terms {
                    batch: true,
                    ..plain
                },
                0.3,
            ),
            (
                Terms {
                    us_only: true,
                    ..plain
                },
                0.66,
            ),
            (
                Terms {
                    fast: true,
                    ..plain
                },
                1.2,
            ),
            (
                Terms {
                    web_searches: 3,
                    ..plain
                },
                0.63,
            ),
        ];

        for (terms, usd) in cases {
            let bill = bill("claude-opus-5-5", &usage, &terms).unwrap();
            assert_eq!(bill.cost.usd(), usd, "{terms:?}");
        }
    }

    #[test]
    fn what_has_no_known_price_has_no_bill() {
        let fast = Terms {
            fast: true,
            ..Terms::default()
        };

        assert_eq!(
            bill("a-model-of-tomorrow", &ONE_TOKEN, &Terms::default()),
            None
        );
        assert_eq!(bill("claude-haiku-4-5", &ONE_TOKEN, &fast), None);
    }

    #[test]
    fn a_price_of_ones_own_makes_an_unknown_model_known() {
        let own = BTreeMap::from([("a-model-of-tomorrow".to_owned(), price([2.0; 5]))]);

        let bill = Bill::of(
            "a-model-of-tomorrow",
            &ONE_TOKEN,
            &Terms::default(),
            &own,
            1.0,
        );

        assert_eq!(bill.unwrap().cost.usd(), 0.000022);
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
