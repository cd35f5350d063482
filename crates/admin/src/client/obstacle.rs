//! Why an instance gave no answer that can be used.

use zephyr_control::{ControlError, ErrorCode};

/// Why an instance gave no answer that can be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The port is free.
    NobodyListens,
    /// Somebody listens and says nothing.
    Silent,
    /// The connection broke.
    Broken,
    /// Somebody answers, but not with this API.
    Stranger,
    /// The instance says no.
    Refused(ControlError),
}

/// The error if no instance runs.
pub fn not_running() -> ControlError {
    ControlError::new(
        ErrorCode::Unreachable,
        "Zephyr is not running: start it with `zephyr serve`",
    )
}

impl Obstacle {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Silent
        } else if error.is_connect() {
            Self::NobodyListens
        } else if error.is_decode() {
            Self::Stranger
        } else {
            Self::Broken
        }
    }
}
