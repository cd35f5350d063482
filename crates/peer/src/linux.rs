//! On Linux: the kernel is asked for the one socket at the other end.
//!
//! The request is an `inet_diag_req_v2` over netlink, the answer an `inet_diag_msg` (`sock_diag(7)`,
//! `linux/inet_diag.h`). Both are in the byte order of the machine, but for ports and addresses. The crates for
//! this protocol depend on one that nobody maintains (RUSTSEC-2024-0436), and this is all that is needed of it.

use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};
use rustix::process::geteuid;

use crate::owner::{Peer, Untold};

pub(crate) const BLOCKS: bool = false;

/// `NLMSG_ERROR` and `SOCK_DIAG_BY_FAMILY`, types of netlink messages.
const ERROR: u16 = 2;
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
const TCP: u8 = 6;
const INET: u8 = 2;
const INET6: u8 = 10;
/// `INET_DIAG_NOCOOKIE`: any socket with these addresses.
const ANY_COOKIE: [u8; 8] = [0xff; 8];

/// Bytes of a netlink header, and where an `inet_diag_msg` behind it has what is read.
const HEADER: usize = 16;
const STATE: usize = HEADER + 1;
const ADDRESSES: std::ops::Range<usize> = HEADER + 4..HEADER + 40;
const USER: usize = HEADER + 64;
const INODE: usize = HEADER + 68;
/// Where a request has the same addresses.
const ASKED: std::ops::Range<usize> = HEADER + 8..HEADER + 44;
/// `TCP_LISTEN`.
const LISTENS: u8 = 10;

/// The user that stands for all who have no number in this user namespace, unless it was changed
/// (`/proc/sys/kernel/overflowuid`).
const UNMAPPED: u32 = 65_534;

pub(crate) fn owner(peer: SocketAddr, local: SocketAddr) -> Result<Option<Peer>, Untold> {
    let Some(found) = find(peer, local)?.filter(|found| found.is_the_one) else {
        // A kernel without this part of netlink says the same of every socket. Otherwise it knows ours, or at least
        // the one that listens there.
        let tells = find(local, peer)?.is_some();
        return if tells { Ok(None) } else { Err(Untold) };
    };
    // A socket that its program has closed has no inode, and the kernel says that it is root's.
    if found.inode == 0 {
        return Ok(Some(Peer::Nobody));
    }
    if found.user == UNMAPPED && !has_every_user() {
        return Ok(Some(Peer::Unknown));
    }
    let is_own = found.user == 0 || found.user == geteuid().as_raw();
    Ok(Some(if is_own {
        Peer::Own
    } else {
        Peer::Other {
            user: Some(found.user),
        }
    }))
}

/// Whether every user of the machine has a number of their own in this user namespace (`user_namespaces(7)`).
fn has_every_user() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// The socket at `from` that is connected to `to`. The kernel answers with one that listens at `from` where there is
/// none.
fn find(from: SocketAddr, to: SocketAddr) -> Result<Option<Found>, Untold> {
    let request = request(from, to);
    let answer = ask(&request).map_err(|_| Untold)?;
    read(&answer, &request[ASKED]).map_err(|_| Untold)
}

/// A request for the socket at `from` that is connected to `to`.
fn request(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let family = if from.is_ipv4() { INET } else { INET6 };
    let mut body = vec![family, TCP, 0, 0];
    body.extend_from_slice(&u32::MAX.to_ne_bytes()); // In any state.
    body.extend_from_slice(&from.port().to_be_bytes());
    body.extend_from_slice(&to.port().to_be_bytes());
    body.extend_from_slice(&octets(from.ip()));
    body.extend_from_slice(&octets(to.ip()));
    body.extend_from_slice(&0_u32.to_ne_bytes()); // Over any interface.
    body.extend_from_slice(&ANY_COOKIE);
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&BY_FAMILY.to_ne_bytes());
    message.extend_from_slice(&REQUEST.to_ne_bytes());
    message.extend_from_slice(&[0; 8]); // Sequence and sender, which need no number.
    message.extend_from_slice(&body);
    message
}

/// The address in the 16 bytes that the kernel takes.
fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&address.octets());
            octets
        }
        IpAddr::V6(address) => address.octets(),
    }
}

/// Sends the request to the kernel, which has answered before `send` returns.
fn ask(request: &[u8]) -> Result<Vec<u8>, Errno> {
    let kernel = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        Some(netlink::SOCK_DIAG),
    )?;
    send(&kernel, request, SendFlags::empty())?;
    let mut answer = vec![0; 1024];
    let (length, _) = recv(&kernel, &mut answer, RecvFlags::empty())?;
    answer.truncate(length);
    Ok(answer)
}

struct Found {
    /// Whether it is the connection that was asked for, and no other socket at its address.
    is_the_one: bool,
    user: u32,
    inode: u32,
}

/// `asked`: the addresses of the request. `None`: there is no such socket.
fn read(answer: &[u8], asked: &[u8]) -> Result<Option<Found>, Errno> {
    let number = |at: usize| {
        let bytes = answer.get(at..)?.first_chunk()?;
        Some(u32::from_ne_bytes(*bytes))
    };
    let kind = answer
        .get(4..)
        .and_then(<[u8]>::first_chunk)
        .map(|bytes| u16::from_ne_bytes(*bytes));
    match kind {
        Some(BY_FAMILY) => {
            let (Some(user), Some(inode)) = (number(USER), number(INODE)) else {
                return Err(Errno::PROTO);
            };
            let is_same = answer.get(ADDRESSES) == Some(asked);
            let listens = answer.get(STATE) == Some(&LISTENS);
            Ok(Some(Found {
                is_the_one: is_same && !listens,
                user,
                inode,
            }))
        }
        Some(ERROR) => {
            let negative = number(HEADER).map_or(0, u32::cast_signed);
            match Errno::from_raw_os_error(negative.saturating_neg()) {
                Errno::NOENT => Ok(None),
                error => Err(error),
            }
        }
        Some(_) | None => Err(Errno::PROTO),
    }
}
