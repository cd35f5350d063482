//! What the fleet knows of one endpoint.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::brownout::Brownout;
use crate::call::CallKind;
use crate::circuit::{Cause, Change, Circuit, Pass, State};
use crate::classify::{Fault, Outcome};
use crate::config::{self, Breaker, ProbeMode};
use crate::decline::{Decline, Slower};
use crate::ewma::Ewma;
use crate::fleet::memory::EndpointMemory;
use crate::fleet::network::{Blame, back_off};
use crate::fleet::{Asked, Effect, EndpointId, Journey, Permit, ProbeResult, WhyNot};
use crate::price::Cost;
use crate::quota::{Dry, Quota};
use crate::schedule::{self, COMPARABLE, Load};
use crate::share::Lately;
use crate::ttft::Traffic;

/// Memory of probe latencies: about one interval.
const PROBE_TAU: Duration = Duration::from_secs(60);
/// Memory of real streams' first events.
const TRAFFIC_TAU: Duration = Duration::from_secs(30);
/// Probes remembered for the charts.
const HISTORY: usize = 60;
/// How long "this model is not served here" is believed.
const UNSERVED_FOR: Duration = Duration::from_secs(600);
/// Most models remembered as not served.
const UNSERVED_MAX: usize = 32;
/// After a failed probe the next one comes this soon, if the interval is longer.
const PROBE_AFTER_FAILURE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) id: EndpointId,
    pub(super) spec: config::Endpoint,
    pub(super) circuit: Circuit,
    pub(super) availability: Availability,
    pub(super) has_credential: bool,
    /// Latency of probes. Never mixed with traffic's: like is compared with like.
    pub(super) probes: Ewma,
    /// What kind of probe measured it.
    measured_by: ProbeMode,
    /// Whether probes take longer than they used to.
    pub(super) decline: Decline,
    /// Time to first event of real traffic.
    pub(super) traffic: Ewma,
    /// The same by model.
    pub(super) streams: Traffic,
    /// Whether its streams begin as soon as they do.
    pub(super) pace: Brownout,
    pub(super) last_probe_failed: bool,
    pub(super) probe_due: Instant,
    /// A person asked for the probe that is due, so a pause does not hold it back.
    pub(super) probe_demanded: bool,
    /// When no connection came about, if nothing was heard of it since.
    pub(super) missed_at: Option<Instant>,
    /// How it was when anything was last heard of any endpoint, if this one was missed since.
    pub(super) before_silence: Option<Before>,
    /// What is known of it is from an earlier run.
    is_remembered: bool,
    /// Probes in a row that failed by the network's fault.
    vain_probes: u32,
    /// Since when, and with which jitter, the probe that is due is awaited, if by the interval.
    paced: Option<Pace>,
    probe_out: Option<Check>,
    /// The budget allows no other checks today.
    pub(super) only_free: bool,
    /// The last probe was refused as a request, so probes cannot tell whether requests are answered.
    probe_is_inconclusive: bool,
    history: VecDeque<Option<Duration>>,
    last_probe: Option<Instant>,
    last_fault: Option<Fault>,
    /// What opened the circuit last; stragglers and last resorts do not change it.
    opened_by: Option<Fault>,
    unserved: Vec<Unserved>,
    in_flight: u32,
    attempts: u64,
    failures: u64,
    lately: Lately,
    /// What its last answer that said anything said of its quota.
    quota: Option<Quota>,
    /// Whether that is about to run dry.
    dry: Option<Dry>,
}

/// Whether an endpoint may be used, as persons decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Yes.
    Enabled,
    /// No; its attempts may finish until then.
    Draining {
        /// When those still out are ended.
        until: Instant,
    },
    /// No.
    Disabled,
}

/// One probe, as it was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub(super) mode: ProbeMode,
    /// What it may cost at most.
    pub(super) reserved: Cost,
}

/// What an endpoint waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A probe.
    Probe,
    /// Time to pass.
    Nothing,
}

#[derive(Clone, Copy, Debug)]
struct Pace {
    since: Instant,
    jitter_percent: u64,
}

/// What probes there are besides those that a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Monitoring {
    /// Those that are due.
    Running,
    /// None.
    Paused,
    /// Those that are due; nobody can be disturbed who asked for silence.
    Offline,
}

/// What a lost network must not change.
#[derive(Debug)]
pub(super) struct Before {
    circuit: Circuit,
    last_probe_failed: bool,
    opened_by: Option<Fault>,
}

#[derive(Debug)]
struct Unserved {
    asked: Arc<Asked>,
    until: Instant,
}

/// An endpoint as it is at one moment.
#[derive(Clone, Debug)]
pub struct EndpointStatus<'a> {
    /// Its identity.
    pub id: EndpointId,
    /// Its configuration.
    pub spec: &'a config::Endpoint,
    /// Its circuit.
    pub circuit: State,
    /// Whether persons let it be used.
    pub availability: Availability,
    /// Whether its credential was found.
    pub has_credential: bool,
    /// Smoothed latency of probes.
    pub probe_latency: Option<Duration>,
    /// How much slower it has become, if it has: by its probes, or without any by its traffic.
    pub slower: Option<Slower>,
    /// Smoothed time to first event of real traffic.
    pub ttft: Option<Duration>,
    /// Latencies of the last probes, oldest first; `None` failed.
    pub history: &'a VecDeque<Option<Duration>>,
    /// When its next probe is due, or was due that is out.
    pub probe_due: Instant,
    /// When a probe last ended.
    pub last_probe: Option<Instant>,
    /// Whether it failed.
    pub last_probe_failed: bool,
    /// What went wrong last, however long ago.
    pub last_fault: Option<&'a Fault>,
    /// What opened its circuit last.
    pub opened_by: Option<&'a Fault>,
    /// Attempts that are out.
    pub in_flight: u32,
    /// Attempts so far.
    pub attempts: u64,
    /// Those that failed.
    pub failures: u64,
    /// What is known of its quota.
    pub quota: Option<&'a Quota>,
    /// Whether that is about to run dry.
    pub dry: Option<Dry>,
}

impl EndpointStatus<'_> {
    /// Why it is out, if its circuit is not closed.
    pub fn out_because(&self) -> Option<Cause> {
        match self.circuit {
            State::Closed { .. } => None,
            State::Open { cause, .. } | State::HalfOpen { cause, .. } => Some(cause),
        }
    }
}

impl Endpoint {
    pub(super) fn new(id: EndpointId, spec: config::Endpoint, now: Instant) -> Self {
        let availability = if spec.enabled {
            Availability::Enabled
        } else {
            Availability::Disabled
        };
        Self {
            id,
            measured_by: spec.health_check.mode,
            spec,
            circuit: Circuit::default(),
            availability,
            has_credential: true,
            probes: Ewma::new(PROBE_TAU),
            decline: Decline::default(),
            traffic: Ewma::new(TRAFFIC_TAU),
            streams: Traffic::default(),
            pace: Brownout::default(),
            last_probe_failed: false,
            probe_due: now,
            probe_demanded: false,
            missed_at: None,
            before_silence: None,
            is_remembered: false,
            vain_probes: 0,
            paced: None,
            probe_out: None,
            only_free: false,
            probe_is_inconclusive: false,
            history: VecDeque::new(),
            last_probe: None,
            last_fault: None,
            opened_by: None,
            unserved: Vec::new(),
            in_flight: 0,
            attempts: 0,
            failures: 0,
            lately: Lately::new(now),
            quota: None,
            dry: None,
        }
    }

    /// The same endpoint under a changed configuration. What a person switched at run time stays, unless
    /// the file's own `enabled` changed.
    pub(super) fn with_spec(mut self, spec: config::Endpoint, now: Instant) -> Self {
        if spec.enabled != self.spec.enabled {
            self.availability = if spec.enabled {
                Availability::Enabled
            } else {
                Availability::Disabled
            };
        }
        if spec.health_check != self.spec.health_check {
            self.demand_at(now);
            self.forget_latency(); // Another kind of probe is not comparable.
            self.only_free = false;
        }
        self.spec = spec;
        self
    }

    pub(super) fn credential_changed(&mut self, now: Instant) {
        if let State::Open {
            cause: Cause::Refused | Cause::Exhausted,
            ..
        } = self.circuit.state()
        {
            self.circuit.close(now);
        }
        self.circuit.outdate();
        self.before_silence = None;
        self.unserved.clear();
        self.quota = None; // It was another account's.
        self.dry = None;
        self.demand_at(now);
    }

    /// What is to outlive this run.
    pub(super) fn remember(&self, now: Instant) -> EndpointMemory {
        let health_check = &self.spec.health_check;
        EndpointMemory {
            name: self.spec.name.clone(),
            url: self.spec.url.to_string(),
            enabled_in_file: self.spec.enabled,
            enabled: self.availability == Availability::Enabled,
            probe: self.measured_by,
            probe_model: health_check.model.clone(),
            latency: self.probes.remember(now),
            ttft: self.traffic.remember(now),
            history: self.history.iter().copied().collect(),
            last_probe: self.last_probe.map(|at| now.saturating_duration_since(at)),
        }
    }

    /// Takes over what an earlier run left of the same endpoint.
    pub(super) fn recall(&mut self, memory: EndpointMemory, now: Instant) {
        if memory.enabled_in_file == self.spec.enabled {
            self.availability = if memory.enabled {
                Availability::Enabled
            } else {
                Availability::Disabled
            };
        }
        let health_check = &self.spec.health_check;
        if (memory.probe, &memory.probe_model) == (health_check.mode, &health_check.model) {
            self.measured_by = memory.probe;
            if let Some(latency) = memory.latency {
                self.probes.recall(latency, now);
            }
            let spare = memory.history.len().saturating_sub(HISTORY);
            self.history = memory.history.into_iter().skip(spare).collect();
            self.last_probe = memory.last_probe.and_then(|age| now.checked_sub(age));
        }
        if let Some(ttft) = memory.ttft {
            self.traffic.recall(ttft, now);
        }
        self.is_remembered = self.probes.get().or(self.traffic.get()).is_some();
    }

    /// Whether all that is known of it is from an earlier run.
    pub(super) fn is_remembered(&self) -> bool {
        self.is_remembered
    }

    /// Whether persons and its credential let it be used.
    pub(super) fn is_in_use(&self) -> bool {
        self.check_availability().is_ok()
    }

    /// Makes its probe due then, with the back-off from the start.
    pub(super) fn ask_at(&mut self, at: Instant) {
        self.demand_at(at);
        self.vain_probes = 0;
    }

    /// Makes its probe due then, whatever the interval.
    pub(super) fn demand_at(&mut self, at: Instant) {
        self.probe_due = at;
        self.paced = None;
    }

    /// What was measured is from before a sleep, or over another network.
    pub(super) fn weaken(&mut self) {
        self.probes.weaken();
        self.traffic.weaken();
        self.decline.clear();
        self.streams.weaken();
    }

    /// Whether latencies of the two were measured by the same kind of probe.
    pub(super) fn measures_like(&self, other: &Self) -> bool {
        self.measured_by == other.measured_by
    }

    /// It has answered a messages call, which tells what a probe would have found out.
    pub(super) fn note_evidence(&mut self, load: Load, jitter_percent: u64, now: Instant) {
        let closed = matches!(self.circuit.state(), State::Closed { .. });
        let in_doubt = self.probe_demanded || self.last_probe_failed || self.streams.is_suspected();
        let Some(measured) = self.last_probe.filter(|_| closed && !in_doubt) else {
            return;
        };
        let interval = schedule::interval(&self.spec.health_check, load);
        let latest = measured + jittered(interval, jitter_percent) * COMPARABLE;
        let due = (now + jittered(interval, jitter_percent)).min(latest);
        if due > self.probe_due && self.probe_due > now {
            self.probe_due = due;
            self.paced = Some(Pace {
                since: now,
                jitter_percent,
            });
        }
    }

    /// The load has risen: a probe that was planned for a smaller one is due sooner.
    pub(super) fn hasten(&mut self, load: Load) {
        if let Some(pace) = self.paced
            && self.spec.health_check.dynamic_scaling
        {
            let interval = schedule::interval(&self.spec.health_check, load);
            let due = pace.since + jittered(interval, pace.jitter_percent);
            self.probe_due = self.probe_due.min(due);
        }
    }

    /// Keeps how it is before the first failure that the network may turn out to be guilty of.
    pub(super) fn note_silence(&mut self) {
        self.before_silence.get_or_insert_with(|| Before {
            circuit: self.circuit.clone(),
            last_probe_failed: self.last_probe_failed,
            opened_by: self.opened_by.clone(),
        });
    }

    /// Takes back what counted since then. Attempts that are out say nothing any more.
    pub(super) fn take_back_silence(&mut self) {
        match self.before_silence.take() {
            Some(before) => {
                self.circuit.restore(before.circuit);
                self.last_probe_failed = before.last_probe_failed;
                self.opened_by = before.opened_by;
            }
            None => self.circuit.outdate(),
        }
    }

    pub(super) fn last_probe(&self) -> Option<Instant> {
        self.last_probe
    }

    /// Whether it may take an attempt of `journey`; a half-open one may when `trial_wanted`.
    pub(super) fn check(
        &self,
        journey: &Journey,
        trial_wanted: bool,
        now: Instant,
    ) -> Result<(), WhyNot> {
        if journey.tried.contains(&self.id) {
            return Err(WhyNot::AlreadyTried);
        }
        self.check_standing(trial_wanted)?;
        if self.does_not_serve(journey, now) {
            return Err(WhyNot::ModelNotServed);
        }
        if journey.avoids == Some(self.id) {
            return Err(WhyNot::BrokeOff);
        }
        Ok(())
    }

    /// Whether it may take attempts at all.
    pub(super) fn check_standing(&self, trial_wanted: bool) -> Result<(), WhyNot> {
        self.check_availability()?;
        match self.circuit.state() {
            State::Closed { .. } => Ok(()),
            State::Open { cause, until, .. } => Err(WhyNot::CircuitOpen { cause, until }),
            State::HalfOpen {
                trial_in_flight: true,
                ..
            } => Err(WhyNot::TrialInFlight),
            State::HalfOpen {
                trial_in_flight: false,
                ..
            } if trial_wanted => Ok(()),
            State::HalfOpen {
                trial_in_flight: false,
                ..
            } => Err(WhyNot::AwaitingProbe),
        }
    }

    /// Whether it may be tried though its circuit is not closed.
    pub(super) fn check_last_resort(&self, journey: &Journey) -> Result<(), WhyNot> {
        if journey.tried.contains(&self.id) {
            return Err(WhyNot::AlreadyTried);
        }
        self.check_availability()?;
        match self.circuit.state() {
            State::Open {
                cause: cause @ Cause::Refused,
                until,
                ..
            } => Err(WhyNot::CircuitOpen { cause, until }),
            // A scout is our own idea: who asked for a pause is spared it.
            State::Open {
                cause: cause @ (Cause::Throttled | Cause::Exhausted),
                until,
                ..
            } if journey.scouts => Err(WhyNot::CircuitOpen { cause, until }),
            State::Closed { .. } | State::Open { .. } | State::HalfOpen { .. } => Ok(()),
        }
    }

    pub(super) fn is_half_open(&self) -> bool {
        matches!(self.circuit.state(), State::HalfOpen { .. })
    }

    /// Whether a probe will find out what a half-open circuit asks, so that no request has to.
    pub(super) fn probe_decides(&self, paused: bool) -> bool {
        !paused
            && !self.only_free
            && self.spec.health_check.mode.proves_messages()
            && !self.probe_is_inconclusive
    }

    pub(super) fn issue(&mut self, asked: Arc<Asked>, now: Instant) -> Permit {
        self.in_flight += 1;
        self.attempts += 1;
        self.lately.note(now);
        Permit {
            endpoint: self.id,
            pass: self.circuit.issue(),
            asked,
            session: None,
            ticket: None,
        }
    }

    pub(super) fn settle(
        &mut self,
        pass: Pass,
        asked: Arc<Asked>,
        outcome: Outcome,
        blame: Blame,
        policy: &Breaker,
        now: Instant,
    ) -> Option<Change> {
        self.in_flight -= 1;
        if self.in_flight == 0 && matches!(self.availability, Availability::Draining { .. }) {
            self.availability = Availability::Disabled;
        }
        // A person's decision ended it: that says nothing about the endpoint.
        let outcome = if outcome == Outcome::Failed(Fault::DrainTimeout) {
            Outcome::Abandoned
        } else {
            outcome
        };
        if let Some(fault) = outcome.fault() {
            self.last_fault = Some(fault.clone());
        }
        self.is_remembered &= outcome == Outcome::Abandoned;
        match outcome {
            Outcome::Answered | Outcome::ClientFault(_) if asked.kind == CallKind::Messages => {
                self.last_probe_failed = false;
                self.circuit.succeed(pass, now)
            }
            Outcome::NotServed(_) => {
                if asked.kind.is_understood() {
                    self.remember_unserved(asked, now);
                }
                self.circuit.release(pass);
                None
            }
            // What is answered on other paths proves nothing about messages.
            Outcome::Answered | Outcome::ClientFault(_) | Outcome::Abandoned => {
                self.circuit.release(pass);
                None
            }
            failed @ (Outcome::Refused(_)
            | Outcome::Exhausted { .. }
            | Outcome::Throttled { .. }
            | Outcome::Failed(_)) => {
                self.failures += 1;
                match blame {
                    Blame::Endpoint => self.book_failure(pass, &failed, policy, now),
                    Blame::Network => {
                        self.circuit.release(pass);
                        None
                    }
                }
            }
        }
    }

    /// `mode`: what it was that was made, if it is another than was planned.
    pub(super) fn handle_probe(
        &mut self,
        (mode, result): (Option<ProbeMode>, ProbeResult),
        blame: Blame,
        policy: &Breaker,
        (load, jitter_percent): (Load, u64),
        now: Instant,
    ) -> Option<Change> {
        let planned = self.probe_out.take().map(|check| check.mode);
        let mode = mode.or(planned).unwrap_or(self.spec.health_check.mode);
        self.probe_demanded = false; // What was demanded while it was out, it has found out.
        self.last_probe = Some(now);
        if blame == Blame::Network {
            self.probe_in_vain(&result, jitter_percent, now);
            return None;
        }
        self.is_remembered = false;
        self.vain_probes = 0;
        self.probe_is_inconclusive = matches!(result, ProbeResult::Reached(_));
        let (latency, change) = match result {
            ProbeResult::Answered(latency) => {
                self.measure(latency, mode, now);
                (Some(latency), self.probe_succeeded(mode, now))
            }
            ProbeResult::Reached(latency) => {
                self.measure(latency, mode, now);
                (Some(latency), self.probe_reached(now))
            }
            ProbeResult::Failed(outcome) => (None, self.probe_failed(&outcome, policy, now)),
        };
        self.last_probe_failed = latency.is_none();
        self.history.push_back(latency);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        let interval = schedule::interval(&self.spec.health_check, load);
        let next = if latency.is_some() {
            interval
        } else {
            interval.min(PROBE_AFTER_FAILURE)
        };
        self.probe_due = now + jittered(next, jitter_percent);
        self.paced = latency.map(|_| Pace {
            since: now,
            jitter_percent,
        });
        change
    }

    pub(super) fn drain(&mut self, until: Instant) {
        self.availability = if self.in_flight == 0 {
            Availability::Disabled
        } else {
            Availability::Draining { until }
        };
    }

    pub(super) fn reinstate(&mut self, now: Instant) -> Option<Change> {
        self.unserved.clear();
        self.before_silence = None;
        self.last_probe_failed = false;
        self.pace = Brownout::default();
        self.dry = None;
        self.demand_at(now);
        self.circuit.close(now)
    }

    pub(super) fn poll_timeout(&self, monitoring: Monitoring) -> Option<Instant> {
        let drain = match self.availability {
            Availability::Draining { until } => Some(until),
            Availability::Enabled | Availability::Disabled => None,
        };
        [
            self.circuit.poll_timeout(),
            drain,
            self.next_probe(monitoring),
            self.dry.map(|dry| dry.until),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) fn handle_timeout(
        &mut self,
        monitoring: Monitoring,
        now: Instant,
        effects: &mut VecDeque<Effect>,
    ) -> Due {
        if self.circuit.handle_timeout(now) {
            self.demand_at(now);
        }
        self.dry.take_if(|dry| dry.until <= now);
        if let Availability::Draining { until } = self.availability
            && until <= now
        {
            self.availability = Availability::Disabled;
            effects.push_back(Effect::Cut(self.id));
        }
        if self.next_probe(monitoring).is_some_and(|at| at <= now) {
            Due::Probe
        } else {
            Due::Nothing
        }
    }

    pub(super) fn send_probe(&mut self, check: Check) {
        self.probe_out = Some(check);
        self.probe_demanded = false;
    }

    /// Attempts of the last five minutes.
    pub(super) fn lately(&self, now: Instant) -> u64 {
        self.lately.count(now)
    }

    /// Takes over what an answer says of the quota. Says whether that changes anything.
    pub(super) fn note_quota(&mut self, quota: Quota, now: Instant) -> bool {
        let before = self.dry.is_some();
        self.dry = quota.dry(now);
        self.quota = Some(quota);
        self.dry.is_some() != before
    }

    /// Whether its quota is about to run dry.
    pub(super) fn dry(&self) -> Option<Dry> {
        self.dry
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The probe that is out.
    pub(super) fn probe_out(&self) -> Option<Check> {
        self.probe_out
    }

    pub(super) fn status(&self) -> EndpointStatus<'_> {
        EndpointStatus {
            id: self.id,
            spec: &self.spec,
            circuit: self.circuit.state(),
            availability: self.availability,
            has_credential: self.has_credential,
            probe_latency: self.probes.get(),
            slower: self.slower(),
            ttft: self.traffic.get(),
            history: &self.history,
            probe_due: self.probe_due,
            last_probe: self.last_probe,
            last_probe_failed: self.last_probe_failed,
            last_fault: self.last_fault.as_ref(),
            opened_by: self.opened_by.as_ref(),
            in_flight: self.in_flight,
            attempts: self.attempts,
            failures: self.failures,
            quota: self.quota.as_ref(),
            dry: self.dry,
        }
    }

    fn slower(&self) -> Option<Slower> {
        match self.spec.health_check.mode {
            ProbeMode::Off => self.streams.slower(),
            ProbeMode::Message
            | ProbeMode::CountTokens
            | ProbeMode::Models
            | ProbeMode::Connect
            | ProbeMode::ClaudeCli => self.decline.get(),
        }
    }

    fn measure(&mut self, latency: Duration, mode: ProbeMode, now: Instant) {
        if self.measured_by != mode {
            self.forget_latency();
            self.measured_by = mode;
        }
        self.probes.observe(latency, now);
        self.decline.observe(latency, now);
    }

    fn forget_latency(&mut self) {
        self.probes.clear();
        self.decline.clear();
    }

    /// A probe that tells of the network, and nothing of the endpoint.
    fn probe_in_vain(&mut self, result: &ProbeResult, jitter_percent: u64, now: Instant) {
        if let ProbeResult::Failed(outcome) = result
            && let Some(fault) = outcome.fault()
        {
            self.last_fault = Some(fault.clone());
        }
        self.demand_at(now + jittered(back_off(self.vain_probes), jitter_percent));
        self.vain_probes = self.vain_probes.saturating_add(1);
    }

    fn check_availability(&self) -> Result<(), WhyNot> {
        match self.availability {
            Availability::Draining { .. } => Err(WhyNot::Draining),
            Availability::Disabled => Err(WhyNot::Disabled),
            Availability::Enabled if !self.has_credential => Err(WhyNot::NoCredential),
            Availability::Enabled => Ok(()),
        }
    }

    fn book_failure(
        &mut self,
        pass: Pass,
        outcome: &Outcome,
        policy: &Breaker,
        now: Instant,
    ) -> Option<Change> {
        let change = match outcome {
            Outcome::Refused(_) => self.circuit.refuse(pass),
            Outcome::Exhausted { retry_after, .. } => {
                self.circuit
                    .throttle(pass, Cause::Exhausted, *retry_after, policy, now)
            }
            Outcome::Throttled { retry_after, .. } => {
                self.circuit
                    .throttle(pass, Cause::Throttled, *retry_after, policy, now)
            }
            Outcome::Failed(_)
            | Outcome::Answered
            | Outcome::ClientFault(_)
            | Outcome::NotServed(_)
            | Outcome::Abandoned => self.circuit.fail(pass, policy, now),
        };
        self.remember_what_opened(change, outcome);
        change
    }

    fn remember_what_opened(&mut self, change: Option<Change>, outcome: &Outcome) {
        if let Some(Change::Opened | Change::Reopened) = change {
            self.opened_by = outcome.fault().cloned();
        }
    }

    /// Closes only what the probe has proven: a connection that opens says nothing about answers.
    fn probe_succeeded(&mut self, mode: ProbeMode, now: Instant) -> Option<Change> {
        let proven = match self.status().out_because() {
            None => false, // Closed: a failure that traffic counted stays counted.
            Some(Cause::Refused) => mode.proves_credential(),
            Some(Cause::Failing) => mode.proves_messages() || self.only_connecting_failed(),
            Some(Cause::Throttled | Cause::Exhausted) => mode.proves_messages(),
        };
        if proven {
            self.circuit.close(now)
        } else {
            None
        }
    }

    /// An endpoint that refuses the probe itself has been connected to, and nothing else is known.
    fn probe_reached(&mut self, now: Instant) -> Option<Change> {
        let failing = self.status().out_because() == Some(Cause::Failing);
        if failing && self.only_connecting_failed() {
            self.circuit.close(now)
        } else {
            None
        }
    }

    fn only_connecting_failed(&self) -> bool {
        matches!(self.opened_by, Some(Fault::Connect(_)))
    }

    fn probe_failed(
        &mut self,
        outcome: &Outcome,
        policy: &Breaker,
        now: Instant,
    ) -> Option<Change> {
        if let Some(fault) = outcome.fault() {
            self.last_fault = Some(fault.clone());
        }
        match outcome {
            Outcome::Failed(_) => {
                let change = self.circuit.fail_probe(policy, now);
                self.remember_what_opened(change, outcome);
                change
            }
            Outcome::Refused(_) | Outcome::Exhausted { .. } | Outcome::Throttled { .. } => {
                let pass = self.circuit.issue();
                self.book_failure(pass, outcome, policy, now)
            }
            Outcome::Answered
            | Outcome::ClientFault(_)
            | Outcome::NotServed(_)
            | Outcome::Abandoned => None,
        }
    }

    /// When the next probe is due, if one is to be made.
    fn next_probe(&self, monitoring: Monitoring) -> Option<Instant> {
        let mode = self.spec.health_check.mode;
        let held_back = monitoring == Monitoring::Paused && !self.probe_demanded;
        if mode == ProbeMode::Off
            || held_back
            || self.probe_out.is_some()
            || self.check_availability().is_err()
        {
            return None;
        }
        match self.circuit.state() {
            // It asked for silence until then; a person's wish goes before.
            State::Open {
                cause: Cause::Throttled | Cause::Exhausted,
                until: Some(until),
                ..
            } if !self.probe_demanded && monitoring != Monitoring::Offline => {
                Some(self.probe_due.max(until))
            }
            State::Open { .. } | State::Closed { .. } | State::HalfOpen { .. } => {
                Some(self.probe_due)
            }
        }
    }

    fn does_not_serve(&self, journey: &Journey, now: Instant) -> bool {
        self.unserved
            .iter()
            .any(|unserved| unserved.until > now && unserved.asked == journey.asked)
    }

    fn remember_unserved(&mut self, asked: Arc<Asked>, now: Instant) {
        self.unserved
            .retain(|unserved| unserved.until > now && unserved.asked != asked);
        if self.unserved.len() >= UNSERVED_MAX {
            self.unserved.remove(0);
        }
        self.unserved.push(Unserved {
            asked,
            until: now + UNSERVED_FOR,
        });
    }
}

/// Up to a tenth sooner, so that endpoints do not stay in step.
fn jittered(pause: Duration, percent: u64) -> Duration {
    pause - pause.mul_f64(0.001 * (percent % 100) as f64)
}
