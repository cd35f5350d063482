//! How endpoints were over time.

use serde::{Deserialize, Serialize};

use crate::snapshot::endpoint_state::EndpointState;

/// How endpoints were over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct HistoryQuery {
    /// From this time on.
    pub since_ms: Option<u64>,
    /// Up to this time.
    pub until_ms: Option<u64>,
    /// Of this endpoint only.
    pub endpoint: Option<String>,
}

/// How an endpoint was over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EndpointHistory {
    /// Its name.
    pub endpoint: String,
    /// Oldest first; the longer ago, the longer the spans.
    pub points: Vec<HistoryPoint>,
}

/// A span of an endpoint's history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HistoryPoint {
    /// When it begins.
    pub at_ms: u64,
    /// How long it is.
    pub span_ms: u64,
    /// Mean latency of its probes.
    pub latency_ms: Option<f64>,
    /// Mean time to the first event of real traffic.
    pub ttft_ms: Option<f64>,
    /// Attempts there.
    pub attempts: u64,
    /// Those that failed.
    pub failures: u64,
    /// Its state at the span's end.
    pub state: Option<EndpointState>,
}
