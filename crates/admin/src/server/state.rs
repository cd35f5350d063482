//! The state: at this moment, after every change, and in numbers.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use http::Uri;
use http::header::CONTENT_TYPE;
use tokio_util::sync::CancellationToken;
use zephyr_control::{METRICS_TYPE, Snapshot, Snapshots};

use super::api::Api;
use super::failure::Failure;
use crate::protocol::events::{KEEP_ALIVE, SNAPSHOT};

pub(super) async fn snapshot(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let snapshot = api.control.snapshot().await?;
    Ok(axum::Json(&*snapshot).into_response())
}

pub(super) async fn events(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let snapshots = api.control.snapshots().await?;
    let events = event_stream(snapshots, api.shutdown.clone());
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

fn event_stream(
    snapshots: Snapshots,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    snapshots
        .map(|snapshot| Ok(event(&snapshot)))
        .take_until(shutdown.cancelled_owned())
}

fn event(snapshot: &Snapshot) -> sse::Event {
    let event = sse::Event::default().event(SNAPSHOT);
    event.json_data(snapshot).unwrap_or_else(|error| {
        tracing::error!(%error, "a snapshot could not be written as JSON");
        sse::Event::default().comment("a snapshot could not be written")
    })
}

pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let text = api.control.metrics().await?;
    Ok(([(CONTENT_TYPE, METRICS_TYPE)], text).into_response())
}

/// The query is the challenge, whatever it says. The answer is worth nothing at another port.
pub(super) async fn proof(State(api): State<Arc<Api>>, uri: Uri) -> String {
    let challenge = uri.query().unwrap_or_default();
    api.token.proof(api.port, challenge)
}
