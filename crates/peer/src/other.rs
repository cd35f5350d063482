//! Systems that are not asked.

use std::net::SocketAddr;

use crate::owner::{Peer, Untold};

pub(crate) const BLOCKS: bool = false;

pub(crate) fn owner(_peer: SocketAddr, _local: SocketAddr) -> Result<Option<Peer>, Untold> {
    Err(Untold)
}
