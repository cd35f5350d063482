//! Which requests of the journal are asked for.

use serde::{Deserialize, Serialize};

use super::record::RequestRecord;

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
    /// Only those that did not end as `answered`.
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
