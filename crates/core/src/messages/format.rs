//! What counts as an answer.

/// What counts as an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// An answer of the Messages API.
    #[default]
    Messages,
    /// Any JSON object and any stream of events, but not a web page, an error or an empty answer.
    Any,
}
