//! The settings of a journal.

use std::path::PathBuf;

use zephyr_core::config::Logging;
use zephyr_secrets::Secret;

/// The name of the journal's file.
pub const FILE: &str = "journal.db";

/// The settings of a journal.
#[derive(Debug)]
pub struct Settings {
    /// The path of the file.
    pub path: PathBuf,
    /// What is kept, and for how long.
    pub logging: Logging,
    /// What is redacted wherever it occurs.
    pub secrets: Vec<Secret>,
}
