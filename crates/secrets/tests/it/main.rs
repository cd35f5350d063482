//! Files from the outside.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "all of it is a test")]

#[path = "../as_user/mod.rs"]
mod as_user;
mod ownership;
