//! The folder of a demo's data.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A data folder of its own, so that nobody takes a demo for the user's own instance. Dropping this value
/// removes a temporary folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl Folder {
    /// The folder that `ZEPHYR_DATA_DIR` names, otherwise a temporary one.
    ///
    /// # Errors
    ///
    /// No temporary folder can be made.
    pub fn choose() -> io::Result<Self> {
        if let Some(named) = env::var_os("ZEPHYR_DATA_DIR").filter(|named| !named.is_empty()) {
            return Ok(Self {
                path: named.into(),
                _temporary: None,
            });
        }
        let temporary = tempfile::Builder::new().prefix("zephyr-demo-").tempdir()?;
        Ok(Self {
            path: temporary.path().to_owned(),
            _temporary: Some(temporary),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
