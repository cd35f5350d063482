//! Whether a job of Claude Code is disturbed by an endpoint that fails for good.
//!
//! Zephyr runs with its default settings over three or four endpoints. [`faults::all`] has everything that
//! can be wrong with the first one. [`Trial::run`] lets Claude Code do a job of two turns meanwhile: read a
//! file, and tell what it says. [`Report`] compares that with the same job where nothing is wrong.
//!
//! `cargo xtask unnoticed` runs all of them and writes `docs/unnoticed.md`; ten of them are among the tests
//! with real clients.

mod answers;
mod behaviour;
mod fault;
pub mod faults;
mod report;
mod site;
mod start;
mod trial;

pub use fault::{Bar, Fault};
pub use report::{Report, Row};
pub use start::Start;
pub use trial::{Trial, Usual};
