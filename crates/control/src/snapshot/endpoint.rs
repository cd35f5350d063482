//! One endpoint.

use serde::{Deserialize, Serialize};
use zephyr_redact::Redacted;

use super::endpoint_state::EndpointState;
use crate::reason::Reason;

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EndpointView {
    /// What users see and type.
    pub name: String,
    /// Shown before the name.
    pub flag: Option<String>,
    /// The group it belongs to.
    pub group: String,
    /// Base URL.
    #[cfg_attr(test, ts(type = "string"))]
    pub url: Redacted,
    /// Whether it may be used.
    pub enabled: bool,
    /// What it can do now.
    pub state: EndpointState,
    /// Why it is in that state, if there is something to say.
    pub reason: Option<Reason>,
    /// When that state ends by itself.
    pub until_ms: Option<u64>,
    /// The median latency of the last five probes.
    pub latency_ms: Option<f64>,
    /// Latency of the last probes, oldest first; failed ones are `None`.
    pub latency_history: Vec<Option<f64>>,
    /// The median time to first event of the last five real streams.
    pub ttft_ms: Option<f64>,
    /// Which of the two is compared with other endpoints. `None`: there is nothing to compare.
    #[serde(default)]
    pub compared_by: Option<Measure>,
    /// The same by model, the model used last first.
    #[serde(default)]
    pub ttft_percentiles: Vec<TtftPercentiles>,
    /// What its checks have cost today, in USD, estimated.
    #[serde(default)]
    pub probe_cost_usd: f64,
    /// Its part of the attempts of the last five minutes, 0 to 1; `None`: there were none anywhere.
    #[serde(default)]
    pub share: Option<f64>,
    /// What its answers say of its quota, if they say anything.
    #[serde(default)]
    pub quota: Vec<QuotaWindow>,
    /// When it was last probed.
    pub last_check_ms: Option<u64>,
    /// What the last failure was.
    pub last_error: Option<Reason>,
    /// Attempts that are out.
    pub in_flight: u32,
    /// Attempts since the start.
    pub attempts: u64,
    /// Those that failed.
    pub failures: u64,
    /// `priority` of the configuration.
    pub priority: u32,
    /// `weight` of the configuration.
    pub weight: u32,
    /// `price` of the configuration.
    pub price: f64,
}

/// What is compared to find the fastest endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// `latency_ms`.
    Checks,
    /// `ttft_ms`.
    FirstEvents,
}

/// A limit of an endpoint, by the rate-limit headers of its last answer that had them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct QuotaWindow {
    /// `requests`, `tokens`, `input-tokens`, `output-tokens`, or a subscription's `5h`, `7d`.
    pub name: String,
    /// How much of it is left, 0 to 1.
    pub left: f64,
    /// The limit and what is left of it, where they are told as numbers.
    pub limit: Option<u64>,
    /// As above.
    pub remaining: Option<u64>,
    /// When it is full again, in milliseconds since 1970-01-01 UTC.
    pub resets_at_ms: Option<u64>,
}

/// Times to first event of one model's streams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TtftPercentiles {
    /// The model.
    #[cfg_attr(test, ts(type = "string"))]
    pub model: Redacted,
    /// Streams so far.
    pub count: u64,
    /// Half of them began within this time.
    pub p50_ms: f64,
    /// 95 of 100 did.
    pub p95_ms: f64,
}
