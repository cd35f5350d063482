//! The admin API over real connections: server, client and the instance file.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod client;
mod fake;
mod flood;
mod instance;
mod neighbours;
mod privileges;
mod server;
mod sign_in;
