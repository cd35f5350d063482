//! What the supervisor is started with.

use std::net::SocketAddr;
use std::path::PathBuf;

use zephyr_demo::Demo;

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// What the user named.
    pub(crate) config: Option<PathBuf>,
    /// The folder for what Zephyr writes.
    pub(crate) data_dir: PathBuf,
    /// Where our admin API is.
    pub(crate) admin: SocketAddr,
}

/// What happens if there is nothing to use yet: no endpoint, or no engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// Somebody has started the program and waits for it: the window says what to do.
    Window,
    /// The system has started it.
    Silence,
}

/// What runs in the engine.
pub(crate) enum Fleet {
    /// What the configuration file says.
    Configured,
    /// Simulated endpoints.
    Simulated(Box<Demo>),
}
