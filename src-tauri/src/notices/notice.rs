//! A notification.

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// One line.
    pub(crate) summary: String,
    /// What, from where to where, and why.
    pub(crate) body: String,
}
