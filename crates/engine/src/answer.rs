//! The answer's body on its way to the client.
//!
//! Bytes pass as they came and when they came. The tap reads along. A stream that its endpoint breaks
//! off, or that stands still, is never ended cleanly: the body fails, and with it the client's
//! connection, so that the client knows that something is missing.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;
use zephyr_core::classify::{Fault, Outcome};
use zephyr_core::proof::Stage;

use crate::dispatcher::{Admission, RequestGuard};
use crate::inspect::Inspector;

/// What a client gets.
pub enum Answer {
    /// An answer of our own.
    Whole(Option<Bytes>),
    /// An endpoint's.
    Relayed(Box<Relay>),
}

/// An endpoint's answer in passing.
pub struct Relay {
    held: VecDeque<Bytes>,
    /// What is still to come; `None` once it ended.
    rest: Option<Incoming>,
    watch: Option<Watch>,
    /// The body fails with this as soon as what was passed on before has been flushed.
    broken: Option<Broken>,
    abort: Abort,
    /// Counts the request until its answer has gone.
    request: Option<RequestGuard>,
}

/// Watches over an answer whose end means something for its endpoint.
struct Watch {
    admission: Option<Admission>,
    inspector: Option<Inspector>,
    idle: Duration,
    last_chunk: Instant,
    timer: Pin<Box<Sleep>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

enum Broken {
    /// Let the connection flush first.
    Flushing(Fault),
    Now(Fault),
}

/// Makes the client's connection end with a reset where a plain close would look like a clean end.
#[derive(Clone, Default)]
pub struct Abort(Option<Arc<AtomicBool>>);

impl Abort {
    /// For a connection whose protocol marks the end of a body: failing the body is enough.
    pub fn by_framing() -> Self {
        Self(None)
    }

    /// For HTTP/1.0, where the end of the connection is the end of the body: sets `reset`.
    pub fn by_reset(reset: Arc<AtomicBool>) -> Self {
        Self(Some(reset))
    }

    fn now(&self) {
        if let Some(reset) = &self.0 {
            reset.store(true, Ordering::Relaxed);
        }
    }
}

/// An answer was aborted; the text ends in hyper's debug log only.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint broke off its answer: {0:?}")]
pub struct Aborted(Fault);

impl Answer {
    /// Lets the request count as in flight until its answer has gone.
    pub fn count_until_gone(&mut self, guard: RequestGuard) {
        match self {
            Self::Whole(_) => drop(guard),
            Self::Relayed(relay) => relay.request = Some(guard),
        }
    }
}

impl Relay {
    /// An answer whose endpoint has been judged already, such as an error that is passed on.
    pub fn settled(held: VecDeque<Bytes>, rest: Option<Incoming>, abort: Abort) -> Self {
        Self {
            held,
            rest,
            watch: None,
            broken: None,
            abort,
            request: None,
        }
    }

    /// An answer that is watched to its end. `inspector`: of a stream that can be looked into.
    pub fn watched(
        held: VecDeque<Bytes>,
        rest: Option<Incoming>,
        admission: Admission,
        inspector: Option<Inspector>,
        idle: Duration,
        abort: Abort,
    ) -> Self {
        let cut = Box::pin(admission.cut.clone().cancelled_owned());
        let mut relay = Self::settled(held, rest, abort);
        relay.watch = Some(Watch {
            admission: Some(admission),
            inspector,
            idle,
            last_chunk: Instant::now(),
            timer: Box::pin(tokio::time::sleep(idle)),
            cut,
        });
        if relay.rest.is_none() {
            relay.complete();
        }
        relay
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        if let Some(chunk) = self.held.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if let Some(broken) = self.broken.take() {
            return self.fail(broken, cx);
        }
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        match Pin::new(rest).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref()
                    && let Some(watch) = &mut self.watch
                {
                    watch.chunk(data);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => self.fail(Broken::Flushing(Fault::Cut), cx),
            Poll::Ready(None) => {
                self.rest = None;
                match self.complete() {
                    None => Poll::Ready(None),
                    Some(fault) => self.fail(Broken::Flushing(fault), cx),
                }
            }
            Poll::Pending => {
                let fault = match &mut self.watch {
                    Some(watch) => ready!(watch.poll_silence(cx)),
                    None => return Poll::Pending,
                };
                self.fail(Broken::Flushing(fault), cx)
            }
        }
    }

    /// The endpoint ended its answer. Says what is missing, if it was not the end.
    fn complete(&mut self) -> Option<Fault> {
        let watch = self.watch.as_mut()?;
        let missing = watch
            .inspector
            .as_ref()
            .and_then(|inspector| inspector.finish().err());
        match missing {
            // An error event was passed on, and booked when it came.
            Some(Fault::ErrorEvent(_)) | None => {
                watch.settle(Outcome::Answered);
                None
            }
            Some(fault) => Some(fault),
        }
    }

    fn fail(
        &mut self,
        broken: Broken,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match broken {
            Broken::Flushing(fault) => {
                self.rest = None;
                self.broken = Some(Broken::Now(fault));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Broken::Now(fault) => {
                self.abort.now();
                if let Some(admission) =
                    self.watch.as_mut().and_then(|watch| watch.admission.take())
                {
                    admission.settle_aborted(fault.clone());
                }
                Poll::Ready(Some(Err(Aborted(fault))))
            }
        }
    }
}

impl Watch {
    fn chunk(&mut self, data: &Bytes) {
        self.last_chunk = Instant::now();
        let Some(inspector) = &mut self.inspector else {
            return;
        };
        match inspector.look(data) {
            Ok(Stage::Complete) => self.settle(Outcome::Answered),
            Ok(Stage::Silent | Stage::Started | Stage::Content) => {}
            Err(fault) => self.settle(Outcome::Failed(fault)),
        }
    }

    /// Ready when the endpoint has been silent for too long, or its drain is over.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Fault::DrainTimeout);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let until = self.last_chunk + self.idle;
            if until <= Instant::now() {
                return Poll::Ready(Fault::Stalled(self.idle));
            }
            // There were chunks since it was set: cheaper than setting it at every one of them.
            self.timer.as_mut().reset(until.into());
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        if let Some(admission) = self.admission.take() {
            admission.settle(outcome);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match &mut *self {
            Self::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Self::Relayed(relay) => relay.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Self::Relayed(relay) => {
                relay.held.is_empty() && relay.rest.is_none() && relay.broken.is_none()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Self::Relayed(_) => SizeHint::default(),
        }
    }
}
