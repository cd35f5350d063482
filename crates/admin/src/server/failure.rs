//! The reasons for not answering a request: a status, and a [`ControlError`] as JSON.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use zephyr_control::{ControlError, ErrorCode};

use super::guard::Rejection;
use crate::protocol::path;
use crate::protocol::query::BadParameter;
use crate::protocol::refusal::status_of;
use crate::token::TokenError;

/// The reason for not answering a request.
pub(super) enum Failure {
    Control(ControlError),
    /// The body is not what it should be: what that is, and what is wrong.
    NotJson(&'static str, serde_json::Error),
    Parameter(BadParameter),
    /// A request of the journal was not asked for by its number.
    NoNumber,
    /// The body has a NUL character in it.
    Nul,
    /// No confirmation of this number waits.
    NoConfirmation,
    Rejected(Rejection),
    Token(TokenError),
    /// The code is unknown, used or too old.
    NoCode,
    /// There is nothing to sign in to.
    NoPage,
    /// The body has more than so many bytes, or was cut off.
    TooLarge(usize),
    /// The body took longer than this.
    TooSlow(Duration),
    UnknownPath,
    WrongMethod,
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<BadParameter> for Failure {
    fn from(bad: BadParameter) -> Self {
        Self::Parameter(bad)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let bad = |message: &str| ControlError::new(ErrorCode::BadRequest, message);
        let (status, error) = match self {
            Self::Rejected(rejection) => return rejection.into_response(),
            Self::Token(error) => {
                let error = ControlError::new(ErrorCode::Internal, error.to_string());
                (StatusCode::INTERNAL_SERVER_ERROR, error)
            }
            Self::NoCode => {
                let message =
                    "this code has been used already, or is too old; type `zephyr open` again";
                let error = ControlError::new(ErrorCode::Unauthorized, message);
                (StatusCode::UNAUTHORIZED, error)
            }
            Self::NoPage => {
                let message =
                    "the page is switched off; set web_admin.enabled = true and start Zephyr again";
                (
                    StatusCode::CONFLICT,
                    ControlError::new(ErrorCode::NotPossible, message),
                )
            }
            Self::Control(error) => (status_of(error.code), error),
            Self::NotJson(expected, error) => (
                StatusCode::BAD_REQUEST,
                bad(&format!("the body is not {expected}: {}", unquoted(&error))),
            ),
            Self::Parameter(error) => (StatusCode::BAD_REQUEST, error.into()),
            Self::Nul => (
                StatusCode::BAD_REQUEST,
                bad("the body has a NUL character in it; take it out"),
            ),
            Self::NoConfirmation => {
                let message = "nothing with this number waits for a confirmation (any more); \
                               `zephyr confirm` lists what does";
                (
                    StatusCode::NOT_FOUND,
                    ControlError::new(ErrorCode::NotPossible, message),
                )
            }
            Self::NoNumber => (
                StatusCode::BAD_REQUEST,
                bad(&format!(
                    "a request of the journal is asked for by its number: {}",
                    path::request(17)
                )),
            ),
            Self::TooLarge(limit) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                bad(&format!(
                    "the body is larger than {} KB or was cut off",
                    limit / 1024
                )),
            ),
            Self::TooSlow(time) => (
                StatusCode::REQUEST_TIMEOUT,
                bad(&format!(
                    "the body did not arrive within {} s",
                    time.as_secs()
                )),
            ),
            Self::UnknownPath => (StatusCode::NOT_FOUND, bad(&no_such_path())),
            Self::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                bad(
                    "wrong method; commands, checks and tests are sent with POST, the rest is read with GET",
                ),
            ),
        };
        (status, axum::Json(error)).into_response()
    }
}

fn no_such_path() -> String {
    let [first @ .., last] = path::TOLD;
    format!("no such path; there are {} and {last}", first.join(", "))
}

/// The error without the value: serde quotes a value that it did not expect, and that may be a token.
fn unquoted(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) => {
            format!("{}…{}", &message[..first], &message[last + 1..])
        }
        (_, _) => message,
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let message = self.to_string();
        match self {
            Self::ForeignHost { .. } | Self::ForeignOrigin | Self::OtherUser => {
                let error = ControlError::new(ErrorCode::BadRequest, message);
                (StatusCode::FORBIDDEN, axum::Json(error)).into_response()
            }
            Self::Unauthorized | Self::NoMetrics => {
                let error = ControlError::new(ErrorCode::Unauthorized, message);
                let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
                (StatusCode::UNAUTHORIZED, challenge, axum::Json(error)).into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zephyr_control::Command;

    #[test]
    fn what_is_wrong_with_a_body_is_told_without_its_values() {
        let body = r#"{"command":"set","key":"a","value":{"token":"hunter2"}}"#;
        let wrong_type = r#"{"command":"move_endpoint","name":"a","to":"hun\"ter2"}"#;
        let missing = r#"{"command":"use"}"#;
        let told = |body: &str| unquoted(&serde_json::from_str::<Command>(body).unwrap_err());

        assert!(!told(body).contains("hunter2"), "{}", told(body));
        assert!(!told(wrong_type).contains("ter2"), "{}", told(wrong_type));
        assert!(
            told(wrong_type).contains("expected u32"),
            "{}",
            told(wrong_type)
        );
        assert!(
            told(missing).contains("missing field `endpoint`"),
            "{}",
            told(missing)
        );
    }
}
