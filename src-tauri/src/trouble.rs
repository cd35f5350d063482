//! Why the engine does not run, and when to try again.
//!
//! The program stays open: when requests fail, people look at the tray, and must find the reason there.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use zephyr_admin::instance::InstanceError;
use zephyr_config::{LoadError, LocateError};
use zephyr_control::{Problem, ProblemKind};
use zephyr_engine::StartError;
use zephyr_process::holder::Holder;

/// The time between two tries to bind a port that another program has.
const PORT_INTERVAL: Duration = Duration::from_secs(2);

/// The time between two tries after any other trouble that may end by itself.
const OTHER_INTERVAL: Duration = Duration::from_secs(10);

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// There is no place for a configuration.
    #[error(transparent)]
    NoConfiguration(#[from] LocateError),
    /// The configuration has errors.
    #[error(transparent)]
    Configuration(#[from] LoadError),
    /// Another program has the port.
    #[error("port {} is used by {holder}", address.port())]
    PortTaken {
        address: SocketAddr,
        /// That program, as far as the system tells, and what follows from it.
        holder: String,
    },
    /// The engine cannot start.
    #[error(transparent)]
    Start(StartError),
    /// The running instance cannot be used.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The folder that the program was started in is gone.
    #[error("the folder that Zephyr was started in cannot be used: {0}")]
    NoFolder(#[source] io::Error),
}

impl Trouble {
    /// The trouble behind the engine's error. Asks the system which program has a port.
    /// If it is a program of another user, the tokens that clients of this user send there become worthless.
    pub(crate) async fn of_start(error: StartError, data_dir: &Path) -> Self {
        match error {
            StartError::Bind { address, source } if source.kind() == io::ErrorKind::AddrInUse => {
                let data_dir = data_dir.to_owned();
                let asking = tokio::task::spawn_blocking(move || holder(address, &data_dir));
                let holder = asking.await;
                let holder = holder.unwrap_or_else(|_| "another program".to_owned());
                Self::PortTaken { address, holder }
            }
            StartError::Bind { .. } | StartError::Endpoint { .. } => Self::Start(error),
        }
    }

    /// When to try again, unless the configuration changes or a person asks earlier.
    pub(crate) fn retry_after(&self) -> Duration {
        match self {
            Self::PortTaken { .. } => PORT_INTERVAL,
            // The file is watched. This is for systems that cannot watch it.
            Self::NoConfiguration(_)
            | Self::Configuration(_)
            | Self::Start(_)
            | Self::Instance(_)
            | Self::NoFolder(_) => OTHER_INTERVAL,
        }
    }

    /// The problem that front-ends show.
    pub(crate) fn problem(&self) -> Problem {
        let (kind, remedy) = match self {
            Self::NoConfiguration(_) => (
                ProblemKind::ConfigError,
                "name a configuration file with --config",
            ),
            Self::Configuration(_) => (
                ProblemKind::ConfigError,
                "correct the file; Zephyr starts as soon as it is saved",
            ),
            Self::PortTaken { .. } => (
                ProblemKind::Port,
                "end that program, or change server.port in config.toml; Zephyr starts as soon as \
                 the port is free",
            ),
            Self::Start(StartError::Bind { .. }) => (
                ProblemKind::Port,
                "change server.host or server.port in config.toml; it is tried again by itself",
            ),
            Self::Start(StartError::Endpoint { .. }) => (
                ProblemKind::ConfigError,
                "correct the endpoint in config.toml; it is tried again by itself",
            ),
            Self::Instance(_) | Self::NoFolder(_) => (
                ProblemKind::Desktop,
                "it is tried again by itself; the log says more",
            ),
        };
        Problem::new(kind, self.to_string(), remedy)
    }
}

/// The program that listens there, in words. May block.
fn holder(address: SocketAddr, data_dir: &Path) -> String {
    let holder = Holder::of(address);
    if holder.is_foreign() {
        match zephyr_claude_code::squatted(data_dir, address.port()) {
            Ok(squatted) => format!("{holder}{squatted}"),
            Err(error) => format!("{holder}; {error}"),
        }
    } else {
        holder.to_string()
    }
}
