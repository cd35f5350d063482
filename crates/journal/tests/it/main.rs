//! The journal from the outside.

#[path = "../common/mod.rs"]
mod common;
mod journal;
mod millions;
