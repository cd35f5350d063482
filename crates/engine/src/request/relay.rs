//! An endpoint's answer on its way to the client.
//!
//! Bytes pass as they came and when they came. The inspector reads along. A stream that its endpoint
//! breaks off, or that stands still, is never ended cleanly: the body fails, and with it the client's
//! connection, so that the client knows that something is missing.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use zephyr_control::RequestEnd;
use zephyr_core::classify::{Fault, Outcome};
use zephyr_core::proof::Stage;
use zephyr_core::usage::Tally;

use super::attempt::Attempt;
use super::held::Rest;
use super::inspect::{OnInvalid, Sight};
use super::lifetime::Lifetime;
use super::transcode::Passing;

/// An endpoint's answer in passing.
pub struct Relay {
    held: VecDeque<Bytes>,
    /// What is still to come; `None` once it ended.
    rest: Option<Passing>,
    /// The body fails with this as soon as what was passed on before has been flushed.
    broken: Option<Broken>,
    /// Settled as soon as it is known what the answer's end means.
    attempt: Option<Attempt>,
    sight: Sight,
    silence: Silence,
    abort: Abort,
    /// The request, until its answer has gone.
    lifetime: Lifetime,
}

/// How long the endpoint may be silent, and whether its time is over.
struct Silence {
    idle: Duration,
    last_chunk: Instant,
    /// Running since the endpoint was first waited for.
    timer: Option<Pin<Box<Sleep>>>,
    /// Cancelled when the endpoint's drain is over.
    cut: Option<Arc<CancellationToken>>,
    /// Waits for that, since the endpoint was first waited for.
    cutting: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

enum Broken {
    /// Let the connection flush first. What still waits of a burst then is written by the connection's end.
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

impl Relay {
    /// The answer of which `held` has arrived, for the request of this lifetime. It fails if its endpoint
    /// is silent for `idle`. `attempt`: settled by the answer's end. `sight`: what was seen of the answer
    /// so far.
    pub fn new(
        (held, rest): (VecDeque<Bytes>, Rest),
        idle: Duration,
        abort: Abort,
        lifetime: Lifetime,
        (attempt, sight): (Option<Attempt>, Sight),
    ) -> Self {
        let (rest, broken) = match rest {
            Rest::Flowing(body) => (Some(body), None),
            Rest::Ended => (None, None),
            Rest::Broken(fault) => (None, Some(Broken::Flushing(fault))),
        };
        let is_whole = sight
            .inspector()
            .is_some_and(|inspector| inspector.stage() == Stage::Complete);
        let mut relay = Self {
            held,
            rest,
            broken,
            silence: Silence {
                idle,
                last_chunk: Instant::now(),
                timer: None,
                cut: attempt.as_ref().map(Attempt::cut),
                cutting: None,
            },
            attempt,
            sight,
            abort,
            lifetime,
        };
        if is_whole {
            relay.is_answered();
        }
        relay.notice_end();
        relay
    }

    /// Whether nothing is left of it.
    pub fn has_ended(&self) -> bool {
        self.held.is_empty() && self.rest.is_none() && self.broken.is_none()
    }

    /// The next frame of the body.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        if let Some(chunk) = self.held.pop_front() {
            self.passes(&chunk);
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
                    if let Some(fault) = self.look(data) {
                        self.broken = Some(Broken::Flushing(fault));
                    }
                    self.passes(data);
                }
                self.notice_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(broken))) => self.fail(Broken::Flushing(broken.fault()), cx),
            Poll::Ready(None) => {
                self.rest = None;
                match self.complete() {
                    None => Poll::Ready(None),
                    Some(fault) => self.fail(Broken::Flushing(fault), cx),
                }
            }
            Poll::Pending => {
                let fault = ready!(self.silence.poll(cx));
                self.fail(Broken::Flushing(fault), cx)
            }
        }
    }

    /// Notes what goes to the client.
    fn passes(&mut self, chunk: &Bytes) {
        let output = self.sight.tally().map_or(0, Tally::output);
        self.lifetime.passes(chunk, output);
    }

    /// Looks at the next piece. Says what is wrong, if the answer must not go on.
    fn look(&mut self, data: &Bytes) -> Option<Fault> {
        self.silence.last_chunk = Instant::now();
        match self.sight.inspector_mut()?.look(data) {
            Ok(Stage::Complete) => self.is_answered(),
            Ok(Stage::Silent | Stage::Started | Stage::Content) => {}
            // The client understands it: passed on, and counted.
            Err(fault @ Fault::ErrorEvent(_)) => {
                self.lifetime.ends(RequestEnd::Failed);
                self.lifetime.is_faulty(fault.clone());
                self.settle(Outcome::Failed(fault));
            }
            Err(fault) => return self.is_invalid(fault),
        }
        None
    }

    /// Books the end as soon as it is known: once a body of known length is complete, nobody asks for
    /// what comes after.
    fn notice_end(&mut self) {
        if self.broken.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream) {
            self.rest = None;
            self.broken = self.complete().map(Broken::Flushing);
        }
    }

    /// The endpoint ended its answer. Says what is missing, if it was not the end.
    fn complete(&mut self) -> Option<Fault> {
        let inspector = self.sight.inspector();
        match inspector.and_then(|inspector| inspector.finish().err()) {
            // An error event was passed on, and booked when it came.
            Some(Fault::ErrorEvent(_)) | None => {
                self.is_answered();
                None
            }
            Some(fault) => self.is_invalid(fault),
        }
    }

    /// The answer is wrong. Gives the fault back, if the answer must not go on.
    fn is_invalid(&mut self, fault: Fault) -> Option<Fault> {
        let Some(inspector) = self.sight.inspector_mut() else {
            return Some(fault);
        };
        match inspector.on_invalid() {
            OnInvalid::PassOn | OnInvalid::Ignore => {
                inspector.stop_judging();
                self.lifetime.ends(RequestEnd::Failed);
                self.lifetime.is_faulty(fault.clone());
                if let Some(attempt) = self.attempt.take() {
                    attempt.settle_passed_on(fault);
                }
                None
            }
            OnInvalid::Abort => Some(fault),
        }
    }

    fn is_answered(&mut self) {
        self.lifetime.ends(RequestEnd::Answered);
        self.settle(Outcome::Answered);
    }

    fn settle(&mut self, outcome: Outcome) {
        if let Some(attempt) = self.attempt.take() {
            attempt.settle(outcome);
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
                self.lifetime.breaks_off(fault.clone());
                if let Some(attempt) = self.attempt.take() {
                    attempt.settle_aborted(fault.clone());
                }
                Poll::Ready(Some(Err(Aborted(fault))))
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The attempt ends before its request does.
        drop(self.attempt.take());
        self.lifetime.saw(std::mem::take(&mut self.sight));
    }
}

impl Silence {
    /// Ready when the endpoint has been silent for too long, or its drain is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        if let Some(cut) = self.cut.take() {
            self.cutting = Some(Box::pin((*cut).clone().cancelled_owned()));
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
}
