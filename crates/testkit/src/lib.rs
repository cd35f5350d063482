//! Scripted endpoints for tests.
//!
//! Everything here is a real socket on loopback: what a test sees is what a client would see. An
//! [`Endpoint`] does what its [`Script`] says, byte by byte, and records what it received; a
//! [`RawClient`] sends exact bytes and tells a clean end from an abort. Nothing polls and nothing
//! sleeps: a test waits for events, and fails after [`PATIENCE`] if they do not come.
//!
//! Not for: anything that is shipped. This crate knows nothing of Zephyr's own types, so that it cannot
//! agree with them by accident.
//!
//! | module | has |
//! | --- | --- |
//! | `act`, `stream` | what an endpoint does with one request: [`Act`], [`Step`], [`Phase`] |
//! | `endpoint`, `tls` | HTTP/1.1 on raw sockets; TLS with HTTP/2 and HTTP/1.1 |
//! | `received`, `record` | what was received, and how a test waits for it |
//! | `perform`, `http1`, `http2` | how an act is carried out, in either protocol |
//! | `client` | the test's side of the connection |
//! | `proxy` | forward proxies: HTTP and SOCKS5 |
//! | `port` | ports without an endpoint behind them: [`FaultyPort`] |

mod act;
mod client;
mod encoding;
mod endpoint;
mod http;
mod http1;
mod http2;
mod perform;
mod port;
mod proxy;
mod received;
mod record;
mod server;
mod stream;
mod tls;

pub use act::{Act, Script};
pub use client::{Answer, End, RawClient, get, post_messages};
pub use encoding::Encoding;
pub use endpoint::Endpoint;
pub use http::Headers;
pub use port::{FaultyPort, PortFault};
pub use proxy::{HttpProxy, SocksProxy};
pub use received::{HttpVersion, Received};
pub use record::{Cancelled, PATIENCE};
pub use stream::{Gate, Phase, Step, TextStream, Usage};
pub use tls::TlsEndpoint;
