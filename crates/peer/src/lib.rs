//! Whose program is at the other end of a local connection.
//!
//! A port on loopback is open to every user of the machine. The system knows which user has the socket at the
//! other end, so a server can tell its own user from the others. On Linux the kernel is asked for that one
//! socket (`sock_diag(7)`), which takes microseconds. On macOS it is looked for among the sockets of the
//! processes that we may inspect, which takes milliseconds. Other systems are not asked.
//!
//! What cannot be known: through a container's or a virtual machine's forwarded port, the other end is the
//! forwarder. A connection from another machine has no local user.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod other;
mod owner;
mod whose;

pub use owner::Peer;
pub use whose::whose;
