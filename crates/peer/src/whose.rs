//! The question, on every system.

use std::net::SocketAddr;

#[cfg(target_os = "linux")]
use crate::linux as platform;
#[cfg(target_os = "macos")]
use crate::macos as platform;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use crate::other as platform;
use crate::owner::{Peer, Untold, canonical};

/// Whether [`whose`] has to run where blocking is allowed.
pub const BLOCKS: bool = platform::BLOCKS;

/// Who is at the other end of the connection that was accepted at `local` from `peer`. On Linux this is one
/// system call that does not wait; on other systems it blocks ([`BLOCKS`]).
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
