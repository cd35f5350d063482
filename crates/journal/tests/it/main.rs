//! The journal from the outside.
#![allow(clippy::unwrap_used, reason = "only tests call it")]

#[path = "../common/mod.rs"]
mod common;
mod journal;
mod millions;
