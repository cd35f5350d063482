//! An endpoint's answer on its way to the client.
//!
//! Bytes pass as they came and when they came. The inspector reads along. If the endpoint breaks a stream off
//! or stops sending, Zephyr never ends it cleanly: the body fails, and the client's connection with it. So
//! the client knows that something is missing.
//!
//! A stream stops when no further part of its message comes for longer than healthy ones of its endpoint take
//! ([`Silences`]), whatever pings come. It is broken off then if the client's repeat could be answered by another
//! endpoint. In any case it is broken off when nothing at all comes for `failover.idle_timeout_seconds`.
//!
//! A stream ends with its `message_stop`, whatever its endpoint sends after it. If a stream has said all and
//! stays open, Zephyr adds the `message_stop`. In an encoded stream nothing can be cut off or added: it goes
//! on for a while, until the endpoint ends it, so that the encoding can end too.

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
use zephyr_core::latency::Silences;
use zephyr_core::proof::{self, Activity, Stage};
use zephyr_core::usage::Tally;

use super::attempt::Attempt;
use super::ending::Ending;
use super::held::Rest;
use super::inspect::{Inspector, OnInvalid, Sight};
use super::lifetime::Lifetime;
use super::read_off::read_off;
use super::transcode::Passing;

/// An endpoint's answer that is passing.
pub struct Relay {
    held: VecDeque<Bytes>,
    /// The part that has not come yet. `None`: the answer has ended.
    rest: Option<Passing>,
    /// The body fails with this once everything before it has been flushed.
    broken: Option<Broken>,
    /// Settled as soon as the meaning of the answer's end is known.
    attempt: Option<Attempt>,
    sight: Sight,
    silence: Silence,
    ending: Ending,
    abort: Abort,
    /// Held until the answer has gone.
    lifetime: Lifetime,
}

/// How long the endpoint may be silent, and whether that time is over.
struct Silence {
    idle: Duration,
    last_chunk: Instant,
    /// How long it may take to the next part, by what its model does.
    limits: Silences,
    activity: Activity,
    /// The number of parts so far, and when the last one came. Later by as long as the client took nothing: that
    /// is not the endpoint's silence.
    parts: (u64, Instant),
    /// Whether the relay has waited for the endpoint since the last chunk.
    waits: bool,
    /// Started when the relay first waits for the endpoint.
    timer: Option<Pin<Box<Sleep>>>,
    /// Cancelled when the endpoint's drain is over.
    cut: Option<Arc<CancellationToken>>,
    /// Waits for `cut`. Started when the relay first waits for the endpoint.
    cutting: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

/// Why Zephyr stops waiting for a stream.
enum Over {
    /// It has said all, and its time to end is over.
    Said,
    /// It is silent, or its endpoint's drain is over.
    Unsaid(Fault),
    /// No further part came in time.
    Stopped,
}

enum Broken {
    /// The connection flushes first. When the connection ends, it writes what is left of a burst.
    Flushing(Fault),
    Now(Fault),
}

/// Makes the client's connection end with a reset, where a plain close would look like a clean end.
#[derive(Clone, Default)]
pub struct Abort(Option<Arc<AtomicBool>>);

impl Abort {
    /// For a protocol that marks the end of a body: it is enough if the body fails.
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

/// An answer was aborted. Only hyper's debug log shows the text.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint broke off its answer: {0:?}")]
pub struct Aborted(Fault);

impl Relay {
    /// The answer whose beginning is in `held`, for the request of this lifetime. It fails if its endpoint is
    /// silent for `idle`. `attempt`: settled by the answer's end. `sight`: what was seen of the answer so
    /// far.
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
        let now = Instant::now();
        let limits = attempt
            .as_ref()
            .map_or(Silences::ENDLESS, Attempt::silences);
        let inspector = sight.inspector();
        let mut relay = Self {
            held,
            rest,
            broken,
            silence: Silence {
                idle,
                last_chunk: now,
                limits,
                activity: inspector.map(Inspector::activity).unwrap_or_default(),
                parts: (inspector.map_or(0, Inspector::parts), now),
                waits: false,
                timer: None,
                cut: attempt.as_ref().map(Attempt::cut),
                cutting: None,
            },
            ending: Ending::of(idle, limits),
            attempt,
            sight,
            abort,
            lifetime,
        };
        if let Some(mut last) = relay.held.pop_back() {
            relay.notice_stop(&mut last);
            relay.held.push_back(last);
        }
        relay.notice_end();
        relay
    }

    /// Whether nothing is left to send.
    pub fn has_ended(&self) -> bool {
        self.held.is_empty() && self.rest.is_none() && self.broken.is_none()
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        if let Some(chunk) = self.held.pop_front() {
            self.passes(&chunk);
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if let Some(broken) = self.broken.take() {
            return self.fail(broken, cx);
        }
        // While pings keep coming, the timer never fires. A piece that waited for a slow client is read
        // first.
        if self.due().is_some_and(|due| due <= self.silence.last_chunk) {
            return self.end_what_was_said(cx);
        }
        if let Some(fault) = self.stopped(self.silence.last_chunk) {
            return self.fail(Broken::Flushing(fault), cx);
        }
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        match Pin::new(rest).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(self.take_in(frame)))),
            Poll::Ready(Some(Err(broken))) if !self.is_complete() => {
                self.fail(Broken::Flushing(broken.fault()), cx)
            }
            Poll::Ready(Some(Err(_)) | None) => {
                self.rest = None;
                match self.complete() {
                    None => Poll::Ready(None),
                    Some(fault) => self.fail(Broken::Flushing(fault), cx),
                }
            }
            Poll::Pending => loop {
                self.silence.begin_to_wait(Instant::now);
                match ready!(self.silence.poll(cx, self.due(), self.next_part_by())) {
                    Over::Said => break self.end_what_was_said(cx),
                    Over::Unsaid(fault) => break self.fail(Broken::Flushing(fault), cx),
                    Over::Stopped => {
                        if let Some(fault) = self.stopped(Instant::now()) {
                            break self.fail(Broken::Flushing(fault), cx);
                        }
                    }
                }
            },
        }
    }

    /// Takes in a frame, and returns the part of it that goes to the client.
    fn take_in(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        let mut data = match frame.into_data() {
            Ok(data) => data,
            Err(trailers) => {
                self.notice_end();
                return trailers;
            }
        };
        if let Some(fault) = self.look(&data) {
            self.broken = Some(Broken::Flushing(fault));
        }
        self.notice_stop(&mut data);
        self.notice_end();
        self.passes(&data);
        Frame::data(data)
    }

    /// Notes a piece that goes to the client.
    fn passes(&mut self, chunk: &Bytes) {
        let output = self.sight.tally().map_or(0, Tally::output);
        self.lifetime.passes(chunk, output);
    }

    /// Looks at the next piece. Returns the fault if the answer must not go on.
    fn look(&mut self, data: &Bytes) -> Option<Fault> {
        self.silence.comes(Instant::now());
        let inspector = self.sight.inspector_mut()?;
        let looked = inspector.look(data);
        self.silence.note(inspector, self.attempt.as_mut());
        match looked {
            Ok(Stage::Silent | Stage::Started | Stage::Content | Stage::Complete) => {}
            // The client understands an error event, so it is passed on and counted.
            Err(fault @ Fault::ErrorEvent(_)) => {
                self.lifetime.ends(RequestEnd::Failed);
                self.lifetime.is_faulty(fault.clone());
                self.settle(Outcome::Failed(fault));
            }
            Err(fault) => return self.is_invalid(fault),
        }
        None
    }

    /// When the next part of the message is due at the latest. `None`: no part is missing, or none is known.
    fn next_part_by(&self) -> Option<Instant> {
        let is_judged = self.attempt.is_some() && self.sight.judges();
        let inspector = self.sight.inspector().filter(|_| is_judged)?;
        if inspector.has_said_all() {
            return None;
        }
        self.silence.next_part_by()
    }

    /// The fault, if the stream has stopped by `now` and another endpoint could answer the client's repeat.
    fn stopped(&mut self, now: Instant) -> Option<Fault> {
        self.next_part_by().filter(|until| *until <= now)?;
        let attempt = self.attempt.as_mut()?;
        let (activity, limit) = (self.silence.activity, self.silence.limit());
        if attempt.may_be_answered_elsewhere(activity) {
            attempt.was_silent(activity, limit);
            return Some(Fault::Stalled(limit));
        }
        self.silence.limits = Silences::ENDLESS; // The client would lose what it has.
        None
    }

    /// Notices whether the message has said all, or has ended, in the last piece.
    fn notice_stop(&mut self, last: &mut Bytes) {
        let Some(inspector) = self.sight.inspector() else {
            return;
        };
        let said = inspector.has_said_all();
        self.ending.note(said, inspector.parts(), Instant::now);
        if inspector.stage() != Stage::Complete {
            return;
        }
        match inspector.surplus() {
            Some(surplus) => self.stop(&last.split_off(last.len().saturating_sub(surplus))),
            None => self.is_answered(),
        }
    }

    /// Ends the answer. What came `behind` its end is dropped.
    fn stop(&mut self, behind: &[u8]) {
        match proof::ends_there(behind) {
            Ok(()) => self.is_answered(),
            Err(fault) => self.is_answered_all_the_same(fault),
        }
        if let Some(rest) = self.rest.take()
            && !rest.is_end_stream()
        {
            read_off(rest);
        }
    }

    /// When Zephyr ends the stream, if it can end it.
    fn due(&self) -> Option<Instant> {
        let due = self.ending.due()?;
        let inspector = self.sight.inspector()?;
        // A stream that stops in the middle of a further part is not whole, even with an end added.
        let can_end = inspector.surplus().is_none() || !inspector.missing().is_empty();
        can_end.then_some(due)
    }

    /// Ends a stream that has said all but whose endpoint leaves it open.
    fn end_what_was_said(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        self.rest = None;
        if self.is_complete() {
            return Poll::Ready(None);
        }
        let fault = Fault::Stalled(self.ending.limit);
        let missing = self.sight.inspector().map_or(&b""[..], Inspector::missing);
        if missing.is_empty() {
            return self.fail(Broken::Flushing(fault), cx);
        }
        let last = Bytes::from_static(missing);
        self.is_answered_all_the_same(fault);
        self.passes(&last);
        Poll::Ready(Some(Ok(Frame::data(last))))
    }

    fn is_complete(&self) -> bool {
        let inspector = self.sight.inspector();
        inspector.is_some_and(|inspector| inspector.stage() == Stage::Complete)
    }

    /// Books the end as soon as it is known. Once a body of known length is complete, hyper does not ask for
    /// what comes after it.
    fn notice_end(&mut self) {
        if self.broken.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream) {
            self.rest = None;
            self.broken = self.complete().map(Broken::Flushing);
        }
    }

    /// The endpoint ended its answer. Returns what is missing, if the answer is not whole.
    fn complete(&mut self) -> Option<Fault> {
        let inspector = self.sight.inspector();
        match inspector.and_then(|inspector| inspector.finish().err()) {
            // An error event was passed on and booked when it came.
            Some(Fault::ErrorEvent(_)) | None => {
                self.is_answered();
                None
            }
            Some(fault) => self.is_invalid(fault),
        }
    }

    /// The answer is wrong. Returns the fault if the answer must not go on.
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

    /// The client has a whole answer, but something is wrong with its endpoint.
    fn is_answered_all_the_same(&mut self, fault: Fault) {
        self.lifetime.ends(RequestEnd::Answered);
        self.lifetime.is_faulty(fault.clone());
        if let Some(attempt) = self.attempt.take() {
            attempt.settle_passed_on(fault);
        }
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
    /// The client takes what comes, and nothing is there.
    fn begin_to_wait(&mut self, now: impl FnOnce() -> Instant) {
        if !self.waits {
            self.waits = true;
            self.parts.1 += now().saturating_duration_since(self.last_chunk);
        }
    }

    /// A chunk comes. If nobody has waited for it, it was there already.
    fn comes(&mut self, now: Instant) {
        self.begin_to_wait(|| now);
        self.last_chunk = now;
        self.waits = false;
    }

    /// Notes what has come, and how long that took.
    fn note(&mut self, inspector: &Inspector, attempt: Option<&mut Attempt>) {
        let (parts, since) = self.parts;
        if inspector.parts() == parts {
            return;
        }
        if let Some(attempt) = attempt {
            let silence = self.last_chunk.saturating_duration_since(since);
            attempt.was_silent(self.activity, silence);
        }
        self.parts = (inspector.parts(), self.last_chunk);
        self.activity = inspector.activity();
    }

    /// How long the next part may take.
    fn limit(&self) -> Duration {
        self.limits.of(self.activity)
    }

    /// When it is due at the latest.
    fn next_part_by(&self) -> Option<Instant> {
        let (_, since) = self.parts;
        since.checked_add(self.limit())
    }

    /// Ready when the endpoint has been silent for too long, when its drain is over, or when `due` or
    /// `next_part` has come.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        due: Option<Instant>,
        next_part: Option<Instant>,
    ) -> Poll<Over> {
        if let Some(cut) = self.cut.take() {
            self.cutting = Some(Box::pin((*cut).clone().cancelled_owned()));
        }
        let cutting = self.cutting.as_mut();
        if cutting.is_some_and(|cutting| cutting.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Over::Unsaid(Fault::DrainTimeout));
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.idle)));
        loop {
            if let Some(soonest) = due.into_iter().chain(next_part).min()
                && timer.deadline() > soonest.into()
            {
                timer.as_mut().reset(soonest.into());
            }
            ready!(timer.as_mut().poll(cx));
            let now = Instant::now();
            if due.is_some_and(|due| due <= now) {
                return Poll::Ready(Over::Said);
            }
            let until = self.last_chunk + self.idle;
            if until <= now {
                return Poll::Ready(Over::Unsaid(Fault::Stalled(self.idle)));
            }
            if next_part.is_some_and(|next| next <= now) {
                return Poll::Ready(Over::Stopped);
            }
            // Chunks came after the timer was set. Setting it here is cheaper than setting it at every chunk.
            timer.as_mut().reset(until.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The silence of a stream whose client has taken nothing for this long.
    fn paused_for(time: Duration) -> Silence {
        let long_ago = Instant::now().checked_sub(time).unwrap();
        let mut limits = Silences::default();
        limits.note(Activity::Writing, Duration::from_secs(6));
        Silence {
            idle: time * 5,
            last_chunk: long_ago,
            limits,
            activity: Activity::Writing,
            parts: (1, long_ago),
            waits: false,
            timer: None,
            cut: None,
            cutting: None,
        }
    }

    #[test]
    fn the_time_in_which_the_client_takes_nothing_is_not_the_endpoints_silence() {
        let mut silence = paused_for(Duration::from_secs(60));

        silence.begin_to_wait(Instant::now);
        let first = silence.next_part_by().unwrap();
        silence.begin_to_wait(Instant::now);

        assert!(
            first > Instant::now(),
            "its time begins when it is waited for"
        );
        assert_eq!(silence.next_part_by(), Some(first));
    }

    #[test]
    fn what_was_there_already_ends_no_silence_of_the_endpoint() {
        let minute = Duration::from_secs(60);
        let mut silence = paused_for(minute);

        silence.comes(Instant::now());

        let since = silence
            .last_chunk
            .saturating_duration_since(silence.parts.1);
        assert!(since < minute / 2, "{since:?}");
    }
}
