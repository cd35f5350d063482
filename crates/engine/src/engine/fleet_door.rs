//! The only way to the fleet: everything that asks it or tells it something goes through this door.
//!
//! A step takes the lock, reads the clock once, decides, notes what happened, and releases the lock. The
//! effects are carried out after that. Nothing waits while the lock is held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;
use zephyr_control::EventKind;
use zephyr_core::config::ProbeMode;
use zephyr_core::fleet::{Memory, Ticket};
use zephyr_core::price::Cost;
use zephyr_core::{Config, Effect, EndpointId, Fleet};
use zephyr_journal::{Entry, Journal, Sighting};
use zephyr_secrets::redact::Known;

use super::log::Log;
use crate::calendar;
use crate::clock::Clock;
use crate::endpoints::remote::Remote;
use crate::memory::Keeper;
use crate::metrics::Metrics;
use crate::probe::likeness::LastSeen;
use crate::probe::prober::{self, Terms};
use crate::probe::punctuality::Punctuality;
use crate::request::request_id::RequestId;
use crate::view;
use crate::wake::SleepWatch;

#[derive(Clone)]
pub struct FleetDoor(Arc<Inner>);

struct Inner {
    state: Mutex<DoorState>,
    /// The number of the last change.
    version: AtomicU64,
    /// The number of the last change, for front-ends that wait for the next one.
    changes: watch::Sender<u64>,
    /// Notified when the next timeout is earlier than before.
    timer: Notify,
    /// Told when there is something to save for the next start.
    keeper: Keeper,
    /// Told how endpoints are.
    journal: Journal,
    metrics: Arc<Metrics>,
    punctuality: Punctuality,
    /// What some probes are to look like.
    claude_code: LastSeen,
}

/// What the lock protects.
pub struct DoorState {
    /// Makes the decisions.
    pub fleet: Fleet,
    /// The connections and credentials of the endpoints.
    pub remotes: BTreeMap<EndpointId, Arc<Remote>>,
    /// The secrets that no text shows.
    pub known: Known,
    /// The recent events.
    pub log: Log,
    /// Cancelled to end the attempts of an endpoint whose drain is over.
    cuts: BTreeMap<EndpointId, Arc<CancellationToken>>,
    /// The requests in the queue.
    waiters: HashMap<Ticket, oneshot::Sender<Turn>>,
    /// When the driver wakes up.
    armed: Option<Instant>,
    sleep: SleepWatch,
}

/// The message to a request that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may ask for an attempt again.
    Go,
    /// No endpoint returned in time, or the program is about to end.
    InVain,
}

/// What a step leaves to be done after the lock is released.
#[derive(Default)]
struct FollowUp {
    probes: Vec<Assignment>,
    /// For the log. Writing to it may block.
    events: Vec<EventKind>,
}

/// A probe to run.
struct Assignment {
    remote: Arc<Remote>,
    mode: ProbeMode,
    terms: Terms,
    /// When the probe was due.
    due: Instant,
}

impl FleetDoor {
    pub fn new(
        fleet: Fleet,
        remotes: BTreeMap<EndpointId, Arc<Remote>>,
        keeper: Keeper,
        journal: Journal,
        metrics: Arc<Metrics>,
        known: Known,
    ) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::new(DoorState {
                fleet,
                known,
                remotes,
                log: Log::default(),
                cuts: BTreeMap::new(),
                waiters: HashMap::new(),
                armed: None,
                sleep: SleepWatch::new(Clock::now()),
            }),
            version: AtomicU64::new(0),
            changes: watch::Sender::new(0),
            timer: Notify::new(),
            keeper,
            journal,
            metrics,
            punctuality: Punctuality::default(),
            claude_code: LastSeen::default(),
        }))
    }

    /// Runs one synchronous step on the fleet, then carries out its effects.
    pub fn step<T>(&self, decide: impl FnOnce(&mut DoorState, Instant) -> T) -> T {
        let (result, follow_up, is_nearer) = {
            let mut state = self.state();
            let now = Instant::now();
            let result = decide(&mut state, now);
            let follow_up = state.drain_effects(now, &self.0.claude_code);
            let next = state.fleet.poll_timeout();
            let is_nearer = next.is_some_and(|next| state.armed.is_none_or(|armed| next < armed));
            if is_nearer {
                state.armed = next;
            }
            (result, follow_up, is_nearer)
        };
        if is_nearer {
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
    pub fn look<T>(&self, look: impl FnOnce(&DoorState, &Clock) -> T) -> T {
        let state = self.state();
        look(&state, &Clock::now())
    }

    /// What is saved for the next start.
    pub fn memory(&self) -> Memory {
        self.state().fleet.memory(Instant::now())
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
            // A token that nothing else holds belongs to an endpoint that is gone and has no attempt in
            // flight.
            let remotes = &state.remotes;
            state
                .cuts
                .retain(|id, cut| remotes.contains_key(id) || Arc::strong_count(cut) > 1);
            state
                .log
                .push(EventKind::ConfigReloaded, Clock::now().unix_ms(now));
        });
    }

    /// Notes an event that happened outside the fleet.
    pub fn note(&self, event: EventKind) {
        view::log(&event, None);
        self.sight(&event);
        self.write_down(event);
    }

    /// Notes an event that happened to a request.
    pub fn note_of(&self, request: RequestId, event: EventKind) {
        view::log(&event, Some(request));
        self.write_down(event);
    }

    /// Ends every wait, because the program is about to end.
    pub fn turn_away(&self) {
        self.step(|state, now| state.fleet.turn_away(now));
    }

    /// Ends every attempt in flight and every later one, also at endpoints that a reload has removed.
    pub fn cut_all(&self) {
        let mut state = self.state();
        let ids: Vec<EndpointId> = state.remotes.keys().copied().collect();
        for id in ids {
            state.cuts.entry(id).or_default();
        }
        for cut in state.cuts.values() {
            cut.cancel();
        }
    }

    /// Runs the fleet's timers until every other handle on the door is dropped.
    pub async fn drive(&self) {
        loop {
            self.look_at_calendar().await;
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

    /// How punctual the probes were.
    pub fn punctuality(&self) -> &Punctuality {
        &self.0.punctuality
    }

    /// What Claude Code's requests look like.
    pub fn claude_code(&self) -> &LastSeen {
        &self.0.claude_code
    }

    /// The machine slept, or has come to another network: connections from before are dead, and how
    /// endpoints are now is found out at once.
    pub fn wake(&self) {
        tracing::info!("the machine woke up, or its network is back: every endpoint is probed");
        let remotes = self.look(|state, _| state.remotes.clone());
        for remote in remotes.values() {
            remote.connections.forget_idle();
        }
        self.step(|state, now| {
            state.fleet.wake(now);
            state.fleet.handle_timeout(now);
        });
        let door = self.clone();
        tokio::spawn(async move {
            let day = calendar::today().await;
            door.step(|state, _| state.fleet.begin_day(day));
        });
    }

    /// Calls [`Self::wake`] if the machine slept since the last call.
    pub fn wake_if_slept(&self, due: Option<Instant>) {
        let slept = self.state().sleep.slept(Clock::now(), due);
        if slept {
            self.wake();
        }
    }

    /// A measurement was made that is saved for the next start.
    pub fn measured(&self) {
        self.0.keeper.measured();
    }

    /// Changes after every change of the state.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// The number of the last change.
    pub fn version(&self) -> u64 {
        self.0.version.load(Ordering::Acquire)
    }

    /// Notes a change that the fleet does not know of.
    pub fn touch(&self) {
        let version = self.0.version.fetch_add(1, Ordering::AcqRel) + 1;
        // A later receiver starts with the state at that time.
        if self.0.changes.receiver_count() > 0 {
            self.0.changes.send_replace(version);
        }
    }

    fn write_down(&self, event: EventKind) {
        self.step(|state, now| state.log.push(event, Clock::now().unix_ms(now)));
    }

    /// Tells the journal an endpoint's state, if the event changes it.
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

    /// Tells the journal how an endpoint is. `latency` and `cost`: of the probe that showed it.
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
                state: view::state(&state.fleet, &status),
                latency_ms: latency.map(|latency| latency.as_secs_f64() * 1000.0),
                cost_usd: cost.usd(),
            })
        });
        if let Some(sighting) = sighting {
            self.0.journal.write(Entry::Sighting(sighting));
        }
    }

    /// Tells the fleet the day if it does not know it.
    async fn look_at_calendar(&self) {
        if self.look(|state, clock| !state.fleet.knows_day(clock.instant())) {
            let day = calendar::today().await;
            self.step(|state, _| state.fleet.begin_day(day));
        }
    }

    fn spawn_probe(&self, assignment: Assignment) {
        let Assignment {
            remote,
            mode,
            terms,
            due,
        } = assignment;
        let door = self.clone();
        tokio::spawn(async move {
            door.0.punctuality.note(due, Instant::now());
            let probed = prober::probe(&remote, mode, &terms).await;
            remote.meter.probe(&probed.result);
            let (latency, cost) = (probed.result.latency(), probed.cost);
            door.step(|state, now| state.fleet.handle_probe(remote.id, probed, now));
            door.write_sighting(&remote.spec.name, latency, cost);
            door.0.keeper.measured();
        });
    }

    fn state(&self) -> MutexGuard<'_, DoorState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DoorState {
    /// Carries out what can be done under the lock; returns the rest.
    fn drain_effects(&mut self, now: Instant, claude_code: &LastSeen) -> FollowUp {
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
                let _ = waiter.send(turn); // A request that has left meanwhile reports that itself.
            }
            if let Effect::Probe(id) = &effect {
                let due = self.fleet.status_of(*id).map(|status| status.probe_due);
                let remote = self.remotes.get(id).cloned().zip(due);
                follow_up
                    .probes
                    .extend(remote.map(|(remote, due)| Assignment {
                        remote,
                        mode: self.fleet.probe_mode(*id),
                        terms: Terms::of(self.fleet.config(), claude_code),
                        due,
                    }));
            }
            if let Some(event) = view::event(&self.fleet, &effect, now, &self.known.redactor()) {
                self.log.push(event.clone(), Clock::now().unix_ms(now));
                follow_up.events.push(event);
            }
        }
        follow_up
    }

    /// Cancelling this token ends the attempts of the endpoint.
    pub fn cut_of(&mut self, id: EndpointId) -> Arc<CancellationToken> {
        Arc::clone(self.cuts.entry(id).or_default())
    }

    /// Tells the request with this ticket when its turn has come.
    pub fn call_later(&mut self, ticket: Ticket) -> oneshot::Receiver<Turn> {
        let (call, turn) = oneshot::channel();
        self.waiters.insert(ticket, call);
        turn
    }

    /// The request with this ticket no longer waits.
    pub fn forget_waiter(&mut self, ticket: Ticket) {
        self.waiters.remove(&ticket);
    }

    pub fn name(&self, id: EndpointId) -> String {
        self.fleet
            .status_of(id)
            .map_or_else(String::new, |status| status.spec.name.clone())
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
