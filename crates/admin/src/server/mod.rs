//! The admin HTTP server: a [`Control`](zephyr_control::Control) for every program on this machine that
//! knows the token.
//!
//! | path | answers |
//! | --- | --- |
//! | `GET /` | the interface, for people with a browser |
//! | `GET /api/v1/snapshot` | the state |
//! | `GET /api/v1/events` | the state now and after every change, as server-sent events |
//! | `POST /api/v1/commands` | carries out a command |
//! | `POST /api/v1/check` | what would be wrong if a command were carried out |
//! | `POST /api/v1/diagnose` | tests an endpoint step by step |
//! | `GET /api/v1/configuration` | what the configuration file says |
//! | `GET /api/v1/requests` | the journal: a page of the requests that match |
//! | `GET /api/v1/requests/export` | all of those, as a file: `format=csv` or `format=jsonl` |
//! | `GET /api/v1/requests/ID` | one of them in full |
//! | `GET /api/v1/usage` | sums over the journal |
//! | `GET /api/v1/history` | how endpoints were over time |
//! | `GET /api/v1/token` | whether the keychain has a token, by its name |
//! | `GET /api/v1/proof` | proves that it knows the token, to whoever is about to send it |
//! | `GET /metrics` | what is counted, for Prometheus |
//!
//! How a browser signs in is told in `sign_in`, who may ask for what in `caller`, and what has to be confirmed
//! in `trust` and `confirm`.
//!
//! Not for other machines and not for web pages of other origins: it binds loopback addresses only,
//! answers no preflight, and asks the guard before anything else. A client that is slow on purpose holds
//! one of a bounded number of connections for a bounded time, and none that somebody with a token needs
//! (`places`).

mod admin;
mod api;
mod body;
mod caller;
mod commands;
mod confirm;
mod confirmations;
mod connections;
mod failure;
mod feed;
mod guard;
mod journal;
mod memory;
mod page;
mod places;
mod router;
mod sign_in;
mod state;
mod trust;
mod visitors;

pub use self::admin::{Access, Admin, serve};
pub use self::confirmations::Confirmations;
