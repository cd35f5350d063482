//! What is counted.

use serde::{Deserialize, Serialize};

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Totals {
    /// Requests forwarded.
    pub requests: u64,
    /// Attempts made for them.
    pub attempts: u64,
    /// Requests that another endpoint answered than the first asked.
    pub failed_over: u64,
    /// Requests whose client got an error that an endpoint or Zephyr made.
    pub failed: u64,
    /// Answers aborted midway.
    pub aborted: u64,
    /// Requests whose client left first.
    pub abandoned: u64,
    /// Requests being answered.
    pub in_flight: u32,
    /// Those of them that wait for an endpoint to return.
    #[serde(default)]
    pub waiting: u32,
}

/// What checks cost, in USD, estimated from the tokens that they use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProbeCosts {
    /// All of them together, today.
    pub today_usd: f64,
    /// `health_check.daily_budget_usd`.
    pub budget_usd: f64,
    /// Whether the budget is reached, so that only free checks are made until midnight.
    pub reached: bool,
}

/// The program waits for requests in flight before it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Drain {
    /// Requests still in flight.
    pub in_flight: u32,
    /// When it ends at the latest.
    pub until_ms: u64,
}
