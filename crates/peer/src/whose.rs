//! The question, on every system.

use std::net::SocketAddr;

use tokio::net::TcpStream;

#[cfg(target_os = "linux")]
use crate::linux as platform;
#[cfg(target_os = "macos")]
use crate::macos as platform;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use crate::other as platform;
use crate::owner::{Peer, Untold, canonical};

/// Who is at the other end of a connection that was accepted from `peer`. On Linux this is one system call that does
/// not wait, elsewhere it takes milliseconds.
pub async fn whose(stream: &TcpStream, peer: SocketAddr) -> Peer {
    let Ok(local) = stream.local_addr() else {
        return Peer::Unknown;
    };
    if !platform::BLOCKS {
        return owner(peer, local);
    }
    let asking = tokio::task::spawn_blocking(move || owner(peer, local));
    asking.await.unwrap_or(Peer::Unknown)
}

fn owner(peer: SocketAddr, local: SocketAddr) -> Peer {
    let (peer, local) = (canonical(peer), canonical(local));
    match platform::owner(peer, local) {
        Ok(Some(peer)) => peer,
        Ok(None) if peer.ip().is_loopback() => Peer::Nobody,
        Ok(None) => Peer::Remote,
        Err(Untold) if peer.ip().is_loopback() => Peer::Unknown,
        Err(Untold) => Peer::Remote,
    }
}
