//! The proxy's listener: HTTP/1.1 and cleartext HTTP/2 on one port.
//!
//! Bounded in every direction: connections, time for a request's head, size of heads, streams per
//! connection. What is no HTTP gets a 400 from hyper; the listener goes on.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::answer::{Abort, Answer};
use crate::engine::Shared;
use crate::forward::{forward, own};
use crate::headers::VIA_ZEPHYR;
use crate::pages;
use crate::reply::{self, Code};

/// Most connections at once; further ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 4096;
/// Time for a request's head, and for an idle connection to be used again.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// Most bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;
/// Most streams at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// After an error of `accept` (too many open files, for instance) the listener rests this long.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// Serves connections until `stop`; returns when none is left.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = tokio_util::task::TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let (stream, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        let shared = Arc::clone(&shared);
        let stop = stop.clone();
        connections.spawn(async move {
            connection(stream, shared, stop).await;
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, slot))
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, stop: CancellationToken) {
    let mut first = [0; 3];
    let peeked = tokio::select! {
        peeked = tokio::time::timeout(HEAD_TIMEOUT, stream.peek(&mut first)) => peeked,
        () = stop.cancelled() => return,
    };
    if !matches!(peeked, Ok(Ok(1..))) {
        return; // Nothing came, or the peer left.
    }
    let reset = Arc::new(AtomicBool::new(false));
    let io = ClientIo {
        io: TokioIo::new(stream),
        reset: Arc::clone(&reset),
    };
    let service =
        service_fn(move |request| serve_request(Arc::clone(&shared), request, Arc::clone(&reset)));
    // Only HTTP/2's preface begins like this.
    let ended = if first == *b"PRI" {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
            .adaptive_window(true)
            .keep_alive_interval(HEAD_TIMEOUT);
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
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
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD);
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
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

async fn serve_request(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Result<Response<Answer>, Infallible> {
    let live = shared.live();
    let headers = request.headers();
    if let Err(refused) = live.guard.check(headers, request.uri().authority()) {
        return Ok(own(reply::error(refused.code, &refused.message)));
    }
    if request.method() == Method::GET && request.uri().path() == "/health" {
        return Ok(own(pages::health(&shared)));
    }
    if let Err(refused) = live.guard.check_client(headers) {
        return Ok(own(reply::error(refused.code, &refused.message)));
    }
    if request.method() == Method::GET {
        match request.uri().path() {
            "/status" => return Ok(own(pages::status(&shared))),
            "/diagnostics" => return Ok(own(pages::diagnostics(&shared))),
            _ => {}
        }
    }
    if headers
        .get_all(VIA_ZEPHYR)
        .iter()
        .any(|hop| hop == live.instance)
    {
        let message =
            "this request has been here before: an endpoint leads back to Zephyr; change its url";
        return Ok(own(reply::error(Code::LoopDetected, message)));
    }
    if shared.is_draining() {
        return Ok(own(reply::error(
            Code::ShuttingDown,
            "Zephyr is about to end; start it again",
        )));
    }
    let abort = match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => Abort::by_reset(reset),
        _ => Abort::by_framing(),
    };
    Ok(forward(&shared.dispatcher, &live, request, abort).await)
}

/// A client's connection that can end with a reset.
struct ClientIo {
    io: TokioIo<TcpStream>,
    reset: Arc<AtomicBool>,
}

impl ClientIo {
    fn prepare_end(&self) {
        if self.reset.load(Ordering::Relaxed) {
            // If it fails the connection is gone already.
            let _ = self.io.inner().set_zero_linger();
        }
    }
}

impl Drop for ClientIo {
    fn drop(&mut self) {
        self.prepare_end();
    }
}

impl Read for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for ClientIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(())); // A shutdown would send the clean end that must not be.
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}

/// Binds the proxy's port.
///
/// # Errors
///
/// What the system says.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
