//! Requests in flight.

use serde::{Deserialize, Serialize};
use zephyr_redact::Redacted;

use crate::journal::record::RequestEnd;

/// A request in flight, or just ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LiveRequest {
    /// Its identifier.
    pub request: String,
    /// When it began.
    pub at_ms: u64,
    /// When it ended; `None`: it is in flight.
    pub ended_at_ms: Option<u64>,
    /// How it ended.
    pub end: Option<RequestEnd>,
    /// Path, without the query.
    #[cfg_attr(test, ts(type = "string"))]
    pub path: Redacted,
    /// The model asked for.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub model: Option<Redacted>,
    /// The session it belongs to.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub session: Option<Redacted>,
    /// Where it is now, or was last; `None`: it waits.
    pub endpoint: Option<String>,
    /// How many attempts it has had.
    pub attempts: u32,
    /// Whether its answer has begun to reach the client.
    pub streaming: bool,
    /// Output tokens so far; counted from the text's length until the endpoint tells the number.
    pub output_tokens: u64,
}
