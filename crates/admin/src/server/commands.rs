//! Commands, checks of commands, and tests of endpoints.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use zephyr_control::{Command, Tested};

use super::api::Api;
use super::body::read;
use super::failure::Failure;

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

/// The command's name alone, since its data may hold the password of a proxy.
fn name_of(command: &Command) -> String {
    let told = serde_json::to_value(command).unwrap_or_default();
    told["command"].as_str().unwrap_or_default().to_owned()
}
