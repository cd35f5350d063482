//! The answer to a confirmation.

use serde::{Deserialize, Serialize};

/// The answer of the operating system's user.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) allow: bool,
}
