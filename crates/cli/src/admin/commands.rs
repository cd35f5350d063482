//! Commands, what would be wrong with them, and tests of endpoints: what comes with a body.
//!
//! A body may hold a token on its way into the keychain. It is never logged, and no answer repeats it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use zephyr_control::{Command, Tested};

use super::Api;
use super::failure::Failure;

const BODY_LIMIT: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn execute(State(api): State<Arc<Api>>, body: Body) -> Result<Response, Failure> {
    let command: Command = read(body, "a command").await?;
    tracing::debug!(command = name_of(&command), "command from the admin port");
    let done = api.control.execute(command).await?;
    Ok(axum::Json(done).into_response())
}

pub(super) async fn check(State(api): State<Arc<Api>>, body: Body) -> Result<Response, Failure> {
    let command: Command = read(body, "a command").await?;
    let complaints = api.control.check(command).await?;
    Ok(axum::Json(complaints).into_response())
}

pub(super) async fn diagnose(State(api): State<Arc<Api>>, body: Body) -> Result<Response, Failure> {
    let tested: Tested = read(body, "what is to be tested").await?;
    let diagnosis = api.control.diagnose(tested).await?;
    Ok(axum::Json(diagnosis).into_response())
}

pub(super) async fn configuration(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let configuration = api.control.configuration().await?;
    Ok(axum::Json(configuration).into_response())
}

/// A command without what it carries: a form may hold a proxy's password.
fn name_of(command: &Command) -> String {
    let told = serde_json::to_value(command).unwrap_or_default();
    told["command"].as_str().unwrap_or_default().to_owned()
}

/// The body as what is `expected`.
pub(super) async fn read<T: DeserializeOwned>(
    body: Body,
    expected: &'static str,
) -> Result<T, Failure> {
    match timeout(BODY_TIMEOUT, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(body)) => {
            serde_json::from_slice(&body).map_err(|error| Failure::NotJson(expected, error))
        }
        Ok(Err(_)) => Err(Failure::TooLarge),
        Err(_) => Err(Failure::TooSlow),
    }
}
