//! An endpoint as it is shown.

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

/// An endpoint as it is at one moment.
#[derive(Clone, Debug)]
pub struct EndpointStatus<'a> {
    /// Its identity.
    pub id: EndpointId,
    /// Its configuration.
    pub spec: &'a config::Endpoint,
    /// Its circuit.
    pub circuit: CircuitState,
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
