//! What was done to the settings.

use std::path::PathBuf;

use crate::key::Key;

/// What `connect` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The file.
    pub settings: PathBuf,
    /// Where Claude Code now sends its requests.
    pub url: String,
    /// What was set.
    pub keys: Vec<Key>,
    /// Whether anything had to be done.
    pub change: Change,
}

/// Whether a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It already was as it should be.
    None,
    /// It was written.
    Written,
    /// It was removed: it had not been there before.
    Removed,
}

/// What `disconnect` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disconnected {
    /// Nothing is recorded, and nothing was done.
    NotConnected,
    /// The settings were as before; that it should be connected again is forgotten.
    AlreadyRestored {
        /// The file.
        settings: PathBuf,
    },
    /// What was there before is there again.
    Restored {
        /// The file.
        settings: PathBuf,
        /// What became of it.
        change: Change,
        /// What was restored.
        keys: Vec<Key>,
        /// What somebody has changed since, and was left alone.
        left_alone: Vec<Key>,
    },
    /// Somebody has changed all that we had set; it was left alone.
    LeftAlone {
        /// The file.
        settings: PathBuf,
        /// What was changed.
        keys: Vec<Key>,
    },
}

/// What a start did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// It was not connected, so it is not now.
    NotConnected,
    /// It is connected, by what is valid now.
    Connected(Connected),
    /// It was connected, but somebody has changed the settings since.
    LeftAlone {
        /// The file.
        settings: PathBuf,
        /// What was changed.
        keys: Vec<Key>,
    },
}
