//! What a journal is to keep, and where.

use std::path::PathBuf;

use zephyr_core::config::Logging;
use zephyr_secrets::Secret;

/// The name of the journal's file.
pub const FILE: &str = "journal.db";

/// What a journal is to keep, and where.
#[derive(Debug)]
pub struct Settings {
    /// The path of the file.
    pub path: PathBuf,
    /// What is kept, and for how long.
    pub logging: Logging,
    /// What is redacted wherever it occurs.
    pub secrets: Vec<Secret>,
}
