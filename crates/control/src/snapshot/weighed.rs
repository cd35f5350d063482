//! The last time that speed was weighed against a prompt cache.

use serde::{Deserialize, Serialize};

/// A conversation's prompt cache, weighed against a faster endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Weighed {
    /// When.
    pub at_ms: u64,
    /// Where the conversation was.
    pub from: String,
    /// The faster endpoint.
    pub to: String,
    /// Whether the conversation moved there. Otherwise it stayed for its cache.
    pub moved: bool,
    /// How much sooner an answer begins there.
    pub saved_ms: u64,
    /// What that is worth over the turns to come, in USD.
    pub worth_usd: f64,
    /// What moving costs, in USD.
    pub cost_usd: f64,
}
