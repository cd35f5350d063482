//! The one door through which the fleet is asked and told.
//!
//! A step locks, reads the clock once, decides, writes down what happened, and unlocks; only then are
//! the effects carried out. Nothing waits under the lock.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, Response, Uri};
use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;
use zephyr_control::{Event, EventKind, LiveRequest, Totals};
use zephyr_core::classify::{Fault, Outcome};
use zephyr_core::config::{LogBody, Price, ProbeMode};
use zephyr_core::fleet::{Denied, Journey, Lesson, Memory, Permit, Ticket, Why};
use zephyr_core::price::Cost;
use zephyr_core::profile::CallKind;
use zephyr_core::quota::Quota;
use zephyr_core::{Config, Effect, EndpointId, Fleet};

use crate::answer::Answer;
use crate::calendar;
use crate::clock::Clock;
use crate::headers;
use crate::inspect::Sight;
use crate::journal::{Entry, Journal, Sighting};
use crate::live::Live;
use crate::memory::Keeper;
use crate::metrics::{Metrics, RequestEnd};
use crate::prober;
use crate::punctuality::Punctuality;
use crate::record::{self, Got};
use crate::refusals::Refusals;
use crate::remote::Remote;
use crate::reply::{self, Code};
use crate::request_id::RequestId;
use crate::requests::Requests;
use crate::trail::{Leg, LegEnd, Trail};
use crate::upstream::{self, Handshake};
use crate::view::{self, Phase};
use crate::wake::Watch;

/// Events kept for front-ends.
const LOG_LENGTH: usize = 200;

/// A handle on the fleet.
#[derive(Clone)]
pub struct Dispatcher(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Counts changes; front-ends wait for the next one.
    changes: watch::Sender<u64>,
    /// Rung when the next timeout has come nearer.
    timer: Notify,
    /// Rung when there is something to remember.
    keeper: Keeper,
    counters: Counters,
    requests: Requests,
    refusals: Refusals,
    /// Told of requests that ended, and how endpoints are.
    journal: Journal,
    metrics: Arc<Metrics>,
    punctuality: Punctuality,
}

/// What the lock protects.
pub struct State {
    /// The decisions.
    pub fleet: Fleet,
    /// The endpoints' outside.
    pub remotes: BTreeMap<EndpointId, Arc<Remote>>,
    /// What happened lately.
    pub log: Log,
    /// Ends the attempts of an endpoint whose drain is over.
    cuts: BTreeMap<EndpointId, CancellationToken>,
    /// Who waits for an endpoint to return.
    waiters: HashMap<Ticket, oneshot::Sender<Turn>>,
    /// When the driver wakes up.
    armed: Option<Instant>,
    /// Notices a sleep.
    watch: Watch,
}

/// What a step leaves to be done outside the lock.
#[derive(Default)]
struct FollowUp {
    probes: Vec<Assignment>,
    /// For the log: writing may wait for whoever reads it.
    events: Vec<EventKind>,
}

/// A probe to be made.
struct Assignment {
    remote: Arc<Remote>,
    mode: ProbeMode,
    pricing: BTreeMap<String, Price>,
    /// When it was due.
    due: Instant,
}

/// What happened lately, oldest first.
#[derive(Default)]
pub struct Log {
    events: VecDeque<Event>,
    last_seq: u64,
}

impl Log {
    /// Writes an event down.
    pub fn push(&mut self, kind: EventKind, at_ms: u64) {
        self.last_seq += 1;
        if self.events.len() >= LOG_LENGTH {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            seq: self.last_seq,
            at_ms,
            kind,
        });
    }

    /// The events kept.
    pub fn events(&self) -> Vec<Event> {
        self.events.iter().cloned().collect()
    }
}

#[derive(Default)]
struct Counters {
    requests: AtomicU64,
    attempts: AtomicU64,
    failed_over: AtomicU64,
    failed: AtomicU64,
    aborted: AtomicU64,
    abandoned: AtomicU64,
    in_flight: AtomicU32,
    /// Rung when no request is in flight any more.
    idle: Notify,
}

/// What became of a request, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its client got an error that an endpoint or Zephyr made.
    Failed,
    /// Its answer was aborted midway.
    Aborted,
    /// Another endpoint answered than the first asked.
    FailedOver,
}

impl Dispatcher {
    /// A dispatcher over a fleet.
    pub fn new(
        fleet: Fleet,
        remotes: BTreeMap<EndpointId, Arc<Remote>>,
        keeper: Keeper,
        journal: Journal,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::new(State {
                fleet,
                remotes,
                log: Log::default(),
                cuts: BTreeMap::new(),
                waiters: HashMap::new(),
                armed: None,
                watch: Watch::new(Clock::now()),
            }),
            changes: watch::Sender::new(0),
            timer: Notify::new(),
            keeper,
            counters: Counters::default(),
            requests: Requests::default(),
            refusals: Refusals::default(),
            journal,
            metrics,
            punctuality: Punctuality::default(),
        }))
    }

    /// Runs one synchronous step on the fleet, then carries out its effects.
    pub fn step<T>(&self, decide: impl FnOnce(&mut State, Instant) -> T) -> T {
        let (result, follow_up, woken) = {
            let mut state = self.state();
            let now = Instant::now();
            let result = decide(&mut state, now);
            let follow_up = state.drain_effects(now);
            let next = state.fleet.poll_timeout();
            let nearer = next.is_some_and(|next| state.armed.is_none_or(|armed| next < armed));
            if nearer {
                state.armed = next;
            }
            (result, follow_up, nearer)
        };
        if woken {
            self.0.timer.notify_one();
        }
        for event in &follow_up.events {
            view::log(event, None);
            if matches!(event, EventKind::Switched { .. }) {
                self.0.metrics.switches.add(1);
            }
            self.sight(event);
        }
        for assignment in follow_up.probes {
            self.spawn_probe(assignment);
        }
        self.touch();
        result
    }

    /// Looks at the state without changing it.
    pub fn look<T>(&self, look: impl FnOnce(&State, &Clock) -> T) -> T {
        let state = self.state();
        look(&state, &Clock::now())
    }

    /// What is to survive a restart.
    pub fn memory(&self) -> Memory {
        self.state().fleet.memory(Instant::now())
    }

    /// Admits an attempt of the request with this trail.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    pub fn admit(&self, journey: &mut Journey, trail: &Arc<Trail>) -> Result<Admission, Denied> {
        self.wake_if_slept(None);
        let admitted = self.step(|state, now| {
            let grant = state.fleet.admit(journey, now)?;
            let id = grant.permit.endpoint();
            let remote = state.remotes.get(&id).cloned();
            let cut = state.cuts.entry(id).or_default().clone();
            let reason = view::why(&state.fleet, id, grant.why);
            Ok((grant, remote, cut, reason))
        });
        let (grant, remote, cut, reason) = admitted?;
        self.0.counters.attempts.fetch_add(1, Ordering::Relaxed);
        let remote =
            remote.expect("every endpoint of the fleet has its remote: both change in one step");
        let leg = Leg::new(Arc::clone(&remote), reason);
        Ok(Admission {
            permit: Some(grant.permit),
            why: grant.why,
            remote,
            cut,
            started: leg.began,
            quota: None,
            leg: trail.set_out(leg),
            trail: Arc::clone(trail),
            dispatcher: self.clone(),
        })
    }

    /// Waits for an endpoint to return; `bytes`: what is kept of the request's body. `None`: it would be
    /// in vain, or too many wait.
    pub fn wait(&self, journey: &mut Journey, bytes: u64) -> Option<Waiter> {
        let (ticket, turn) = self.step(|state, now| {
            let ticket = state.fleet.wait(journey, bytes, now)?;
            let (call, turn) = oneshot::channel();
            state.waiters.insert(ticket, call);
            Some((ticket, turn))
        })?;
        Some(Waiter {
            ticket: Some(ticket),
            turn,
            dispatcher: self.clone(),
        })
    }

    /// Lets nobody wait any more: the program is about to end.
    pub fn turn_away(&self) {
        self.step(|state, now| state.fleet.turn_away(now));
    }

    /// Takes over a configuration.
    pub fn reconfigure(
        &self,
        config: Config,
        without_credential: &BTreeSet<String>,
        new_credentials: &BTreeSet<String>,
        mut remote_of: impl FnMut(EndpointId, &str) -> Option<Arc<Remote>>,
    ) {
        self.step(|state, now| {
            state
                .fleet
                .handle_config(config, without_credential, new_credentials, now);
            let ids: Vec<(EndpointId, String)> = state
                .fleet
                .status()
                .map(|status| (status.id, status.spec.name.clone()))
                .collect();
            state.remotes = ids
                .iter()
                .filter_map(|(id, name)| Some((*id, remote_of(*id, name)?)))
                .collect();
            state
                .log
                .push(EventKind::ConfigReloaded, Clock::now().unix_ms(now));
        });
    }

    /// Writes down something that happened outside the fleet.
    pub fn note(&self, event: EventKind) {
        view::log(&event, None);
        self.sight(&event);
        self.write_down(event);
    }

    /// Writes down something that happened to a request.
    pub fn note_of(&self, request: RequestId, event: EventKind) {
        view::log(&event, Some(request));
        self.write_down(event);
    }

    /// Ends every attempt that is out.
    pub fn cut_all(&self) {
        let mut state = self.state();
        let ids: Vec<EndpointId> = state.remotes.keys().copied().collect();
        for id in ids {
            // Also of endpoints that a cut request would go to next.
            state.cuts.entry(id).or_default().cancel();
        }
    }

    /// Runs the fleet's timers until the dispatcher is dropped everywhere else.
    pub async fn drive(&self) {
        loop {
            self.look_at_calendar();
            let armed = self.step(|state, now| {
                state.fleet.handle_timeout(now);
                state.armed = state.fleet.poll_timeout();
                state.armed
            });
            let ring = self.0.timer.notified();
            match armed {
                Some(at) => {
                    let _ = tokio::time::timeout_at(at.into(), ring).await;
                }
                None => ring.await,
            }
            self.wake_if_slept(armed);
        }
    }

    /// How punctual probes were.
    pub fn punctuality(&self) -> &Punctuality {
        &self.0.punctuality
    }

    /// The machine slept, or has come to another network: connections from before are dead, and how
    /// endpoints are now is found out at once.
    pub fn wake(&self) {
        tracing::info!("the machine woke up, or its network is back: every endpoint is probed");
        let day = calendar::today(Instant::now()); // It reads a file, so not under the lock.
        let remotes = self.look(|state, _| state.remotes.clone());
        for remote in remotes.values() {
            remote.upstream.forget_idle();
        }
        self.step(|state, now| {
            state.fleet.begin_day(day);
            state.fleet.wake(now);
            state.fleet.handle_timeout(now);
        });
    }

    /// Rings after every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Notes that something changed that the fleet does not know of.
    pub fn touch(&self) {
        // Whoever listens later begins with what is then.
        if self.0.changes.receiver_count() > 0 {
            self.0
                .changes
                .send_modify(|changes| *changes = changes.wrapping_add(1));
        }
    }

    /// Counts a request, shows it, and leaves its record, until and once the guard is dropped.
    pub fn begin_request(
        &self,
        id: RequestId,
        (method, target, headers): (Method, &Uri, HeaderMap),
        live: &Arc<Live>,
    ) -> RequestGuard {
        self.0.counters.requests.fetch_add(1, Ordering::Relaxed);
        self.0.counters.in_flight.fetch_add(1, Ordering::Relaxed);
        let (request_body, response_body) = self.bodies_to_keep(live);
        let trail = Arc::new(Trail::new(id, method, target, headers, request_body));
        self.0.requests.begin(&trail);
        RequestGuard {
            dispatcher: self.clone(),
            trail,
            live: Arc::clone(live),
            end: None,
            got: Got::nothing(response_body),
        }
    }

    /// Answers a request that is not forwarded with an error, and leaves its record.
    pub fn turn_down(
        &self,
        id: RequestId,
        (method, target, headers): (Method, &Uri, HeaderMap),
        (code, message): (Code, &str),
    ) -> Response<Answer> {
        let response = reply::error(code, message).map(|body| reply::naming(&body, id));
        if self.0.journal.is_kept() && self.0.refusals.is_to_be_recorded(Instant::now()) {
            let trail = Trail::new(id, method, target, headers, LogBody::None);
            let mut got = Got::nothing(LogBody::None);
            got.take_head(response.status(), response.headers());
            got.bytes = response.body().len() as u64;
            got.error = Some(message.to_owned());
            let finished = record::finished(&trail, RequestEnd::Refused, got, None);
            self.0.journal.write(Entry::Request(Box::new(finished)));
        }
        response.map(|body| Answer::Whole(Some(body)))
    }

    /// The requests in flight, and those that ended a moment ago.
    pub fn requests(&self, clock: &Clock) -> Vec<LiveRequest> {
        self.0.requests.view(clock)
    }

    /// Whether requests leave records.
    pub fn keeps_records(&self) -> bool {
        self.0.journal.is_kept()
    }

    /// Whether there is any of them.
    pub fn has_requests(&self) -> bool {
        self.0.requests.are_any(Instant::now())
    }

    /// Counts what became of a request.
    pub fn count(&self, ending: Ending) {
        let counters = &self.0.counters;
        let counter = match ending {
            Ending::Failed => &counters.failed,
            Ending::Aborted => &counters.aborted,
            Ending::FailedOver => &counters.failed_over,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The counters as they are.
    pub fn totals(&self) -> Totals {
        let waiting = self.state().fleet.waiting();
        let counters = &self.0.counters;
        Totals {
            requests: counters.requests.load(Ordering::Relaxed),
            attempts: counters.attempts.load(Ordering::Relaxed),
            failed_over: counters.failed_over.load(Ordering::Relaxed),
            failed: counters.failed.load(Ordering::Relaxed),
            aborted: counters.aborted.load(Ordering::Relaxed),
            abandoned: counters.abandoned.load(Ordering::Relaxed),
            in_flight: counters.in_flight.load(Ordering::Relaxed),
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        }
    }

    /// Waits until no request is in flight.
    pub async fn idle(&self) {
        loop {
            let idle = self.0.counters.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.totals().in_flight == 0 {
                return;
            }
            idle.await;
        }
    }

    fn bodies_to_keep(&self, live: &Live) -> (LogBody, LogBody) {
        if self.0.journal.is_kept() {
            let logging = &live.config.logging;
            (logging.request_body, logging.response_body)
        } else {
            (LogBody::None, LogBody::None)
        }
    }

    fn write_down(&self, event: EventKind) {
        self.step(|state, now| state.log.push(event, Clock::now().unix_ms(now)));
    }

    /// Tells the journal of an endpoint's state, if the event is a change of it.
    fn sight(&self, event: &EventKind) {
        match event {
            EventKind::TakenOut { endpoint, .. }
            | EventKind::Recovered { endpoint }
            | EventKind::Enabled { endpoint }
            | EventKind::Disabled { endpoint } => {
                self.write_sighting(endpoint, None, Cost::ZERO);
            }
            EventKind::Chosen { .. }
            | EventKind::Switched { .. }
            | EventKind::Moved { .. }
            | EventKind::FailedOver { .. }
            | EventKind::Aborted { .. }
            | EventKind::PassedOn { .. }
            | EventKind::AllDown
            | EventKind::SomethingUp
            | EventKind::Offline
            | EventKind::Online
            | EventKind::Pinned { .. }
            | EventKind::Automatic
            | EventKind::Paused
            | EventKind::Resumed
            | EventKind::BudgetReached { .. }
            | EventKind::ConfigReloaded
            | EventKind::ConfigRejected => {}
        }
    }

    /// Tells the journal how an endpoint is. `latency`, `cost`: of the probe that showed it.
    fn write_sighting(&self, endpoint: &str, latency: Option<Duration>, cost: Cost) {
        if !self.0.journal.is_kept() {
            return;
        }
        let sighting = self.look(|state, clock| {
            let id = state.fleet.find(endpoint)?;
            let status = state.fleet.status_of(id)?;
            Some(Sighting {
                endpoint: endpoint.to_owned(),
                at_ms: clock.unix_ms(clock.instant()),
                state: view::state(&status),
                latency_ms: latency.map(|latency| latency.as_secs_f64() * 1000.0),
                cost_usd: cost.usd(),
            })
        });
        if let Some(sighting) = sighting {
            self.0.journal.write(Entry::Sighting(sighting));
        }
    }

    /// Tells the fleet which day it is, when it does not know.
    fn look_at_calendar(&self) {
        if self.look(|state, clock| !state.fleet.knows_day(clock.instant())) {
            let day = calendar::today(Instant::now());
            self.step(|state, _| state.fleet.begin_day(day));
        }
    }

    fn wake_if_slept(&self, due: Option<Instant>) {
        let slept = self.state().watch.slept(Clock::now(), due);
        if slept {
            self.wake();
        }
    }

    fn spawn_probe(&self, assignment: Assignment) {
        let Assignment {
            remote,
            mode,
            pricing,
            due,
        } = assignment;
        let dispatcher = self.clone();
        tokio::spawn(async move {
            dispatcher.0.punctuality.note(due, Instant::now());
            let probed = prober::probe(&remote, mode, &pricing).await;
            remote.meter.probe(&probed.result);
            let (latency, cost) = (probed.result.latency(), probed.cost);
            dispatcher.step(|state, now| state.fleet.handle_probe(remote.id, probed, now));
            dispatcher.write_sighting(&remote.spec.name, latency, cost);
            dispatcher.0.keeper.measured();
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Carries out what can be done under the lock; returns the rest.
    fn drain_effects(&mut self, now: Instant) -> FollowUp {
        let mut follow_up = FollowUp::default();
        while let Some(effect) = self.fleet.poll_effect() {
            if let Effect::Cut(id) = &effect
                && let Some(cut) = self.cuts.remove(id)
            {
                cut.cancel();
            }
            if let Some((ticket, turn)) = turn_in(&effect)
                && let Some(waiter) = self.waiters.remove(&ticket)
            {
                let _ = waiter.send(turn); // Whoever has left meanwhile says so itself.
            }
            if let Effect::Probe(id) = &effect {
                let due = self.fleet.status_of(*id).map(|status| status.probe_due);
                let remote = self.remotes.get(id).cloned().zip(due);
                follow_up
                    .probes
                    .extend(remote.map(|(remote, due)| Assignment {
                        remote,
                        mode: self.fleet.probe_mode(*id),
                        pricing: self.fleet.config().pricing.clone(),
                        due,
                    }));
            }
            if let Some(event) = view::event(&self.fleet, &effect, now) {
                self.log.push(event.clone(), Clock::now().unix_ms(now));
                follow_up.events.push(event);
            }
        }
        follow_up
    }

    /// The name of an endpoint.
    pub fn name(&self, id: EndpointId) -> String {
        self.fleet
            .status_of(id)
            .map_or_else(String::new, |status| status.spec.name.clone())
    }
}

/// An admitted attempt. Dropping it unsettled books [`Outcome::Abandoned`]: the client left.
pub struct Admission {
    permit: Option<Permit>,
    /// Why there.
    pub why: Why,
    /// Where to.
    pub remote: Arc<Remote>,
    /// Cancelled when the endpoint's drain is over.
    pub cut: CancellationToken,
    /// When it began.
    pub started: Instant,
    /// What its answer says of its endpoint's quota, until that is told.
    quota: Option<Quota>,
    /// Whose attempt it is, and which of its attempts.
    trail: Arc<Trail>,
    leg: usize,
    dispatcher: Dispatcher,
}

impl Admission {
    /// Notes how its connection began.
    pub fn shook_hands(&self, handshake: Option<Handshake>) {
        if handshake.is_some() {
            self.trail.note(self.leg, |leg| leg.handshake = handshake);
        }
    }

    /// Notes the head of an answer.
    pub fn is_answered<B>(&mut self, response: &Response<B>) {
        let took = self.started.elapsed();
        // Counting tokens, and whatever else there is, has limits of its own.
        if self.trail.kind == CallKind::Messages {
            self.quota = quota_in(response.headers());
        }
        self.trail.note(self.leg, |leg| {
            leg.status = Some(response.status().as_u16());
            leg.headers = Some(took);
            leg.handshake = leg.handshake.or(upstream::handshake(response));
            let limits = headers::rate_limits(response.headers());
            leg.rate_limits = limits
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
        });
    }

    /// The answer is real and begins to reach the client.
    pub fn begin(&mut self, ttft: Duration, lesson: &Lesson) {
        self.remote.meter.first_event.observe(ttft);
        let quota = self.quota.take();
        let left = self.permit.as_ref().and_then(|permit| {
            let left = self.dispatcher.step(|state, now| {
                if let Some(quota) = quota {
                    state.fleet.note_quota(permit, quota, now);
                }
                state.fleet.begin(permit, ttft, now);
                state.fleet.learn(permit, lesson, now)
            });
            self.dispatcher.0.keeper.measured();
            left
        });
        let mut notes = self.trail.notes();
        notes.answered = Some(self.started + ttft);
        notes.left = left;
        if let Some(leg) = notes.legs.get_mut(self.leg) {
            leg.first_event = Some(ttft);
        }
    }

    /// Why it goes there, in words, where there was something to weigh.
    pub fn weighed(&self) -> Option<String> {
        let (Why::StaysForCache(_) | Why::WorthMoving(_)) = self.why else {
            return None;
        };
        let notes = self.trail.notes();
        let reason = &notes.legs.get(self.leg)?.why;
        Some(zephyr_control::text(zephyr_control::Language::En, reason))
    }

    /// Books how the attempt ended.
    pub fn settle(mut self, outcome: Outcome) {
        self.book(outcome, None);
    }

    /// Books a failure after the client saw a part of the answer.
    pub fn settle_aborted(mut self, fault: Fault) {
        self.dispatcher.count(Ending::Aborted);
        let told = EventKind::Aborted {
            endpoint: self.remote.spec.name.clone(),
            why: view::fault_midway(&fault),
        };
        self.book(Outcome::Failed(fault), Some(told));
    }

    /// Books a failure in the midst of an answer that is passed on all the same.
    pub fn settle_passed_on(mut self, fault: Fault) {
        let told = EventKind::PassedOn {
            endpoint: self.remote.spec.name.clone(),
            why: view::fault_midway(&fault),
        };
        self.book(Outcome::Failed(fault), Some(told));
    }

    fn phase(&self) -> Phase {
        match self.trail.notes().answered {
            Some(_) => Phase::Midway,
            None => Phase::Before,
        }
    }

    fn book(&mut self, outcome: Outcome, told: Option<EventKind>) {
        if let Some(permit) = self.permit.take() {
            if let Some(event) = &told {
                view::log(event, Some(self.trail.id));
            }
            self.remote.meter.attempt(&outcome, self.started.elapsed());
            let quota = self.quota.take();
            let reason = view::why_not_answered(&outcome, self.phase());
            let is_aborted = matches!(told, Some(EventKind::Aborted { .. }));
            let end = self.dispatcher.step(|state, now| {
                if let Some(event) = told {
                    state.log.push(event, Clock::now().unix_ms(now));
                }
                if let Some(quota) = quota {
                    state.fleet.note_quota(&permit, quota, now);
                }
                let seen = outcome.clone();
                match outcome.fault().filter(|_| is_aborted).cloned() {
                    Some(fault) => state.fleet.settle_midway(permit, fault, now),
                    None => state.fleet.settle(permit, outcome, now),
                }
                LegEnd {
                    at: now,
                    outcome: view::attempt(&state.fleet, &seen),
                    reason,
                }
            });
            self.trail.note(self.leg, |leg| leg.end = Some(end));
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.permit.is_some() {
            self.dispatcher
                .0
                .counters
                .abandoned
                .fetch_add(1, Ordering::Relaxed);
            self.book(Outcome::Abandoned, None);
        }
    }
}

/// What an answer says of its endpoint's quota.
pub fn quota_in(headers: &HeaderMap) -> Option<Quota> {
    let told = headers::rate_limits(headers)
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let mut told = told.peekable();
    told.peek()?; // Most answers say nothing, and need no clock.
    let clock = Clock::now();
    Quota::read(told, clock.instant(), clock.since_epoch())
}

/// What a request that waited is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Ask again for an attempt.
    Go,
    /// No endpoint returned in time, or the program is about to end.
    InVain,
}

/// A request that waits for an endpoint to return. Dropping it gives its place up: the client left.
pub struct Waiter {
    ticket: Option<Ticket>,
    turn: oneshot::Receiver<Turn>,
    dispatcher: Dispatcher,
}

impl Waiter {
    /// Waits for its turn. Who is told to go has to ask again without waiting for anything else first.
    pub async fn turn(&mut self) -> Turn {
        let turn = (&mut self.turn).await.unwrap_or(Turn::InVain);
        self.ticket = None;
        turn
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let counters = &self.dispatcher.0.counters;
            counters.abandoned.fetch_add(1, Ordering::Relaxed);
            self.dispatcher.step(|state, now| {
                state.waiters.remove(&ticket);
                state.fleet.leave(ticket, now);
            });
        }
    }
}

fn turn_in(effect: &Effect) -> Option<(Ticket, Turn)> {
    match effect {
        Effect::Called(ticket) => Some((*ticket, Turn::Go)),
        Effect::WaitedInVain(ticket) => Some((*ticket, Turn::InVain)),
        Effect::Probe(_)
        | Effect::Cut(_)
        | Effect::Switched { .. }
        | Effect::TakenOut(_)
        | Effect::Recovered(_)
        | Effect::AllDown
        | Effect::SomethingUp
        | Effect::Moved { .. }
        | Effect::Offline
        | Effect::Online
        | Effect::BudgetReached { .. } => None,
    }
}

/// A request that is being answered. Dropping it ends the request: as abandoned, if nothing else was said.
pub struct RequestGuard {
    dispatcher: Dispatcher,
    /// Where it has been.
    pub trail: Arc<Trail>,
    live: Arc<Live>,
    end: Option<RequestEnd>,
    got: Got,
}

impl RequestGuard {
    /// Says how it ends; what was said first counts.
    pub fn ends(&mut self, end: RequestEnd) {
        self.end.get_or_insert(end);
    }

    /// Ends it with an error of our own.
    pub fn turn_down(mut self, code: Code, message: &str) -> Response<Answer> {
        self.ends(RequestEnd::Refused);
        let response = reply::error(code, message).map(|body| Answer::Whole(Some(body)));
        self.error(message);
        self.answers(response)
    }

    /// Says what is wrong, in words of our own.
    pub fn error(&mut self, message: &str) {
        self.got.error = Some(message.to_owned());
    }

    /// The client gets this; the request ends when that has gone.
    pub fn answers(mut self, mut response: Response<Answer>) -> Response<Answer> {
        self.got.take_head(response.status(), response.headers());
        response.body_mut().name(self.trail.id);
        response.body_mut().count_until_gone(self);
        response
    }

    /// A piece of the answer goes to the client; `output`: its tokens so far.
    pub fn passes(&mut self, piece: &Bytes, output: u64) {
        self.got.take_in(piece);
        self.trail.note_output(output);
    }

    /// All of an answer of our own goes to the client.
    pub fn passes_whole(mut self, body: Option<&Bytes>) {
        if let Some(body) = body {
            self.got.take_in(body);
        }
    }

    /// Says what was seen of an endpoint's answer.
    pub fn came_from(&mut self, remote: Arc<Remote>, sight: Sight, fault: Option<Fault>) {
        self.got.from = Some(remote);
        self.got.sight = sight;
        self.got.fault = fault;
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let now = Instant::now();
        let trail = &self.trail;
        let took = now.saturating_duration_since(trail.begun.instant());
        let end = self.end.unwrap_or(RequestEnd::Abandoned);
        tracing::debug!(request = %trail.id, outcome = end.as_str(), ?took, "request ended");
        let inner = &self.dispatcher.0;
        inner.metrics.request(end, took);
        let got = std::mem::replace(&mut self.got, Got::nothing(LogBody::None));
        let account = got.account(trail, &self.live.config);
        if let (Some(account), Some(from)) = (&account, &got.from) {
            let cost = account.bill.map(|bill| bill.cost);
            from.meter.answer(&account.consumption.tokens, cost);
        }
        {
            let mut notes = trail.notes();
            notes.ended = Some((now, record::end_of(end, got.status)));
            if let Some(account) = &account {
                trail.note_output(account.consumption.tokens.output);
            }
            if !inner.journal.is_kept() {
                notes.headers = HeaderMap::new(); // It is shown for a while, and they are not.
            }
        }
        if inner.journal.is_kept() {
            let finished = record::finished(trail, end, got, account.as_ref());
            inner.journal.write(Entry::Request(Box::new(finished)));
        }
        inner.requests.end(trail, now);
        if inner.counters.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            inner.counters.idle.notify_waiters();
        }
        self.dispatcher.touch();
    }
}
