//! Where files of log lines are, and for how long.

use std::path::{Path, PathBuf};

use zephyr_core::config::Logging;

/// Where files of log lines are, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    pub(super) folder: PathBuf,
    pub(super) days: u32,
}

impl Files {
    /// In `logging.log_directory`, which is relative to the configuration file; by default in `logs` in
    /// the data folder.
    pub fn of(logging: &Logging, config: Option<&Path>, data_dir: &Path) -> Self {
        let beside = config.and_then(Path::parent).unwrap_or(Path::new(""));
        let named = logging.directory.as_ref().map(|named| beside.join(named));
        Self {
            folder: named.unwrap_or_else(|| data_dir.join("logs")),
            days: logging.retention_days,
        }
    }
}
