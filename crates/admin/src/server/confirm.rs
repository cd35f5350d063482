//! Confirmations: what waits, how one stands, and the answer.
//!
//! | path | answers |
//! | --- | --- |
//! | `GET /api/v1/confirmations` | what waits, for a program |
//! | `POST /api/v1/confirmations/NUMBER` | a program answers for the user: `{"allow":true}` |
//! | `GET /api/v1/confirmations/NUMBER` | how it stands, for the browser that asked |
//! | `DELETE /api/v1/confirmations/NUMBER` | that browser does not wait any more, 204 |

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use zephyr_control::privilege::Standing;

use super::api::Api;
use super::body::read;
use super::caller::Caller;
use super::failure::Failure;
use crate::protocol::confirmation::Answer;

pub(super) async fn waiting(State(api): State<Arc<Api>>) -> Response {
    axum::Json(api.confirmations.waiting()).into_response()
}

/// The guard lets only programs get here.
pub(super) async fn settle(
    State(api): State<Arc<Api>>,
    Path(number): Path<String>,
    body: Body,
) -> Result<Response, Failure> {
    let number = number.parse().map_err(|_| Failure::NoConfirmation)?;
    let Answer { allow } = read(body, "an answer to a confirmation").await?;
    let settled = api.confirmations.settle(number, allow);
    let settled = settled.ok_or(Failure::NoConfirmation)?;
    tracing::info!(number, allow, "a confirmation was answered");
    Ok(axum::Json(settled).into_response())
}

pub(super) async fn standing(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
) -> Response {
    let standing = match (caller, number.parse()) {
        (Caller::Browser(session), Ok(number)) => {
            api.confirmations.standing(session, number, Instant::now())
        }
        (_, _) => Standing::Gone,
    };
    axum::Json(standing).into_response()
}

pub(super) async fn withdraw(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
) -> StatusCode {
    if let (Caller::Browser(session), Ok(number)) = (caller, number.parse()) {
        api.confirmations.withdraw(session, number, Instant::now());
    }
    StatusCode::NO_CONTENT
}
