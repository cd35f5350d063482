//! What every program around the engine shares: the admin HTTP API and its client, the instance file,
//! the views in words.
//!
//! Nothing here decides about endpoints; it carries [`Control`](zephyr_control::Control) from the
//! process that runs the engine to everything that shows or steers it, and puts a
//! [`Snapshot`](zephyr_control::Snapshot) into words.
//!
//! | module | is |
//! | --- | --- |
//! | [`admin`] | the admin HTTP server over a `Control` |
//! | [`client`] | a `Control` over that server |
//! | [`token`] | the secret that both know |
//! | [`instance`] | how a front-end finds the running instance |
//! | [`names`] | which endpoint a person means |
//! | [`status`] | a snapshot as text |
//! | [`journal`] | requests and sums as text |
//! | [`moment`] | points in time as a person types them |

pub mod admin;
pub mod client;
pub mod instance;
pub mod journal;
pub mod moment;
pub mod names;
mod query;
pub mod status;
pub mod token;

/// The JSON Schema of `config.toml`, for editors.
pub const SCHEMA: &str = include_str!("config.schema.json");
