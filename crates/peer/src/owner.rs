//! Who can have a socket.

use std::net::SocketAddr;

/// Who has the socket at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// This program's own user, or the system's administrator, who may do anything anyway.
    Own,
    /// Another user of this machine.
    Other {
        /// The user's number, where the system tells it.
        user: Option<u32>,
    },
    /// A loopback connection whose other end has nobody: it is closed already, or belongs to another
    /// container or virtual machine.
    Nobody,
    /// The connection comes from another machine.
    Remote,
    /// The system was not asked, or does not tell.
    Unknown,
}

/// The system does not tell whose a socket is.
pub(crate) struct Untold;

/// The address without the form of IPv4 within IPv6, which a socket for both has.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
