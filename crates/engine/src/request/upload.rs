//! A request's body: it is sent on as it arrives, and kept for another attempt.
//!
//! Chunks are reference-counted, so keeping them copies nothing. One attempt reads at a time; a second one
//! beside it reads a [`twin`](Upload::twin). An older attempt that a connection task still holds reads nothing
//! more. Nothing is kept any longer once a body
//! outgrows the replay limit, or once the answer has begun.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::budget::{Budget, Reserved};
use super::received::Received;

/// A last piece that is shorter than this does not count as an ending. In bytes.
const ENDING: usize = 64;

/// The body of one request, for all its attempts.
#[derive(Clone)]
pub struct Upload(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
}

struct State {
    /// What `Content-Length` says.
    length: Option<u64>,
    source: Source,
    kept: Vec<Bytes>,
    kept_bytes: u64,
    /// The room in memory that `kept` has.
    reserved: Reserved,
    keeping: bool,
    /// The index in `kept` of the next piece that the current attempt reads.
    next: usize,
    /// The number of the attempt that may read.
    reader: u32,
    received: u64,
    /// An attempt wants more than the client has sent.
    waiting: bool,
    /// Wakes that attempt when somebody else takes in what comes.
    reading: Option<Waker>,
    limit: Limits,
    last_progress: Instant,
    /// Counts what comes.
    received_by: Option<Arc<Received>>,
}

#[derive(Clone, Copy)]
struct Limits {
    size: u64,
    replay: u64,
}

enum Source {
    Flowing(Incoming),
    Ended(Option<HeaderMap>),
    Broken(UploadError),
}

/// How far an attempt has come with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It waits for the client to send more.
    AwaitsClient {
        /// When it last got a piece.
        since: Instant,
    },
    /// It has taken everything.
    Sent {
        /// When it took the last piece.
        last: Instant,
    },
}

/// Why the rest of a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// The client's connection ended.
    #[error("the client's request body ended early")]
    ClientGone,
    /// The client sends nothing more, but its connection is open.
    #[error("the client stopped sending its request body")]
    Stalled,
    #[error("the request body is larger than allowed")]
    TooLarge,
    /// Another attempt reads the body now.
    #[error("this attempt is over")]
    Superseded,
}

impl Upload {
    /// A request's body of at most `size` bytes. Up to `replay` bytes of it are kept, while `budget` has room.
    pub fn new(
        body: Incoming,
        (size, replay): (u64, u64),
        budget: &Arc<Budget>,
        received: Arc<Received>,
    ) -> Self {
        let length = body.size_hint().exact();
        let source = if body.is_end_stream() {
            Source::Ended(None)
        } else {
            Source::Flowing(body)
        };
        let upload = Self::with(source, length, Limits { size, replay }, Some(received));
        upload.state().reserved = Reserved::nothing(budget);
        upload
    }

    /// A body that is already here.
    pub fn whole(body: Bytes) -> Self {
        let length = body.len() as u64;
        let upload = Self::with(
            Source::Ended(None),
            Some(length),
            Limits {
                size: length,
                replay: length,
            },
            None,
        );
        if length > 0 {
            upload.state().kept.push(body);
        }
        upload
    }

    fn with(
        source: Source,
        length: Option<u64>,
        limit: Limits,
        received_by: Option<Arc<Received>>,
    ) -> Self {
        let keeping = length.is_none_or(|length| length <= limit.replay);
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                length,
                source,
                kept: Vec::new(),
                kept_bytes: 0,
                reserved: Reserved::elsewhere(),
                keeping,
                next: 0,
                reader: 0,
                received: 0,
                waiting: false,
                reading: None,
                limit,
                last_progress: Instant::now(),
                received_by,
            }),
        }))
    }

    /// The same body for an attempt beside the current one. It shares the chunks. Takes in first what the current
    /// one has not read yet. `None`: some of it did not come, or is not kept.
    pub async fn twin(&self) -> Option<Self> {
        let may_read = {
            let state = self.state();
            state.length.is_some() && state.keeping
        };
        if may_read {
            self.prefetch(u64::MAX).await.ok()?;
        }
        let state = self.state();
        let Source::Ended(trailers) = &state.source else {
            return None;
        };
        if !state.keeping {
            return None;
        }
        let source = Source::Ended(trailers.clone());
        let twin = Self::with(source, state.length, state.limit, None);
        {
            let mut its = twin.state();
            its.kept.clone_from(&state.kept);
            its.kept_bytes = state.kept_bytes;
            its.received = state.received;
        }
        drop(state);
        Some(twin)
    }

    /// Waits until `bytes` of the body, or all of it, are here. Returns whether all of it is here.
    ///
    /// # Errors
    ///
    /// The client left, or sent too much.
    pub async fn prefetch(&self, bytes: u64) -> Result<bool, UploadError> {
        std::future::poll_fn(|cx| {
            let mut state = self.state();
            loop {
                match &state.source {
                    Source::Ended(_) => return Poll::Ready(Ok(true)),
                    Source::Broken(error) => return Poll::Ready(Err(*error)),
                    Source::Flowing(_) if state.received >= bytes => {
                        return Poll::Ready(Ok(false));
                    }
                    Source::Flowing(_) => ready!(state.pull(cx)),
                }
            }
        })
        .await
    }

    /// The body for the next attempt. Earlier attempts can read no more.
    pub fn attempt(&self) -> AttemptBody {
        let mut state = self.state();
        state.reader += 1;
        state.next = 0;
        state.last_progress = Instant::now();
        AttemptBody {
            shared: Arc::clone(&self.0),
            attempt: state.reader,
        }
    }

    /// Whether another attempt could send all of it again.
    pub fn is_replayable(&self) -> bool {
        let state = self.state();
        state.keeping && !matches!(state.source, Source::Broken(_))
    }

    /// Why it broke, if it did.
    pub fn error(&self) -> Option<UploadError> {
        match self.state().source {
            Source::Broken(error) => Some(error),
            Source::Flowing(_) | Source::Ended(_) => None,
        }
    }

    /// What has been kept so far. Copied only if it is in several pieces.
    pub fn peek(&self) -> Bytes {
        let state = self.state();
        match state.kept.as_slice() {
            [] => Bytes::new(),
            [one] => one.clone(),
            many => Bytes::from(many.concat()),
        }
    }

    /// The bytes that it keeps now, or will keep once all of it is here.
    pub fn weight(&self) -> u64 {
        let state = self.state();
        let announced = state.length.filter(|_| state.keeping);
        announced.unwrap_or(state.kept_bytes)
    }

    /// Takes in what the client sends while nothing else reads, to notice when the client leaves. Returns
    /// only when the body broke.
    pub async fn broken(&self) -> UploadError {
        // Without an announced length it might outgrow what can be kept.
        let may_read = {
            let state = self.state();
            state.length.is_some() && state.keeping
        };
        if may_read && let Err(error) = self.prefetch(u64::MAX).await {
            return error;
        }
        std::future::pending().await
    }

    /// What arrived last: the last piece, or all of it if that piece is short.
    pub fn ending(&self) -> Bytes {
        let last = self.state().kept.last().cloned();
        match last {
            Some(last) if last.len() >= ENDING => last,
            Some(_) | None => self.peek(),
        }
    }

    /// Whether all of it has arrived and is kept.
    pub fn is_whole(&self) -> bool {
        let state = self.state();
        state.keeping && matches!(state.source, Source::Ended(_))
    }

    /// Further attempts send `body` in place of what has arrived, all of it; earlier ones end.
    pub fn replace(&self, body: Bytes) {
        let mut state = self.state();
        state.reader += 1;
        state.length = Some(body.len() as u64);
        state.kept_bytes = body.len() as u64;
        state.kept = vec![body];
    }

    /// How far the current attempt has come with it.
    pub fn progress(&self) -> Progress {
        let state = self.state();
        let last = state.last_progress;
        if state.waiting && matches!(state.source, Source::Flowing(_)) {
            Progress::AwaitsClient { since: last }
        } else {
            Progress::Sent { last }
        }
    }

    /// Stops waiting for the client.
    pub fn give_up(&self) {
        self.state().source = Source::Broken(UploadError::Stalled);
    }

    /// There will be no further attempt. What was sent is dropped, and nothing more is kept.
    pub fn stop_keeping(&self) {
        let mut state = self.state();
        state.drop_sent();
        state.keeping = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the next frame from the client into `kept`. The attempt sees it only after that.
    fn pull(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Source::Flowing(body) = &mut self.source else {
            return Poll::Ready(());
        };
        let polled = Pin::new(&mut *body).poll_frame(cx);
        self.waiting = polled.is_pending();
        match ready!(polled) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    let ended = body.is_end_stream();
                    self.take_in(data);
                    // With an announced length the end is known at once. hyper may not ask for what comes
                    // after it.
                    if ended && matches!(self.source, Source::Flowing(_)) {
                        self.source = Source::Ended(None);
                    }
                }
                Err(frame) => self.source = Source::Ended(frame.into_trailers().ok()),
            },
            Some(Err(_)) => self.source = Source::Broken(UploadError::ClientGone),
            None => self.source = Source::Ended(None),
        }
        if let Some(reading) = self.reading.take() {
            reading.wake();
        }
        Poll::Ready(())
    }

    fn take_in(&mut self, data: Bytes) {
        self.received += data.len() as u64;
        if let Some(received) = &self.received_by {
            received.take_in(&data);
        }
        if self.received > self.limit.size {
            self.source = Source::Broken(UploadError::TooLarge);
            return;
        }
        self.kept_bytes += data.len() as u64;
        if self.kept_bytes > self.limit.replay {
            self.keeping = false;
        }
        if data.is_empty() {
            return;
        }
        if self.keeping && !self.reserved.grow(data.len()) {
            self.keeping = false; // Only this piece is here without room. The next one comes when it is sent.
        }
        self.kept.push(data);
    }

    /// Drops what the current attempt has sent.
    fn drop_sent(&mut self) {
        let sent = self.next.min(self.kept.len());
        for piece in self.kept.drain(..sent) {
            self.reserved.shrink(piece.len());
        }
        self.next = 0;
    }

    /// The next piece that is already here.
    fn next_kept(&mut self) -> Option<Bytes> {
        if self.keeping {
            let data = self.kept.get(self.next)?.clone();
            self.next += 1;
            return Some(data);
        }
        if self.kept.is_empty() {
            return None;
        }
        // Nothing will be read again. What was sent is dropped, and the piece goes out as the only copy.
        self.drop_sent();
        let piece = (!self.kept.is_empty()).then(|| self.kept.remove(0))?;
        self.reserved.shrink(piece.len());
        Some(piece)
    }
}

/// The body as one attempt reads it.
pub struct AttemptBody {
    shared: Arc<Shared>,
    attempt: u32,
}

impl Body for AttemptBody {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let mut state = self.shared.state();
        if state.reader != self.attempt {
            return Poll::Ready(Some(Err(UploadError::Superseded)));
        }
        loop {
            if let Some(data) = state.next_kept() {
                state.last_progress = Instant::now();
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            match &state.source {
                Source::Ended(None) => return Poll::Ready(None),
                Source::Ended(Some(trailers)) => {
                    let trailers = trailers.clone();
                    if !state.keeping {
                        state.source = Source::Ended(None);
                    } else if state.next > state.kept.len() {
                        return Poll::Ready(None);
                    }
                    state.next = state.kept.len() + 1;
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                Source::Broken(error) => return Poll::Ready(Some(Err(*error))),
                Source::Flowing(_) => {
                    if state.pull(cx).is_pending() {
                        state.reading = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.shared.state().length == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        match self.shared.state().length {
            Some(length) => SizeHint::with_exact(length),
            None => SizeHint::default(),
        }
    }
}
