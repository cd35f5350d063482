//! The state as text for a terminal.
//!
//! Pure functions of their arguments: "ago" and "to go" are counted from the moment of the snapshot, not from
//! a clock. All words come from the message catalogues.

mod parts;
mod phrase;
mod probes;
mod start;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use self::probes::{diagnosis, probes, timing};
pub(crate) use self::start::{demo_started, not_running, open_by_hand, opened, started};
pub(crate) use self::view::view;
