//! One connection of a client: HTTP/1.1 or cleartext HTTP/2.
//!
//! Everything has a limit: the time for a request's head, the size of heads, the streams per connection. If a
//! client does not speak HTTP, hyper answers 400.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::client_io::ClientIo;
use super::neighbour::Standing;
use super::places::{Busy, Place};
use super::service::serve_request;
use crate::engine::shared::Shared;
use crate::request::answer::Answer;
use crate::request::relay::Aborted;
use crate::wire::burst::Burst;
use crate::wire::metered::Metered;

/// The most bytes of a request's head, and the most that are read at once. Claude Code's requests fit into
/// one read.
const MAX_HEAD: usize = 128 * 1024;
/// The most streams at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// How much one HTTP/2 stream, and a whole connection, may send before it is read, in bytes. Uploads that
/// wait do not block the others.
const H2_STREAM_WINDOW: u32 = 512 * 1024;
const H2_CONNECTION_WINDOW: u32 = 32 * H2_STREAM_WINDOW;
/// The first bytes of every HTTP/2 connection (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub async fn connection(
    mut stream: TcpStream,
    shared: &Arc<Shared>,
    (standing, place): (Standing, &Arc<Place>),
    head_timeout: Duration,
    stop: CancellationToken,
) {
    let first = tokio::select! {
        first = tokio::time::timeout(head_timeout, first_bytes(&mut stream)) => first,
        () = stop.cancelled() => return,
    };
    let Ok(Ok(first)) = first else {
        return; // Nothing came in time, or the client left.
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
    let service = service_fn(|request| {
        let (shared, reset, busy) = (Arc::clone(shared), Arc::clone(&reset), place.begin());
        async move {
            let response = serve_request(shared, request, reset, standing).await;
            response.map(|response| response.map(|answer| Occupying { answer, busy }))
        }
    });
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

/// An answer on its way. Until it has ended, its connection keeps its place.
struct Occupying {
    answer: Answer,
    #[expect(dead_code, reason = "it is held, and dropped with the answer")]
    busy: Option<Busy>,
}

impl Body for Occupying {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        Pin::new(&mut self.answer).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

/// The first bytes of a connection. They are enough to tell whether it speaks HTTP/2.
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
