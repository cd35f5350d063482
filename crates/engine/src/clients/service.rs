//! A client's request: who may make it, what is answered here, what is forwarded.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version};
use hyper::body::Incoming;
use tracing::Instrument;
use zephyr_secrets::owner;

use super::neighbour::Standing;
use super::pages;
use super::reply::Code;
use super::{browser, head};
use crate::endpoints::headers::{VIA_ZEPHYR, client_tokens};
use crate::engine::live::Live;
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
    standing: Standing,
) -> Result<Response<Answer>, Infallible> {
    let id = shared.request_ids.next();
    let span = tracing::debug_span!(
        "request",
        %id,
        method = %request.method(),
        path = shared.traffic.shown_path(&request).as_str(),
    );
    let answering = pin!(answer(&shared, request, id, reset, standing).instrument(span));
    let mut response = answering.await;
    if let Some(code) = response.extensions().get::<Code>() {
        shared.metrics.error(*code);
        response.body_mut().name(id);
        response.headers_mut().insert("request-id", id.header());
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.header());
    browser::is_no_page(headers);
    Ok(response)
}

async fn answer(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    id: RequestId,
    reset: Arc<AtomicBool>,
    standing: Standing,
) -> Response<Answer> {
    let live = shared.live();
    let headers = request.headers();
    if let Err(refused) = head::check(request.version(), headers) {
        let mut response = turn_down(shared, request, id, refused.code, &refused.message);
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        return response;
    }
    if let Err(refused) = live.guard.check(headers, request.uri().authority()) {
        return turn_down(shared, request, id, refused.code, &refused.message);
    }
    if !head::may_be_forwarded(request.method()) {
        let message = "CONNECT, TRACE and the like are not forwarded";
        return turn_down(shared, request, id, Code::MethodNotAllowed, message);
    }
    let asks_for_page = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_reserved = asks_for_page && pages::are_at(request.uri().path());
    if !is_reserved && browser::is_browsing(headers) {
        let message = "a browser gets only /status, /diagnostics and /health here: an endpoint's answer, shown as \
                       a page, could read the answers of others";
        return turn_down(shared, request, id, Code::OriginNotAllowed, message);
    }
    if asks_for_page && request.uri().path() == "/health" {
        return own(pages::health(shared));
    }
    if let Err(refused) = live.guard.check_client(headers) {
        return turn_down(shared, request, id, refused.code, &refused.message);
    }
    if is_reserved {
        let is_own = standing == Standing::Own || shows_token(shared, &live, headers).await;
        let standing = if is_own {
            Standing::Own
        } else {
            Standing::Stranger
        };
        return own(match request.uri().path() {
            "/status" => pages::status(shared, standing),
            _ => pages::diagnostics(shared, standing),
        });
    }
    if !request.uri().path().starts_with('/') {
        let message = "only paths are forwarded, and * is none";
        return turn_down(shared, request, id, Code::NoPath, message);
    }
    if live.has_prefix && head::has_dot_segment(request.uri().path()) {
        let message = "the path has a segment . or .., which would leave the prefix of an endpoint (path_prefix)";
        return turn_down(shared, request, id, Code::PathNotAllowed, message);
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

/// Whether the client has shown a token that only the user's own files, or those whom the user told, know.
async fn shows_token(shared: &Shared, live: &Live, headers: &HeaderMap) -> bool {
    if live.guard.asks_for_token() {
        return true; // It has been checked.
    }
    let presented: Vec<Vec<u8>> = client_tokens(headers).map(<[u8]>::to_vec).collect();
    let Some(data_dir) = shared.data_dir().filter(|_| !presented.is_empty()) else {
        return false;
    };
    let look = tokio::task::spawn_blocking(move || owner::is_known(&data_dir, &presented));
    look.await.unwrap_or(false)
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
