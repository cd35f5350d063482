//! What counts as an answer.

/// What counts as an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// An answer of the Messages API.
    #[default]
    Messages,
    /// Any JSON object, any stream of events; no web page, no error, not nothing.
    Any,
}
