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
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use zephyr_core::classify::{Fault, Outcome};
use zephyr_core::proof::Stage;
use zephyr_core::usage::Tally;

use crate::dispatcher::{Admission, RequestGuard};
use crate::inspect::{OnInvalid, Sight};
use crate::metrics::RequestEnd;
use crate::remote::Remote;
use crate::reply;
use crate::request_id::RequestId;
use crate::transcode::Passing;

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
    rest: Option<Passing>,
    watch: Watch,
    /// The body fails with this as soon as what was passed on before has been flushed.
    broken: Option<Broken>,
    abort: Abort,
    /// Whose answer it is.
    from: Arc<Remote>,
    /// Counts the request until its answer has gone, and what of the answer has.
    request: Option<RequestGuard>,
}

/// What is still to come of an endpoint's answer.
pub enum Rest {
    /// This.
    Flowing(Passing),
    /// Nothing: it ended.
    Ended,
    /// Nothing: it broke.
    Broken(Fault),
}

/// Watches over an answer's pace and, while its admission is unsettled, what its end means.
struct Watch {
    admission: Option<Admission>,
    sight: Sight,
    /// What was found wrong.
    fault: Option<Fault>,
    idle: Duration,
    last_chunk: Instant,
    /// Running since the endpoint was first waited for.
    timer: Option<Pin<Box<Sleep>>>,
    /// How the request ends, once that is known.
    end: Option<RequestEnd>,
    /// Cancelled when the endpoint's drain is over.
    cut: Option<CancellationToken>,
    /// Waits for that, since the endpoint was first waited for.
    cutting: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

enum Broken {
    /// Let the connection flush first; what is of a burst and still waits then, its end writes.
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
    /// Puts the request's name into an error of our own.
    pub fn name(&mut self, id: RequestId) {
        if let Self::Whole(Some(body)) = self {
            *body = reply::naming(body, id);
        }
    }

    /// Lets the request count as in flight until its answer has gone.
    pub fn count_until_gone(&mut self, guard: RequestGuard) {
        match self {
            Self::Whole(body) => guard.passes_whole(body.as_ref()),
            Self::Relayed(relay) => relay.request = Some(guard),
        }
    }
}

impl Relay {
    /// An answer of which `held` has arrived. It fails if its endpoint is silent for `idle`.
    pub fn new(
        held: VecDeque<Bytes>,
        rest: Rest,
        from: Arc<Remote>,
        idle: Duration,
        abort: Abort,
    ) -> Self {
        let end = matches!(rest, Rest::Ended).then_some(RequestEnd::Answered);
        let (rest, broken) = match rest {
            Rest::Flowing(body) => (Some(body), None),
            Rest::Ended => (None, None),
            Rest::Broken(fault) => (None, Some(Broken::Flushing(fault))),
        };
        Self {
            held,
            rest,
            watch: Watch {
                admission: None,
                sight: Sight::Nothing,
                fault: None,
                idle,
                last_chunk: Instant::now(),
                timer: None,
                end,
                cut: None,
                cutting: None,
            },
            broken,
            abort,
            from,
            request: None,
        }
    }

    /// Lets the answer's end settle `admission`. `sight`: what was seen of it so far.
    #[must_use]
    pub fn settling(mut self, admission: Admission, sight: Sight) -> Self {
        let whole = sight
            .inspector()
            .is_some_and(|inspector| inspector.stage() == Stage::Complete);
        self.watch.cut = Some(admission.cut.clone());
        self.watch.admission = Some(admission);
        self.watch.sight = sight;
        if whole {
            self.watch.answered();
        }
        self.notice_end();
        self
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        if let Some(chunk) = self.held.pop_front() {
            self.note(&chunk);
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
                if let Some(data) = frame.data_ref() {
                    if let Some(fault) = self.watch.chunk(data) {
                        self.broken = Some(Broken::Flushing(fault));
                    }
                    self.note(data);
                }
                self.notice_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(broken))) => self.fail(Broken::Flushing(broken.fault()), cx),
            Poll::Ready(None) => {
                self.rest = None;
                match self.watch.complete() {
                    None => Poll::Ready(None),
                    Some(fault) => self.fail(Broken::Flushing(fault), cx),
                }
            }
            Poll::Pending => {
                let fault = ready!(self.watch.poll_silence(cx));
                self.fail(Broken::Flushing(fault), cx)
            }
        }
    }

    /// Notes what goes to the client.
    fn note(&mut self, chunk: &Bytes) {
        if let Some(request) = &mut self.request {
            let tally = self.watch.sight.tally();
            request.passes(chunk, tally.map_or(0, Tally::output));
        }
    }

    /// Books the end as soon as it is known: once a body of known length is complete, nobody asks for
    /// what comes after.
    fn notice_end(&mut self) {
        if self.broken.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream) {
            self.rest = None;
            self.broken = self.watch.complete().map(Broken::Flushing);
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
                self.watch.end = Some(RequestEnd::Aborted);
                self.watch.fault = Some(fault.clone());
                if let Some(admission) = self.watch.admission.take() {
                    admission.settle_aborted(fault.clone());
                }
                Poll::Ready(Some(Err(Aborted(fault))))
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The attempt ends before its request does.
        drop(self.watch.admission.take());
        let Some(mut request) = self.request.take() else {
            return;
        };
        if let Some(end) = self.watch.end {
            request.ends(end);
        }
        let sight = std::mem::take(&mut self.watch.sight);
        request.came_from(Arc::clone(&self.from), sight, self.watch.fault.take());
    }
}

impl Watch {
    /// Looks at the next piece. Says what is wrong, if the answer must not go on.
    fn chunk(&mut self, data: &Bytes) -> Option<Fault> {
        self.last_chunk = Instant::now();
        match self.sight.inspector_mut()?.look(data) {
            Ok(Stage::Complete) => self.answered(),
            Ok(Stage::Silent | Stage::Started | Stage::Content) => {}
            // The client understands it: passed on, and counted.
            Err(fault @ Fault::ErrorEvent(_)) => {
                self.end = Some(RequestEnd::Failed);
                self.fault.get_or_insert_with(|| fault.clone());
                self.settle(Outcome::Failed(fault));
            }
            Err(fault) => return self.invalid(fault),
        }
        None
    }

    /// The endpoint ended its answer. Says what is missing, if it was not the end.
    fn complete(&mut self) -> Option<Fault> {
        let inspector = self.sight.inspector();
        match inspector.and_then(|inspector| inspector.finish().err()) {
            // An error event was passed on, and booked when it came.
            Some(Fault::ErrorEvent(_)) | None => {
                self.answered();
                None
            }
            Some(fault) => self.invalid(fault),
        }
    }

    /// The answer is wrong. Gives the fault back, if the answer must not go on.
    fn invalid(&mut self, fault: Fault) -> Option<Fault> {
        let Some(inspector) = self.sight.inspector_mut() else {
            return Some(fault);
        };
        match inspector.on_invalid() {
            OnInvalid::PassOn | OnInvalid::Ignore => {
                inspector.stop_judging();
                self.end.get_or_insert(RequestEnd::Failed);
                self.fault.get_or_insert_with(|| fault.clone());
                if let Some(admission) = self.admission.take() {
                    admission.settle_passed_on(fault);
                }
                None
            }
            OnInvalid::Abort => Some(fault),
        }
    }

    /// Ready when the endpoint has been silent for too long, or its drain is over.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        if let Some(cut) = self.cut.take() {
            self.cutting = Some(Box::pin(cut.cancelled_owned()));
        }
        let cutting = self.cutting.as_mut();
        if cutting.is_some_and(|cutting| cutting.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Fault::DrainTimeout);
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.idle)));
        loop {
            ready!(timer.as_mut().poll(cx));
            let until = self.last_chunk + self.idle;
            if until <= Instant::now() {
                return Poll::Ready(Fault::Stalled(self.idle));
            }
            // There were chunks since it was set: cheaper than setting it at every one of them.
            timer.as_mut().reset(until.into());
        }
    }

    fn answered(&mut self) {
        self.end.get_or_insert(RequestEnd::Answered);
        self.settle(Outcome::Answered);
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
