//! What an attempt's answer was taken for.

use serde::{Deserialize, Serialize};

/// What an attempt's answer was taken for, besides its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Verdict {
    /// What it is about.
    pub about: Subject,
    /// What shows that.
    pub ground: Ground,
    /// Until when what it means holds, in milliseconds since 1970; `None`: nothing is marked, or until
    /// something else ends it.
    pub until_ms: Option<u64>,
}

/// What a verdict is about: a mark is set on that alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Subject {
    /// The endpoint as a whole.
    Endpoint,
    /// Its credential, or the account behind it.
    Account,
    /// The model asked for, there.
    Model,
    /// A family of models there.
    Family {
        /// Its name, such as `opus`.
        family: String,
    },
    /// Requests as large as this one, there.
    Size,
    /// Clients of this kind, there.
    ClientKind,
    /// This conversation there.
    Conversation,
    /// The client's own login there.
    Login,
    /// Thinking that another endpoint signed.
    Signature,
    /// This one request there.
    Request,
    /// The client's own mistake.
    Client,
}

/// What shows that an answer means what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "ground", rename_all = "snake_case")]
pub enum Ground {
    /// Its status, or how it broke.
    Status,
    /// The words in its body.
    Words,
    /// Its headers.
    Headers,
    /// What a gateway in front of the endpoint said.
    Gateway,
    /// A rule of the user's.
    Rule {
        /// Its place in `failover.rules`, from 1.
        number: u32,
    },
}
