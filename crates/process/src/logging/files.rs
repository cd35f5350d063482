//! The folder of the log files, and the time for which they are kept.

use std::path::{Path, PathBuf};

use zephyr_core::config::Logging;

/// The folder of the log files, and the time for which they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    pub(super) folder: PathBuf,
    pub(super) days: u32,
}

impl Files {
    /// `logging.log_directory`, relative to the configuration file. By default, `logs` in the data folder.
    pub fn of(logging: &Logging, config: Option<&Path>, data_dir: &Path) -> Self {
        let beside = config.and_then(Path::parent).unwrap_or(Path::new(""));
        let named = logging.directory.as_ref().map(|named| beside.join(named));
        Self {
            folder: named.unwrap_or_else(|| data_dir.join("logs")),
            days: logging.retention_days,
        }
    }
}
