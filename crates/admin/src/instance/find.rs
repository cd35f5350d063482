//! Finding the instance that runs.

use std::path::Path;
use std::sync::Arc;

use zephyr_control::{ControlError, ErrorCode, Snapshot};

use super::error::InstanceError;
use super::file::{Instance, Role, read};
use crate::client::{self, Client, Obstacle};
use crate::token::Token;

/// What the data folder says, and whether it is true.
#[derive(Debug)]
pub enum Found {
    /// No instance has registered.
    Nothing,
    /// One has, but it ended without removing its file.
    Stale(Instance),
    /// One runs.
    Running(Running),
}

/// A running instance.
#[derive(Debug)]
pub struct Running {
    /// What its file says.
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
    /// If there is none; says how to start one.
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
    let data_dir = data_dir.to_owned();
    // A disk may be slow, and whoever asks may run an engine on its only worker.
    let read = tokio::task::spawn_blocking(move || registered(role, &data_dir));
    let read = read.await.map_err(|error| {
        ControlError::new(
            ErrorCode::Internal,
            format!("no thread to read with: {error}"),
        )
    })?;
    let Some((instance, token)) = read? else {
        return Ok(Found::Nothing);
    };
    let client = Client::new(instance.admin, token)?;
    match client.current().await {
        // A tray program that waits for an engine took the port of an engine that was killed.
        Ok(snapshot) if role == Role::Engine && !snapshot.has_engine() => {
            Ok(Found::Stale(instance))
        }
        Ok(snapshot) => Ok(Found::Running(Running {
            instance,
            client,
            snapshot,
        })),
        // Nobody, or another program that took the port: not even another Zephyr knows our token.
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

/// What the files say: who has registered, and the token that it asks for.
fn registered(role: Role, data_dir: &Path) -> Result<Option<(Instance, Token)>, InstanceError> {
    let path = data_dir.join(role.file());
    match read(&path) {
        Ok(Some(instance)) => Ok(Some((instance, Token::load(data_dir)?))),
        Ok(None) => Ok(None),
        Err(source) => Err(InstanceError::File { path, source }),
    }
}
