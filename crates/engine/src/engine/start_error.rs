//! Why an engine did not start.

use std::io;
use std::net::SocketAddr;

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The proxy's port cannot be had.
    #[error(
        "cannot listen on {address}: {source}; change server.port (or server.host) in the configuration, or stop what uses it"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// An endpoint's connections cannot be set up.
    #[error("endpoint {endpoint}: {reason}")]
    Endpoint {
        /// Its name.
        endpoint: String,
        /// What is wrong.
        reason: String,
    },
}
