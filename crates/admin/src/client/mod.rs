//! A [`Control`](zephyr_control::Control) over the admin API of an instance in another process.
//!
//! It speaks plain HTTP to a loopback address and to nothing else: no TLS, no proxy, no redirection. A
//! stream of snapshots ends when the instance ends; whoever wants the next instance looks for it again.
//!
//! Whoever listens there has to prove, before every request, that it knows the token already: after a
//! crash the port may be anybody's.

mod connection;
mod obstacle;
mod sse;

pub use self::connection::Client;
pub use self::obstacle::not_running;

pub(crate) use self::obstacle::Obstacle;
