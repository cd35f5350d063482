//! Why an engine did not start.

use std::io;
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The proxy's port cannot be bound.
    #[error(
        "cannot listen on {address}: {source}; change server.port (or server.host) in the configuration, or stop what uses it"
    )]
    Bind {
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// An endpoint's connections cannot be set up.
    #[error("endpoint {endpoint}: {reason}")]
    Endpoint { endpoint: String, reason: String },
}
