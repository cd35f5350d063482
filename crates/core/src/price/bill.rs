//! What an answer cost by list prices, and what its prompt cache saved or lost. Nothing is guessed: without a
//! known price there is no bill.

use std::collections::BTreeMap;

use super::cost::Cost;
use super::rates::{MILLION, known_rates, own_price, without_date};
use super::tokens::Usage;
use crate::config::Price;

/// One search of the web.
const WEB_SEARCH_USD: f64 = 0.01;

/// Other fields of `usage` that affect the price.
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

impl Terms {
    /// The factor on the rates. `None`: unknown.
    fn factor(&self, model: &str, own: &BTreeMap<String, Price>) -> Option<f64> {
        let bare = without_date(model);
        let fast = match (self.fast, bare) {
            (false, _) => 1.0,
            (true, "claude-opus-5-5" | "claude-opus-5" | "claude-opus-4-8") => 2.0,
            // A price set by hand already includes how the model is used.
            (true, _) if own_price(model, own).is_some() => 1.0,
            (true, _) => return None,
        };
        let batch = if self.batch { 0.5 } else { 1.0 };
        let region = if self.us_only { 1.1 } else { 1.0 };
        Some(fast * batch * region)
    }
}

/// What an answer cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bill {
    /// The whole cost.
    pub cost: Cost,
    /// What reading from the prompt cache saved, compared with reading everything as fresh input.
    pub cache_saved: Cost,
    /// In USD per million tokens, before the endpoint's `price`.
    rates: Price,
    price: f64,
    usage: Usage,
}

impl Bill {
    /// The bill for an answer of that model, at an endpoint with this `price`. `None`: the price of the model
    /// is unknown.
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

    /// What the same prompt cost at another endpoint, with this `price`, which did not tell: an estimate, and an
    /// upper bound. What was read from the cache here counts as written there, for an hour unless the answer
    /// wrote only for five minutes. Output is not counted.
    pub fn prompt_elsewhere(&self, price: f64) -> Cost {
        let told = self.usage;
        let mut prompt = Usage {
            output: 0,
            cache_read: 0,
            ..told
        };
        let written = if told.cache_write_5m > 0 && told.cache_write_1h == 0 {
            &mut prompt.cache_write_5m
        } else {
            &mut prompt.cache_write_1h
        };
        *written = written.saturating_add(told.cache_read);
        Cost::rounded_up(self.rates.millionths(&prompt) * price / MILLION)
    }

    /// How much more it cost to write the cache again than to read it at the old endpoint.
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

/// The cache that a conversation left at its old endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Left {
    /// Tokens that were cached there.
    pub tokens: u64,
    /// The `price` of that endpoint.
    pub price: f64,
}
