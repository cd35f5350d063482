//! How a command fails, and its exit code.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use zephyr_control::Redacted;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments or the configuration are wrong: exit code 2.
    Usage(anyhow::Error),
    /// The operation failed: exit code 1.
    Operation(anyhow::Error),
}

impl Failure {
    /// A mistake in the arguments or in the configuration.
    pub(crate) fn usage(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self::Usage(anyhow::Error::msg(message))
    }

    /// An error of the outside world. `meaning`: what failed because of it.
    pub(crate) fn operation(
        error: impl Error + Send + Sync + 'static,
        meaning: &'static str,
    ) -> Self {
        Self::Operation(anyhow::Error::new(error).context(meaning))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Operation(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
        }
    }
}

/// The name of a file, or what it says, may hold a credential.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(error) | Self::Operation(error)) = self;
        f.write_str(&Redacted::by_shape(&format!("{error:#}")))
    }
}

/// Any error is a failed operation, unless it is explicitly a mistake in the usage.
impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Operation(error.into())
    }
}
