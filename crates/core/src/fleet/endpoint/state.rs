//! What the fleet knows about one endpoint: a few parts with one idea each.

use std::collections::VecDeque;
use std::time::Instant;

use super::access::{Access, Availability};
use super::marks::Marks;
use super::probes::{Check, Due, Monitoring, Probes};
use super::reserve::Reserve;
use super::silence::Silence;
use super::standing::Standing;
use super::traffic::Traffic;
use crate::circuit::{Cause, Change, CircuitState, Pass};
use crate::classify::Fault;
use crate::config::{self, ProbeMode};
use crate::endpoint_id::EndpointId;
use crate::fleet::effect::Effect;
use crate::latency::Latency;
use crate::schedule::Load;

#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) id: EndpointId,
    pub(crate) spec: config::Endpoint,
    pub(crate) access: Access,
    pub(crate) standing: Standing,
    pub(crate) silence: Silence,
    pub(crate) probes: Probes,
    pub(crate) latency: Latency,
    pub(crate) traffic: Traffic,
    pub(crate) reserve: Reserve,
    pub(crate) marks: Marks,
    pub(super) last_fault: Option<Fault>,
    /// Everything known about it comes from an earlier run.
    pub(crate) is_remembered: bool,
}

impl Endpoint {
    pub(crate) fn new(id: EndpointId, spec: config::Endpoint, now: Instant) -> Self {
        Self {
            id,
            access: Access {
                availability: Availability::of(spec.enabled),
                has_credential: true,
            },
            standing: Standing::default(),
            silence: Silence::default(),
            probes: Probes::new(now),
            latency: Latency::new(spec.health_check.mode),
            traffic: Traffic::new(now),
            reserve: Reserve::default(),
            marks: Marks::default(),
            last_fault: None,
            is_remembered: false,
            spec,
        }
    }

    /// The same endpoint under a changed configuration. What a person switched at run time stays, unless
    /// `enabled` in the file changed.
    pub(crate) fn with_spec(mut self, spec: config::Endpoint, now: Instant) -> Self {
        if spec.enabled != self.spec.enabled {
            self.access.availability = Availability::of(spec.enabled);
        }
        let asked = |spec: &config::Endpoint| (spec.health_check.clone(), spec.probe_as);
        if asked(&spec) != asked(&self.spec) {
            self.probes.timetable.demand_at(now);
            self.latency.forget_probes();
            self.probes.only_free = false;
        }
        self.spec = spec;
        self
    }

    pub(crate) fn credential_changed(&mut self, now: Instant) {
        let circuit = &mut self.standing.circuit;
        if let CircuitState::Open {
            cause: Cause::Refused | Cause::Exhausted,
            ..
        } = circuit.state()
        {
            circuit.close(now);
        }
        circuit.outdate();
        self.silence.end();
        self.marks.clear();
        self.reserve = Reserve::default(); // It belonged to another account.
        self.probes.timetable.demand_at(now);
    }

    /// Whether a person and its credential allow it to be used.
    pub(crate) fn is_in_use(&self) -> bool {
        self.access.check().is_ok()
    }

    /// Keeps its standing before the first failure that the network may have caused.
    pub(crate) fn note_silence(&mut self) {
        self.silence.note(&self.standing);
    }

    /// Takes back what has counted since the last answer from any endpoint.
    pub(crate) fn take_back_silence(&mut self) {
        self.silence.take_back(&mut self.standing);
    }

    /// Whether it is checked in rounds out of turn: if it is up, its checks are not dear, and it was not asked too
    /// often lately.
    pub(crate) fn may_have_rounds(&self, now: Instant) -> bool {
        let was_too_much = self.probes.no_rounds_until.is_some_and(|until| now < until);
        let is_up = matches!(self.standing.circuit.state(), CircuitState::Closed { .. });
        let is_checked = match self.spec.health_check.mode {
            ProbeMode::Message
            | ProbeMode::CountTokens
            | ProbeMode::Models
            | ProbeMode::Connect => true,
            ProbeMode::ClaudeCli | ProbeMode::Off => false,
        };
        is_up && is_checked && !was_too_much && self.is_in_use()
    }

    /// Asks for so many checks, one after another.
    pub(crate) fn ask_for_rounds(&mut self, rounds: u32, now: Instant) {
        if self.may_have_rounds(now) {
            let check = &self.spec.health_check;
            let last = self.probes.last;
            let timetable = &mut self.probes.timetable;
            timetable.ask_for_rounds(check, rounds, last, now);
        }
    }

    /// Whether a round is not over for it.
    pub(crate) fn has_rounds(&self, now: Instant) -> bool {
        let is_due = self.probes.timetable.rounds > 0 && self.may_have_rounds(now);
        is_due || self.probes.out.is_some()
    }

    /// The load has risen.
    pub(crate) fn hasten(&mut self, load: Load) {
        let check = &self.spec.health_check;
        self.probes.timetable.hasten(check, load);
    }

    /// An attempt is sent.
    pub(crate) fn issue(&mut self, now: Instant) -> Pass {
        self.traffic.begin(now);
        self.standing.circuit.issue()
    }

    pub(crate) fn drain(&mut self, until: Instant) {
        self.access.availability = if self.traffic.in_flight == 0 {
            Availability::Disabled
        } else {
            Availability::Draining { until }
        };
    }

    pub(crate) fn reinstate(&mut self, now: Instant) -> Option<Change> {
        self.marks.clear();
        self.silence.end();
        self.standing.last_probe_failed = false;
        self.latency.forget_slowness();
        self.reserve.forgive();
        self.probes.timetable.demand_at(now);
        self.standing.circuit.close(now)
    }

    pub(crate) fn poll_timeout(&self, monitoring: Monitoring) -> Option<Instant> {
        [
            self.standing.circuit.poll_timeout(),
            self.access.poll_timeout(),
            self.next_probe(monitoring),
            self.reserve.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn handle_timeout(
        &mut self,
        monitoring: Monitoring,
        now: Instant,
        effects: &mut VecDeque<Effect>,
    ) -> Due {
        if self.standing.circuit.handle_timeout(now) {
            self.probes.timetable.demand_at(now);
        }
        self.reserve.handle_timeout(now);
        if self.access.handle_timeout(now) {
            effects.push_back(Effect::Cut(self.id));
        }
        if self.next_probe(monitoring).is_some_and(|at| at <= now) {
            Due::Probe
        } else {
            Due::Nothing
        }
    }

    pub(crate) fn send_probe(&mut self, check: Check) {
        self.probes.only_free = check.mode != self.spec.health_check.mode;
        self.probes.send(check);
    }

    /// When the next probe is due, if one is planned.
    fn next_probe(&self, monitoring: Monitoring) -> Option<Instant> {
        let timetable = &self.probes.timetable;
        let is_paused = monitoring == Monitoring::Paused && !timetable.is_demanded;
        if self.spec.health_check.mode == ProbeMode::Off
            || is_paused
            || self.probes.out.is_some()
            || self.access.check().is_err()
        {
            return None;
        }
        match self.standing.circuit.state() {
            // The endpoint asked for a pause until then. A person's wish comes first.
            CircuitState::Open {
                cause: Cause::Throttled | Cause::Exhausted,
                until: Some(until),
                ..
            } if !timetable.is_demanded && monitoring != Monitoring::Offline => {
                Some(timetable.due.max(until))
            }
            CircuitState::Open { .. }
            | CircuitState::Closed { .. }
            | CircuitState::HalfOpen { .. } => Some(timetable.due),
        }
    }
}
