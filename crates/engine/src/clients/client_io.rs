//! A client's connection, with control over how it ends.
//!
//! Two ends that a plain close gets wrong: an answer that broke midway must not look complete to a client
//! that takes the end of the connection for the end of the body; and an answer to a request that was not
//! read to its end must not be destroyed by the reset that closing on unread bytes sends.

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

/// How long a client whose request was answered unread may go on sending it (RFC 9112, 9.6).
const LINGER: Duration = Duration::from_secs(5);

/// A client's connection that can end with a reset, and otherwise ends so that the last answer arrives.
pub struct ClientIo {
    /// What was read to know the protocol.
    first: Bytes,
    io: Burst<TokioIo<Metered>>,
    reset: Arc<AtomicBool>,
    /// Running since our side has ended.
    linger: Option<Pin<Box<Sleep>>>,
    /// Nobody is waited for at the program's end.
    stop: CancellationToken,
}

impl ClientIo {
    /// The connection `stream`, of which `first` has been read. It ends with a reset once `reset` is set,
    /// and without waiting for the client once `stop` is cancelled.
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
            // What broke has a beginning, and that is the client's as far as it takes it at once.
            let _ = stream.try_write(self.io.rest());
        }
        if self.reset.load(Ordering::Relaxed) {
            // If it fails the connection is gone already.
            let _ = stream.stream().set_zero_linger();
        }
    }

    /// Ready when the client has closed its side too, or has had its time.
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
            return Poll::Ready(Ok(())); // A shutdown would send the clean end that must not be.
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
