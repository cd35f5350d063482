//! Whose fault a failure is.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The endpoint's: it counts.
    Endpoint,
    /// The network's: it does not.
    Network,
}
