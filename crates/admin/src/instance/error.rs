//! Why the instance file could not be used.

use std::io;
use std::path::PathBuf;

use zephyr_control::ControlError;

use crate::token::TokenError;

/// Why the instance file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// It could not be read or written.
    #[error("the instance file {} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The instance runs, but its admin token cannot be read.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The instance runs, but does not answer as it should.
    #[error(transparent)]
    Control(#[from] ControlError),
}
