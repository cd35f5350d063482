//! `[validation]`: which defects of an answer count.

use crate::messages::format::Format;

/// `[validation]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// Whether an answer must have the Messages format.
    pub strict_format: bool,
    /// Whether the events of a stream are checked.
    pub streaming: bool,
    /// Whether an answer that is found invalid after it began is aborted.
    pub disconnect_on_invalid: bool,
}

impl Validation {
    /// What counts as an answer.
    pub fn format(&self) -> Format {
        if self.strict_format {
            Format::Messages
        } else {
            Format::Any
        }
    }
}

impl Default for Validation {
    fn default() -> Self {
        Self {
            strict_format: true,
            streaming: true,
            disconnect_on_invalid: true,
        }
    }
}
