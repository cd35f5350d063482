//! The folder of a demo's data.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zephyr_secrets::private;

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
    /// No temporary folder can be made, or the variable has a relative path.
    pub fn choose() -> io::Result<Self> {
        if env::var_os("ZEPHYR_DATA_DIR").is_some_and(|named| !named.is_empty()) {
            return Ok(Self {
                path: zephyr_config::data_dir().map_err(io::Error::other)?,
                _temporary: None,
            });
        }
        let temporary = private::temporary_folder("zephyr-demo-")?;
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
