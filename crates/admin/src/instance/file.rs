//! The file: who runs, and where it listens.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use zephyr_secrets::private;

use super::error::InstanceError;

/// What a program is registered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It runs the engine of this data folder.
    Engine,
    /// It has the tray, whether the engine runs in it or in another program.
    Desktop,
}

impl Role {
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Engine => "instance.json",
            Self::Desktop => "desktop.json",
        }
    }
}

/// What a running instance writes into its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its process.
    pub pid: u32,
    /// Where its proxy listens.
    pub proxy: SocketAddr,
    /// Where its admin API listens.
    pub admin: SocketAddr,
    /// Version of the program.
    pub version: String,
    /// When it started, in milliseconds since the Unix epoch.
    pub started_at_ms: u64,
}

impl Instance {
    /// This process, with these addresses, started now.
    pub fn this(proxy: SocketAddr, admin: SocketAddr) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let milliseconds = since_epoch.map_or(0, |since| since.as_millis());
        Self {
            pid: process::id(),
            proxy,
            admin,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at_ms: u64::try_from(milliseconds).unwrap_or(u64::MAX),
        }
    }
}

/// Removes the file when it is dropped.
#[must_use]
#[derive(Debug)]
pub struct Registration {
    path: PathBuf,
    instance: Instance,
}

/// Writes into the data folder that `instance` runs in this role.
///
/// # Errors
///
/// If the file cannot be written.
pub fn register(
    data_dir: &Path,
    role: Role,
    instance: Instance,
) -> Result<Registration, InstanceError> {
    let path = data_dir.join(role.file());
    let json = serde_json::to_vec_pretty(&instance)
        .map_err(io::Error::from)
        .and_then(|json| private::replace(&path, &json));
    match json {
        Ok(()) => Ok(Registration { path, instance }),
        Err(source) => Err(InstanceError::File { path, source }),
    }
}

impl Drop for Registration {
    /// Another instance may have registered since; its file stays.
    fn drop(&mut self) {
        let ours = matches!(read(&self.path), Ok(Some(there)) if there == self.instance);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the instance file stays behind");
        }
    }
}

/// What the file says. A file that cannot be understood counts as none: the next start replaces it.
pub(super) fn read(path: &Path) -> io::Result<Option<Instance>> {
    match fs::read(path) {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
