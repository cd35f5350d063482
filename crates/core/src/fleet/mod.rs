//! The fleet: which endpoint may receive the next attempt, which one is preferred, and why.
//!
//! The only mutable decision state of a running Zephyr. Its owner hands in what happened and when,
//! carries out the effects it polls, and sleeps until [`Fleet::poll_timeout`].
//!
//! # How an endpoint is chosen for an attempt
//!
//! 1. A pinned endpoint, if it is fit.
//! 2. The conversation's home, if it is fit: fitness outranks stickiness, stickiness outranks speed, unless
//!    the speed is worth more than the cache ([`crate::worth`]).
//! 3. By the strategy: the preferred endpoint, or whose turn it is.
//! 4. None is fit: as a last resort the best of those that are merely out, never one that refuses our
//!    credential.
//! 5. Nothing is up, and the last resort did not help: it waits for one to return (`queue`).
//!
//! Fit means: enabled, not draining, has its credential, circuit closed, serves the model, and not yet
//! tried by this request. A half-open endpoint is fit for one trial at a time, and only where no probe
//! can find out instead or nothing better is there.
//!
//! # When the preferred endpoint changes
//!
//! At once when it becomes unfit, slow as in [`crate::brownout`] while another is not, or about to run dry
//! as in [`crate::quota`] while another is not. For speed, priority or price only when the other is better by the
//! strategy's rule (latency: by at least `switch_threshold_ms`, both measured the same way), the last
//! switch is `min_dwell_seconds` ago, and monitoring is not paused.

mod conversations;
mod endpoint;
mod memory;
mod network;
mod probing;
mod queue;
mod reason;
mod select;
mod waiting;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::budget::RetryBudget;
use crate::call::CallKind;
use crate::circuit::{Change, Pass};
use crate::classify::{Contact, Fault, Outcome};
use crate::config::Config;
use crate::price::{Cost, Left, Usage};
use crate::quota::Quota;
use crate::rng::Rng;
use crate::session::SessionKey;
use crate::spend::Spend;
use crate::worth::Worth;

pub use endpoint::{Availability, EndpointStatus};
pub use memory::{EndpointMemory, Memory};
pub use probing::Probed;
pub use queue::{MOST_WAITING, Ticket};
pub use reason::{Decision, Why, WhyNot};

use conversations::Conversations;
use endpoint::{Due, Endpoint, Monitoring};
use network::Blame;
use queue::{Errand, Queue, Went};

/// An endpoint for as long as its fleet lives; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(u32);

impl EndpointId {
    /// Of an endpoint that is in no fleet.
    pub const NONE: Self = Self(0);

    #[cfg(test)]
    pub(crate) fn new(id: u32) -> Self {
        Self(id)
    }
}

/// Whether Zephyr chooses or a person did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Zephyr chooses.
    #[default]
    Auto,
    /// A person chose.
    Pinned(EndpointId),
}

/// What a request asks for, as far as an endpoint may not serve it.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    kind: CallKind,
    model: Option<String>,
}

/// One request on its way: what routing knows of it, and where it has been.
#[derive(Clone, Debug)]
pub struct Journey {
    asked: Arc<Asked>,
    session: Option<SessionKey>,
    tried: Vec<EndpointId>,
    last_resort: bool,
    /// Attempts before it last waited.
    before_waiting: usize,
    /// Its place among those who wait, once it has waited.
    ticket: Option<Ticket>,
    /// How long it may wait.
    wait_until: Option<Instant>,
    /// How often in a row it was called and then denied.
    denials: u32,
    /// Goes to find out whether anything is back.
    scouts: bool,
    /// The endpoint that broke off the last answer to this: it goes elsewhere while it can.
    avoids: Option<EndpointId>,
}

impl Journey {
    /// A request that has not been anywhere.
    pub fn new(kind: CallKind, model: Option<String>, session: Option<SessionKey>) -> Self {
        Self {
            asked: Arc::new(Asked { kind, model }),
            session,
            tried: Vec::new(),
            last_resort: false,
            before_waiting: 0,
            ticket: None,
            wait_until: None,
            denials: 0,
            scouts: false,
            avoids: None,
        }
    }

    /// Attempts so far.
    pub fn attempts(&self) -> usize {
        self.before_waiting + self.tried.len()
    }

    /// The model asked for.
    pub fn model(&self) -> Option<&str> {
        self.asked.model.as_deref()
    }

    /// Whether it belongs to a conversation.
    pub fn is_conversation(&self) -> bool {
        self.session.is_some()
    }

    /// Whether it has failed before: here, or as the request that it repeats.
    fn has_failed(&self) -> bool {
        !self.tried.is_empty() || self.avoids.is_some()
    }

    /// It has waited, and begins anew.
    fn set_out_again(&mut self, errand: Errand) {
        self.before_waiting += self.tried.len();
        self.tried.clear();
        self.last_resort = false;
        self.scouts = errand == Errand::Scout;
    }
}

/// The right to send exactly one attempt.
#[must_use = "an unsettled permit leaks an in-flight slot"]
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    endpoint: EndpointId,
    pass: Pass,
    asked: Arc<Asked>,
    session: Option<SessionKey>,
    /// Of a request that had waited.
    ticket: Option<Ticket>,
}

/// What the beginning of a message tells besides that it is real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// The time to the first event, of a stream.
    pub first_event: Option<Duration>,
    /// Its tokens, as far as they were told.
    pub usage: Option<Usage>,
}

impl Permit {
    /// Where to.
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint
    }
}

/// An attempt was granted.
#[derive(Debug)]
pub struct Grant {
    /// The right to send it.
    pub permit: Permit,
    /// Why there.
    pub why: Why,
}

/// No (further) attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What stands in the way as a whole.
    pub why: DeniedWhy,
    /// Why each endpoint was passed over.
    pub endpoints: Vec<(EndpointId, WhyNot)>,
}

/// What stands in the way of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedWhy {
    /// No endpoint is configured.
    NoEndpoints,
    /// None may take it.
    NoneFit,
    /// Failover is switched off.
    FailoverOff,
    /// `failover.max_attempts` is reached.
    AttemptsSpent,
    /// The retry budget is spent: too many requests fail at once.
    BudgetSpent,
    /// Others wait for an endpoint to return, and go first.
    OthersWait,
}

/// How a probe ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// It was answered after this long.
    Answered(Duration),
    /// Somebody who speaks the protocol said after this long that the request is wrong or the model
    /// unknown: reached, and nothing more is proven.
    Reached(Duration),
    /// It was not; what that means.
    Failed(Outcome),
}

impl ProbeResult {
    /// How long the answer took, if one came.
    pub fn latency(&self) -> Option<Duration> {
        match self {
            Self::Answered(took) | Self::Reached(took) => Some(*took),
            Self::Failed(_) => None,
        }
    }

    fn contact(&self) -> Contact {
        match self {
            Self::Answered(_) | Self::Reached(_) => Contact::Made,
            Self::Failed(outcome) => outcome.contact(),
        }
    }
}

/// Something the outside world should do or know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Probe this endpoint as [`Fleet::probe_mode`] says, and report with [`Fleet::handle_probe`].
    Probe(EndpointId),
    /// End the attempts that are out to this endpoint: its drain timeout is over.
    Cut(EndpointId),
    /// The preferred endpoint changed.
    Switched {
        /// The one before.
        from: Option<EndpointId>,
        /// The one now.
        to: EndpointId,
        /// Why, and why not the others.
        decision: Decision,
    },
    /// A conversation moves because that is worth more than its prompt cache.
    Moved {
        /// Where it was at home.
        from: EndpointId,
        /// Where it is now.
        to: EndpointId,
        /// Both sides of it.
        worth: Worth,
    },
    /// An endpoint's circuit opened.
    TakenOut(EndpointId),
    /// An endpoint's circuit closed.
    Recovered(EndpointId),
    /// No endpoint is fit any more.
    AllDown,
    /// An endpoint is fit again.
    SomethingUp,
    /// A request that waits should ask for its attempt again.
    Called(Ticket),
    /// A request has waited in vain.
    WaitedInVain(Ticket),
    /// Nothing at all can be reached. What counted against endpoints since the last answer, and was told,
    /// is taken back.
    Offline,
    /// Something can be reached again, or too few endpoints are left to tell.
    Online,
    /// Probes have cost what they may cost a day.
    BudgetReached {
        /// The limit.
        limit: Cost,
    },
}

/// All endpoints, and every decision about them.
#[derive(Debug)]
pub struct Fleet {
    config: Config,
    endpoints: Vec<Endpoint>,
    next_id: u32,
    mode: Mode,
    paused: bool,
    preferred: Option<EndpointId>,
    decision: Option<Decision>,
    switched_at: Option<Instant>,
    /// Set while a better endpoint waits for the dwell to end.
    dwell_until: Option<Instant>,
    all_down: bool,
    offline_since: Option<Instant>,
    /// After a sleep: until when failures are the network's.
    grace_until: Option<Instant>,
    conversations: Conversations,
    budget: RetryBudget,
    spend: Spend,
    /// When a request was last in flight.
    busy_at: Instant,
    queue: Queue,
    turns: select::Turns,
    rng: Rng,
    effects: VecDeque<Effect>,
}

impl Fleet {
    /// A fleet of the configuration's endpoints, none of them measured; all probes are due.
    ///
    /// `seed` decides random choices and jitter; `without_credential` names the endpoints whose
    /// credential was not found.
    pub fn new(
        config: Config,
        without_credential: &BTreeSet<String>,
        seed: u64,
        now: Instant,
    ) -> Self {
        let mut fleet = Self {
            budget: RetryBudget::new(config.failover.retry_budget_percent),
            config: Config::default(),
            endpoints: Vec::new(),
            next_id: 0,
            mode: Mode::Auto,
            paused: false,
            preferred: None,
            decision: None,
            switched_at: None,
            dwell_until: None,
            all_down: false,
            offline_since: None,
            grace_until: None,
            conversations: Conversations::default(),
            spend: Spend::default(),
            busy_at: now,
            queue: Queue::new(now),
            turns: select::Turns::default(),
            rng: Rng::new(seed),
            effects: VecDeque::new(),
        };
        fleet.handle_config(config, without_credential, &BTreeSet::new(), now);
        fleet
    }

    /// Takes over a configuration. Endpoints are matched by name: who stays keeps what was learned of
    /// it, unless its URL changed. `new_credentials` names those whose secret is another than before.
    pub fn handle_config(
        &mut self,
        config: Config,
        without_credential: &BTreeSet<String>,
        new_credentials: &BTreeSet<String>,
        now: Instant,
    ) {
        let mut old = std::mem::take(&mut self.endpoints);
        for spec in &config.endpoints {
            let known = old
                .iter()
                .position(|endpoint| endpoint.spec.name == spec.name);
            let mut endpoint = match known.map(|at| old.swap_remove(at)) {
                Some(endpoint) if endpoint.spec.url == spec.url => {
                    endpoint.with_spec(spec.clone(), now)
                }
                Some(_) | None => {
                    self.next_id += 1;
                    Endpoint::new(EndpointId(self.next_id), spec.clone(), now)
                }
            };
            endpoint.has_credential = !without_credential.contains(&spec.name);
            if new_credentials.contains(&spec.name) {
                endpoint.credential_changed(now);
            }
            self.endpoints.push(endpoint);
        }
        if let Mode::Pinned(pinned) = self.mode
            && self.get(pinned).is_none()
        {
            self.mode = Mode::Auto;
        }
        self.budget
            .set_percent(config.failover.retry_budget_percent);
        if budgets(&config) != budgets(&self.config) {
            self.spend.forget_reached();
        }
        self.config = config;
        self.queue.rouse();
        self.look_at_hosts(now);
        self.reconsider(now);
    }

    /// Calls an endpoint by another name from now on; what was learned of it stays. The configuration
    /// that calls it so is handed in next.
    pub fn rename(&mut self, from: &str, to: &str) {
        let named = self
            .endpoints
            .iter_mut()
            .find(|endpoint| endpoint.spec.name == from);
        if let Some(endpoint) = named {
            to.clone_into(&mut endpoint.spec.name);
            self.spend.rename(from, to);
        }
    }

    /// Grants an attempt to the endpoint that should have it.
    ///
    /// # Errors
    ///
    /// Says why there is none, and why not at each endpoint.
    pub fn admit(&mut self, journey: &mut Journey, now: Instant) -> Result<Grant, Denied> {
        self.handle_timeout(now);
        let errand = journey.ticket.and_then(|ticket| self.queue.arrive(ticket));
        match errand {
            Some(errand) => journey.set_out_again(errand),
            None if self.must_wait_behind(journey) => {
                return Err(Denied {
                    why: DeniedWhy::OthersWait,
                    endpoints: self.rejections(journey, now),
                });
            }
            None => {}
        }
        let mut granted = self.grant(journey, now);
        match (&mut granted, journey.ticket.filter(|_| errand.is_some())) {
            (Ok(grant), Some(ticket)) => {
                journey.denials = 0;
                grant.permit.ticket = Some(ticket);
                self.queue.set_out(ticket);
            }
            (Err(_), Some(_)) => {
                journey.denials = journey.denials.saturating_add(1);
                self.call_who_may_go(now);
            }
            (Ok(_) | Err(_), None) => {}
        }
        granted
    }

    fn grant(&mut self, journey: &mut Journey, now: Instant) -> Result<Grant, Denied> {
        if let Err(why) = self.allow_attempt(journey, now) {
            return Err(Denied {
                why,
                endpoints: self.rejections(journey, now),
            });
        }
        self.note_what_to_avoid(journey, now);
        let (id, why) = match self.choose(journey, now) {
            Some(choice) => choice,
            None => {
                let endpoints = self.rejections(journey, now);
                let why = if self.endpoints.is_empty() {
                    DeniedWhy::NoEndpoints
                } else {
                    DeniedWhy::NoneFit
                };
                return Err(Denied { why, endpoints });
            }
        };
        // A request's first failover is exempt: it is what Zephyr is for.
        if journey.tried.len() >= 2 && !self.budget.withdraw(now) {
            return Err(Denied {
                why: DeniedWhy::BudgetSpent,
                endpoints: self.rejections(journey, now),
            });
        }
        journey.last_resort |= why == Why::LastResort;
        journey.tried.push(id);
        if why == Why::Trial
            && let Some(endpoint) = self.get_mut(id)
        {
            endpoint.pace.is_tried(now);
        }
        // A side call that goes elsewhere leaves the prompt cache where it is, and so does a way that
        // leads nowhere.
        if self.config.routing.sticky_sessions
            && self.offline_since.is_none()
            && journey.asked.kind == CallKind::Messages
            && let Some(session) = journey.session
        {
            let ttl = self.config.routing.sticky_ttl;
            let home = self.conversations.home(session, ttl, now);
            if let (Why::WorthMoving(worth), Some(home)) = (why, home) {
                let (from, to) = (home.endpoint, id);
                self.effects.push_back(Effect::Moved { from, to, worth });
            }
            self.conversations.settle_at(session, id, ttl, now);
        }
        let endpoint = self
            .get_mut(id)
            .expect("choose returns endpoints of the fleet");
        let mut permit = endpoint.issue(Arc::clone(&journey.asked), now);
        permit.session = journey.session;
        self.load_has_risen(now);
        Ok(Grant { permit, why })
    }

    fn note_what_to_avoid(&mut self, journey: &mut Journey, now: Instant) {
        if self.config.failover.enabled
            && journey.tried.is_empty()
            && let Some(session) = journey.session
        {
            let ttl = self.config.routing.sticky_ttl;
            let broken = self
                .conversations
                .take_broken(session, &journey.asked, ttl, now);
            journey.avoids = broken.or(journey.avoids);
        }
    }

    /// Learns from the beginning of an answer: how fast the endpoint is, what it has cached. Says what the
    /// conversation had cached elsewhere, if this is its first answer after a move.
    pub fn learn(&mut self, permit: &Permit, lesson: &Lesson, now: Instant) -> Option<Left> {
        let model = permit.asked.model.as_deref()?;
        let behind = permit.session.zip(lesson.usage).and_then(|told| {
            let (session, usage) = told;
            let told = (model, &usage);
            self.conversations
                .note_usage(session, permit.endpoint, told, now)
        });
        let left = behind.and_then(|behind| {
            Some(Left {
                tokens: behind.tokens,
                price: self.get(behind.endpoint)?.spec.price,
            })
        });
        if let Some(took) = lesson.first_event {
            self.learn_pace(permit, model, took, now);
        }
        left
    }

    /// The attempt's answer is real and begins to reach the client. `ttft`: time to its first event.
    pub fn begin(&mut self, permit: &Permit, ttft: Duration, now: Instant) {
        self.blame(permit.endpoint, Contact::Made, now);
        self.note_went(permit.ticket, Went::Well, now);
        if permit.asked.kind != CallKind::Messages {
            self.reconsider(now);
            return; // Counting tokens or listing models is neither as slow nor as telling.
        }
        if let Some(endpoint) = self.get_mut(permit.endpoint) {
            endpoint.traffic.observe(ttft, now);
            if let Some(model) = permit.asked.model.as_deref() {
                endpoint.streams.observe(model, ttft, now);
            }
            let change = endpoint.circuit.begin(permit.pass);
            self.after(permit.endpoint, change, now);
        }
    }

    /// Takes over what an answer says of its endpoint's quota.
    pub fn note_quota(&mut self, permit: &Permit, quota: Quota, now: Instant) {
        let endpoint = self.get_mut(permit.endpoint);
        if endpoint.is_some_and(|endpoint| endpoint.note_quota(quota, now)) {
            self.reconsider(now);
        }
    }

    /// Books how an attempt ended.
    pub fn settle(&mut self, permit: Permit, outcome: Outcome, now: Instant) {
        self.book(permit, outcome, now);
    }

    /// Books that an attempt failed after the client had seen a part of its answer. The client will send
    /// its request again: that goes elsewhere, if it can.
    pub fn settle_midway(&mut self, permit: Permit, fault: Fault, now: Instant) {
        let (endpoint, session) = (permit.endpoint, permit.session);
        let asked = Arc::clone(&permit.asked);
        let by_a_person = fault == Fault::DrainTimeout;
        let blame = self.book(permit, Outcome::Failed(fault), now);
        if let Some(session) = session
            && asked.kind == CallKind::Messages
            && blame == Blame::Endpoint
            && !by_a_person
        {
            let ttl = self.config.routing.sticky_ttl;
            self.conversations
                .note_broken(session, endpoint, asked, ttl, now);
        }
    }

    fn book(&mut self, permit: Permit, outcome: Outcome, now: Instant) -> Blame {
        let Permit {
            endpoint: id,
            pass,
            asked,
            ticket,
            session: _,
        } = permit;
        let blame = self.blame(id, outcome.contact(), now);
        self.note_went(ticket, how_it_went(&outcome), now);
        let policy = self.config.breaker.clone();
        let is_evidence = outcome == Outcome::Answered && asked.kind == CallKind::Messages;
        let Some(endpoint) = self.get_mut(id) else {
            self.call_who_may_go(now);
            return blame; // Removed from the configuration while the attempt was out.
        };
        let change = endpoint.settle(pass, asked, outcome, blame, &policy, now);
        self.busy_at = now;
        if is_evidence {
            self.note_evidence(id, now);
        }
        self.after(id, change, now);
        blame
    }

    /// Pins an endpoint.
    pub fn pin(&mut self, id: EndpointId, now: Instant) {
        self.mode = Mode::Pinned(id);
        self.queue.rouse();
        self.reconsider(now);
    }

    /// Lets the fleet choose again.
    pub fn unpin(&mut self, now: Instant) {
        self.queue.rouse();
        self.mode = Mode::Auto;
        self.switched_at = None; // A person's decision does not start a dwell.
        self.reconsider(now);
    }

    /// Stops probes and switches for speed.
    pub fn pause(&mut self, now: Instant) {
        self.paused = true;
        for endpoint in &mut self.endpoints {
            endpoint.probe_demanded = false;
        }
        self.reconsider(now);
    }

    /// Ends a pause; all probes are due.
    pub fn resume(&mut self, now: Instant) {
        self.paused = false;
        self.refresh(now);
        self.reconsider(now);
    }

    /// Makes every probe due now.
    pub fn refresh(&mut self, now: Instant) {
        for endpoint in &mut self.endpoints {
            endpoint.demand_at(now);
            endpoint.probe_demanded = true;
        }
    }

    /// Lets an endpoint be used again.
    pub fn enable(&mut self, id: EndpointId, now: Instant) {
        if let Some(endpoint) = self.get_mut(id) {
            endpoint.availability = Availability::Enabled;
            endpoint.demand_at(now);
        }
        self.queue.rouse();
        self.look_at_hosts(now);
        self.reconsider(now);
    }

    /// Takes an endpoint out of use; its attempts may finish within the drain timeout.
    pub fn disable(&mut self, id: EndpointId, now: Instant) {
        let until = now + self.config.server.drain_timeout;
        if let Some(endpoint) = self.get_mut(id) {
            endpoint.drain(until);
        }
        self.look_at_hosts(now);
        self.reconsider(now);
    }

    /// "Try again now": closes the circuit and forgets what was learned against the endpoint.
    pub fn reinstate(&mut self, id: EndpointId, now: Instant) {
        if let Some(endpoint) = self.get_mut(id) {
            let change = endpoint.reinstate(now);
            self.after(id, change, now);
        }
    }

    /// When [`Self::handle_timeout`] next has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let monitoring = self.monitoring();
        let endpoints = self
            .endpoints
            .iter()
            .filter_map(|endpoint| endpoint.poll_timeout(monitoring));
        endpoints
            .chain(self.dwell_until)
            .chain(self.spend.poll_timeout())
            .chain(self.queue.poll_timeout())
            .min()
    }

    /// Ends what has ended by `now`: cooldowns, dwell, drains; asks for the probes that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let monitoring = self.monitoring();
        self.spend.handle_timeout(now);
        for index in 0..self.endpoints.len() {
            let endpoint = &mut self.endpoints[index];
            match endpoint.handle_timeout(monitoring, now, &mut self.effects) {
                Due::Probe => self.send_probe(index),
                Due::Nothing => {}
            }
        }
        self.reconsider(now);
    }

    /// The next effect to carry out.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether Zephyr chooses.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether monitoring is paused.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The preferred endpoint, and why; none while requests are distributed or nothing is fit.
    pub fn preferred(&self) -> Option<(EndpointId, &Decision)> {
        self.preferred.zip(self.decision.as_ref())
    }

    /// The endpoint of that name.
    pub fn find(&self, name: &str) -> Option<EndpointId> {
        let found = self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.spec.name == name);
        found.map(|endpoint| endpoint.id)
    }

    /// Every endpoint as it is now, in the configuration's order.
    pub fn status(&self) -> impl Iterator<Item = EndpointStatus<'_>> {
        self.endpoints.iter().map(Endpoint::status)
    }

    /// An endpoint's part of the attempts of the last five minutes; `None`: there were none anywhere.
    pub fn share(&self, id: EndpointId, now: Instant) -> Option<f64> {
        let lately = |endpoint: &Endpoint| endpoint.lately(now);
        let all: u64 = self.endpoints.iter().map(lately).sum();
        let its = self.get(id).map(lately)?;
        (all > 0).then(|| its as f64 / all as f64)
    }

    /// One endpoint as it is now.
    pub fn status_of(&self, id: EndpointId) -> Option<EndpointStatus<'_>> {
        self.get(id).map(Endpoint::status)
    }

    fn learn_pace(&mut self, permit: &Permit, model: &str, took: Duration, now: Instant) {
        let others = self
            .endpoints
            .iter()
            .filter(|other| other.id != permit.endpoint && other.is_in_use());
        let elsewhere = others.filter_map(|other| other.pace.usual(model)).min();
        if let Some(endpoint) = self.get_mut(permit.endpoint) {
            endpoint.pace.observe(model, took, elsewhere, now);
            self.reconsider(now);
        }
    }

    fn allow_attempt(&mut self, journey: &Journey, now: Instant) -> Result<(), DeniedWhy> {
        let failover = &self.config.failover;
        let made = journey.tried.len();
        if made == 0 {
            if journey.wait_until.is_none() {
                self.budget.deposit(now);
            }
            return Ok(());
        }
        if !failover.enabled {
            return Err(DeniedWhy::FailoverOff);
        }
        let limit = usize::try_from(failover.max_attempts).unwrap_or(usize::MAX);
        if made >= limit && !journey.last_resort {
            return Err(DeniedWhy::AttemptsSpent);
        }
        Ok(())
    }

    /// What a circuit's change brings with it.
    fn after(&mut self, id: EndpointId, change: Option<Change>, now: Instant) {
        if change.is_some() {
            self.queue.rouse();
        }
        match change {
            Some(Change::Opened) => self.effects.push_back(Effect::TakenOut(id)),
            Some(Change::Reopened) => {} // It was said when it went out, and it was not back since.
            Some(Change::Closed) => self.effects.push_back(Effect::Recovered(id)),
            None => {}
        }
        self.reconsider(now);
    }

    fn monitoring(&self) -> Monitoring {
        if self.paused {
            Monitoring::Paused
        } else if self.offline_since.is_some() {
            Monitoring::Offline
        } else {
            Monitoring::Running
        }
    }

    fn get(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }

    fn get_mut(&mut self, id: EndpointId) -> Option<&mut Endpoint> {
        self.endpoints.iter_mut().find(|endpoint| endpoint.id == id)
    }
}

fn budgets(config: &Config) -> Vec<Cost> {
    let checks = config.endpoints.iter().map(|spec| &spec.health_check);
    let all = checks.chain([&config.health_check]);
    all.map(|check| Cost::from_usd(check.daily_budget_usd))
        .collect()
}

fn how_it_went(outcome: &Outcome) -> Went {
    match outcome {
        Outcome::Answered => Went::Well,
        Outcome::Refused(_)
        | Outcome::Exhausted { .. }
        | Outcome::Throttled { .. }
        | Outcome::Failed(_) => Went::Badly,
        Outcome::ClientFault(_) | Outcome::NotServed(_) | Outcome::Abandoned => Went::Nowhere,
    }
}

#[cfg(test)]
mod tests;
