//! An error on the wire: a status, and a [`ControlError`] as JSON.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use zephyr_control::{ControlError, ErrorCode};

/// The status that goes with a code.
pub(crate) fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::UnknownEndpoint | ErrorCode::UnknownRequest => StatusCode::NOT_FOUND,
        ErrorCode::NotPossible => StatusCode::CONFLICT,
        ErrorCode::InvalidConfiguration => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::Unreachable => StatusCode::BAD_GATEWAY,
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::NeedsConfirmation => StatusCode::FORBIDDEN,
        ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A [`ControlError`] as it arrives. Its code may come from a newer instance.
#[derive(Deserialize)]
pub(crate) struct Refusal {
    code: Value,
    message: String,
}

impl Refusal {
    pub(crate) fn into_error(self) -> ControlError {
        let code = ErrorCode::deserialize(self.code).unwrap_or(ErrorCode::Internal);
        ControlError::new(code, self.message)
    }
}
