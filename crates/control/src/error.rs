//! How a command or a question may fail.

use std::fmt;

use serde::{Deserialize, Serialize};
use zephyr_redact::{Redacted, Redactor};

use crate::privilege::Confirmation;

/// A command or a query could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ControlError {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what happened and what to do.
    #[cfg_attr(test, ts(type = "string"))]
    pub message: Redacted,
    /// With [`ErrorCode::NeedsConfirmation`]: what has to be confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub confirmation: Option<Box<Confirmation>>,
}

impl ControlError {
    /// An error of this code in these words, without what looks like a credential.
    pub fn new(code: ErrorCode, message: impl AsRef<str>) -> Self {
        Self {
            code,
            message: Redacted::by_shape(message.as_ref()),
            confirmation: None,
        }
    }

    /// The same without the secrets that are known here.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        Self {
            message: redactor.text(&self.message),
            ..self
        }
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ControlError {}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No endpoint of that name.
    UnknownEndpoint,
    /// No request of that number is in the journal.
    UnknownRequest,
    /// The endpoint cannot be used as asked, for instance pinned while disabled.
    NotPossible,
    /// The configuration file has errors; the running one stays.
    InvalidConfiguration,
    /// No instance is running, or it does not answer.
    Unreachable,
    /// The admin token is missing or wrong.
    Unauthorized,
    /// The operating system's user has to confirm this first.
    NeedsConfirmation,
    /// The request is not one of this API.
    BadRequest,
    /// Something that should not happen.
    Internal,
}
