//! How a job begins.

/// What Zephyr knows when Claude Code starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// It has checked every endpoint and seen a few dozen answers. Then the fault begins.
    Warm,
    /// Nothing: it has just started, and the fault was there before it.
    Cold,
}
