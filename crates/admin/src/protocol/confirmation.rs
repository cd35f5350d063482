//! How a confirmation stands, and the answer to it.

use serde::{Deserialize, Serialize};

/// How a confirmation stands, for the browser that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Nobody has answered.
    Waiting,
    /// The same command is carried out now, once.
    Allowed,
    /// The operating system's user said no.
    Refused,
    /// It was carried out, it is too old, or it was never asked by this browser.
    Gone,
}

/// The answer of the operating system's user.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) allow: bool,
}
