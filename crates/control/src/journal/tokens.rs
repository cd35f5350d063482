//! Tokens, by what they cost.

use serde::{Deserialize, Serialize};

/// Tokens of one answer, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Tokens {
    /// Fresh input.
    pub input: u64,
    /// Written to the five-minute cache.
    pub cache_write_5m: u64,
    /// Written to the one-hour cache.
    pub cache_write_1h: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Output, thinking included.
    pub output: u64,
    /// Of the output, thinking.
    pub thinking: u64,
}
