//! An endpoint as front-ends show it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::access::Availability;
use super::standing::out_because;
use super::state::Endpoint;
use crate::circuit::{Cause, CircuitState};
use crate::classify::Fault;
use crate::config::{self, ProbeMode};
use crate::endpoint_id::EndpointId;
use crate::latency::Slower;
use crate::quota::{Dry, Quota};

/// An endpoint at one moment.
#[derive(Clone, Debug)]
pub struct EndpointStatus<'a> {
    /// Its identity.
    pub id: EndpointId,
    /// Its configuration.
    pub spec: &'a config::Endpoint,
    /// Its circuit.
    pub circuit: CircuitState,
    /// Whether a person allows it to be used.
    pub availability: Availability,
    /// Whether its credential was found.
    pub has_credential: bool,
    /// The median of the last probes.
    pub probe_latency: Option<Duration>,
    /// How much slower it is than usual, if it is: by its probes, or by its traffic if it has no probes.
    pub slower: Option<Slower>,
    /// The median of the last first events of real traffic.
    pub ttft: Option<Duration>,
    /// The latencies of the last probes, oldest first. `None`: it failed.
    pub history: &'a VecDeque<Option<Duration>>,
    /// When its next probe is due. While a probe is in flight: when that one was due.
    pub probe_due: Instant,
    /// When a probe last ended.
    pub last_probe: Option<Instant>,
    /// Whether the last probe failed.
    pub last_probe_failed: bool,
    /// Whether its circuit is closed although the last news of it is a failure.
    pub is_faltering: bool,
    /// The last fault, however long ago.
    pub last_fault: Option<&'a Fault>,
    /// The fault that opened its circuit last.
    pub opened_by: Option<&'a Fault>,
    /// Attempts in flight.
    pub in_flight: u32,
    /// All attempts so far.
    pub attempts: u64,
    /// Failed attempts so far.
    pub failures: u64,
    /// What is known about its quota.
    pub quota: Option<&'a Quota>,
    /// Whether its quota is about to run dry.
    pub dry: Option<Dry>,
    /// Until when it gets no request, so that none spends its subscription's extra usage.
    pub spent_until: Option<Instant>,
}

impl EndpointStatus<'_> {
    /// Why it is out, if its circuit is not closed.
    pub fn out_because(&self) -> Option<Cause> {
        out_because(self.circuit)
    }
}

impl Endpoint {
    pub(crate) fn status(&self) -> EndpointStatus<'_> {
        EndpointStatus {
            id: self.id,
            spec: &self.spec,
            circuit: self.standing.circuit.state(),
            availability: self.access.availability,
            has_credential: self.access.has_credential,
            probe_latency: self.latency.of_probes(),
            slower: self.slower(),
            ttft: self.latency.of_traffic(),
            history: &self.probes.history,
            probe_due: self.probes.timetable.due,
            last_probe: self.probes.last,
            last_probe_failed: self.standing.last_probe_failed,
            is_faltering: self.is_faltering(),
            last_fault: self.last_fault.as_ref(),
            opened_by: self.standing.opened_by.as_ref(),
            in_flight: self.traffic.in_flight,
            attempts: self.traffic.attempts,
            failures: self.traffic.failures,
            quota: self.reserve.told.as_ref(),
            dry: self.reserve.dry,
            spent_until: self.spent_until(),
        }
    }

    fn slower(&self) -> Option<Slower> {
        match self.spec.health_check.mode {
            ProbeMode::Off => self.latency.slower_traffic(),
            ProbeMode::Message
            | ProbeMode::CountTokens
            | ProbeMode::Models
            | ProbeMode::Connect
            | ProbeMode::ClaudeCli => self.latency.slower_probes(),
        }
    }
}
