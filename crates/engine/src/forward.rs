//! One request's way: from endpoint to endpoint until an answer has proven real.
//!
//! Nothing reaches the client before that. A refusal, an error inside a 200, a page, silence: each moves
//! the request, byte for byte, to the next endpoint that the fleet grants; where none is up, it waits for
//! one to return. From the answer's first content on the way is settled; what breaks then aborts the
//! client's connection.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Version, response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tracing::Instrument;
use zephyr_control::EventKind;
use zephyr_core::classify::{Attempt, Fault, Outcome, Refusal};
use zephyr_core::fleet::{Denied, DeniedWhy, Journey, Lesson, Why};
use zephyr_core::price::Usage;
use zephyr_core::profile::{CallKind, LOOKED_AT, Profile};
use zephyr_core::proof::{self, Stage};

use crate::answer::{Abort, Answer, Relay, Rest};
use crate::dispatcher::{Admission, Dispatcher, Ending, RequestGuard, Turn};
use crate::headers::{self, Repeatable, VIA_ZEPHYR, strip_hop_by_hop};
use crate::inspect::{self, Inspector, Sight};
use crate::live::Live;
use crate::metrics::RequestEnd;
use crate::record;
use crate::remote::Remote;
use crate::reply::{self, Code};
use crate::request_id::RequestId;
use crate::trail::{Trail, shortened};
use crate::transcode;
use crate::upload::{Upload, UploadError};
use crate::upstream::SendError;
use crate::view;

/// How long an answer is held after `message_start`: what pings without content cannot prolong.
const HOLD_AFTER_START: Duration = Duration::from_secs(3);
/// Most bytes of a stream that are held before its first content.
const HELD_STREAM: usize = 1024 * 1024;
/// How long an answer that is not streamed is waited for, where the client does not say: the SDKs' own.
const PATIENCE: Duration = Duration::from_secs(600);
/// Nobody waits longer, whatever a client says.
const MOST_PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// How long the beginning of a request's body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(75);
/// How much of an error's body is read before it is judged, and for how long.
const ERROR_BODY: usize = 256 * 1024;
const ERROR_BODY_TIME: Duration = Duration::from_secs(5);
/// A JSON answer up to this size is judged whole; a longer one by its head.
const JSON_ANSWER: usize = 1024 * 1024;

const USED_ENDPOINT: HeaderName = HeaderName::from_static("x-used-endpoint");
const ENDPOINT_INDEX: HeaderName = HeaderName::from_static("x-endpoint-index");
const WHY: HeaderName = HeaderName::from_static("x-zephyr-why");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-zephyr-attempts");
const STAINLESS_TIMEOUT: HeaderName = HeaderName::from_static("x-stainless-timeout");

/// Forwards a request and returns what its client gets.
pub async fn forward(
    dispatcher: &Dispatcher,
    live: &Arc<Live>,
    request: Request<Incoming>,
    id: RequestId,
    abort: Abort,
) -> Response<Answer> {
    let (head, body) = request.into_parts();
    let asked = (head.method, &head.uri, head.headers);
    let guard = dispatcher.begin_request(id, asked, live);
    let target = head.uri.path_and_query().cloned();
    let target = target.unwrap_or(PathAndQuery::from_static("/"));
    let trail = Arc::clone(&guard.trail);
    match Exchange::begin(dispatcher, live, target, body, trail, abort).await {
        Ok(exchange) => exchange.run(guard).await,
        Err((code, message)) => guard.turn_down(code, &message),
    }
}

/// An answer of our own.
pub fn own(response: Response<Bytes>) -> Response<Answer> {
    response.map(|body| Answer::Whole(Some(body)))
}

/// A request on its way.
struct Exchange {
    trail: Arc<Trail>,
    dispatcher: Dispatcher,
    live: Arc<Live>,
    target: PathAndQuery,
    /// What goes to every endpoint.
    headers: Repeatable,
    upload: Upload,
    /// How long the client waits for an answer that is not streamed.
    client_patience: Duration,
    journey: Journey,
    abort: Abort,
}

/// An attempt that gave nothing to pass on.
struct Miss {
    endpoint: String,
    fault: Fault,
    /// The endpoint's own answer, if there was one that may be passed on.
    held: Option<Held>,
    /// Whether another endpoint should be asked.
    moves_on: bool,
}

/// An endpoint's answer, held.
struct Held {
    head: response::Parts,
    pieces: VecDeque<Bytes>,
    /// Length of `pieces`.
    bytes: usize,
    rest: Rest,
    from: Arc<Remote>,
}

/// How an attempt ended, as far as the client is concerned.
enum Attempted {
    /// The client gets this.
    Commit(Box<Response<Answer>>),
    /// Nothing to pass on.
    Miss(Box<Miss>),
    /// The client's own doing: its body broke off, or is too large.
    Upload(UploadError),
}

impl Exchange {
    async fn begin(
        dispatcher: &Dispatcher,
        live: &Arc<Live>,
        target: PathAndQuery,
        body: Incoming,
        trail: Arc<Trail>,
        abort: Abort,
    ) -> Result<Self, (Code, String)> {
        let kind = trail.kind;
        let failover = &live.config.failover;
        let (size, replay) = if kind.is_understood() {
            (live.config.server.max_body, failover.replay_limit)
        } else {
            (u64::MAX, 0) // Other paths stream without a limit, and once.
        };
        let announced = http_body::Body::size_hint(&body).exact();
        if announced.is_some_and(|length| length > size) {
            return Err(too_large(size));
        }
        let upload = Upload::new(body, size, replay, Arc::clone(&trail));
        let (mut headers, session) = {
            let mut notes = trail.notes();
            let headers = std::mem::take(&mut notes.headers);
            if trail.keeps_body() {
                notes.headers = headers.clone();
            } else if dispatcher.keeps_records() {
                notes.headers = record::essential(&headers);
            }
            (headers, notes.session.clone())
        };
        let mut profile = Profile::default();
        if kind.is_understood() {
            let looking =
                tokio::time::timeout(BODY_PATIENCE, look_into(&upload, session.as_deref()));
            profile = looking
                .await
                .unwrap_or(Err(UploadError::Stalled))
                .map_err(|error| upload_error(error, size))?;
        }
        let profile = profile.with_session_header(session.as_deref());
        let client_patience = client_patience(&headers);
        headers = headers::for_upstream(headers);
        headers.append(VIA_ZEPHYR, live.instance.clone());
        if let Some(known) = profile.stream {
            let _ = trail.stream.set(known);
        }
        {
            let mut notes = trail.notes();
            notes.model = profile.model.as_deref().map(shortened);
            notes.session = session.or(profile.session_id.as_deref().map(shortened));
        }
        Ok(Self {
            dispatcher: dispatcher.clone(),
            live: Arc::clone(live),
            target,
            headers: Repeatable::new(headers),
            upload,
            client_patience,
            journey: Journey::new(kind, profile.model, profile.session),
            abort,
            trail,
        })
    }

    async fn run(mut self, guard: RequestGuard) -> Response<Answer> {
        let mut misses: Vec<Miss> = Vec::new();
        // What was missed before it last waited: told only if nothing was tried since.
        let mut before_waiting: Vec<Miss> = Vec::new();
        loop {
            let admission = match self.dispatcher.admit(&mut self.journey, &self.trail) {
                Ok(admission) => admission,
                Err(denied) => {
                    if !misses.is_empty() {
                        before_waiting = std::mem::take(&mut misses);
                    }
                    match self.wait_for_return().await {
                        Ok(Turn::Go) => continue,
                        Ok(Turn::InVain) => {
                            return self.give_up(before_waiting, Some(&denied), guard);
                        }
                        Err(error) => {
                            let size = self.live.config.server.max_body;
                            let (code, message) = upload_error(error, size);
                            return guard.turn_down(code, &message);
                        }
                    }
                }
            };
            let attempt = tracing::debug_span!(
                "attempt",
                number = self.journey.attempts(),
                endpoint = %admission.remote.spec.name,
            );
            tracing::debug!(
                parent: &attempt,
                why = ?admission.why,
                model = self.journey.model(),
                "attempt begins",
            );
            if let Some(miss) = misses.last() {
                self.tell_failover(miss);
            }
            let attempted = {
                // Pinned in its place: awaited as a value it would be there twice.
                let headers = self.headers.take();
                let attempting = pin!(self.attempt(admission, headers).instrument(attempt));
                attempting.await
            };
            match attempted {
                Attempted::Commit(response) => {
                    if !misses.is_empty() {
                        self.dispatcher.count(Ending::FailedOver);
                    }
                    return self.sign(*response, guard);
                }
                Attempted::Miss(miss) => {
                    let moves_on = miss.moves_on;
                    misses.push(*miss);
                    if !moves_on {
                        return self.give_up(misses, None, guard);
                    }
                }
                Attempted::Upload(error) => {
                    let (code, message) = upload_error(error, self.live.config.server.max_body);
                    return guard.turn_down(code, &message);
                }
            }
        }
    }

    /// Waits for an endpoint to return, if it may and if that is not in vain.
    async fn wait_for_return(&mut self) -> Result<Turn, UploadError> {
        let weight = self.upload.weight();
        let Some(mut waiter) = self.dispatcher.wait(&mut self.journey, weight) else {
            return Ok(Turn::InVain);
        };
        tracing::debug!(
            model = self.journey.model(),
            "waits for an endpoint to return"
        );
        tokio::select! {
            biased;
            turn = waiter.turn() => Ok(turn),
            error = self.upload.broken() => Err(error),
        }
    }

    /// Sends one attempt and holds its answer until it is known what to make of it.
    async fn attempt(&self, mut admission: Admission, headers: HeaderMap) -> Attempted {
        let started = admission.started;
        let cut = admission.cut.clone();
        let answered = tokio::select! {
            biased;
            answered = self.send(&admission, headers) => answered,
            () = cut.cancelled() => Err(Fault::DrainTimeout),
        };
        let response = match answered {
            Ok(response) => response,
            Err(fault) => {
                if let Some(error) = self.upload.error() {
                    return Attempted::Upload(error); // Dropping the admission books it as abandoned.
                }
                return self.miss(admission, Outcome::Failed(fault.clone()), fault, None);
            }
        };
        admission.is_answered(&response);
        if !self.trail.kind.is_understood() {
            return self.pass_other(admission, response, started);
        }
        if !response.status().is_success() {
            return self.judge_refusal(admission, response).await;
        }
        let held = Held::of(response, self, &admission);
        let streamed = self.is_streamed(&held);
        let judged = tokio::select! {
            biased;
            judged = async {
                if streamed {
                    self.hold_stream(held, started).await
                } else {
                    self.hold_json(held, started).await
                }
            } => judged,
            () = cut.cancelled() => Err((Fault::DrainTimeout, None)),
        };
        match judged {
            Ok((held, sight)) => {
                let took = started.elapsed();
                // An answer that is not streamed begins when it is written, so its time says little.
                let lesson = Lesson {
                    first_event: sight.judges().then_some(took),
                    usage: self.usage(&sight),
                };
                admission.begin(took, &lesson);
                Attempted::Commit(Box::new(self.commit(held, admission, sight)))
            }
            Err((fault, held)) => {
                let outcome = self.asked(&admission).judge_fault(fault.clone());
                match held {
                    // The client's own mistake, told inside a 200: it must see that, and nobody else can help.
                    Some(held)
                        if !self.moves_on(&outcome)
                            && matches!(outcome, Outcome::ClientFault(_)) =>
                    {
                        admission.settle(outcome);
                        Attempted::Commit(Box::new(held.relay(self, std::convert::identity)))
                    }
                    Some(_) | None => self.miss(admission, outcome, fault, None),
                }
            }
        }
    }

    async fn send(
        &self,
        admission: &Admission,
        headers: HeaderMap,
    ) -> Result<Response<Incoming>, Fault> {
        let (remote, started) = (&admission.remote, admission.started);
        let fault = |error: SendError| {
            admission.shook_hands(error.handshake);
            error.fault
        };
        let request = self.request(remote, headers)?;
        let upstream = &remote.upstream;
        if !self.upload.is_replayable() {
            // It could not be sent again if a pooled connection turned out to be stale.
            let sent = self.within_patience(started, upstream.send_fresh(request));
            return sent.await?.map_err(fault);
        }
        let result = self
            .within_patience(started, upstream.send(request))
            .await?;
        match result {
            // It had answered before and was closed while idle: nobody's failure.
            Err(error) if error.stale && self.upload.is_replayable() => {
                tracing::debug!(endpoint = %remote.spec.name, "stale connection, trying a fresh one");
                let fresh = upstream.send_fresh(self.request(remote, self.headers.again())?);
                self.within_patience(started, fresh).await?.map_err(fault)
            }
            result => result.map_err(fault),
        }
    }

    fn request(
        &self,
        remote: &Remote,
        headers: HeaderMap,
    ) -> Result<Request<crate::upload::AttemptBody>, Fault> {
        let url = remote
            .url(&self.target)
            .map_err(|error| Fault::Connect(error.to_string()))?;
        let mut request = Request::new(self.upload.attempt());
        *request.method_mut() = self.trail.method.clone();
        *request.uri_mut() = url;
        *request.headers_mut() = headers;
        remote.address(request.headers_mut());
        remote.authorize(request.headers_mut());
        Ok(request)
    }

    /// Holds a stream until its first content, its end, or the end of patience.
    async fn hold_stream(
        &self,
        mut held: Held,
        started: Instant,
    ) -> Result<(Held, Sight), (Fault, Option<Held>)> {
        let validation = &self.live.config.validation;
        let Some(mut inspector) = Inspector::of(&held.head.headers, validation) else {
            return Ok((held, Sight::Nothing));
        };
        if !inspector.judges() {
            return Ok((held, Sight::Passing(Box::new(inspector))));
        }
        let mut hold_until: Option<Instant> = None;
        loop {
            let next = match hold_until {
                Some(until) => match tokio::time::timeout_at(until.into(), held.next()).await {
                    Ok(next) => next,
                    Err(_) => return Ok((held, Sight::Passing(Box::new(inspector)))),
                },
                None => match self.within_patience(started, held.next()).await {
                    Ok(next) => next,
                    Err(fault) => return Err((fault, None)),
                },
            };
            let stage = match next {
                Next::Piece(piece) => inspector.look(&piece),
                Next::End => match inspector.finish() {
                    Ok(()) => return Ok((held, Sight::Passing(Box::new(inspector)))),
                    Err(fault) => Err(fault),
                },
                Next::Broken(fault) => Err(fault),
            };
            match stage {
                Ok(Stage::Content | Stage::Complete) => {
                    return Ok((held, Sight::Passing(Box::new(inspector))));
                }
                Ok(Stage::Started) => {
                    let until =
                        *hold_until.get_or_insert_with(|| Instant::now() + HOLD_AFTER_START);
                    // Looked at here too: pings without pause keep the timer from being asked.
                    if held.bytes > HELD_STREAM || until <= Instant::now() {
                        return Ok((held, Sight::Passing(Box::new(inspector))));
                    }
                }
                Ok(Stage::Silent) if held.bytes > HELD_STREAM => {
                    let fault = "expected message_start, seen much else".to_owned();
                    return Err((Fault::NotMessages(fault), None));
                }
                Ok(Stage::Silent) => {}
                Err(fault) => return Err((fault, Some(held))),
            }
        }
    }

    /// Holds an answer that is not streamed until it is whole, or too long to be held.
    async fn hold_json(
        &self,
        mut held: Held,
        started: Instant,
    ) -> Result<(Held, Sight), (Fault, Option<Held>)> {
        if held.is_event_stream() {
            return Err((
                Fault::NotMessages("expected JSON, seen a stream of events".to_owned()),
                None,
            ));
        }
        let format = self.live.config.validation.format();
        loop {
            match self.within_patience(started, held.next()).await {
                Err(fault) => return Err((fault, None)),
                Ok(Next::Broken(fault)) => return Err((fault, None)),
                Ok(Next::Piece(_)) if held.bytes <= JSON_ANSWER => {}
                Ok(Next::Piece(_)) => {
                    let head = held.plain().map_err(|fault| (fault, None))?;
                    let judged = head.map_or(Ok(()), |head| {
                        proof::judge_json_head(format, self.trail.kind, &head)
                    });
                    let passing = judged.map(|()| (held, Sight::Nothing));
                    return passing.map_err(|fault| (fault, None));
                }
                Ok(Next::End) => {
                    let body = held.plain().map_err(|fault| (fault, None))?;
                    let kind = self.trail.kind;
                    let judged = match body {
                        None => Ok(Sight::Nothing),
                        // Its beginning: compressed it was short enough.
                        Some(body) if body.len() >= JSON_ANSWER => {
                            proof::judge_json_head(format, kind, &body).map(|()| Sight::Nothing)
                        }
                        Some(body) => proof::read_json(format, kind, &body).map(Sight::Whole),
                    };
                    return match judged {
                        Ok(sight) => Ok((held, sight)),
                        Err(fault) => Err((fault, Some(held))),
                    };
                }
            }
        }
    }

    /// Judges an answer whose status is no success.
    async fn judge_refusal(&self, admission: Admission, response: Response<Incoming>) -> Attempted {
        let mut held = Held::of(response, self, &admission);
        // What does not come in time is passed on as it comes; the status says enough.
        let _ = tokio::time::timeout(ERROR_BODY_TIME, held.fill(ERROR_BODY)).await;
        let body = held.plain().ok().flatten().unwrap_or_default();
        let status = held.head.status.as_u16();
        let outcome = self.asked(&admission).judge_status(Refusal {
            status,
            retry_after: headers::retry_after(&held.head.headers, SystemTime::now()),
            body: &body,
        });
        if !self.moves_on(&outcome) && matches!(outcome, Outcome::ClientFault(_)) {
            admission.settle(outcome);
            return Attempted::Commit(Box::new(held.relay(self, std::convert::identity)));
        }
        // A redirection is never passed on: clients follow it and take the key along.
        let held = (!held.head.status.is_redirection()).then_some(held);
        self.miss(admission, outcome, Fault::Status(status), held)
    }

    /// Passes the answer of a path that is not understood here; only an endpoint's failure moves it on.
    fn pass_other(
        &self,
        mut admission: Admission,
        response: Response<Incoming>,
        started: Instant,
    ) -> Attempted {
        let status = response.status().as_u16();
        let held = Held::of(response, self, &admission);
        if status >= 500 {
            let outcome = self.asked(&admission).judge_status(Refusal {
                status,
                retry_after: None,
                body: &[],
            });
            return self.miss(admission, outcome, Fault::Status(status), Some(held));
        }
        admission.begin(started.elapsed(), &Lesson::default());
        Attempted::Commit(Box::new(self.commit(held, admission, Sight::Nothing)))
    }

    fn miss(
        &self,
        admission: Admission,
        outcome: Outcome,
        fault: Fault,
        held: Option<Held>,
    ) -> Attempted {
        let endpoint = admission.remote.spec.name.clone();
        let moves_on = self.moves_on(&outcome) && self.may_repeat(&fault);
        tracing::debug!(fault = ?fault, moves_on, "attempt failed");
        admission.settle(outcome);
        Attempted::Miss(Box::new(Miss {
            endpoint,
            fault,
            held,
            moves_on,
        }))
    }

    fn commit(&self, mut held: Held, admission: Admission, sight: Sight) -> Response<Answer> {
        self.upload.stop_keeping();
        if sight.judges() {
            // A stream that is whole by its length may still lack its end: that must be seen.
            held.head.headers.remove(CONTENT_LENGTH);
        }
        if let Some(why) = admission.weighed() {
            if let Why::StaysForCache(_) = admission.why {
                tracing::info!(endpoint = %admission.remote.spec.name, "a conversation: {why}");
            }
            if let Ok(why) = HeaderValue::from_str(&why) {
                held.head.headers.insert(WHY, why);
            }
        }
        held.relay(self, |relay| relay.settling(admission, sight))
    }

    /// What a conversation has cached; of a single request, or a count of tokens, nobody asks.
    fn usage(&self, sight: &Sight) -> Option<Usage> {
        let asks = self.journey.is_conversation() && self.trail.kind == CallKind::Messages;
        asks.then(|| sight.usage())?
    }

    fn asked<'a>(&'a self, admission: &Admission) -> Attempt<'a> {
        Attempt {
            kind: self.trail.kind,
            model: self.journey.model(),
            own_credential: admission.remote.credential.is_ours(),
        }
    }

    fn moves_on(&self, outcome: &Outcome) -> bool {
        outcome.moves_on(self.live.config.failover.on_client_errors)
    }

    /// Whether the same bytes can and may be sent once more.
    fn may_repeat(&self, fault: &Fault) -> bool {
        let sent_without_answer = match fault {
            Fault::Lost(_)
            | Fault::TimedOut(_)
            | Fault::Cut
            | Fault::Stalled(_)
            | Fault::Empty
            | Fault::DrainTimeout => true,
            Fault::Status(_)
            | Fault::Connect(_)
            | Fault::Html
            | Fault::NotMessages(_)
            | Fault::ErrorEvent(_)
            | Fault::ClaudeCli(_) => false,
        };
        self.upload.is_replayable()
            && (self.live.config.failover.retry_sent_requests || !sent_without_answer)
    }

    /// Waits for `future` as long as an answer may take to begin.
    async fn within_patience<T>(
        &self,
        started: Instant,
        future: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        let mut future = pin!(future);
        // Whether a stream is asked for is found out when it matters: after the shorter of the two.
        let first_event = self.live.config.failover.first_event_timeout;
        let mut deadline = started + first_event.min(self.client_patience);
        loop {
            tokio::select! {
                biased;
                result = &mut future => return Ok(result),
                () = tokio::time::sleep_until(deadline.into()) => {
                    let patience = self.patience();
                    let is_streamed = self.trail.stream.get() != Some(&false) && self.trail.kind.is_understood();
                    if !is_streamed && deadline < started + patience {
                        deadline = started + patience;
                        continue;
                    }
                    if self.upload.is_waiting_for_client() {
                        self.upload.give_up();
                        return Err(Fault::TimedOut(patience));
                    }
                    // A body that is still on its way cannot have been answered.
                    deadline = started.max(self.upload.last_progress()) + patience;
                    if deadline <= Instant::now() {
                        return Err(Fault::TimedOut(patience));
                    }
                }
            }
        }
    }

    /// How long an answer may take to begin.
    fn patience(&self) -> Duration {
        if self.trail.kind == CallKind::Messages && self.wants_stream() {
            return self.live.config.failover.first_event_timeout;
        }
        self.client_patience
    }

    /// Whether an answer is to be held as a stream: if one was asked for. Where any format counts, or
    /// events are not looked at, what came has its say too.
    fn is_streamed(&self, held: &Held) -> bool {
        if self.trail.kind != CallKind::Messages {
            return false;
        }
        let validation = &self.live.config.validation;
        let asked = self
            .trail
            .stream
            .get()
            .copied()
            .unwrap_or_else(|| held.is_event_stream() || self.wants_stream());
        if !validation.strict_format {
            held.is_event_stream() || (asked && !held.is_json_or_page())
        } else if !validation.streaming {
            asked && !held.is_json_or_page()
        } else {
            asked
        }
    }

    /// Asked for only when it matters: `stream` stands at the end of Claude Code's long bodies.
    fn wants_stream(&self) -> bool {
        if let Some(known) = self.trail.stream.get() {
            return *known;
        }
        if !self.upload.is_whole() {
            return false;
        }
        *self.trail.stream.get_or_init(|| {
            Profile::stream_at_end(&self.upload.ending())
                .unwrap_or_else(|| Profile::wants_stream(&self.upload.peek()))
        })
    }

    fn tell_failover(&self, miss: &Miss) {
        let event = EventKind::FailedOver {
            from: miss.endpoint.clone(),
            why: view::fault(&miss.fault),
        };
        self.dispatcher.note_of(self.trail.id, event);
    }

    /// All is spent: the most telling answer of an endpoint, unmodified, else one of our own.
    fn give_up(
        self,
        misses: Vec<Miss>,
        denied: Option<&Denied>,
        mut guard: RequestGuard,
    ) -> Response<Answer> {
        self.dispatcher.count(Ending::Failed);
        guard.ends(RequestEnd::Failed);
        let retry_after = self.earliest_return();
        let (code, message) = self.own_error(&misses, denied);
        if self.trail.kind == CallKind::Messages {
            self.wants_stream(); // So that its record tells.
        }
        let mut telling: Option<Held> = None;
        for held in misses.into_iter().filter_map(|miss| miss.held) {
            let better = telling
                .as_ref()
                .is_none_or(|best| tells_more(held.head.status, best.head.status));
            if better {
                telling = Some(held);
            }
        }
        let mut response = match telling {
            Some(held) => held.relay(&self, std::convert::identity),
            None => {
                guard.error(&message);
                own(reply::error(code, &message))
            }
        };
        if let Some(wait) = retry_after
            && matches!(response.status().as_u16(), 429 | 503 | 529)
        {
            let (name, value) = reply::retry_after(wait);
            response.headers_mut().insert(name, value);
            response.headers_mut().remove("retry-after-ms"); // The SDKs would prefer it.
        }
        tracing::info!(
            request = %self.trail.id,
            status = response.status().as_u16(),
            attempts = self.journey.attempts(),
            "a request got no answer but an error",
        );
        self.sign(response, guard)
    }

    fn own_error(&self, misses: &[Miss], denied: Option<&Denied>) -> (Code, String) {
        let tried = misses
            .iter()
            .map(|miss| format!("{}: {}", miss.endpoint, view::in_words(&miss.fault)));
        let mut reasons: Vec<String> = tried.collect();
        if let Some(denied) = denied {
            let passed_over = self.dispatcher.look(|state, _| {
                let untried = denied.endpoints.iter().filter(|(id, _)| {
                    let name = state.name(*id);
                    !misses.iter().any(|miss| miss.endpoint == name)
                });
                let told = untried.map(|(id, why)| {
                    let why = view::why_not(&state.fleet, *id, *why, Instant::now());
                    let why = zephyr_control::text(zephyr_control::Language::En, &why);
                    format!("{}: {why}", state.name(*id))
                });
                told.collect::<Vec<_>>()
            });
            reasons.extend(passed_over);
        }
        let reasons = reasons.join("; ");
        let overloaded = Fault::ErrorEvent("overloaded_error".to_owned());
        match denied.map(|denied| denied.why) {
            Some(_) if self.dispatcher.look(|state, _| state.fleet.turns_away()) => {
                let message = "Zephyr is about to end; start it again";
                (Code::ShuttingDown, message.to_owned())
            }
            Some(DeniedWhy::NoEndpoints) => {
                let message = "Zephyr has no endpoint to send this to; add one to config.toml (see config.toml.example)";
                (Code::NoEndpoints, message.to_owned())
            }
            _ if self.is_offline() => (
                Code::Offline,
                format!(
                    "nothing can be reached, so this machine seems to be offline ({reasons}); check its \
                     network, Zephyr goes on by itself when it is back"
                ),
            ),
            Some(_) if misses.is_empty() => (
                Code::NoneUsable,
                format!("no endpoint is usable ({reasons}); see `zephyr status`"),
            ),
            _ if misses.iter().any(|miss| miss.fault == overloaded) => (
                Code::AllOverloaded,
                format!("every endpoint failed ({reasons})"),
            ),
            _ => (
                Code::AllFailed,
                format!("every endpoint failed ({reasons})"),
            ),
        }
    }

    fn is_offline(&self) -> bool {
        self.dispatcher
            .look(|state, _| state.fleet.offline_since().is_some())
    }

    /// How long until the first of the endpoints that are out returns by itself.
    fn earliest_return(&self) -> Option<Duration> {
        self.dispatcher.look(|state, _| {
            let now = Instant::now();
            let until = state
                .fleet
                .status()
                .filter_map(|status| view::returns_at(&status))
                .min()?;
            Some(until.saturating_duration_since(now))
        })
    }

    /// Adds what tells the client where its answer comes from.
    fn sign(&self, mut response: Response<Answer>, guard: RequestGuard) -> Response<Answer> {
        let attempts = match self.journey.attempts() {
            1 => HeaderValue::from_static("1"),
            attempts => HeaderValue::from(attempts),
        };
        response.headers_mut().insert(ATTEMPTS, attempts);
        guard.answers(response)
    }
}

/// Reads what routing wants to know from the body's beginning: as little of it as tells, since nothing
/// is sent on meanwhile. `session`: known from the headers.
async fn look_into(upload: &Upload, session: Option<&str>) -> Result<Profile, UploadError> {
    if session.is_some() {
        upload.prefetch(1).await?;
        let profile = Profile::read_to_model(&upload.peek());
        if profile.model.is_some() {
            return Ok(profile);
        }
    }
    let whole = upload.prefetch(LOOKED_AT as u64).await?;
    Ok(Profile::read(&upload.peek(), whole))
}

/// How long a client with these headers waits for an answer that is not streamed.
fn client_patience(headers: &HeaderMap) -> Duration {
    let told = headers
        .get(STAINLESS_TIMEOUT)
        .and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
    told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|told| !told.is_zero())
        .map_or(PATIENCE, |told| told.min(MOST_PATIENCE))
}

/// What an endpoint's body gave next.
enum Next {
    Piece(Bytes),
    End,
    Broken(Fault),
}

impl Held {
    fn of(response: Response<Incoming>, exchange: &Exchange, admission: &Admission) -> Self {
        let (head, body) = transcode::passing(response, || exchange.headers.again());
        Self {
            head,
            pieces: VecDeque::new(),
            bytes: 0,
            rest: Rest::Flowing(body),
            from: Arc::clone(&admission.remote),
        }
    }

    /// Takes in the next piece of data; trailers end what is looked at.
    async fn next(&mut self) -> Next {
        loop {
            let body = match &mut self.rest {
                Rest::Flowing(body) => body,
                Rest::Ended => return Next::End,
                Rest::Broken(fault) => return Next::Broken(fault.clone()),
            };
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        self.bytes += piece.len();
                        self.pieces.push_back(piece.clone());
                        return Next::Piece(piece);
                    }
                }
                Some(Err(broken)) => self.rest = Rest::Broken(broken.fault()),
                None => self.rest = Rest::Ended,
            }
        }
    }

    /// Takes in up to `limit` bytes.
    async fn fill(&mut self, limit: usize) {
        while self.bytes < limit {
            match self.next().await {
                Next::Piece(_) => {}
                Next::End | Next::Broken(_) => return,
            }
        }
    }

    /// What is held, decoded; `None` if it cannot be looked into.
    fn plain(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        inspect::plain(
            &self.head.headers,
            self.pieces.make_contiguous(),
            JSON_ANSWER,
        )
    }

    fn is_event_stream(&self) -> bool {
        headers::is_event_stream(&self.head.headers)
    }

    /// Whether it says of itself that it is no stream.
    fn is_json_or_page(&self) -> bool {
        let content_type = self
            .head
            .headers
            .get(CONTENT_TYPE)
            .map(HeaderValue::as_bytes);
        content_type.is_some_and(|value| {
            value.starts_with(b"application/json") || value.starts_with(b"text/html")
        })
    }

    /// The answer for the client; `finish` decides what its end means.
    fn relay(self, exchange: &Exchange, finish: impl FnOnce(Relay) -> Relay) -> Response<Answer> {
        let mut head = self.head;
        head.version = Version::HTTP_11;
        head.extensions.clear();
        strip_hop_by_hop(&mut head.headers);
        head.headers
            .insert(USED_ENDPOINT, self.from.name_header.clone());
        head.headers
            .insert(ENDPOINT_INDEX, self.from.index_header.clone());
        let idle = exchange.live.config.failover.idle_timeout;
        let abort = exchange.abort.clone();
        let relay = Relay::new(self.pieces, self.rest, self.from, idle, abort);
        Response::from_parts(head, Answer::Relayed(Box::new(finish(relay))))
    }
}

/// Which of two failures tells the client more: 429, then the credential and the quota, then 404, then
/// the last of the others (the order that Anthropic's own gateway documents).
fn tells_more(status: StatusCode, than: StatusCode) -> bool {
    let rank = |status: StatusCode| match status.as_u16() {
        429 => 0,
        400..=403 => 1,
        404 | 501 => 2,
        _ => 3,
    };
    match rank(status).cmp(&rank(than)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => rank(status) == 3,
        std::cmp::Ordering::Greater => false,
    }
}

fn upload_error(error: UploadError, size: u64) -> (Code, String) {
    match error {
        UploadError::TooLarge => too_large(size),
        UploadError::ClientGone | UploadError::Superseded | UploadError::Stalled => (
            Code::BodyIncomplete,
            "the request body ended before it was complete".to_owned(),
        ),
    }
}

fn too_large(size: u64) -> (Code, String) {
    let limit = size / (1024 * 1024);
    (
        Code::BodyTooLarge,
        format!("the request body is larger than {limit} MB (server.max_body_mb)"),
    )
}
