//! The proxy's listener: HTTP/1.1 and cleartext HTTP/2 on one port.
//!
//! Bounded in every direction: connections, time for a request's head, size of heads, streams per
//! connection. What is no HTTP gets a 400 from hyper; the listener goes on.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::answer::{Abort, Answer};
use crate::burst::Burst;
use crate::client_io::ClientIo;
use crate::engine::Shared;
use crate::forward::{forward, own};
use crate::headers::VIA_ZEPHYR;
use crate::metered::Metered;
use crate::pages;
use crate::reply::{self, Code};
use crate::request_id::RequestId;

/// Most connections at once; further ones are told so and closed.
pub const MAX_CONNECTIONS: usize = 4096;
/// Refused connections that may at once wait for their client to take the refusal; others are reset.
const REFUSED_AT_A_TIME: usize = 64;
/// How long they wait.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
/// Time for a request's head, and for an idle connection to be used again.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// Most bytes of a request's head, and most that are read at once: Claude Code's requests are read in one go.
const MAX_HEAD: usize = 128 * 1024;
/// Most streams at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// What one HTTP/2 stream, and all of a connection, may send before it is read: room for uploads that
/// wait beside others that do not.
const H2_STREAM_WINDOW: u32 = 512 * 1024;
const H2_CONNECTION_WINDOW: u32 = 32 * H2_STREAM_WINDOW;
/// What an HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-zephyr-request-id");
/// After an error of `accept` (too many open files, for instance) the listener rests this long.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// What bounds the connections of clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for a request's head, and for an idle connection to be used again.
    pub head_timeout: Duration,
    /// Most connections at once.
    pub connections: usize,
}

/// Serves connections until `stop`, counted in `connections`; returns when none is left.
pub async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    limits: Limits,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let refusals = Arc::new(Semaphore::new(REFUSED_AT_A_TIME));
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, _) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        // Without it only the latency is worse.
        let _ = stream.set_nodelay(true);
        let meter = &shared.metrics.clients;
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            meter.refused.add(1);
            if let Ok(turn) = Arc::clone(&refusals).try_acquire_owned() {
                connections.spawn(async move {
                    let _ = tokio::time::timeout(REFUSAL_TIME, refuse(stream)).await;
                    drop(turn);
                });
            }
            continue;
        };
        meter.accepted.add(1);
        let shared = Arc::clone(&shared);
        let stop = stop.clone();
        connections.spawn(async move {
            connection(stream, &shared, limits.head_timeout, stop).await;
            shared.metrics.clients.ended.add(1);
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Says that there are too many connections, and waits until the client has taken that: closing on what
/// it has sent would destroy it.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let message = "Zephyr has as many connections as it takes; close some, or try again later";
    let refusal = reply::error(Code::TooManyConnections, message);
    let mut bytes = format!("HTTP/1.1 {}\r\n", refusal.status()).into_bytes();
    for (name, value) in refusal.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let length = refusal.body().len();
    bytes.extend_from_slice(format!("content-length: {length}\r\nretry-after: 1\r\n").as_bytes());
    bytes.extend_from_slice(b"connection: close\r\n\r\n");
    bytes.extend_from_slice(refusal.body());
    stream.write_all(&bytes).await?;
    stream.shutdown().await?;
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

async fn connection(
    mut stream: TcpStream,
    shared: &Arc<Shared>,
    head_timeout: Duration,
    stop: CancellationToken,
) {
    let first = tokio::select! {
        first = tokio::time::timeout(head_timeout, first_bytes(&mut stream)) => first,
        () = stop.cancelled() => return,
    };
    let Ok(Ok(first)) = first else {
        return; // Nothing came in time, or the peer left.
    };
    let is_http2 = first == PREFACE[..];
    let reset = Arc::new(AtomicBool::new(false));
    let traffic = Arc::clone(&shared.metrics.clients.traffic);
    traffic.received.add(first.len() as u64);
    let stream = TokioIo::new(Metered::new(stream, traffic));
    let stream = if is_http2 {
        Burst::off(stream)
    } else {
        Burst::new(stream)
    };
    let io = ClientIo::new(first, stream, Arc::clone(&reset), stop.clone());
    let service =
        service_fn(|request| serve_request(Arc::clone(shared), request, Arc::clone(&reset)));
    let ended = if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
            .initial_stream_window_size(H2_STREAM_WINDOW)
            .initial_connection_window_size(H2_CONNECTION_WINDOW)
            .keep_alive_interval(head_timeout);
        let mut connection = pin!(builder.serve_connection(io, service));
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    } else {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(head_timeout)
            .max_buf_size(MAX_HEAD);
        let mut connection = pin!(builder.serve_connection(io, service));
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "connection ended");
    }
}

/// The first bytes of a connection: enough to tell whether it speaks HTTP/2.
async fn first_bytes(stream: &mut TcpStream) -> io::Result<Bytes> {
    let mut first = BytesMut::with_capacity(PREFACE.len());
    while first.len() < PREFACE.len() && PREFACE.starts_with(&first) {
        let room = PREFACE.len() - first.len();
        if (&mut *stream)
            .take(room as u64)
            .read_buf(&mut first)
            .await?
            == 0
        {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(first.freeze())
}

/// Answers a request under a name of its own.
async fn serve_request(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Result<Response<Answer>, Infallible> {
    let id = shared.request_ids.next();
    let span = tracing::debug_span!(
        "request",
        %id,
        method = %request.method(),
        path = request.uri().path(),
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
    if request.method() == Method::GET && request.uri().path() == "/health" {
        return own(pages::health(shared));
    }
    if let Err(refused) = live.guard.check_client(headers) {
        return turn_down(shared, request, id, refused.code, &refused.message);
    }
    if request.method() == Method::GET {
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
    // hyper moves the future of every request about, so that it had better be small.
    Box::pin(forward(&shared.dispatcher, &live, request, id, abort)).await
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
    shared.dispatcher.turn_down(id, asked, (code, message))
}

/// Binds the proxy's port.
///
/// # Errors
///
/// What the system says.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
