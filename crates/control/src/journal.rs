//! What the journal tells: requests one by one, their sums, and how endpoints were over time.
//!
//! Times are milliseconds since 1970-01-01 UTC, durations milliseconds, money US dollars. A sum of money
//! covers only what has a known price; how much has none is told beside it, never counted as zero.

use serde::{Deserialize, Serialize};

use crate::{EndpointState, Reason};

/// Which requests are asked for. What is not said does not matter; everything said has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct RequestFilter {
    /// Begun at this time or later.
    pub since_ms: Option<u64>,
    /// Begun before this time.
    pub until_ms: Option<u64>,
    /// Answered by this endpoint, or tried there.
    pub endpoint: Option<String>,
    /// The model asked for or served.
    pub model: Option<String>,
    /// The session's identifier.
    pub session: Option<String>,
    /// The status that the client got.
    pub status: Option<u16>,
    /// Only those that did not end as [`RequestEnd::Answered`].
    pub failed: bool,
    /// Words that occur in the record, its error or its recorded bodies.
    pub text: Option<String>,
}

/// Which part of the requests that match is asked for: the newest, if nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct Paging {
    /// Only records with a smaller number: the `next` of the page before.
    pub before: Option<u64>,
    /// Only records with a larger number, oldest first: how a follower asks for what is new.
    pub after: Option<u64>,
    /// Most records wanted; none: 100, and never more than 1,000.
    pub limit: Option<u32>,
}

/// Requests that match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RequestPage {
    /// Newest first; oldest first when asked with `after`.
    pub requests: Vec<RequestRecord>,
    /// What to ask for as `before` (or `after`) to get more; `None`: there is no more.
    pub next: Option<u64>,
}

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
    /// What writing anew cost more than reading would have, of what was cached where the conversation was
    /// before; `None`: it did not move.
    pub cache_lost_usd: Option<f64>,
    /// What went wrong, in English.
    pub error: Option<String>,
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
}

/// Tokens of one answer, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Tokens {
    /// Fresh input.
    pub input: u64,
    /// Written to the five-minute cache.
    pub cache_write_5m: u64,
    /// Written to the one-hour cache.
    pub cache_write_1h: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Output, thinking included.
    pub output: u64,
    /// Of the output, thinking.
    pub thinking: u64,
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
    /// Those that did not end as [`RequestEnd::Answered`].
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
}

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

/// The journal itself, for front-ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct JournalStatus {
    /// Its file; `None`: nothing is kept.
    pub path: Option<String>,
    /// Size of the file.
    pub bytes: u64,
    /// Records lost since the start, because writing did not keep up or failed.
    pub dropped: u64,
}
