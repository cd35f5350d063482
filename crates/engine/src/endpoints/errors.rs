//! Turns errors of connections into text.

use std::error::Error as StdError;

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// The text of the innermost error. The outer ones only say that a client had an error.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut chain: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if chain.last().is_none_or(|last| !last.contains(&text)) {
            chain.push(text);
        }
        next = error.source();
    }
    let telling = chain.len().saturating_sub(2);
    chain[telling..].join(": ")
}
