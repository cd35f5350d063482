//! Random histories of a fleet against a naive model of it.
//!
//! The model keeps, per endpoint, a plain list of what happened, and reads the whole list again
//! whenever it is asked something. It shares no code with the fleet but the types at its border.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use zephyr_core::circuit::{Cause, CircuitState};
use zephyr_core::classify::{Fault, Outcome};
use zephyr_core::config::{Breaker, BreakerPolicy, Config, HealthCheck, ProbeMode};
use zephyr_core::fleet::{
    Availability, Denied, DeniedWhy, Journey, Mode, Permit, ProbeResult, Why,
};
use zephyr_core::profile::{CallKind, SessionKey};
use zephyr_core::{Effect, EndpointId, Fleet};

use crate::fleets;

const ENDPOINTS: usize = 3;
const MAX_ATTEMPTS: usize = 2;
const STICKY_TTL: Duration = Duration::from_secs(300);
const DRAIN: Duration = Duration::from_secs(30);
const DWELL: Duration = Duration::from_secs(30);
const THRESHOLD: Duration = Duration::from_millis(50);
const COOLDOWN: Duration = Duration::from_secs(60);
const MAX_COOLDOWN: Duration = Duration::from_secs(600);
const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
const WINDOW: Duration = Duration::from_secs(140);
const SILENCE: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE_OFFLINE: Duration = Duration::from_secs(15);

/// One thing that happens to a fleet. Numbers pick among what there is.
#[derive(Clone, Copy, Debug)]
enum Op {
    Wait(u16),
    Request {
        session: Option<u8>,
    },
    Retry(usize),
    Begin(usize),
    Settle(usize, End),
    Probe(usize, ProbeEnd),
    Pin(usize),
    Unpin,
    Pause,
    Resume,
    Refresh,
    Enable(usize),
    Disable(usize),
    Reinstate(usize),
    /// The credential is gone, or back.
    Credential(usize, bool),
    /// Everything that is out finds no connection, and so does every probe.
    Gone,
    /// The machine has slept.
    Wake,
    /// The process is another one.
    Restart,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Answered,
    ClientFault,
    Failed,
    /// No connection came about.
    Unreachable,
    /// A connection broke.
    Lost,
    /// The answer broke off after the client had seen a part of it.
    BrokeOff,
    Throttled(Option<u16>),
    Exhausted,
    Refused,
    Abandoned,
}

#[derive(Clone, Copy, Debug)]
enum ProbeEnd {
    Answered(u16),
    Failed(End),
}

impl End {
    fn outcome(self) -> Outcome {
        let fault = |status| Fault::Status(status);
        match self {
            Self::Answered => Outcome::Answered,
            Self::ClientFault => Outcome::ClientFault(400),
            Self::Failed => Outcome::Failed(fault(500)),
            Self::Unreachable => Outcome::Failed(Fault::Connect("no route".to_owned())),
            Self::Lost => Outcome::Failed(Fault::Lost("reset".to_owned())),
            Self::BrokeOff => Outcome::Failed(Fault::Cut),
            Self::Throttled(seconds) => Outcome::Throttled {
                fault: fault(429),
                retry_after: seconds.map(|seconds| Duration::from_secs(seconds.into())),
            },
            Self::Exhausted => Outcome::Exhausted {
                fault: fault(402),
                retry_after: None,
            },
            Self::Refused => Outcome::Refused(fault(401)),
            Self::Abandoned => Outcome::Abandoned,
        }
    }
}

impl ProbeEnd {
    fn end(self) -> End {
        match self {
            Self::Answered(_) => End::Answered,
            Self::Failed(end) => end,
        }
    }
}

/// What happened to an endpoint, in the order in which it did.
#[derive(Clone, Copy, Debug)]
enum Happened {
    Started(usize),
    Began(usize),
    Ended(usize, End),
    Probed(ProbeEnd),
    Reinstated,
    NewCredential,
    /// The network was gone, and what failed since the last answer was taken out of the list.
    TakenBack,
}

/// What a list of happenings amounts to.
#[derive(Clone, Debug)]
struct Amounts {
    is: Is,
    /// Bumped by every transition: what began before says nothing.
    era: u32,
    started_in: BTreeMap<usize, u32>,
    trial: Option<usize>,
    trips: u32,
    on_probation: bool,
    in_a_row: u32,
    failed_at: Vec<Instant>,
    good_at: Option<Instant>,
    opened_by: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Closed,
    Open(Cause, Option<Instant>),
    HalfOpen(Cause),
}

struct Model {
    policy: BreakerPolicy,
    mode: ProbeMode,
    lists: Vec<Vec<(Instant, Happened)>>,
}

impl Model {
    fn amounts(&self, endpoint: usize, now: Instant) -> Amounts {
        let mut sum = Amounts {
            is: Is::Closed,
            era: 0,
            started_in: BTreeMap::new(),
            trial: None,
            trips: 0,
            on_probation: false,
            in_a_row: 0,
            failed_at: Vec::new(),
            good_at: None,
            opened_by: None,
        };
        for &(at, happened) in &self.lists[endpoint] {
            sum.cool_down(at);
            self.add(&mut sum, at, happened);
        }
        sum.cool_down(now);
        sum
    }

    fn add(&self, sum: &mut Amounts, at: Instant, happened: Happened) {
        match happened {
            Happened::Started(attempt) => {
                sum.started_in.insert(attempt, sum.era);
                if matches!(sum.is, Is::HalfOpen(_)) && sum.trial.is_none() {
                    sum.trial = Some(attempt);
                }
            }
            Happened::Began(attempt) => {
                if sum.started_in[&attempt] == sum.era && sum.is != Is::Closed {
                    sum.is = Is::Closed;
                    sum.in_a_row = 0;
                    sum.on_probation = true;
                }
            }
            Happened::Ended(attempt, end) => {
                let current = sum.started_in[&attempt] == sum.era;
                self.ended(sum, at, end, current);
                if sum.trial == Some(attempt) {
                    sum.trial = None;
                }
            }
            Happened::Probed(ProbeEnd::Answered(_)) => {
                let only_connecting_failed = sum.opened_by == Some(End::Unreachable)
                    && matches!(
                        sum.is,
                        Is::Open(Cause::Failing, _) | Is::HalfOpen(Cause::Failing)
                    );
                let proven = self.mode == ProbeMode::Message || only_connecting_failed;
                if sum.is != Is::Closed && proven {
                    sum.close(at);
                }
            }
            Happened::Probed(ProbeEnd::Failed(end)) => self.ended(sum, at, end, true),
            Happened::Reinstated => sum.close(at),
            Happened::NewCredential => {
                if let Is::Open(Cause::Refused | Cause::Exhausted, _) = sum.is {
                    sum.close(at);
                }
                sum.transition(sum.is);
            }
            Happened::TakenBack => sum.transition(sum.is),
        }
    }

    fn ended(&self, sum: &mut Amounts, at: Instant, end: End, current: bool) {
        let counts = current && !matches!(sum.is, Is::Open(..));
        let era = sum.era;
        match end {
            End::Answered | End::ClientFault => {
                sum.good_at = Some(at);
                if sum.is == Is::Closed || current {
                    sum.close(at);
                } else {
                    sum.failed_at.clear();
                }
            }
            End::Abandoned => {}
            _ if !counts => {}
            End::Failed | End::Unreachable | End::Lost | End::BrokeOff => {
                sum.in_a_row += 1;
                sum.failed_at.push(at);
                if sum.is != Is::Closed || sum.on_probation || self.too_many(sum, at) {
                    sum.open(
                        Cause::Failing,
                        Some((at, COOLDOWN * 2_u32.pow(sum.so_often()))),
                    );
                }
            }
            End::Throttled(Some(seconds)) => {
                let wait = Duration::from_secs(seconds.into());
                sum.open(Cause::Throttled, Some((at, wait)));
            }
            End::Throttled(None) => {
                let wait = FIRST_BACK_OFF * 2_u32.pow(sum.so_often());
                sum.open(Cause::Throttled, Some((at, wait)));
            }
            End::Exhausted => sum.open(Cause::Exhausted, Some((at, MAX_COOLDOWN))),
            End::Refused => sum.open(Cause::Refused, None),
        }
        if sum.era != era && matches!(sum.is, Is::Open(..)) {
            sum.opened_by = Some(end);
        }
    }

    fn too_many(&self, sum: &Amounts, at: Instant) -> bool {
        match self.policy {
            BreakerPolicy::Consecutive { max_failures } => sum.in_a_row >= max_failures,
            BreakerPolicy::Window {
                window,
                min_failures,
            } => {
                let recent = |then: &Instant| at - *then < window;
                let failures = sum.failed_at.iter().filter(|then| recent(then)).count();
                failures >= min_failures as usize && !sum.good_at.as_ref().is_some_and(recent)
            }
        }
    }
}

impl Amounts {
    fn cool_down(&mut self, now: Instant) {
        if let Is::Open(cause, Some(until)) = self.is
            && until <= now
        {
            self.transition(Is::HalfOpen(cause));
        }
    }

    fn close(&mut self, at: Instant) {
        if self.is != Is::Closed {
            self.transition(Is::Closed);
        }
        (self.trips, self.on_probation, self.in_a_row) = (0, false, 0);
        self.failed_at.clear();
        self.good_at = Some(at);
    }

    fn open(&mut self, cause: Cause, wait: Option<(Instant, Duration)>) {
        self.trips = self.so_often() + 1;
        self.on_probation = false;
        let until = wait.map(|(at, wait)| at + wait.min(MAX_COOLDOWN));
        self.transition(Is::Open(cause, until));
    }

    /// How often it opened without a whole answer in between; no more than matters.
    fn so_often(&self) -> u32 {
        self.trips.min(10)
    }

    fn transition(&mut self, to: Is) {
        self.is = to;
        self.era += 1;
        self.trial = None;
    }
}

/// A request with the attempt it has out.
struct Request {
    journey: Journey,
    session: Option<u8>,
    tried: Vec<usize>,
    last_resort: bool,
    /// Whose answer to its conversation broke off before it came.
    avoids: Option<usize>,
    out: Option<Out>,
    may_retry: bool,
}

struct Out {
    permit: Permit,
    attempt: usize,
    endpoint: usize,
    has_begun: bool,
}

/// Where a conversation is at home, or is merely expected until it is answered there.
#[derive(Clone, Copy)]
struct Home {
    endpoint: usize,
    used: Instant,
    is_proven: bool,
}

/// The fleet beside its model.
struct Pair {
    fleet: Fleet,
    model: Model,
    config: Config,
    now: Instant,
    requests: Vec<Request>,
    attempts: usize,
    enabled: [bool; ENDPOINTS],
    disabled_at: [Option<Instant>; ENDPOINTS],
    has_credential: [bool; ENDPOINTS],
    probing: BTreeSet<usize>,
    demanded: BTreeSet<usize>,
    pinned: Option<usize>,
    paused: bool,
    homes: BTreeMap<u8, Home>,
    /// Whose last answer to each conversation broke off, until its next request comes.
    broken: BTreeMap<u8, (usize, Instant)>,
    switched_at: Option<Instant>,
    preferred: Option<usize>,
    /// When each endpoint was missed, if nothing was heard of it since.
    missed: [Option<Instant>; ENDPOINTS],
    offline: bool,
    told_offline: bool,
    grace_until: Option<Instant>,
    /// How long each list was when anything was last heard of any endpoint.
    heard: [usize; ENDPOINTS],
}

impl Pair {
    fn new(mode: ProbeMode, policy: BreakerPolicy, last_resort: bool) -> Self {
        let now = Instant::now();
        let config = config(mode, policy, last_resort);
        let fleet = Fleet::new(config.clone(), &BTreeSet::new(), 3, now);
        let mut pair = Self {
            fleet,
            model: Model {
                policy,
                mode,
                lists: vec![Vec::new(); ENDPOINTS],
            },
            config,
            now,
            requests: Vec::new(),
            attempts: 0,
            enabled: [true; ENDPOINTS],
            disabled_at: [None; ENDPOINTS],
            has_credential: [true; ENDPOINTS],
            probing: BTreeSet::new(),
            demanded: BTreeSet::new(),
            pinned: None,
            paused: false,
            homes: BTreeMap::new(),
            broken: BTreeMap::new(),
            switched_at: None,
            preferred: None,
            missed: [None; ENDPOINTS],
            offline: false,
            told_offline: false,
            grace_until: None,
            heard: [0; ENDPOINTS],
        };
        pair.wait(Duration::ZERO);
        pair
    }

    fn id(&self, endpoint: usize) -> EndpointId {
        self.fleet.find(NAMES[endpoint]).unwrap()
    }

    fn number(&self, id: EndpointId) -> usize {
        let name = &self.fleet.status_of(id).unwrap().spec.name;
        NAMES.iter().position(|known| known == name).unwrap()
    }

    fn is(&self, endpoint: usize) -> Is {
        self.model.amounts(endpoint, self.now).is
    }

    fn note(&mut self, endpoint: usize, happened: Happened) {
        self.model.lists[endpoint].push((self.now, happened));
    }

    fn allowed(&self, endpoint: usize) -> bool {
        self.enabled[endpoint] && self.has_credential[endpoint]
    }

    fn fit(&self, endpoint: usize) -> bool {
        self.allowed(endpoint) && self.is(endpoint) == Is::Closed
    }

    fn apply(&mut self, op: Op) {
        let fit_before: Vec<bool> = (0..ENDPOINTS).map(|n| self.fit(n)).collect();
        match op {
            Op::Wait(seconds) => self.wait(Duration::from_secs(seconds.into())),
            Op::Request { session } => {
                let key = session.map(|session| SessionKey::of(&session.to_string()));
                self.requests.push(Request {
                    journey: Journey::new(CallKind::Messages, None, key),
                    session,
                    tried: Vec::new(),
                    last_resort: false,
                    avoids: None,
                    out: None,
                    may_retry: true,
                });
                self.admit(self.requests.len() - 1);
            }
            Op::Retry(pick) => {
                let mut waiting = (0..self.requests.len())
                    .filter(|&n| self.requests[n].out.is_none() && self.requests[n].may_retry);
                let count = waiting.clone().count();
                if count > 0
                    && let Some(n) = waiting.nth(pick % count)
                {
                    self.admit(n);
                }
            }
            Op::Begin(pick) => {
                if let Some(n) = self.pick_out(pick) {
                    let out = self.requests[n].out.as_mut().unwrap();
                    let (endpoint, attempt) = (out.endpoint, out.attempt);
                    let ttft = Duration::from_millis(100);
                    self.fleet.begin(&mut out.permit, ttft, self.now);
                    out.has_begun = true;
                    self.hear(endpoint, End::Answered);
                    self.comes_home(n, endpoint);
                    self.note(endpoint, Happened::Began(attempt));
                    self.requests[n].may_retry = false;
                }
            }
            Op::Settle(pick, end) => {
                if let Some(n) = self.pick_out(pick) {
                    self.settle(n, end);
                }
            }
            Op::Probe(pick, end) => {
                let count = self.probing.len().max(1);
                if let Some(&endpoint) = self.probing.iter().nth(pick % count) {
                    self.probed(endpoint, end);
                }
            }
            Op::Pin(endpoint) => {
                self.fleet.pin(self.id(endpoint), self.now);
                self.pinned = Some(endpoint);
            }
            Op::Unpin => {
                self.fleet.unpin(self.now);
                self.pinned = None;
                self.switched_at = None;
            }
            Op::Pause => {
                self.fleet.pause(self.now);
                self.paused = true;
                self.demanded.clear();
            }
            Op::Resume => {
                self.fleet.resume(self.now);
                self.paused = false;
                self.demanded = (0..ENDPOINTS).collect();
            }
            Op::Refresh => {
                self.fleet.refresh(self.now);
                self.demanded = (0..ENDPOINTS).collect();
            }
            Op::Enable(endpoint) => {
                self.fleet.enable(self.id(endpoint), self.now);
                self.enabled[endpoint] = true;
                self.disabled_at[endpoint] = None;
            }
            Op::Disable(endpoint) => {
                self.fleet.disable(self.id(endpoint), self.now);
                self.enabled[endpoint] = false;
                self.disabled_at[endpoint] = Some(self.now);
                self.count_hosts();
            }
            Op::Reinstate(endpoint) => {
                self.fleet.reinstate(self.id(endpoint), self.now);
                self.note(endpoint, Happened::Reinstated);
            }
            Op::Credential(endpoint, there) => {
                self.has_credential[endpoint] = there;
                let missing = (0..ENDPOINTS).filter(|&n| !self.has_credential[n]);
                let missing = missing.map(|n| NAMES[n].to_owned()).collect();
                let new = BTreeSet::from([NAMES[endpoint].to_owned()]);
                let config = self.config.clone();
                self.fleet.handle_config(config, &missing, &new, self.now);
                self.note(endpoint, Happened::NewCredential);
                self.count_hosts();
            }
            Op::Gone => {
                self.fleet.refresh(self.now);
                self.demanded = (0..ENDPOINTS).collect();
                self.fleet.handle_timeout(self.now);
                self.check_effects(&fit_before, op);
                for _ in 0..self.probing.len() {
                    self.apply(Op::Probe(0, ProbeEnd::Failed(End::Unreachable)));
                }
                while self.pick_out(0).is_some() {
                    self.apply(Op::Settle(0, End::Unreachable));
                }
            }
            Op::Wake => {
                self.fleet.wake(self.now);
                self.grace_until = Some(self.now + GRACE);
            }
            Op::Restart => self.restart(),
        }
        // Whoever owns a fleet runs its timers after every step.
        self.fleet.handle_timeout(self.now);
        self.check_effects(&fit_before, op);
        self.check_state();
    }

    /// Another fleet with the memory of this one, as after a crash.
    fn restart(&mut self) {
        let memory = self.fleet.memory(self.now);
        let missing = (0..ENDPOINTS).filter(|&n| !self.has_credential[n]);
        let missing = missing.map(|n| NAMES[n].to_owned()).collect();
        self.fleet = Fleet::new(self.config.clone(), &missing, 5, self.now);
        self.fleet.restore(memory.clone(), self.now);
        assert_eq!(self.fleet.memory(self.now), memory);

        self.requests.clear();
        self.model.lists = vec![Vec::new(); ENDPOINTS];
        self.heard = [0; ENDPOINTS];
        self.missed = [None; ENDPOINTS];
        (self.offline, self.told_offline) = (false, false);
        self.grace_until = None;
        self.probing.clear();
        self.demanded.clear();
        self.homes.clear();
        self.broken.clear();
        self.switched_at = None;
        self.preferred = None;
    }

    /// Takes in what an end tells of the network. What counts against the endpoint: the end, or nothing.
    fn hear(&mut self, endpoint: usize, end: End) -> End {
        match end {
            End::Abandoned => return end,
            End::Unreachable => {
                self.missed[endpoint] = Some(self.now);
                if !self.offline && self.nothing_is_reached() {
                    self.offline = true;
                    for endpoint in 0..ENDPOINTS {
                        self.take_back(endpoint);
                    }
                }
            }
            End::Lost | End::BrokeOff => {}
            End::Answered
            | End::ClientFault
            | End::Failed
            | End::Throttled(_)
            | End::Exhausted
            | End::Refused => {
                self.heard = std::array::from_fn(|n| self.model.lists[n].len());
                self.heard[endpoint] += 1; // It is noted next, and counts.
                self.missed[endpoint] = None;
                self.come_back();
                return end;
            }
        }
        let in_grace = self.grace_until.is_some_and(|until| self.now < until);
        if self.offline || in_grace {
            End::Abandoned
        } else {
            end
        }
    }

    fn nothing_is_reached(&self) -> bool {
        let mut used = (0..ENDPOINTS).filter(|&n| self.allowed(n));
        let recent = |at: Instant| self.now - at <= SILENCE;
        used.clone().count() >= 2 && used.all(|n| self.missed[n].is_some_and(recent))
    }

    fn take_back(&mut self, endpoint: usize) {
        let list = &mut self.model.lists[endpoint];
        let decided = |(_, happened): &(Instant, Happened)| {
            matches!(happened, Happened::Reinstated | Happened::NewCredential)
        };
        let decided = list.iter().rposition(decided).map_or(0, |at| at + 1);
        let mut at = 0;
        list.retain(|(_, happened)| {
            at += 1;
            let failed = match happened {
                Happened::Ended(_, end) | Happened::Probed(ProbeEnd::Failed(end)) => {
                    *end != End::Abandoned
                }
                Happened::Started(_)
                | Happened::Began(_)
                | Happened::Probed(ProbeEnd::Answered(_))
                | Happened::Reinstated
                | Happened::NewCredential
                | Happened::TakenBack => false,
            };
            !failed || at <= self.heard[endpoint].max(decided)
        });
        self.note(endpoint, Happened::TakenBack);
    }

    fn count_hosts(&mut self) {
        if (0..ENDPOINTS).filter(|&n| self.allowed(n)).count() < 2 {
            self.come_back();
        }
    }

    fn come_back(&mut self) {
        if self.offline {
            self.offline = false;
            self.missed = [None; ENDPOINTS];
        }
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        // As the driver does: at each timeout in turn.
        while let Some(at) = self.fleet.poll_timeout().filter(|&at| at <= until) {
            let fit_before: Vec<bool> = (0..ENDPOINTS).map(|n| self.fit(n)).collect();
            self.now = self.now.max(at);
            self.fleet.handle_timeout(self.now);
            let next = self.fleet.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now),
                "a timer that spins"
            );
            self.check_effects(&fit_before, Op::Wait(0));
        }
        self.now = until;
    }

    fn pick_out(&self, pick: usize) -> Option<usize> {
        let out: Vec<usize> = (0..self.requests.len())
            .filter(|&n| self.requests[n].out.is_some())
            .collect();
        out.get(pick % out.len().max(1)).copied()
    }

    fn admit(&mut self, n: usize) {
        self.take_broken(n);
        let mut journey = self.requests[n].journey.clone();
        let granted = self.fleet.admit(&mut journey, self.now);
        self.requests[n].journey = journey;
        match granted {
            Ok(grant) => {
                let endpoint = self.number(grant.permit.endpoint());
                self.check_grant(n, endpoint, grant.why);
                let request = &mut self.requests[n];
                request.tried.push(endpoint);
                request.last_resort |= grant.why == Why::LastResort;
                request.out = Some(Out {
                    permit: grant.permit,
                    attempt: self.attempts,
                    endpoint,
                    has_begun: false,
                });
                if let Some(session) = request.session.filter(|_| !self.offline) {
                    self.is_expected(session, endpoint);
                }
                self.note(endpoint, Happened::Started(self.attempts));
                self.attempts += 1;
            }
            Err(denied) => self.check_denial(n, &denied),
        }
    }

    fn is_expected(&mut self, session: u8, endpoint: usize) {
        let is_recent = |home: &Home| self.now - home.used < STICKY_TTL;
        let home = self.homes.get(&session).filter(|home| is_recent(home));
        if !home.is_some_and(|home| home.is_proven) {
            let home = Home {
                endpoint,
                used: self.now,
                is_proven: false,
            };
            self.homes.insert(session, home);
        }
    }

    /// An answer makes a home, unless the network is away.
    fn comes_home(&mut self, n: usize, endpoint: usize) {
        if let Some(session) = self.requests[n].session.filter(|_| !self.offline) {
            let home = Home {
                endpoint,
                used: self.now,
                is_proven: true,
            };
            self.homes.insert(session, home);
        }
    }

    fn take_broken(&mut self, n: usize) {
        let request = &mut self.requests[n];
        if request.tried.is_empty()
            && let Some(session) = request.session
            && let Some((endpoint, at)) = self.broken.remove(&session)
            && self.now - at < STICKY_TTL
        {
            request.avoids = Some(endpoint);
        }
        let is_fit = |other: usize| self.fit(other) && self.requests[n].avoids != Some(other);
        if !self.untried(n).any(is_fit) && !self.has_spent_its_attempts(n) {
            self.requests[n].avoids = None;
        }
    }

    fn has_spent_its_attempts(&self, n: usize) -> bool {
        let request = &self.requests[n];
        request.tried.len() >= MAX_ATTEMPTS && !request.last_resort
    }

    fn settle(&mut self, n: usize, end: End) {
        let request = &mut self.requests[n];
        let out = request.out.take().unwrap();
        request.may_retry &= !matches!(
            end,
            End::Answered | End::ClientFault | End::BrokeOff | End::Abandoned
        );
        let session = request.session;
        if let Some(session) = session.filter(|_| end != End::Answered)
            && let Some(home) = self.homes.get(&session)
            && home.endpoint == out.endpoint
            && !home.is_proven
        {
            self.homes.remove(&session);
        }
        if end == End::BrokeOff {
            self.fleet.settle_midway(out.permit, Fault::Cut, self.now);
        } else {
            self.fleet.settle(out.permit, end.outcome(), self.now);
        }
        let counts = self.hear(out.endpoint, end);
        if end == End::Answered && !out.has_begun {
            self.comes_home(n, out.endpoint);
        }
        // It may be the repeat of what broke off.
        if let Some(session) = session.filter(|_| end == End::Answered) {
            self.broken.remove(&session);
        }
        if let Some(session) = session.filter(|_| counts == End::BrokeOff) {
            self.broken.insert(session, (out.endpoint, self.now));
        }
        self.note(out.endpoint, Happened::Ended(out.attempt, counts));
    }

    fn probed(&mut self, endpoint: usize, end: ProbeEnd) {
        self.probing.remove(&endpoint);
        self.demanded.remove(&endpoint);
        let result = match end {
            ProbeEnd::Answered(millis) => {
                ProbeResult::Answered(Duration::from_millis(millis.into()))
            }
            ProbeEnd::Failed(end) => ProbeResult::Failed(end.outcome()),
        };
        let id = self.id(endpoint);
        self.fleet.handle_probe(id, result, self.now);
        if self.hear(endpoint, end.end()) == end.end() {
            self.note(endpoint, Happened::Probed(end));
        }
    }

    fn untried(&self, n: usize) -> impl Iterator<Item = usize> {
        (0..ENDPOINTS).filter(move |endpoint| !self.requests[n].tried.contains(endpoint))
    }

    fn check_grant(&self, n: usize, endpoint: usize, why: Why) {
        let request = &self.requests[n];
        assert!(!request.tried.contains(&endpoint), "tried twice");
        assert!(
            self.allowed(endpoint),
            "kept out by a person or for want of a credential"
        );
        assert!(
            request.tried.len() < MAX_ATTEMPTS || request.last_resort,
            "more attempts than allowed"
        );
        let sum = self.model.amounts(endpoint, self.now);
        let someone_fit = self.untried(n).any(|other| self.fit(other));
        match why {
            Why::LastResort => {
                assert!(self.config.failover.last_resort && !someone_fit);
                assert!(!matches!(sum.is, Is::Open(Cause::Refused, _)), "refuses");
            }
            Why::Trial => {
                assert!(matches!(sum.is, Is::HalfOpen(_)), "{sum:?}");
                assert_eq!(sum.trial, None, "a second trial");
            }
            Why::Pinned => assert_eq!((self.pinned, sum.is), (Some(endpoint), Is::Closed)),
            Why::Sticky => assert_eq!(self.home(n), Some(endpoint)),
            Why::LeavesBroken => {
                let avoided = request.avoids.expect("something broke off");
                assert!(self.fit(avoided) && sum.is == Is::Closed);
            }
            Why::StaysForCache(_)
            | Why::WorthMoving(_)
            | Why::LeavesSlow(_)
            | Why::SparesQuota(_) => {
                panic!("nothing here is slow, cached or limited: {why:?}")
            }
            Why::WithoutThinking => panic!("nobody signs anything here"),
            Why::Beside { .. } => panic!("nobody asks for a second attempt here"),
            Why::FirstChoice
            | Why::Faster { .. }
            | Why::BestPriority
            | Why::BestPrice
            | Why::Remembered
            | Why::Replaces
            | Why::StandsIn
            | Why::InUse
            | Why::NoneBetter
            | Why::Turn => assert_eq!(sum.is, Is::Closed),
        }
        assert_ne!(Some(endpoint), request.avoids, "another is fit");
        let pin = self.pinned.filter(|&pin| {
            self.fit(pin) && !request.tried.contains(&pin) && request.avoids != Some(pin)
        });
        if let Some(pin) = pin {
            assert_eq!(endpoint, pin, "the pin is fit");
        } else if self.pinned.is_none()
            && let Some(home) = self.home(n)
        {
            assert_eq!((endpoint, why), (home, Why::Sticky), "its home is fit");
        }
    }

    /// Where the request's conversation is at home, if it may go there.
    fn home(&self, n: usize) -> Option<usize> {
        let Home {
            endpoint: home,
            used,
            ..
        } = *self.homes.get(&self.requests[n].session?)?;
        let may = self.now - used < STICKY_TTL
            && self.fit(home)
            && self.requests[n].avoids != Some(home)
            && !self.requests[n].tried.contains(&home);
        may.then_some(home)
    }

    fn check_denial(&self, n: usize, denied: &Denied) {
        let made = self.requests[n].tried.len();
        match denied.why {
            DeniedWhy::NoEndpoints | DeniedWhy::FailoverOff | DeniedWhy::OthersWait => {
                panic!("{denied:?}")
            }
            DeniedWhy::AttemptsSpent => {
                assert!(made >= MAX_ATTEMPTS && !self.requests[n].last_resort);
            }
            DeniedWhy::BudgetSpent => assert!(made >= 2, "the first failover is exempt"),
            DeniedWhy::NoneFit => {
                for endpoint in self.untried(n).filter(|&one| self.allowed(one)) {
                    let sum = self.model.amounts(endpoint, self.now);
                    let out_of_reach = match sum.is {
                        Is::Closed => false,
                        Is::HalfOpen(_) => sum.trial.is_some() && !self.config.failover.last_resort,
                        Is::Open(Cause::Refused, _) => true,
                        Is::Open(..) => !self.config.failover.last_resort,
                    };
                    assert!(out_of_reach, "{endpoint} was not offered: {sum:?}");
                }
            }
        }
    }

    fn check_effects(&mut self, fit_before: &[bool], op: Op) {
        while let Some(effect) = self.fleet.poll_effect() {
            match effect {
                Effect::Probe(id) => {
                    let endpoint = self.number(id);
                    assert!(self.allowed(endpoint) && self.model.mode != ProbeMode::Off);
                    assert!(self.probing.insert(endpoint), "two probes at once");
                    let demanded = self.demanded.remove(&endpoint);
                    assert!(!self.paused || demanded, "a probe in a pause");
                }
                Effect::Cut(id) => {
                    let endpoint = self.number(id);
                    let since = self.disabled_at[endpoint].expect("only what was disabled is cut");
                    assert!(self.now - since >= DRAIN && self.in_flight(endpoint) > 0);
                }
                Effect::Switched { from, to, decision } => {
                    let (from, to) = (from.map(|id| self.number(id)), self.number(to));
                    assert_eq!(from, self.preferred);
                    self.check_switch(from, to, decision.why, fit_before, op);
                    assert_eq!(decision.others.len(), ENDPOINTS - 1, "a reason for each");
                    if from.is_some() {
                        self.switched_at = Some(self.now);
                    }
                    self.preferred = Some(to);
                }
                Effect::Offline => {
                    assert!(!std::mem::replace(&mut self.told_offline, true));
                    self.switched_at = None;
                }
                Effect::Online => assert!(std::mem::replace(&mut self.told_offline, false)),
                Effect::TakenOut(_) => assert!(!self.told_offline, "out by the network's fault"),
                Effect::AllDown => assert!(!self.told_offline, "offline says more"),
                Effect::Recovered(_) | Effect::SomethingUp | Effect::Moved { .. } => {}
                Effect::BudgetReached { .. } => panic!("nothing here costs anything"),
                Effect::Called(_) | Effect::WaitedInVain(_) => panic!("nobody waits here"),
            }
        }
        self.preferred = self.fleet.preferred().map(|(id, _)| self.number(id));
    }

    fn check_switch(&self, from: Option<usize>, to: usize, why: Why, fit: &[bool], op: Op) {
        let Why::Faster { to: its, from: old } = why else {
            let stays_fit = from.filter(|&from| fit[from] && self.fit(from));
            let failed = |from| {
                self.fleet
                    .status_of(self.id(from))
                    .unwrap()
                    .last_probe_failed
            };
            assert!(
                why == Why::Pinned || stays_fit.is_none_or(failed),
                "no reason to leave {from:?} for {to}: {why:?} after {op:?}"
            );
            return;
        };
        assert!(self.pinned.is_none() && !self.paused, "{op:?}");
        assert!(old - its >= THRESHOLD, "not worth it");
        let dwelt = self.switched_at.is_none_or(|at| self.now - at >= DWELL);
        assert!(dwelt, "too soon");
        assert!(from.is_some_and(|from| fit[from]) && self.fit(to), "{op:?}");
    }

    fn in_flight(&self, endpoint: usize) -> usize {
        let out = self.requests.iter().filter_map(|one| one.out.as_ref());
        out.filter(|out| out.endpoint == endpoint).count()
    }

    fn check_state(&self) {
        for endpoint in 0..ENDPOINTS {
            let status = self.fleet.status_of(self.id(endpoint)).unwrap();
            let sum = self.model.amounts(endpoint, self.now);
            let (is, trial) = match status.circuit {
                CircuitState::Closed { .. } => (Is::Closed, None),
                CircuitState::Open { cause, until, .. } => (Is::Open(cause, until), None),
                CircuitState::HalfOpen {
                    cause,
                    trial_in_flight,
                    ..
                } => (Is::HalfOpen(cause), Some(trial_in_flight)),
            };
            assert_eq!(is, sum.is, "{endpoint}: {sum:?}");
            if let Some(in_flight) = trial {
                assert_eq!(in_flight, sum.trial.is_some(), "{endpoint}: {sum:?}");
            }
            assert_eq!(status.in_flight as usize, self.in_flight(endpoint));
            let usable = status.availability == Availability::Enabled;
            assert_eq!(usable, self.enabled[endpoint]);
        }
        let fit = (0..ENDPOINTS).filter(|&n| self.fit(n)).collect::<Vec<_>>();
        let preferred = self.fleet.preferred().map(|(id, _)| self.number(id));
        match preferred {
            Some(preferred) => assert!(fit.contains(&preferred), "prefers what is not fit"),
            None => assert_eq!(fit, [0; 0], "something is fit"),
        }
        if let Some(pin) = self.pinned.filter(|pin| fit.contains(pin)) {
            assert_eq!(preferred, Some(pin));
        }
        assert_eq!(self.fleet.offline_since().is_some(), self.offline);
        assert_eq!(self.told_offline, self.offline);
        let timeout = self.fleet.poll_timeout();
        assert!(timeout.is_none_or(|at| at > self.now), "a timer that spins");
        let waits = |n| self.allowed(n) && !self.probing.contains(&n);
        let probes = self.model.mode != ProbeMode::Off && !self.paused;
        if self.offline && probes && (0..ENDPOINTS).any(waits) {
            let soon = self.now + LONGEST_PAUSE_OFFLINE;
            assert!(timeout.is_some_and(|at| at <= soon), "nobody looks");
        }
    }

    /// From now on everybody answers; every endpoint must come back by itself, but one that waits for a
    /// person.
    fn all_is_well_again(&mut self) {
        while let Some(n) = self.pick_out(0) {
            self.settle(n, End::Abandoned);
        }
        for endpoint in 0..ENDPOINTS {
            self.apply(Op::Enable(endpoint));
            self.apply(Op::Credential(endpoint, true));
        }
        self.apply(Op::Unpin);
        self.apply(Op::Resume);
        for _ in 0..80 {
            while !self.probing.is_empty() {
                self.apply(Op::Probe(0, ProbeEnd::Answered(100)));
            }
            self.apply(Op::Request { session: None });
            if let Some(n) = self.pick_out(0) {
                self.settle(n, End::Answered);
            }
            self.apply(Op::Wait(10));
        }
        for endpoint in 0..ENDPOINTS {
            assert!(self.fit(endpoint), "{endpoint}: {:?}", self.is(endpoint));
            self.apply(Op::Pin(endpoint));
            self.apply(Op::Request { session: None });
            let last = self.requests.last().unwrap();
            assert_eq!(last.tried, [endpoint]);
            assert_eq!(self.fleet.mode(), Mode::Pinned(self.id(endpoint)));
        }
    }
}

const NAMES: [&str; ENDPOINTS] = ["A", "B", "C"];

fn config(mode: ProbeMode, policy: BreakerPolicy, last_resort: bool) -> Config {
    let checks = HealthCheck {
        mode,
        ..HealthCheck::default()
    };
    let mut config = Config {
        breaker: Breaker {
            policy,
            cooldown: COOLDOWN,
            max_cooldown: MAX_COOLDOWN,
        },
        ..fleets::config(&NAMES, &checks)
    };
    config.server.switch_threshold = THRESHOLD;
    config.server.drain_timeout = DRAIN;
    config.routing.min_dwell = DWELL;
    config.routing.sticky_ttl = STICKY_TTL;
    config.failover.last_resort = last_resort;
    config.failover.max_attempts = Some(u32::try_from(MAX_ATTEMPTS).unwrap());
    config
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Answered),
        1 => Just(End::ClientFault),
        6 => Just(End::Failed),
        6 => Just(End::Unreachable),
        2 => Just(End::Lost),
        3 => Just(End::BrokeOff),
        2 => proptest::option::of(0_u16..1000).prop_map(End::Throttled),
        1 => Just(End::Exhausted),
        1 => Just(End::Refused),
        1 => Just(End::Abandoned),
    ]
}

fn probe_end() -> impl Strategy<Value = ProbeEnd> {
    prop_oneof![
        4 => (1_u16..400).prop_map(ProbeEnd::Answered),
        2 => Just(ProbeEnd::Failed(End::Failed)),
        3 => Just(ProbeEnd::Failed(End::Unreachable)),
        1 => Just(ProbeEnd::Failed(End::Lost)),
        1 => Just(ProbeEnd::Failed(End::Throttled(Some(20)))),
        1 => Just(ProbeEnd::Failed(End::Refused)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let pick = 0_usize..8;
    let endpoint = 0..ENDPOINTS;
    prop_oneof![
        4 => (0_u16..15).prop_map(Op::Wait),
        2 => (30_u16..400).prop_map(Op::Wait),
        8 => proptest::option::of(0_u8..3).prop_map(|session| Op::Request { session }),
        4 => pick.clone().prop_map(Op::Retry),
        3 => pick.clone().prop_map(Op::Begin),
        12 => (pick.clone(), end()).prop_map(|(pick, end)| Op::Settle(pick, end)),
        5 => (pick, probe_end()).prop_map(|(pick, end)| Op::Probe(pick, end)),
        1 => endpoint.clone().prop_map(Op::Pin),
        1 => Just(Op::Unpin),
        1 => Just(Op::Pause),
        1 => Just(Op::Resume),
        1 => Just(Op::Refresh),
        1 => endpoint.clone().prop_map(Op::Enable),
        1 => endpoint.clone().prop_map(Op::Disable),
        1 => endpoint.clone().prop_map(Op::Reinstate),
        2 => Just(Op::Gone),
        1 => Just(Op::Wake),
        1 => Just(Op::Restart),
        1 => (endpoint, any::<bool>()).prop_map(|(n, there)| Op::Credential(n, there)),
    ]
}

fn mode() -> impl Strategy<Value = ProbeMode> {
    prop_oneof![
        2 => Just(ProbeMode::Message),
        1 => Just(ProbeMode::Connect),
        1 => Just(ProbeMode::Off),
    ]
}

fn policy() -> impl Strategy<Value = BreakerPolicy> {
    let window = BreakerPolicy::Window {
        window: WINDOW,
        min_failures: 2,
    };
    prop_oneof![
        Just(BreakerPolicy::Consecutive { max_failures: 3 }),
        Just(window),
    ]
}

/// What happens to a fleet, from its configuration to its last event.
fn history() -> impl Strategy<Value = (ProbeMode, BreakerPolicy, bool, Vec<Op>)> {
    (
        mode(),
        policy(),
        any::<bool>(),
        proptest::collection::vec(op(), 1..120),
    )
}

/// Compares the fleet with the model over so many histories.
fn compare(histories: u32) {
    let config = ProptestConfig {
        cases: histories,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let compared = TestRunner::new(config).run(&history(), |(mode, policy, last_resort, ops)| {
        let mut pair = Pair::new(mode, policy, last_resort);
        for op in ops {
            pair.apply(op);
        }
        pair.all_is_well_again();
        Ok(())
    });
    if let Err(difference) = compared {
        panic!("{difference}");
    }
}

#[test]
fn a_fleet_does_what_a_naive_model_expects() {
    compare(100); // Few, since the model reads its lists over and over.
}

#[test]
#[ignore = "long: minutes"]
fn a_fleet_does_what_a_naive_model_expects_over_many_histories() {
    const HISTORIES: u32 = 20_000;
    compare(HISTORIES);
    println!("measured: {HISTORIES} histories of up to 120 events, no difference");
}
