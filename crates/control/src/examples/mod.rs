//! Example snapshots, as an engine sends them: one for each thing that a front-end has to show.
//!
//! Every front-end's tests use them: those in Rust by the feature `examples`, the user interface by
//! `ui/tests/examples.json`, which the tests of this crate write and compare.

mod endpoints;
mod parts;
mod snapshots;
#[cfg(test)]
mod tests;

pub use parts::{NOW_MS, endpoint, form, live_request, out, snapshot, some_answer, well};
pub use snapshots::{
    all, all_down, busy, degraded, distributing, draining, empty, failing_pin, healthy, manual,
    many, offline, paused, problems, quota, refused, serve, spread_thin, starting, stopped,
    unmeasured,
};
