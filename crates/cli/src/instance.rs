//! The instance file: how a front-end finds the engine that is already running.
//!
//! Whoever runs an engine writes where it listens into the data folder and takes the file away when it
//! ends. A file alone proves nothing: after `kill -9` it stays, and its port may be somebody else's
//! by now. So [`find`] asks the admin API before it believes the file.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use zephyr_control::{ControlError, ErrorCode, Snapshot};

use crate::client::{self, Client, Obstacle};
use crate::token::{Token, TokenError};
use zephyr_engine::private;

/// What a program is to those that look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It runs the engine of this data folder.
    Engine,
    /// It has the tray, whether the engine runs in it or in another program.
    Desktop,
}

impl Role {
    fn file(self) -> &'static str {
        match self {
            Self::Engine => "instance.json",
            Self::Desktop => "desktop.json",
        }
    }
}

/// What a running instance says of itself.
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
    /// This process, listening there, started now.
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

/// Why the instance file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// It could not be read or written.
    #[error("the instance file {} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The instance runs, but its admin token is not to be had.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The instance runs, but does not answer as it should.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// The file is there as long as this value.
#[must_use]
#[derive(Debug)]
pub struct Registration {
    path: PathBuf,
    instance: Instance,
}

/// The right to be the only program with a tray in a data folder; it ends with the value, and with the
/// process.
#[must_use]
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "held for its lock")] fs::File);

/// Claims the tray of this data folder, unless another process has it.
///
/// # Errors
///
/// The folder cannot be written to.
pub fn claim_desktop(data_dir: &Path) -> Result<Option<Claim>, InstanceError> {
    let path = data_dir.join("desktop.lock");
    let opened = private::folder(data_dir).and_then(|()| private::open(&path));
    let claimed = opened.and_then(|file| match file.try_lock() {
        Ok(()) => Ok(Some(Claim(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    });
    claimed.map_err(|source| InstanceError::File { path, source })
}

/// Says in the data folder that `instance` runs in this role.
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

/// What the data folder says, and whether it is true.
#[derive(Debug)]
pub enum Found {
    /// No instance has registered.
    Nothing,
    /// One has, but it ended without taking its file away.
    Stale(Instance),
    /// One runs.
    Running(Running),
}

/// A running instance.
#[derive(Debug)]
pub struct Running {
    /// What it said of itself.
    pub instance: Instance,
    /// A handle on it.
    pub client: Client,
    /// Its state at this moment.
    pub snapshot: Arc<Snapshot>,
}

impl Found {
    /// The running instance.
    ///
    /// # Errors
    ///
    /// Says that there is none and how to start one.
    pub fn running(self) -> Result<Running, ControlError> {
        match self {
            Self::Running(running) => Ok(running),
            Self::Nothing => Err(client::not_running()),
            Self::Stale(instance) => Err(ControlError::new(
                ErrorCode::Unreachable,
                format!(
                    "Zephyr is not running; process {} ended without cleaning up: start it with \
                     `zephyr serve`",
                    instance.pid
                ),
            )),
        }
    }
}

/// Looks for the instance that runs the engine of this data folder.
///
/// # Errors
///
/// If there is one that cannot be used, or the file cannot be read.
pub async fn find(data_dir: &Path) -> Result<Found, InstanceError> {
    find_as(Role::Engine, data_dir).await
}

/// Looks for the instance with that role in this data folder.
///
/// # Errors
///
/// As [`find`].
pub async fn find_as(role: Role, data_dir: &Path) -> Result<Found, InstanceError> {
    let path = data_dir.join(role.file());
    let instance = match read(&path) {
        Ok(Some(instance)) => instance,
        Ok(None) => return Ok(Found::Nothing),
        Err(source) => return Err(InstanceError::File { path, source }),
    };
    let client = Client::new(instance.admin, Token::load(data_dir)?)?;
    match client.current().await {
        // A tray program that waits for an engine took the port of one that was killed.
        Ok(snapshot) if role == Role::Engine && !snapshot.has_engine() => {
            Ok(Found::Stale(instance))
        }
        Ok(snapshot) => Ok(Found::Running(Running {
            instance,
            client,
            snapshot,
        })),
        // Nobody, or somebody who took the port over: not even another Zephyr knows our token.
        Err(Obstacle::NobodyListens | Obstacle::Stranger | Obstacle::Broken) => {
            Ok(Found::Stale(instance))
        }
        Err(Obstacle::Refused(error)) if error.code == ErrorCode::Unauthorized => {
            Ok(Found::Stale(instance))
        }
        Err(obstacle @ (Obstacle::Silent | Obstacle::Refused(_))) => {
            Err(client.error(obstacle).into())
        }
    }
}

/// A file that is not ours to understand counts as none: the next start replaces it.
fn read(path: &Path) -> io::Result<Option<Instance>> {
    match fs::read(path) {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
