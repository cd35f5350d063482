//! Joins small writes that follow each other fast.
//!
//! A write wakes its reader, and that costs more than all other work for a tiny event or a small request. So
//! during a burst of writes, on any connections, each write waits for one turn of the runtime. By then the
//! other connections have written too, and the reader that the first write wakes is awake for all of them. If
//! an endpoint sends a flood of tiny events, the wait goes on as long as each turn brings one more. Outside a
//! burst, no write waits.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// So many writes within [`WINDOW`] make a burst.
const BURST: usize = 8;
const WINDOW: Duration = Duration::from_micros(750);
/// The most bytes of a small write. Copying a larger one costs too much.
const SMALL: usize = 4096;
/// The most bytes that wait.
const MOST: usize = 16 * 1024;
/// The longest time that the first waiting write of a connection waits.
const PATIENCE: Duration = Duration::from_micros(200);

thread_local! {
    /// One per thread, because the wait is for turns of that thread.
    static PULSE: Pulse = Pulse::default();
}

/// When the last small writes happened.
#[derive(Debug, Default)]
struct Pulse {
    times: [Cell<Option<Instant>>; BURST],
    oldest: Cell<usize>,
}

impl Pulse {
    /// Notes a small write. Returns whether it is part of a burst.
    fn beat(&self, now: Instant) -> bool {
        let oldest = self.oldest.get();
        self.oldest.set((oldest + 1) % BURST);
        let before = self.times[oldest].replace(Some(now));
        before.is_some_and(|before| now.saturating_duration_since(before) < WINDOW)
    }
}

/// A connection whose small writes are joined during a burst.
#[derive(Debug)]
pub struct Burst<Io> {
    io: Io,
    is_on: bool,
    waiting: Vec<u8>,
    /// How many of those bytes are already written.
    written: usize,
    /// When the first of those bytes came.
    since: Instant,
    /// Whether more bytes came after the last flush.
    has_grown: bool,
}

impl<Io> Burst<Io> {
    /// For HTTP/1.
    pub fn new(io: Io) -> Self {
        Self {
            io,
            is_on: true,
            waiting: Vec::new(),
            written: 0,
            since: Instant::now(),
            has_grown: false,
        }
    }

    /// For HTTP/2, always without a wait: it joins frames itself, and takes none while a flush waits.
    pub fn off(io: Io) -> Self {
        Self {
            is_on: false,
            ..Self::new(io)
        }
    }

    pub fn inner(&self) -> &Io {
        &self.io
    }

    pub fn inner_mut(&mut self) -> &mut Io {
        &mut self.io
    }

    /// The bytes that are not written yet.
    pub fn rest(&self) -> &[u8] {
        &self.waiting[self.written..]
    }
}

impl<Io: Write + Unpin> Burst<Io> {
    fn poll_write_at(
        &mut self,
        now: Instant,
        pulse: &Pulse,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = bufs.iter().map(|buf| buf.len()).sum();
        let is_small = self.is_on && length <= SMALL;
        if is_small && pulse.beat(now) && self.waiting.len() + length <= MOST {
            if self.waiting.is_empty() {
                self.since = now;
            }
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
        if has_grown && now.saturating_duration_since(self.since) < PATIENCE {
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
        self.has_grown = false;
        Poll::Ready(Ok(()))
    }
}

impl<Io: Connection> Connection for Burst<Io> {
    fn connected(&self) -> Connected {
        self.io.connected()
    }
}

impl<Io: Read + Unpin> Read for Burst<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<Io: Write + Unpin> Write for Burst<Io> {
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
        PULSE.with(|pulse| self.poll_write_at(Instant::now(), pulse, cx, bufs))
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

    /// Records every write. It is full after so many bytes.
    struct Sink {
        writes: Vec<Vec<u8>>,
        room: usize,
    }

    impl Write for Sink {
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

    struct Line {
        burst: Burst<Sink>,
        pulse: Pulse,
    }

    impl Line {
        fn new(room: usize) -> Self {
            let writes = Vec::new();
            Self {
                burst: Burst::new(Sink { writes, room }),
                pulse: Pulse::default(),
            }
        }

        /// Writes an event and flushes. If it does not fit, space is made first.
        fn send(&mut self, now: Instant, event: &str) -> Poll<io::Result<()>> {
            let mut cx = Context::from_waker(Waker::noop());
            let mut rest = event.as_bytes();
            while !rest.is_empty() {
                let bufs = [IoSlice::new(rest)];
                match self.burst.poll_write_at(now, &self.pulse, &mut cx, &bufs) {
                    Poll::Ready(written) => rest = &rest[written.expect("a sink has no errors")..],
                    Poll::Pending => self.burst.io.room += 1_000,
                }
            }
            self.burst.poll_flush_at(now, &mut cx)
        }

        fn flush(&mut self, now: Instant) -> Poll<io::Result<()>> {
            let mut cx = Context::from_waker(Waker::noop());
            self.burst.poll_flush_at(now, &mut cx)
        }

        fn writes(&self) -> &[Vec<u8>] {
            &self.burst.io.writes
        }
    }

    fn event(number: usize) -> String {
        format!("event {number}\n")
    }

    #[test]
    fn what_comes_at_leisure_is_written_before_its_flush_returns() {
        let mut line = Line::new(usize::MAX);
        let mut now = Instant::now();
        for number in 0..100 {
            now += WINDOW / (BURST as u32 - 1);
            assert!(line.send(now, &event(number)).is_ready());
            assert_eq!(line.writes().len(), number + 1);
        }
    }

    #[test]
    fn a_burst_is_written_together_as_soon_as_nothing_more_comes() {
        let mut line = Line::new(usize::MAX);
        let now = Instant::now();
        for number in 0..200 {
            let is_alone = line.send(now, &event(number)).is_ready();
            assert_eq!(is_alone, number < BURST);
        }

        assert!(line.flush(now).is_ready());

        assert_eq!(line.writes().len(), BURST + 1);
        let all: String = (0..200).map(event).collect();
        assert_eq!(line.writes().concat(), all.as_bytes());
    }

    #[test]
    fn what_is_not_small_goes_by_itself_and_after_what_waits() {
        let mut line = Line::new(usize::MAX);
        let now = Instant::now();
        for number in 0..20 {
            let _ = line.send(now, &event(number));
        }
        let large = "x".repeat(SMALL + 1);

        assert!(line.send(now, &large).is_ready());

        assert_eq!(
            line.writes().last().map(Vec::as_slice),
            Some(large.as_bytes())
        );
        let all: String = (0..20).map(event).chain([large]).collect();
        assert_eq!(line.writes().concat(), all.as_bytes());
    }

    #[test]
    fn http2_writes_everything_at_once() {
        let mut line = Line::new(usize::MAX);
        line.burst.is_on = false;
        let now = Instant::now();
        for number in 0..100 {
            assert!(line.send(now, &event(number)).is_ready());
            assert_eq!(line.writes().len(), number + 1);
        }
    }

    #[test]
    fn what_others_write_makes_a_burst_too() {
        let mut lines: Vec<Line> = (0..=BURST).map(|_| Line::new(usize::MAX)).collect();
        let now = Instant::now();
        let pulse = Pulse::default();
        let mut cx = Context::from_waker(Waker::noop());
        for line in &mut lines {
            let bufs = [IoSlice::new(b"answer")];
            let written = line.burst.poll_write_at(now, &pulse, &mut cx, &bufs);
            assert!(written.is_ready());
        }

        let written: Vec<usize> = lines.iter().map(|line| line.writes().len()).collect();
        assert_eq!(written, [[1; BURST].as_slice(), &[0]].concat());
        assert!(lines[BURST].flush(now).is_pending());
        assert!(lines[BURST].flush(now).is_ready());
        assert_eq!(lines[BURST].writes().len(), 1);
    }

    #[test]
    fn a_burst_waits_no_longer_than_it_may() {
        let mut line = Line::new(usize::MAX);
        let mut now = Instant::now();
        let mut oldest = None;
        for number in 0..1_000 {
            now += PATIENCE / 10;
            let _ = line.send(now, &event(number));

            oldest = (!line.burst.rest().is_empty()).then(|| oldest.unwrap_or(now));
            assert!(oldest.is_none_or(|since| now.duration_since(since) < PATIENCE));
        }
        assert!(line.writes().len() < 200);
    }

    #[test]
    fn nothing_is_lost_or_turned_round_and_little_is_kept_when_the_peer_reads_slowly() {
        let mut line = Line::new(0);
        let now = Instant::now();
        for number in 0..5_000 {
            let _ = line.send(now, &event(number));
            assert!(line.burst.rest().len() <= MOST);
        }
        let is_held_back = !line.burst.rest().is_empty();

        line.burst.io.room = usize::MAX;
        assert!(line.flush(now).is_ready());

        assert!(is_held_back);
        let all: String = (0..5_000).map(event).collect();
        assert_eq!(line.writes().concat(), all.as_bytes());
    }
}
