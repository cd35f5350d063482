//! On macOS: the sockets of the processes that we may inspect. Without root's rights, those are our user's.

use std::net::SocketAddr;

use listeners::Protocol;

use crate::owner::{Peer, Untold, canonical};

pub(crate) const BLOCKS: bool = true;

pub(crate) fn owner(peer: SocketAddr, _local: SocketAddr) -> Result<Option<Peer>, Untold> {
    if rustix::process::geteuid().is_root() {
        return Err(Untold); // Root may inspect everybody's, so this tells nothing.
    }
    let sockets = listeners::get_all().map_err(|_| Untold)?;
    let is_ours = sockets
        .iter()
        .any(|socket| socket.protocol == Protocol::TCP && canonical(socket.socket) == peer);
    if is_ours {
        return Ok(Some(Peer::Own));
    }
    let is_local = peer.ip().is_loopback();
    Ok(is_local.then_some(Peer::Other { user: None }))
}
