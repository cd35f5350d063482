//! Which endpoint is in use, and why.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// Whether Zephyr chooses or a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Mode {
    /// Zephyr chooses.
    Auto,
    /// A person chose.
    Manual {
        /// The endpoint's name.
        endpoint: String,
    },
}

/// How an endpoint is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The fastest.
    Latency,
    /// The best priority.
    Priority,
    /// The cheapest.
    Price,
    /// One after the other.
    RoundRobin,
    /// One after the other, by weight.
    WeightedRoundRobin,
    /// Any.
    Random,
}

/// Why the endpoint in use is in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Decision {
    /// Why this one.
    pub why: Reason,
    /// Why not the others.
    pub others: Vec<NotChosen>,
}

/// An endpoint that was not chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NotChosen {
    /// Its name.
    pub endpoint: String,
    /// Why not.
    pub why: Reason,
}
