//! One attempt: it sends the request once to one endpoint, and holds the answer until it has proven real.
//!
//! An [`Attempt`] owns the right to send (the fleet's permit), its place in the trail, its times, and its
//! outcome. It is settled once, with the meaning of its end. If it is dropped before that, another attempt was
//! first, or else the client has left.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::header::TRANSFER_ENCODING;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use zephyr_control::{AttemptOutcome, EventKind, Reason};
use zephyr_core::EndpointId;
use zephyr_core::classify::{self, Fault, Outcome, Refusal, Verdict};
use zephyr_core::fleet::{Denied, Grant, Journey, Lesson, NoHedge, NoneLeft, Permit, Why};
use zephyr_core::latency::Silences;
use zephyr_core::profile::CallKind;
use zephyr_core::proof::Activity;
use zephyr_core::quota::Quota;

use super::budget::Budget;
use super::held::Held;
use super::hold::{self, Judged};
use super::inspect::Sight;
use super::models;
use super::outgoing::Outgoing;
use super::patience::{Bounds, Sent};
use super::traffic::Traffic;
use super::trail::{Leg, LegEnd, Trail};
use super::upload::{AttemptBody, Upload, UploadError};
use crate::clock::Clock;
use crate::endpoints::connections::{self, SendError};
use crate::endpoints::headers;
use crate::endpoints::remote::Remote;
use crate::endpoints::socket::Handshake;
use crate::engine::fleet_door::DoorState;
use crate::view::{self, Phase};

/// An error's body is read up to this size and for this long before it is judged. In bytes.
const ERROR_BODY: usize = 256 * 1024;
const ERROR_BODY_TIME: Duration = Duration::from_secs(5);

/// An attempt that has not ended.
#[must_use = "dropping it books that the client has left"]
pub struct Attempt {
    traffic: Arc<Traffic>,
    permit: Option<Permit>,
    pub why: Why,
    pub remote: Arc<Remote>,
    /// Cancelled when the endpoint's drain is over.
    cut: Arc<CancellationToken>,
    pub bounds: Bounds,
    /// The longest silences of its answer so far.
    silences: Silences,
    /// The number of this attempt among those of its request.
    nth: usize,
    /// What the answer says about the endpoint's quota. Taken when the fleet is told.
    quota: Option<Quota>,
    trail: Arc<Trail>,
}

pub enum Attempted {
    /// An answer that has proven real. The end of the answer settles the attempt.
    Answered(Box<(Held, Attempt, Sight)>),
    /// The client's own mistake. The client gets this answer; the attempt is settled.
    PassedOn(Box<Held>),
    /// There is nothing to pass on; the attempt is settled.
    Missed(Box<Miss>),
    /// The client's fault: its body broke off, or is too large.
    Upload(UploadError),
}

/// A settled attempt without an answer that was passed on.
pub struct Miss {
    pub id: EndpointId,
    pub endpoint: String,
    pub outcome: Outcome,
    pub reason: Reason,
    /// The endpoint's own answer, if there was one and it may be passed on.
    pub held: Option<Held>,
    /// Whether another endpoint should be asked.
    pub moves_on: bool,
}

impl Attempt {
    /// Asks the fleet where this request may go next.
    ///
    /// # Errors
    ///
    /// The reason why the fleet allows no attempt.
    pub fn admit(outgoing: &Outgoing, journey: &mut Journey) -> Result<Self, Denied> {
        outgoing.traffic.door.wake_if_slept(None);
        let granted = outgoing.traffic.door.step(|state, now| {
            let grant = state.fleet.admit(journey, now)?;
            Ok(Granted::of(grant, state))
        })?;
        Ok(granted.attempt(outgoing, outgoing.upload.clone(), journey))
    }

    /// Asks the fleet for a second attempt beside a late first one at the endpoint of `first`, which has taken
    /// `waited` so far. `upload`: a twin of the first one's.
    ///
    /// # Errors
    ///
    /// There is none, or none yet.
    pub fn beside(
        outgoing: &Outgoing,
        upload: Upload,
        journey: &mut Journey,
        (first, waited): (&Remote, Duration),
    ) -> Result<Self, NoHedge> {
        let granted = outgoing.traffic.door.step(|state, now| {
            let grant = state.fleet.hedge(journey, first.id, waited, now)?;
            Ok(Granted::of(grant, state))
        })?;
        Ok(granted.attempt(outgoing, upload, journey))
    }

    /// Asks the fleet for an attempt in place of the second one, beside a late one that has taken `waited` so
    /// far. `upload`: a twin of the request's. `failed`: one of the two has failed.
    pub fn anew(
        outgoing: &Outgoing,
        upload: Upload,
        journey: &mut Journey,
        (failed, waited): (bool, Duration),
    ) -> Result<Self, NoneLeft> {
        let granted = outgoing.traffic.door.step(|state, now| {
            let grant = state.fleet.hedge_anew(journey, failed, waited, now)?;
            Ok(Granted::of(grant, state))
        })?;
        Ok(granted.attempt(outgoing, upload, journey))
    }

    /// Sends the request and holds its answer until the answer can be judged.
    pub async fn run(mut self, outgoing: &Outgoing, headers: HeaderMap) -> Attempted {
        if self.trail.kind == CallKind::Models {
            return self.run_for_models(outgoing, headers).await;
        }
        let cut = Arc::clone(&self.cut);
        let sent = tokio::select! {
            biased;
            sent = self.send(outgoing, headers) => sent,
            () = cut.cancelled() => Err(Unsent::of(Fault::DrainTimeout)),
        };
        let response = match sent {
            Ok(response) => response,
            Err(unsent) => {
                if let Some(error) = self.bounds.upload.error() {
                    return Attempted::Upload(error); // The drop books the attempt as abandoned.
                }
                let may_repeat = unsent.unprocessed || outgoing.may_repeat(&unsent.fault);
                let verdict = Outcome::Failed(unsent.fault).into();
                return self.miss(outgoing, verdict, None, may_repeat);
            }
        };
        self.is_answered(&response);
        if !self.trail.kind.is_understood() {
            return self.pass_other(outgoing, response);
        }
        let held = Held::of(response, self.holder(), || outgoing.headers.again());
        if !held.head.status.is_success() {
            return self.judge_refusal(outgoing, held).await;
        }
        let judged = tokio::select! {
            biased;
            judged = pin!(hold::until_proven(outgoing, held, &self.bounds)) => judged,
            () = cut.cancelled() => Judged::False(Fault::DrainTimeout, None),
        };
        match judged {
            Judged::Real(held, sight) => {
                let took = self.since_sent();
                // An endpoint writes an answer without a stream first and sends it then, so its time says
                // little.
                let lesson = Lesson {
                    first_event: sight.judges().then_some(took),
                    whole: matches!(&sight, Sight::Whole(_)).then_some(took),
                    usage: outgoing.usage(&sight),
                };
                self.begin(took, &lesson);
                Attempted::Answered(Box::new((*held, self, sight)))
            }
            Judged::False(fault, held) => {
                let may_repeat = outgoing.may_repeat(&fault);
                let (verdict, held) = self.judge_false(outgoing, fault, held);
                match held {
                    // The error is inside a 200. The client must see it, and no other endpoint can help.
                    Some(held) if outgoing.passes_on(&verdict.outcome) => {
                        self.settle(verdict);
                        Attempted::PassedOn(held)
                    }
                    Some(_) | None => self.miss(outgoing, verdict, None, may_repeat),
                }
            }
        }
    }

    /// Judges an answer whose status says success, but which has not proven real.
    fn judge_false(
        &self,
        outgoing: &Outgoing,
        fault: Fault,
        mut held: Option<Box<Held>>,
    ) -> (Verdict, Option<Box<Held>>) {
        let plain = held.as_mut().and_then(|held| held.plain().ok().flatten());
        let body = plain.unwrap_or_default();
        (self.asked(outgoing).judge_fault(fault, &body), held)
    }

    /// Asks for the list of models. If an endpoint has none, the request moves on. This counts against the
    /// endpoint only if its connection failed.
    async fn run_for_models(mut self, outgoing: &Outgoing, headers: HeaderMap) -> Attempted {
        let cut = Arc::clone(&self.cut);
        let began = self.bounds.began;
        let deadline = models::deadline(outgoing, &self.bounds, self.nth);
        let asking = async {
            let sent = self.send(outgoing, headers).await;
            let response = sent.map_err(|unsent| (unsent.fault, None))?;
            self.is_answered(&response);
            let status = response.status();
            let held = Box::new(Held::of(response, self.holder(), || {
                outgoing.headers.again()
            }));
            if status.is_success() {
                models::until_listed(outgoing, held).await
            } else {
                let held = may_be_passed_on(status).then_some(held);
                Err((Fault::Status(status.as_u16()), held))
            }
        };
        let in_time = async {
            match deadline {
                Some(until) => tokio::time::timeout_at(until.into(), asking)
                    .await
                    .unwrap_or_else(|_| {
                        let took = until.saturating_duration_since(began);
                        Err((Fault::TimedOut(took), None))
                    }),
                None => asking.await,
            }
        };
        let judged = tokio::select! {
            biased;
            judged = in_time => judged,
            () = cut.cancelled() => Err((Fault::DrainTimeout, None)),
        };
        match judged {
            Ok(held) => {
                self.begin(self.since_sent(), &Lesson::default());
                Attempted::Answered(Box::new((*held, self, Sight::Nothing)))
            }
            Err((fault, held)) => {
                if let Some(error) = self.bounds.upload.error() {
                    return Attempted::Upload(error);
                }
                let outcome = match fault {
                    Fault::Connect(_)
                    | Fault::Certificate(_)
                    | Fault::ClearText
                    | Fault::Lost(_) => Outcome::Failed(fault),
                    Fault::Status(_)
                    | Fault::Gateway { .. }
                    | Fault::TimedOut(_)
                    | Fault::Html
                    | Fault::Empty
                    | Fault::NotMessages(_)
                    | Fault::ErrorEvent(_)
                    | Fault::Cut
                    | Fault::Stalled(_)
                    | Fault::ClaudeCli(_)
                    | Fault::DrainTimeout => Outcome::request_not_served(fault),
                };
                self.miss(outgoing, outcome.into(), held.map(|held| *held), true)
            }
        }
    }

    /// Who answers, and the memory for the answer.
    fn holder(&self) -> (Arc<Remote>, &Arc<Budget>) {
        (Arc::clone(&self.remote), &self.traffic.budget)
    }

    async fn send(
        &self,
        outgoing: &Outgoing,
        headers: HeaderMap,
    ) -> Result<Response<Incoming>, Unsent> {
        let (connections, patience) = (&self.remote.connections, &outgoing.patience);
        let request = self.request(outgoing, headers)?;
        let (bounds, is_replayable) = (&self.bounds, self.bounds.upload.is_replayable());
        let sent = if is_replayable {
            patience.within(bounds, connections.send(request)).await
        } else {
            // A body that is not kept cannot be sent again if a pooled connection turns out to be stale.
            patience
                .within(bounds, connections.send_fresh(request))
                .await
        };
        let error = match sent.map_err(Unsent::of)? {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        if !error.unprocessed || !is_replayable {
            return Err(self.unsent(error));
        }
        // The endpoint did nothing with the request, so this is not a failure.
        tracing::debug!(endpoint = %self.remote.spec.name, "not processed, sent again on a fresh connection");
        let again = self.request(outgoing, outgoing.headers.again())?;
        let sent = patience.within(bounds, connections.send_fresh(again));
        let sent = sent.await.map_err(Unsent::of)?;
        sent.map_err(|error| self.unsent(error))
    }

    fn unsent(&self, error: SendError) -> Unsent {
        self.shook_hands(error.handshake);
        Unsent {
            fault: error.fault,
            unprocessed: error.unprocessed,
        }
    }

    fn request(
        &self,
        outgoing: &Outgoing,
        headers: HeaderMap,
    ) -> Result<Request<AttemptBody>, Unsent> {
        let remote = &self.remote;
        let url = remote
            .url(&outgoing.target_for(remote))
            .map_err(|error| Unsent::of(Fault::Connect(error.to_string())))?;
        let body = self.bounds.upload.attempt();
        // hyper takes a GET or HEAD without a length for one without a body, and would leave the body out.
        let is_of_unknown_length = !body.is_end_stream() && body.size_hint().exact().is_none();
        let mut request = Request::new(body);
        *request.method_mut() = self.trail.method.clone();
        *request.uri_mut() = url;
        *request.headers_mut() = headers;
        if is_of_unknown_length && matches!(self.trail.method, Method::GET | Method::HEAD) {
            let chunked = HeaderValue::from_static("chunked");
            request.headers_mut().insert(TRANSFER_ENCODING, chunked);
        }
        remote.address(request.headers_mut());
        remote.authorize(request.headers_mut());
        Ok(request)
    }

    /// Judges an answer whose status is not success.
    async fn judge_refusal(self, outgoing: &Outgoing, mut held: Held) -> Attempted {
        // The status says enough. If the body is late, the rest of it is passed on as it comes.
        let _ = tokio::time::timeout(ERROR_BODY_TIME, held.fill(ERROR_BODY)).await;
        let body = held.plain().ok().flatten().unwrap_or_default();
        let status = held.head.status;
        let verdict = self.asked(outgoing).judge(Refusal {
            status: status.as_u16(),
            headers: &held.head.headers,
            retry_after: headers::retry_after(&held.head.headers, SystemTime::now()),
            body: &body,
            since_epoch: Clock::now().since_epoch(),
        });
        if outgoing.passes_on(&verdict.outcome) {
            self.settle(verdict);
            return Attempted::PassedOn(Box::new(held));
        }
        let held = may_be_passed_on(status).then_some(held);
        self.miss(outgoing, verdict, held, true)
    }

    /// Passes on the answer of a path that Zephyr does not understand. Only a failure of the endpoint makes
    /// the request move on.
    fn pass_other(mut self, outgoing: &Outgoing, response: Response<Incoming>) -> Attempted {
        let status = response.status();
        let held = Held::of(response, self.holder(), || outgoing.headers.again());
        let leads_away = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
        if status.is_server_error() || status.is_informational() || leads_away {
            let verdict = self.asked(outgoing).judge(Refusal {
                status: status.as_u16(),
                headers: &held.head.headers,
                retry_after: None,
                body: &[],
                since_epoch: Duration::ZERO,
            });
            let held = may_be_passed_on(status).then_some(held);
            return self.miss(outgoing, verdict, held, true);
        }
        self.begin(self.since_sent(), &Lesson::default());
        Attempted::Answered(Box::new((held, self, Sight::Nothing)))
    }

    fn miss(
        self,
        outgoing: &Outgoing,
        verdict: Verdict,
        held: Option<Held>,
        may_repeat: bool,
    ) -> Attempted {
        let moves_on =
            outgoing.moves_on(&verdict.outcome) && may_repeat && self.bounds.upload.is_replayable();
        let told = view::why_not_answered(&verdict.outcome, Phase::Before, &self.trail.redactor);
        let reason = told.expect("a miss neither answered nor was abandoned");
        tracing::debug!(
            outcome = ?view::outcome(&verdict.outcome),
            ?reason,
            moves_on,
            "attempt failed"
        );
        let (id, endpoint) = (self.remote.id, self.remote.spec.name.clone());
        let outcome = verdict.outcome.clone();
        self.settle(verdict);
        Attempted::Missed(Box::new(Miss {
            id,
            endpoint,
            outcome,
            reason,
            held,
            moves_on,
        }))
    }

    fn asked<'a>(&'a self, outgoing: &'a Outgoing) -> classify::Attempt<'a> {
        classify::Attempt {
            kind: self.trail.kind,
            model: self.permit.as_ref().and_then(Permit::model),
            own_credential: self.remote.credential.is_ours(),
            endpoint: &self.remote.spec.name,
            rules: &outgoing.live.config.failover.rules,
        }
    }

    /// The time since the endpoint got the last byte of the request.
    fn since_sent(&self) -> Duration {
        match self.bounds.sent() {
            Sent::At(sent) => sent.elapsed(),
            // The endpoint answered before it had the whole request.
            Sent::NotYet { .. } => Duration::ZERO,
        }
    }

    /// Cancelling this token ends the attempt.
    pub fn cut(&self) -> Arc<CancellationToken> {
        Arc::clone(&self.cut)
    }

    /// The reason for this endpoint in words, if speed was weighed against a cache.
    pub fn weighed(&self) -> Option<String> {
        let (Why::StaysForCache(_) | Why::WorthMoving(_)) = self.why else {
            return None;
        };
        let notes = self.trail.notes();
        let reason = &notes.legs.get(self.bounds.leg)?.why;
        Some(zephyr_control::text(zephyr_control::Language::En, reason))
    }

    fn shook_hands(&self, handshake: Option<Handshake>) {
        if handshake.is_some() {
            self.trail
                .note(self.bounds.leg, |leg| leg.handshake = handshake);
        }
    }

    fn is_answered<B>(&mut self, response: &Response<B>) {
        let took = self.bounds.began.elapsed();
        // Other calls, such as counting tokens, have limits of their own.
        if self.trail.kind == CallKind::Messages {
            self.quota = headers::quota(response.headers());
        }
        self.trail.note(self.bounds.leg, |leg| {
            leg.status = Some(response.status().as_u16());
            leg.headers = Some(took);
            leg.handshake = leg.handshake.or(connections::handshake(response));
            let limits = headers::rate_limits(response.headers());
            leg.rate_limits = limits
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
        });
    }

    /// The answer is real and begins to reach the client.
    fn begin(&mut self, ttft: Duration, lesson: &Lesson) {
        self.remote.meter.first_event.observe(ttft);
        let quota = self.quota.take();
        let left = self.permit.as_mut().and_then(|permit| {
            let left = self.traffic.door.step(|state, now| {
                if let Some(quota) = quota {
                    state.fleet.note_quota(permit, quota, now);
                }
                state.fleet.begin(permit, ttft, now);
                state.fleet.learn(permit, lesson, now)
            });
            self.traffic.door.measured();
            left
        });
        let now = Instant::now();
        let mut notes = self.trail.notes();
        notes.answered = Some(now);
        notes.left = left;
        if let Some(leg) = notes.legs.get_mut(self.bounds.leg) {
            leg.first_event = Some(now.saturating_duration_since(self.bounds.began));
        }
    }

    /// How long a stream may take to begin before it is late.
    fn late(&self) -> Option<Duration> {
        let is_stream = self.trail.stream.get() == Some(&true);
        is_stream.then_some(self.bounds.pace.late)
    }

    /// How long a stream may be silent after it has proven real.
    pub fn silences(&self) -> Silences {
        self.bounds.pace.silence
    }

    /// The stream was silent for so long while its model did that.
    pub fn was_silent(&mut self, activity: Activity, silence: Duration) {
        self.silences.note(activity, silence);
    }

    /// Whether the client's repeat of the request could be answered by another endpoint.
    pub fn may_be_answered_elsewhere(&self, activity: Activity) -> bool {
        self.permit.as_ref().is_some_and(|permit| {
            let look = |state: &DoorState, now: &Clock| {
                let now = now.instant();
                state.fleet.may_be_answered_elsewhere(permit, activity, now)
            };
            self.traffic.door.look(look)
        })
    }

    pub fn settle(mut self, verdict: impl Into<Verdict>) {
        self.book(End::Known(verdict.into()));
    }

    /// Books a failure after the client saw a part of the answer. The client's answer is broken off.
    pub fn settle_aborted(mut self, fault: Fault) {
        self.traffic.counters.add_aborted();
        self.book(End::BrokenOff(fault));
    }

    /// Books a failure inside an answer that is passed on nevertheless.
    pub fn settle_passed_on(mut self, fault: Fault) {
        self.book(End::PassedOn(fault));
    }

    fn book(&mut self, end: End) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        let told = self.event_of(&end);
        if let Some(event) = &told {
            view::log(event, Some(self.trail.id));
        }
        let Verdict { outcome, ground } = end.verdict();
        self.remote
            .meter
            .attempt(&outcome, self.bounds.began.elapsed());
        let quota = self.quota.take();
        let is_stream = self.trail.stream.get() == Some(&true);
        let (waited, silences) = (self.since_sent(), self.silences);
        let phase = match self.trail.notes().answered {
            Some(_) => Phase::Midway,
            None => Phase::Before,
        };
        let reason = view::why_not_answered(&outcome, phase, &self.trail.redactor);
        let (at, until, shown) = self.traffic.door.step(|state, now| {
            if let Some(event) = told {
                state.log.push(event, Clock::now().unix_ms(now));
            }
            if let Some(quota) = quota {
                state.fleet.note_quota(&permit, quota, now);
            }
            if let Outcome::Answered | Outcome::Failed(Fault::Stalled(_)) = outcome {
                state.fleet.learn_silences(&permit, &silences, now);
            }
            let until = match end {
                End::Known(verdict) => state.fleet.settle(permit, verdict.outcome, now),
                End::PassedOn(fault) => state.fleet.settle(permit, Outcome::Failed(fault), now),
                End::BrokenOff(fault) => state.fleet.settle_midway(permit, fault, now),
                End::Overtaken(winner) => {
                    if is_stream {
                        state.fleet.settle_overtaken(permit, (waited, winner), now);
                    } else {
                        state.fleet.settle(permit, Outcome::Abandoned, now);
                    }
                    return (now, None, AttemptOutcome::Overtaken);
                }
                End::LeftLate => {
                    state.fleet.settle_left_late(permit, waited, now);
                    None
                }
            };
            (now, until, view::attempt(&state.fleet, &outcome))
        });
        let end = LegEnd {
            at,
            outcome: shown,
            reason,
            verdict: view::verdict(&outcome, ground, until),
        };
        self.trail.note(self.bounds.leg, |leg| leg.end = Some(end));
    }

    /// The event that front-ends show for an answer that failed after it began.
    fn event_of(&self, end: &End) -> Option<EventKind> {
        let endpoint = self.remote.spec.name.clone();
        match end {
            End::Known(_) | End::Overtaken(_) | End::LeftLate => None,
            End::BrokenOff(fault) => Some(EventKind::Aborted {
                endpoint,
                why: view::fault_midway(fault, &self.trail.redactor),
            }),
            End::PassedOn(fault) => Some(EventKind::PassedOn {
                endpoint,
                why: view::fault_midway(fault, &self.trail.redactor),
            }),
        }
    }
}

/// What the fleet granted, and what belongs to it.
struct Granted {
    grant: Grant,
    remote: Option<Arc<Remote>>,
    cut: Arc<CancellationToken>,
    reason: Reason,
}

impl Granted {
    fn of(grant: Grant, state: &mut DoorState) -> Self {
        let id = grant.permit.endpoint();
        Self {
            remote: state.remotes.get(&id).cloned(),
            cut: state.cut_of(id),
            reason: view::why(&state.fleet, id, grant.why),
            grant,
        }
    }

    fn attempt(self, outgoing: &Outgoing, upload: Upload, journey: &Journey) -> Attempt {
        outgoing.traffic.counters.add_attempt();
        let remote = self
            .remote
            .expect("every endpoint of the fleet has its remote: both change in one step");
        let leg = Leg::new(Arc::clone(&remote), self.reason);
        let (trail, began) = (Arc::clone(&outgoing.trail), leg.began);
        let place = trail.set_out(leg);
        let Grant {
            permit,
            why,
            pace,
            is_last,
        } = self.grant;
        Attempt {
            traffic: Arc::clone(&outgoing.traffic),
            permit: Some(permit),
            why,
            remote,
            cut: self.cut,
            bounds: Bounds {
                began,
                upload,
                pace,
                is_last,
                leg: place,
            },
            silences: Silences::default(),
            nth: journey.attempts(),
            quota: None,
            trail,
        }
    }
}

enum End {
    Known(Verdict),
    /// A fault in the middle of the answer. The client's answer is broken off.
    BrokenOff(Fault),
    /// A fault in the middle of the answer. The client still gets the whole answer.
    PassedOn(Fault),
    /// Another attempt beside it was first: its answer took this long.
    Overtaken(Duration),
    /// The client left before an answer that was late.
    LeftLate,
}

impl End {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Known(verdict) => verdict.clone(),
            Self::Overtaken(_) | Self::LeftLate => Outcome::Abandoned.into(),
            Self::BrokenOff(fault) | Self::PassedOn(fault) => Outcome::Failed(fault.clone()).into(),
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.permit.is_none() {
            return;
        }
        let overtaken = self.trail.overtaken(self.bounds.leg);
        if let Some(winner) = overtaken {
            return self.book(End::Overtaken(winner));
        }
        self.traffic.counters.add_abandoned();
        let has_begun = self.trail.notes().answered.is_some();
        let is_late = self.late().is_some_and(|late| self.since_sent() >= late);
        self.book(if is_late && !has_begun {
            End::LeftLate
        } else {
            End::Known(Outcome::Abandoned.into())
        });
    }
}

/// The head of the answer did not come.
struct Unsent {
    fault: Fault,
    unprocessed: bool,
}

impl Unsent {
    fn of(fault: Fault) -> Self {
        Self {
            fault,
            unprocessed: false,
        }
    }
}

/// A redirection is never passed on: clients follow it and send the key along. An upgrade is not passed on
/// either, because no client asked for one.
fn may_be_passed_on(status: StatusCode) -> bool {
    !status.is_redirection() && !status.is_informational()
}
