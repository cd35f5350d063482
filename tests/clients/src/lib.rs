//! Real clients through a real Zephyr, over scripted endpoints.
//!
//! [`Zephyr`] is the built program, started as a user starts it; an [`Sdk`] and [`ClaudeCode`] are
//! clients as their users get them, in processes of their own. Between them there is nothing that a
//! test could bend: a test sees what the client printed, and what the endpoints received.
//!
//! `cargo xtask clients` installs the clients, builds the program, and says in the environment where
//! they are. Not for: the protocol in detail; `crates/engine/tests` has that, byte by byte.

mod claude_code;
mod client;
mod given;
mod sdk;
pub mod unnoticed;
mod zephyr;

pub use claude_code::{ClaudeCode, Work, config_dir};
pub use client::Outcome;
pub use sdk::{Call, Sdk};
pub use zephyr::{CLIENT_TOKEN, FIRST_TOKEN, SECOND_TOKEN, Zephyr};
