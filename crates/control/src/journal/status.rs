//! The journal itself.

use serde::{Deserialize, Serialize};

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
