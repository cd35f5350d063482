//! Whose program is at the other end of a local connection.
//!
//! A port on loopback is open to every user of the machine. The system knows which user has the socket at the
//! other end, so a server can tell its own user from the others. On Linux the kernel is asked for that one
//! socket (`sock_diag(7)`), which takes microseconds. On macOS it is looked for among the sockets of the
//! processes that we may inspect, which takes milliseconds. Other systems are not asked.
//!
//! What cannot be known: through a container's or a virtual machine's forwarded port, the other end is the
//! forwarder. A connection from another machine has no local user.

use std::net::SocketAddr;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as platform;

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod other;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use other as platform;

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

/// Who is at the other end of the connection that was accepted at `local` from `peer`. On Linux this is one
/// system call that does not wait; elsewhere it blocks ([`BLOCKS`]).
#[must_use]
pub fn whose(peer: SocketAddr, local: SocketAddr) -> Peer {
    let (peer, local) = (canonical(peer), canonical(local));
    match platform::owner(peer, local) {
        Ok(Some(peer)) => peer,
        Ok(None) if peer.ip().is_loopback() => Peer::Nobody,
        Ok(None) => Peer::Remote,
        Err(Untold) if peer.ip().is_loopback() => Peer::Unknown,
        Err(Untold) => Peer::Remote,
    }
}

/// Whether [`whose`] has to run where blocking is allowed.
pub const BLOCKS: bool = platform::BLOCKS;

/// The system does not tell whose a socket is.
struct Untold;

/// The address without the form of IPv4 within IPv6, which a socket for both has.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
