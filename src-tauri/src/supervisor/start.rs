//! What the supervisor is started with.

use std::net::SocketAddr;
use std::path::PathBuf;

use zephyr_demo::Demo;
use zephyr_secrets::redact::Known;

/// The files and addresses of the program.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The configuration file that the user named.
    pub(crate) config: Option<PathBuf>,
    /// The folder for Zephyr's own data.
    pub(crate) data_dir: PathBuf,
    /// The address of our admin API.
    pub(crate) admin: SocketAddr,
    /// The secrets that no text shows.
    pub(crate) known: Known,
}

/// What happens if there is nothing to use yet: no endpoint, or no engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// A person has started the program and waits for it. The window says what to do.
    Window,
    /// The system has started the program. Nothing is shown.
    Silence,
}

/// The endpoints of the engine.
pub(crate) enum Fleet {
    /// Those in the configuration file.
    Configured,
    /// Simulated endpoints.
    Simulated(Box<Demo>),
}
