//! A client's connection, and how it ends.
//!
//! A plain close is wrong in two cases. An answer that broke off must not look complete to a client that
//! takes the end of the connection for the end of the body. And the answer to a request that was not read to
//! its end must still arrive: closing on unread bytes sends a reset, which would destroy it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;

use crate::wire::burst::Burst;
use crate::wire::metered::Metered;

/// How long a client may go on sending a request that was answered before it was read (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(5);

/// A client's connection that can end with a reset. Otherwise it ends so that the last answer arrives.
pub struct ClientIo {
    /// The bytes that were read to find out the protocol.
    first: Bytes,
    io: Burst<TokioIo<Metered>>,
    reset: Arc<AtomicBool>,
    /// Started when our side has ended.
    linger: Option<Pin<Box<Sleep>>>,
    /// When it is cancelled, the connection ends without waiting for the client.
    stop: CancellationToken,
}

impl ClientIo {
    /// The connection `stream`, of which `first` has been read. It ends with a reset once `reset` is set. It
    /// ends without waiting for the client once `stop` is cancelled.
    pub fn new(
        first: Bytes,
        stream: Burst<TokioIo<Metered>>,
        reset: Arc<AtomicBool>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            first,
            io: stream,
            reset,
            linger: None,
            stop,
        }
    }

    fn prepare_end(&self) {
        let stream = self.io.inner().inner();
        if !self.io.rest().is_empty() {
            // A broken answer still has a beginning. The client gets as much of it as it takes at once.
            let _ = stream.try_write(self.io.rest());
        }
        if self.reset.load(Ordering::Relaxed) {
            // If this fails, the connection is already gone.
            let _ = stream.stream().set_zero_linger();
        }
    }

    /// Ready when the client has closed its side too, or when its time is over.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut sink = [0; 16 * 1024];
        loop {
            let mut unread = ReadBuf::new(&mut sink);
            match Pin::new(self.io.inner_mut().inner_mut()).poll_read(cx, &mut unread) {
                Poll::Ready(Ok(())) if !unread.filled().is_empty() => {}
                Poll::Ready(Ok(()) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        let time = self
            .linger
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        time.as_mut().poll(cx)
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
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.first.is_empty() {
            let length = self.first.len().min(buf.remaining());
            buf.put_slice(&self.first.split_to(length));
            return Poll::Ready(Ok(()));
        }
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
            return Poll::Ready(Ok(())); // A shutdown would look like a clean end.
        }
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
        }
        if self.stop.is_cancelled() {
            return Poll::Ready(Ok(()));
        }
        self.poll_linger(cx).map(Ok)
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
