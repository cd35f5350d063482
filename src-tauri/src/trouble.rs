//! Why the engine does not run, and when to try again.
//!
//! The program stays open: when requests fail, people look at the tray, and must find the reason there.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use listeners::{Process, Protocol};
use zephyr_admin::instance::InstanceError;
use zephyr_config::{LoadError, LocateError};
use zephyr_control::{Problem, ProblemKind};
use zephyr_engine::StartError;

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
        /// That program, as far as the system tells.
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
    pub(crate) async fn of_start(error: StartError) -> Self {
        match error {
            StartError::Bind { address, source } if source.kind() == io::ErrorKind::AddrInUse => {
                let asking = tokio::task::spawn_blocking(move || holder(address.port()));
                let holder = asking.await.unwrap_or_else(|_| holder_unknown());
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

/// The program that listens on that port, in words. May block.
fn holder(port: u16) -> String {
    match listeners::get_process_by_port(port, Protocol::TCP) {
        Ok(Process { pid, name, .. }) => named(pid, &name),
        Err(_) => holder_unknown(),
    }
}

/// Whoever started the program has chosen its name, so it may steer no terminal that shows it.
fn named(pid: u32, name: &str) -> String {
    let name: String = name.chars().filter(|char| !char.is_control()).collect();
    if name.starts_with("zephyr") {
        format!("another Zephyr with a data folder of its own ({name}, process {pid})")
    } else {
        format!("{name} (process {pid})")
    }
}

fn holder_unknown() -> String {
    "another program, perhaps of another user".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_that_has_the_port_is_named_in_one_line_without_control_characters() {
        assert_eq!(named(7, "nginx"), "nginx (process 7)");
        assert_eq!(named(7, "a\n\u{1b}[2Jb\u{9b}"), "a[2Jb (process 7)");
        assert!(named(7, "zephyr").starts_with("another Zephyr"));
    }
}
