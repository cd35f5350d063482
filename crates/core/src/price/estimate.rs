//! What a prompt costs before any answer has told its tokens.

use std::collections::BTreeMap;

use super::cost::Cost;
use super::rates::{MILLION, known_rates};
use crate::config::Price;

/// Bytes of a request's JSON that make a token: a rule of thumb for English text.
const BYTES_PER_TOKEN: u64 = 4;

/// About what a prompt of so many bytes costs as fresh input, at an endpoint with this `price`. `None`: the
/// price of the model is unknown.
pub fn cost_by_size(
    model: &str,
    bytes: u64,
    own: &BTreeMap<String, Price>,
    price: f64,
) -> Option<Cost> {
    let tokens = bytes / BYTES_PER_TOKEN;
    let rates = known_rates(model, tokens, own)?;
    Some(Cost::from_usd(
        tokens as f64 * rates.input * price / MILLION,
    ))
}
