//! Commands, checks of commands, and tests of endpoints. What a browser may not do by itself is decided in
//! [`trust`].

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Uri;
use zephyr_control::{Command, Tested};

use super::api::Api;
use super::body::read;
use super::caller::Caller;
use super::failure::Failure;
use super::guard::Rejection;
use super::trust;
use crate::protocol::query::Parameters;

pub(super) async fn execute(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Failure> {
    let command: Command = read(body, "a command").await?;
    tracing::debug!(command = name_of(&command), "command from the admin port");
    let done = match caller {
        Caller::Program => api.control.execute(command).await?,
        Caller::Browser(session) => trust::execute(&api, session, command).await?,
        Caller::Scraper | Caller::Nobody => return Err(Rejection::Unauthorized.into()),
    };
    Ok(axum::Json(done).into_response())
}

pub(super) async fn check(State(api): State<Arc<Api>>, body: Body) -> Result<Response, Failure> {
    let command: Command = read(body, "a command").await?;
    let complaints = api.control.check(command).await?;
    Ok(axum::Json(complaints).into_response())
}

pub(super) async fn diagnose(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Failure> {
    let tested: Tested = read(body, "what is to be tested").await?;
    let diagnosis = match caller {
        Caller::Program => api.control.diagnose(tested).await?,
        Caller::Browser(session) => trust::diagnose(&api, session, tested).await?,
        Caller::Scraper | Caller::Nobody => return Err(Rejection::Unauthorized.into()),
    };
    Ok(axum::Json(diagnosis).into_response())
}

pub(super) async fn configuration(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let configuration = api.control.configuration().await?;
    Ok(axum::Json(configuration).into_response())
}

pub(super) async fn has_token(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Failure> {
    let mut parameters = Parameters::of(uri.query())?;
    let reference = parameters.reference()?;
    parameters.end()?;
    let has_token = api.control.has_token(reference).await?;
    Ok(axum::Json(has_token).into_response())
}

/// The command's name alone, since its data may hold the password of a proxy.
fn name_of(command: &Command) -> String {
    let told = serde_json::to_value(command).unwrap_or_default();
    told["command"].as_str().unwrap_or_default().to_owned()
}
