//! Sums over the journal.

use serde::{Deserialize, Serialize};

use super::tokens::Tokens;

/// What usage is summed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum UsageBy {
    /// Days of the machine's time zone, `2026-11-21`.
    #[default]
    Day,
    /// Hours of the machine's time zone, `2026-11-21T14`.
    Hour,
    /// Endpoints.
    Endpoint,
    /// Models asked for.
    Model,
    /// Sessions.
    Session,
}

/// Sums that are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct UsageQuery {
    /// Requests begun at this time or later.
    pub since_ms: Option<u64>,
    /// Requests begun before this time.
    pub until_ms: Option<u64>,
    /// What every row is of.
    pub by: UsageBy,
    /// Splits every row further: for a chart of days by model, say.
    pub split: Option<UsageBy>,
}

/// Sums.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UsageReport {
    /// Days and hours in order of time, the rest by cost, dearest first.
    pub rows: Vec<UsageRow>,
    /// Of all rows.
    pub total: Usage,
    /// Since when the journal knows: earlier requests are in no sum.
    pub complete_since_ms: Option<u64>,
}

/// A row of sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UsageRow {
    /// The day, endpoint, model or session; empty: not known.
    pub key: String,
    /// What the row is split by; empty where nothing was asked.
    pub split: String,
    /// The sums.
    #[serde(flatten)]
    pub usage: Usage,
}

/// What some requests came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Usage {
    /// How many.
    pub requests: u64,
    /// Those that did not end as `answered`.
    pub failed: u64,
    /// Their tokens.
    pub tokens: Tokens,
    /// The cost of those with a known price.
    pub cost_usd: f64,
    /// Those with tokens but without a known price, and those whose tokens are not known.
    pub unpriced: u64,
    /// What the prompt cache saved.
    pub cache_saved_usd: f64,
    /// What moving conversations cost in cache written anew.
    pub cache_lost_usd: f64,
    /// What probes cost; in sums by day, hour and endpoint.
    pub probes_usd: f64,
    /// Those with a second attempt beside a late first one.
    #[serde(default)]
    pub second_attempts: u64,
    /// What the overtaken ones of these attempts cost, in US dollars; not in `cost_usd`. An estimate,
    /// and an upper bound.
    #[serde(default)]
    pub overtaken_cost_usd: f64,
}
