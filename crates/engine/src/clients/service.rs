//! A client's request: who may make it, what is answered here, what is forwarded.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::{HeaderName, Method, Request, Response, Version};
use hyper::body::Incoming;
use tracing::Instrument;

use super::pages;
use super::reply::Code;
use crate::endpoints::headers::VIA_ZEPHYR;
use crate::engine::shared::Shared;
use crate::request::answer::{Answer, own};
use crate::request::exchange::forward;
use crate::request::relay::Abort;
use crate::request::request_id::RequestId;
use crate::request::turned_down;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-zephyr-request-id");

/// Gives a request its id and answers it.
pub async fn serve_request(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Result<Response<Answer>, Infallible> {
    let id = shared.request_ids.next();
    let span = tracing::debug_span!(
        "request",
        %id,
        method = %request.method(),
        path = shared.traffic.shown_path(&request).as_str(),
    );
    let answering = pin!(answer(&shared, request, id, reset).instrument(span));
    let mut response = answering.await;
    if let Some(code) = response.extensions().get::<Code>() {
        shared.metrics.error(*code);
        response.body_mut().name(id);
        response.headers_mut().insert("request-id", id.header());
    }
    response.headers_mut().insert(REQUEST_ID, id.header());
    Ok(response)
}

async fn answer(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    id: RequestId,
    reset: Arc<AtomicBool>,
) -> Response<Answer> {
    let live = shared.live();
    let headers = request.headers();
    if let Err(refused) = live.guard.check(headers, request.uri().authority()) {
        return turn_down(shared, request, id, refused.code, &refused.message);
    }
    let asks_for_page = matches!(*request.method(), Method::GET | Method::HEAD);
    if asks_for_page && request.uri().path() == "/health" {
        return own(pages::health(shared));
    }
    if let Err(refused) = live.guard.check_client(headers) {
        return turn_down(shared, request, id, refused.code, &refused.message);
    }
    if asks_for_page {
        match request.uri().path() {
            "/status" => return own(pages::status(shared)),
            "/diagnostics" => return own(pages::diagnostics(shared)),
            _ => {}
        }
    }
    if !request.uri().path().starts_with('/') {
        let message = "only paths are forwarded: neither CONNECT nor *";
        return turn_down(shared, request, id, Code::NoPath, message);
    }
    if headers
        .get_all(VIA_ZEPHYR)
        .iter()
        .any(|hop| hop == live.instance)
    {
        let message =
            "this request has been here before: an endpoint leads back to Zephyr; change its url";
        return turn_down(shared, request, id, Code::LoopDetected, message);
    }
    if shared.is_draining() {
        let message = "Zephyr is about to end; start it again";
        return turn_down(shared, request, id, Code::ShuttingDown, message);
    }
    let abort = match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => Abort::by_reset(reset),
        _ => Abort::by_framing(),
    };
    // hyper moves the future of every request, so a small one is faster.
    Box::pin(forward(&shared.traffic, &live, request, id, abort)).await
}

/// Answers a request that is not forwarded.
fn turn_down(
    shared: &Shared,
    request: Request<Incoming>,
    id: RequestId,
    code: Code,
    message: &str,
) -> Response<Answer> {
    let (head, _) = request.into_parts();
    let asked = (head.method, &head.uri, head.headers);
    turned_down::turn_down(&shared.traffic, id, asked, (code, message))
}
