//! Probes: small requests of our own that tell how an endpoint is.
//!
//! They go through the same pooled connections as the traffic, so they keep these warm and measure what
//! a request would meet. A probe is over after `health_check.timeout_seconds`, whatever it waits for.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use zephyr_core::classify::{Attempt, Fault, Outcome, Refusal};
use zephyr_core::config::ProbeMode;
use zephyr_core::fleet::ProbeResult;
use zephyr_core::messages::Format;
use zephyr_core::profile::CallKind;
use zephyr_core::proof;

use crate::headers;
use crate::inspect;
use crate::remote::Remote;
use crate::upload::Upload;

/// More than any answer to a probe has.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Probes an endpoint as its `health_check` says.
pub async fn probe(remote: &Remote) -> ProbeResult {
    let limit = remote.spec.health_check.timeout;
    let started = Instant::now();
    let outcome = match tokio::time::timeout(limit, attempt(remote)).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Failed(Fault::TimedOut(limit)),
    };
    match outcome {
        Outcome::Answered => ProbeResult::Answered(started.elapsed()),
        Outcome::ClientFault(_) | Outcome::NotServed(_) => ProbeResult::Reached(started.elapsed()),
        failed @ (Outcome::Refused(_)
        | Outcome::Exhausted { .. }
        | Outcome::Throttled { .. }
        | Outcome::Failed(_)
        | Outcome::Abandoned) => ProbeResult::Failed(failed),
    }
}

async fn attempt(remote: &Remote) -> Outcome {
    let model = &remote.spec.health_check.model;
    let (kind, method, target, body) = match remote.spec.health_check.mode {
        // What these two will be comes with their issue; until then the real call stands in.
        ProbeMode::Message | ProbeMode::CountTokens | ProbeMode::ClaudeCli => (
            CallKind::Messages,
            Method::POST,
            "/v1/messages",
            one_token(model),
        ),
        ProbeMode::Models => (
            CallKind::Other,
            Method::GET,
            "/v1/models?limit=1",
            Bytes::new(),
        ),
        ProbeMode::Connect | ProbeMode::Off => return connect(remote).await,
    };
    let attempt = Attempt {
        kind: CallKind::Messages,
        model: Some(model),
        own_credential: remote.credential.is_ours(),
    };
    let request = match request(remote, method, target, &body) {
        Ok(request) => request,
        Err(error) => return Outcome::Failed(Fault::Connect(error.to_string())),
    };
    let response = match send(remote, request).await {
        Ok(response) => response,
        Err(fault) => return Outcome::Failed(fault),
    };
    judge(&attempt, kind, remote.format, response).await
}

async fn connect(remote: &Remote) -> Outcome {
    let opened = match remote.url(&http::uri::PathAndQuery::from_static("/")) {
        Ok(url) => remote.upstream.connect(url).await,
        Err(error) => Err(Fault::Connect(error.to_string())),
    };
    opened.map_or_else(Outcome::Failed, |()| Outcome::Answered)
}

/// One real call with one token of output.
fn one_token(model: &str) -> Bytes {
    let body = serde_json::json!({
        "model": model,
        "max_tokens": 1,
        "messages": [{ "role": "user", "content": "." }],
    });
    Bytes::from(body.to_string())
}

fn request(
    remote: &Remote,
    method: Method,
    target: &'static str,
    body: &Bytes,
) -> Result<Request<Upload>, http::Error> {
    let mut request = Request::new(Upload::whole(body.clone()));
    *request.method_mut() = method;
    *request.uri_mut() = remote.url(&http::uri::PathAndQuery::from_static(target))?;
    let headers = request.headers_mut();
    headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("zephyr/", env!("CARGO_PKG_VERSION"))),
    );
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    remote.authorize(headers);
    Ok(request)
}

async fn send(remote: &Remote, request: Request<Upload>) -> Result<Response<Incoming>, Fault> {
    let (parts, upload) = request.into_parts();
    let once = || Request::from_parts(parts.clone(), upload.attempt());
    match remote.upstream.send(once()).await {
        Err(error) if error.stale => remote.upstream.send_fresh(once()).await,
        result => result,
    }
    .map_err(|error| error.fault)
}

async fn judge(
    attempt: &Attempt<'_>,
    kind: CallKind,
    format: Format,
    response: Response<Incoming>,
) -> Outcome {
    let (head, body) = response.into_parts();
    let body = match Limited::new(body, ANSWER_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Outcome::Failed(Fault::Lost(error.to_string())),
    };
    let plain = match inspect::plain(&head.headers, &[body], ANSWER_LIMIT) {
        Ok(plain) => plain.unwrap_or_default(),
        Err(fault) => return Outcome::Failed(fault),
    };
    if !head.status.is_success() {
        return attempt.judge_status(Refusal {
            status: head.status.as_u16(),
            retry_after: wait_asked_for(&head.headers),
            body: &plain,
        });
    }
    match proof::judge_json(format, kind, &plain) {
        Ok(()) => Outcome::Answered,
        Err(fault) => attempt.judge_fault(fault),
    }
}

fn wait_asked_for(headers: &HeaderMap) -> Option<Duration> {
    headers::retry_after(headers, SystemTime::now())
}
