//! `[pricing]`: what a model costs.

/// One model's rates, in USD per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Fresh input.
    pub input: f64,
    /// Output, thinking included.
    pub output: f64,
    /// Written to the five-minute cache.
    pub cache_write_5m: f64,
    /// Written to the one-hour cache.
    pub cache_write_1h: f64,
    /// Read from the cache.
    pub cache_read: f64,
}
