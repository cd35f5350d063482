//! Tiny writes that follow one another at once, written together.
//!
//! An endpoint that sends tiny events as fast as it can has each of them handed over by itself, and a system
//! call for each costs more than all the rest of its way. Once several came at once, what is flushed waits
//! for one turn of the runtime, which is when the next event is handed over, and goes on waiting while
//! there is one. What comes by itself never waits.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Writes with less than this between them follow one another at once.
const AT_ONCE: Duration = Duration::from_micros(100);
/// After so many of those it is a burst.
const BURST: u32 = 8;
/// Most bytes of a tiny write; others are not worth to be copied.
const TINY: usize = 1024;
/// Most bytes that wait.
const MOST: usize = 16 * 1024;
/// The longest that they do.
const PATIENCE: Duration = Duration::from_micros(200);

/// A connection whose bursts of tiny writes are written together.
#[derive(Debug)]
pub struct Burst<Io> {
    io: Io,
    waiting: Vec<u8>,
    /// How much of that is written already.
    written: usize,
    /// When the first of it came.
    since: Instant,
    /// Whether something came after the last flush.
    has_grown: bool,
    last: Instant,
    /// How many writes in a row came at once after another.
    at_once: u32,
}

impl<Io> Burst<Io> {
    /// Writes to `io`.
    pub fn new(io: Io) -> Self {
        let now = Instant::now();
        Self {
            io,
            waiting: Vec::new(),
            written: 0,
            since: now,
            has_grown: false,
            last: now,
            at_once: 0,
        }
    }

    /// What is written to.
    pub fn inner(&self) -> &Io {
        &self.io
    }

    /// What is not written yet.
    pub fn rest(&self) -> &[u8] {
        &self.waiting[self.written..]
    }

    /// Whether what comes now, of this length, is to wait.
    fn is_to_wait(&mut self, now: Instant, length: usize) -> bool {
        let is_at_once = now.duration_since(self.last) < AT_ONCE;
        self.at_once = if is_at_once {
            self.at_once.saturating_add(1)
        } else {
            0
        };
        self.last = now;
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.at_once >= BURST && length <= TINY && self.waiting.len() + length <= MOST
    }
}

impl<Io: AsyncWrite + Unpin> Burst<Io> {
    fn poll_write_at(
        &mut self,
        now: Instant,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = bufs.iter().map(|buf| buf.len()).sum();
        if self.is_to_wait(now, length) {
            for buf in bufs {
                self.waiting.extend_from_slice(buf);
            }
            self.has_grown = true;
            return Poll::Ready(Ok(length));
        }
        ready!(self.poll_rest(cx))?;
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn poll_flush_at(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let has_grown = std::mem::take(&mut self.has_grown);
        if has_grown && now.duration_since(self.since) < PATIENCE {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(self.poll_rest(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.waiting.len() {
            let rest = &self.waiting[self.written..];
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        self.waiting = Vec::new();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Burst<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Burst<Io> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_at(Instant::now(), cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush_at(Instant::now(), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Records every write; takes so many bytes before it is full.
    struct Sink {
        writes: Vec<Vec<u8>>,
        room: usize,
    }

    impl AsyncWrite for Sink {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            let taken = buf.len().min(self.room);
            if taken == 0 {
                return Poll::Pending;
            }
            self.room -= taken;
            self.writes.push(buf[..taken].to_vec());
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn burst(room: usize) -> Burst<Sink> {
        let writes = Vec::new();
        Burst::new(Sink { writes, room })
    }

    /// Writes an event and flushes; whatever does not fit makes room.
    fn send(burst: &mut Burst<Sink>, now: Instant, event: &str) -> Poll<io::Result<()>> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut rest = event.as_bytes();
        while !rest.is_empty() {
            match burst.poll_write_at(now, &mut cx, &[IoSlice::new(rest)]) {
                Poll::Ready(written) => rest = &rest[written.expect("a sink has no errors")..],
                Poll::Pending => burst.io.room += 1_000,
            }
        }
        burst.poll_flush_at(now, &mut cx)
    }

    fn event(number: usize) -> String {
        format!("event {number}\n")
    }

    #[test]
    fn what_comes_by_itself_is_written_before_its_flush_returns() {
        let mut burst = burst(usize::MAX);
        let mut now = Instant::now();
        for number in 0..100 {
            now += AT_ONCE;
            assert!(send(&mut burst, now, &event(number)).is_ready());
            assert_eq!(burst.io.writes.len(), number + 1);
        }
    }

    #[test]
    fn a_burst_is_written_together_as_soon_as_nothing_more_comes() {
        let mut burst = burst(usize::MAX);
        let now = Instant::now() + AT_ONCE;
        for number in 0..200 {
            let is_alone = send(&mut burst, now, &event(number)).is_ready();
            assert_eq!(is_alone, number < BURST as usize);
        }

        let mut cx = Context::from_waker(Waker::noop());
        assert!(burst.poll_flush_at(now, &mut cx).is_ready());

        assert_eq!(burst.io.writes.len(), BURST as usize + 1);
        let all: String = (0..200).map(event).collect();
        assert_eq!(burst.io.writes.concat(), all.as_bytes());
    }

    #[test]
    fn a_burst_waits_no_longer_than_it_may() {
        let mut burst = burst(usize::MAX);
        let mut now = Instant::now();
        let mut oldest = None;
        for number in 0..1_000 {
            now += PATIENCE / 10;
            let _ = send(&mut burst, now, &event(number));

            oldest = (!burst.rest().is_empty()).then(|| oldest.unwrap_or(now));
            assert!(oldest.is_none_or(|since| now.duration_since(since) < PATIENCE));
        }
        assert!(burst.io.writes.len() < 200);
    }

    #[test]
    fn nothing_is_lost_or_turned_round_and_little_is_kept_when_the_peer_reads_slowly() {
        let mut burst = burst(0);
        let now = Instant::now() + AT_ONCE;
        for number in 0..5_000 {
            let _ = send(&mut burst, now, &event(number));
            assert!(burst.rest().len() <= MOST);
        }
        let is_held_back = !burst.rest().is_empty();

        burst.io.room = usize::MAX;
        let mut cx = Context::from_waker(Waker::noop());
        assert!(burst.poll_flush_at(now, &mut cx).is_ready());

        assert!(is_held_back);
        let all: String = (0..5_000).map(event).collect();
        assert_eq!(burst.io.writes.concat(), all.as_bytes());
    }
}
