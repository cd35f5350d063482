//! Zephyr's own error answers, in the Messages API's shape.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use zephyr_secrets::redact::Redacted;

use crate::request::request_id::RequestId;

/// Why Zephyr answers with an error of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The `Host` header names neither loopback nor an allowed host.
    HostNotAllowed,
    /// A web page called.
    OriginNotAllowed,
    /// The client token is missing or wrong.
    ClientTokenRequired,
    /// A program of another user of this machine called.
    OtherUser,
    /// The method is not forwarded.
    MethodNotAllowed,
    /// Two readers could understand the request's head differently.
    AmbiguousHead,
    /// The body has a transfer coding besides `chunked`.
    CodingNotImplemented,
    /// The path leaves the place that an endpoint gives to its clients.
    PathNotAllowed,
    /// The request's target is not a path.
    NoPath,
    /// The request has been here before, in a loop of proxies.
    LoopDetected,
    /// The body is larger than `server.max_body_mb`.
    BodyTooLarge,
    /// The body ended early.
    BodyIncomplete,
    /// No endpoint is configured.
    NoEndpoints,
    /// No endpoint may take the request.
    NoneUsable,
    /// Every attempt failed.
    AllFailed,
    /// Every attempt failed, one because its endpoint was overloaded.
    AllOverloaded,
    /// Nothing at all can be reached.
    Offline,
    /// The program is about to end.
    ShuttingDown,
    /// No further connection is accepted.
    TooManyConnections,
}

impl Code {
    /// The `x-zephyr-error` header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HostNotAllowed => "host_not_allowed",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::ClientTokenRequired => "client_token_required",
            Self::OtherUser => "other_user",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::AmbiguousHead => "ambiguous_head",
            Self::CodingNotImplemented => "coding_not_implemented",
            Self::PathNotAllowed => "path_not_allowed",
            Self::NoPath => "no_path",
            Self::LoopDetected => "loop_detected",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyIncomplete => "body_incomplete",
            Self::NoEndpoints => "no_endpoints",
            Self::NoneUsable => "none_usable",
            Self::AllFailed => "all_failed",
            Self::AllOverloaded => "all_overloaded",
            Self::Offline => "offline",
            Self::ShuttingDown => "shutting_down",
            Self::TooManyConnections => "too_many_connections",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::HostNotAllowed | Self::OriginNotAllowed | Self::OtherUser => {
                StatusCode::FORBIDDEN
            }
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::CodingNotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::ClientTokenRequired => StatusCode::UNAUTHORIZED,
            Self::LoopDetected => StatusCode::LOOP_DETECTED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoPath | Self::PathNotAllowed | Self::AmbiguousHead | Self::BodyIncomplete => {
                StatusCode::BAD_REQUEST
            }
            Self::NoEndpoints
            | Self::NoneUsable
            | Self::ShuttingDown
            | Self::TooManyConnections => StatusCode::SERVICE_UNAVAILABLE,
            Self::AllFailed | Self::Offline => StatusCode::BAD_GATEWAY,
            // The Messages API itself answers 529 when it is overloaded.
            Self::AllOverloaded => {
                StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    fn error_type(self) -> &'static str {
        match self {
            Self::HostNotAllowed | Self::OriginNotAllowed | Self::OtherUser => "permission_error",
            Self::ClientTokenRequired => "authentication_error",
            Self::MethodNotAllowed
            | Self::AmbiguousHead
            | Self::CodingNotImplemented
            | Self::PathNotAllowed
            | Self::NoPath
            | Self::LoopDetected
            | Self::BodyIncomplete => "invalid_request_error",
            Self::BodyTooLarge => "request_too_large",
            Self::NoEndpoints
            | Self::NoneUsable
            | Self::ShuttingDown
            | Self::TooManyConnections
            | Self::AllOverloaded => "overloaded_error",
            Self::AllFailed | Self::Offline => "api_error",
        }
    }
}

/// An error answer of our own. The extensions of its head hold the code.
pub fn error(code: Code, message: impl Into<Redacted>) -> Response<Bytes> {
    let message = message.into();
    let body = serde_json::json!({
        "type": "error",
        "error": { "type": code.error_type(), "message": message.as_str() },
    });
    let mut response = json(code.status(), &body);
    let headers = response.headers_mut();
    headers.insert("x-zephyr-error", HeaderValue::from_static(code.as_str()));
    response.extensions_mut().insert(code);
    response
}

/// The body of an error of our own, with the request's id in it, as in the API's own errors.
pub fn naming(body: &Bytes, id: RequestId) -> Bytes {
    let Ok(mut error) = serde_json::from_slice::<serde_json::Value>(body) else {
        return body.clone();
    };
    error["request_id"] = id.to_string().into();
    Bytes::from(error.to_string())
}

/// A JSON answer of our own.
pub fn json(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `Retry-After` in whole seconds, at least 1.
pub fn retry_after(wait: Duration) -> (http::HeaderName, HeaderValue) {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    (RETRY_AFTER, HeaderValue::from(seconds))
}
