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
//! | [`language`] | which language to speak |
//! | [`status`] | a snapshot as text |
//! | [`journal`] | requests and sums as text |
//! | [`moment`] | points in time as a person types them |
//! | [`demo`] | simulated endpoints, and a configuration over them |
//! | [`logging`], [`signals`] | log lines on stderr and in files; what the system tells a program |
//! | [`descriptors`] | as many open files as the system grants |
//! | [`claude_code`] | Claude Code's settings, pointed here and back |

pub mod admin;
pub mod claude_code;
pub mod client;
pub mod demo;
pub mod descriptors;
pub mod instance;
pub mod journal;
pub mod language;
pub mod logging;
pub mod moment;
pub mod names;
mod query;
pub mod signals;
pub mod status;
pub mod token;

/// The JSON Schema of `config.toml`, for editors.
pub const SCHEMA: &str = include_str!("config.schema.json");
