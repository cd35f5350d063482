//! One request, as the journal keeps it.

use serde::{Deserialize, Serialize};

use super::tokens::Tokens;
use crate::reason::Reason;
use crate::verdict::Verdict;

/// One request, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RequestRecord {
    /// Its number in the journal; later records have larger ones.
    pub id: u64,
    /// Its identifier in the log and in the answer's `x-zephyr-request-id`.
    pub request: String,
    /// When it began.
    pub at_ms: u64,
    /// HTTP method.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// The status that the client got; `None`: it left before.
    pub status: Option<u16>,
    /// How it ended.
    pub end: RequestEnd,
    /// The client's name and version, from its `User-Agent`.
    pub client: Option<String>,
    /// The session it belongs to, as its client says.
    pub session: Option<String>,
    /// The sub-agent that sent it, as its client says.
    pub agent: Option<String>,
    /// The model asked for.
    pub model: Option<String>,
    /// The model that the answer names.
    pub served_model: Option<String>,
    /// Whether a stream was asked for; `None`: not known.
    pub stream: Option<bool>,
    /// The endpoint whose answer the client got.
    pub endpoint: Option<String>,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptRecord>,
    /// From the request's head to the end of its answer.
    pub duration_ms: f64,
    /// From the request's head to the first event of its answer.
    pub ttft_ms: Option<f64>,
    /// Of the request's body.
    pub request_bytes: u64,
    /// Of the answer's body.
    pub response_bytes: u64,
    /// What the answer says of its tokens; `None`: nothing.
    pub tokens: Option<Tokens>,
    /// Why the model stopped.
    pub stop_reason: Option<String>,
    /// What it cost by the price table; `None`: the model's price, or the usage, is unknown.
    pub cost_usd: Option<f64>,
    /// What reading from the prompt cache saved against reading all as fresh input.
    pub cache_saved_usd: Option<f64>,
    /// How much more writing the cache anew cost than reading it where the conversation was before; `None`:
    /// it did not move.
    pub cache_lost_usd: Option<f64>,
    /// What the prompt of an overtaken attempt cost, in US dollars; not in `cost_usd`. An estimate, and an upper
    /// bound: nobody tells what a cancelled answer used, so it is the prompt of the answer that was first, at
    /// the price of the other endpoint, as if nothing of it were cached there. `None`: no attempt was
    /// overtaken, or the price is unknown.
    pub overtaken_cost_usd: Option<f64>,
    /// What went wrong, in English.
    pub error: Option<String>,
}

impl RequestRecord {
    /// Whether a second attempt was sent beside a late first one.
    pub fn had_a_second_attempt(&self) -> bool {
        let mut attempts = self.attempts.iter();
        attempts.any(|attempt| matches!(attempt.why, Some(Reason::Beside { .. })))
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RequestEnd {
    /// With an endpoint's answer, whole.
    Answered,
    /// With an error, of an endpoint or our own.
    Failed,
    /// Its answer was broken off.
    Aborted,
    /// Its client left.
    Abandoned,
    /// It was not sent anywhere: too large, foreign, malformed.
    Refused,
}

impl RequestEnd {
    /// As a label, the same as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::Abandoned => "abandoned",
            Self::Refused => "refused",
        }
    }
}

/// One attempt at an endpoint. Its times are counted from its own beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AttemptRecord {
    /// The endpoint.
    pub endpoint: String,
    /// Why there.
    pub why: Option<Reason>,
    /// What it came to.
    pub outcome: AttemptOutcome,
    /// Why it did not come to an answer.
    pub reason: Option<Reason>,
    /// What its answer was taken for, if it did not answer.
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// The endpoint's status.
    pub status: Option<u16>,
    /// Since the request's beginning, before this attempt began: waiting and earlier attempts.
    pub queue_ms: f64,
    /// Name resolution and TCP; `None`: the connection was there.
    pub connect_ms: Option<f64>,
    /// TLS handshake.
    pub tls_ms: Option<f64>,
    /// Until the answer's head.
    pub headers_ms: Option<f64>,
    /// Until the answer's first content.
    pub first_event_ms: Option<f64>,
    /// Until its end.
    pub last_byte_ms: f64,
    /// The rate-limit headers of the answer, by name.
    pub rate_limits: Vec<(String, String)>,
}

/// What an attempt came to; the names of `docs/architecture.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// A complete, valid answer.
    Answered,
    /// The endpoint does not serve this model or path.
    NotServed,
    /// The request itself is wrong.
    ClientFault,
    /// The credential was refused.
    Refused,
    /// The quota is used up.
    Exhausted,
    /// A rate limit, or overload.
    Throttled,
    /// An error, a timeout, a cut.
    Failed,
    /// An answer that is none.
    Invalid,
    /// The client left.
    Abandoned,
    /// Nothing could be reached: our own network.
    Offline,
    /// Another attempt beside it was first.
    Overtaken,
}

/// One request with all that was kept of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RequestDetail {
    /// The record.
    pub record: RequestRecord,
    /// The client's headers, secrets redacted.
    pub request_headers: Vec<(String, String)>,
    /// The answer's headers, secrets redacted.
    pub response_headers: Vec<(String, String)>,
    /// `None`: not kept.
    pub request_body: Option<RecordedBody>,
    /// `None`: not kept.
    pub response_body: Option<RecordedBody>,
}

/// A body, as far as it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RecordedBody {
    /// Decoded, secrets redacted; what is no text is replaced by U+FFFD.
    pub text: String,
    /// Whether there was more.
    pub truncated: bool,
}
