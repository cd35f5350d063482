//! Real clients through a real Zephyr, over scripted endpoints.
//!
//! [`Zephyr`] is the built program, started as a user starts it; an [`Sdk`] and [`claude_code`] are
//! clients as their users get them, in processes of their own. Between them there is nothing that a
//! test could bend: a test sees what the client printed, and what the endpoints received.
//!
//! `cargo xtask clients` installs the clients, builds the program, and says in the environment where
//! they are. Not for: the protocol in detail; `crates/engine/tests` has that, byte by byte.

mod client;
mod given;
mod zephyr;

pub use client::{Call, Outcome, Sdk, claude_code, claude_code_by_its_settings, config_dir};
pub use zephyr::{CLIENT_TOKEN, FIRST_TOKEN, SECOND_TOKEN, Zephyr};
