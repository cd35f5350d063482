//! The state: now, after every change, and as metrics. And the proof that this is the instance with the token.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::Uri;
use http::header::CONTENT_TYPE;
use zephyr_control::METRICS_TYPE;

use super::api::Api;
use super::failure::Failure;

pub(super) async fn snapshot(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let snapshot = api.control.snapshot().await?;
    Ok(axum::Json(&*snapshot).into_response())
}

pub(super) async fn events(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let events = api.feed.subscribe(&*api.control).await?;
    let events = events.take_until(api.shutdown.clone().cancelled_owned());
    let body = Body::from_stream(events.map(Ok::<_, Infallible>));
    Ok(([(CONTENT_TYPE, "text/event-stream")], body).into_response())
}

pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let text = api.control.metrics().await?;
    Ok(([(CONTENT_TYPE, METRICS_TYPE)], text).into_response())
}

/// The query is the challenge, whatever it says. The answer is worthless at another port.
pub(super) async fn proof(State(api): State<Arc<Api>>, uri: Uri) -> String {
    let challenge = uri.query().unwrap_or_default();
    api.tokens.admin.proof(api.port, challenge)
}
