//! What a journal is to keep, and where.

use std::path::PathBuf;

use zephyr_core::config::Logging;
use zephyr_secrets::Secret;

/// The file's name.
pub const FILE: &str = "journal.db";

/// What a journal is to keep, and where.
#[derive(Debug)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// What is kept, and for how long.
    pub logging: Logging,
    /// What must not be in it.
    pub secrets: Vec<Secret>,
}
