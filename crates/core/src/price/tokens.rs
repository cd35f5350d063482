//! The tokens of one call.

use serde_json::Value;

/// The tokens of one call, by rate.
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

    /// Tokens of the prompt, regardless of their rate.
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
