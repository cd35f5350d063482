//! The configuration file from the outside.
#![expect(clippy::unwrap_used, reason = "all of it is a test")]

mod editing;
mod fuzz;
mod mangled;
#[cfg(target_os = "linux")]
mod ownership;
mod properties;
mod reading;
mod rules;
mod schema;
