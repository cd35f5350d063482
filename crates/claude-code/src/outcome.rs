//! What was done to the settings.

use std::path::PathBuf;

use crate::key::Key;

/// What `connect` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    pub settings: PathBuf,
    /// Where Claude Code now sends its requests.
    pub url: String,
    /// The keys that were set.
    pub keys: Vec<Key>,
    /// Whether a change was needed.
    pub change: Change,
}

/// Whether a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was already as it should be.
    None,
    /// It was written.
    Written,
    /// It was removed, because it did not exist before.
    Removed,
}

/// What `disconnect` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disconnected {
    /// Nothing is recorded, and nothing was done.
    NotConnected,
    /// The settings were already restored. They will not be connected again.
    AlreadyRestored { settings: PathBuf },
    /// The earlier settings were restored.
    Restored {
        settings: PathBuf,
        change: Change,
        /// The keys that were restored.
        keys: Vec<Key>,
        /// The keys that were changed since. They were not touched.
        left_alone: Vec<Key>,
    },
    /// Every key that we had set was changed since, so none was touched.
    LeftAlone {
        settings: PathBuf,
        /// Those keys.
        keys: Vec<Key>,
    },
}

/// What a start did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// It was not connected before, so it is not now.
    NotConnected,
    /// It is connected, with the current values.
    Connected(Connected),
    /// It was connected, but the settings were changed since.
    LeftAlone {
        settings: PathBuf,
        /// The keys that were changed.
        keys: Vec<Key>,
    },
}
