//! The admin API: how a front-end in one process shows and steers the engine in another.
//!
//! It carries a [`Control`](zephyr_control::Control) over HTTP on loopback, and serves the page for
//! people with a browser. Nothing here decides about endpoints.
//!
//! | module | is |
//! | --- | --- |
//! | `protocol` | paths, parameters, errors and what signs in: written once, for both sides |
//! | [`server`] | the HTTP server over a `Control` |
//! | [`client`] | a `Control` over that server |
//! | [`instance`] | how a front-end finds the running instance |
//! | [`token`] | the secrets that both know |
//! | [`export`] | requests and sums as files |

pub mod client;
pub mod export;
pub mod instance;
mod protocol;
pub mod server;
pub mod token;
