//! Whose fault a failure is.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The endpoint caused it, so it counts.
    Endpoint,
    /// The network caused it, so it does not count.
    Network,
}
