//! A TCP connection that remembers how it began, and whether it has carried an answer.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::metrics::EndpointMeter;
use crate::wire::metered::Metered;

/// How long it took to open a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Name resolution, TCP, and the way through a proxy.
    pub connect: Duration,
    /// `None`: without TLS.
    pub tls: Option<Duration>,
}

/// How a connection began, and whether it has carried an answer.
#[derive(Clone)]
pub(super) struct Origin(Arc<Beginning>);

struct Beginning {
    answered: AtomicBool,
    connect: Duration,
    /// Set once the TLS handshake is done.
    tls: OnceLock<Duration>,
}

impl Origin {
    pub(super) fn new(connect: Duration) -> Self {
        Self(Arc::new(Beginning {
            answered: AtomicBool::new(false),
            connect,
            tls: OnceLock::new(),
        }))
    }

    /// Notes an answer. Returns the handshake if this is the first answer.
    pub(super) fn answers(&self) -> Option<Handshake> {
        // A read comes first, because a write slows other processors down.
        let is_first = !self.has_answered() && !self.0.answered.swap(true, Ordering::Relaxed);
        is_first.then(|| self.handshake())
    }

    pub(super) fn has_answered(&self) -> bool {
        self.0.answered.load(Ordering::Relaxed)
    }

    pub(super) fn handshake(&self) -> Handshake {
        Handshake {
            connect: self.0.connect,
            tls: self.0.tls.get().copied(),
        }
    }

    /// Notes that the TLS handshake is done. `took`: the time since the connection was started.
    pub(super) fn secured(&self, took: Duration) {
        let _ = self.0.tls.set(took.saturating_sub(self.0.connect));
    }
}

pub struct Socket {
    pub(super) io: TokioIo<Metered>,
    origin: Origin,
}

impl Socket {
    /// A connection whose opening began at `started`.
    pub(super) fn new(io: TokioIo<TcpStream>, meter: &EndpointMeter, started: Instant) -> Self {
        let counted = Metered::new(io.into_inner(), Arc::clone(&meter.traffic));
        Self {
            io: TokioIo::new(counted),
            origin: Origin::new(started.elapsed()),
        }
    }
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.origin.clone())
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Socket {
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
