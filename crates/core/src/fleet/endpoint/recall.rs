//! What is saved of an endpoint for the next run, and how it is restored.

use std::time::Instant;

use super::access::Availability;
use super::state::Endpoint;
use crate::fleet::memory::EndpointMemory;

impl Endpoint {
    /// What the next run should know.
    pub(crate) fn remember(&self, now: Instant) -> EndpointMemory {
        let (latency, ttft) = self.latency.remember(now);
        EndpointMemory {
            name: self.spec.name.clone(),
            url: self.spec.url.to_string(),
            enabled_in_file: self.spec.enabled,
            enabled: self.access.availability == Availability::Enabled,
            probe: self.latency.measured_by(),
            probe_model: self.spec.health_check.model.clone(),
            latency,
            ttft,
            history: self.probes.history.iter().copied().collect(),
            last_probe: self.probes.last.map(|at| now.saturating_duration_since(at)),
        }
    }

    /// Restores what an earlier run saved about the same endpoint.
    pub(crate) fn recall(&mut self, memory: EndpointMemory, now: Instant) {
        if memory.enabled_in_file == self.spec.enabled {
            self.access.availability = Availability::of(memory.enabled);
        }
        let health_check = &self.spec.health_check;
        if (memory.probe, &memory.probe_model) == (health_check.mode, &health_check.model) {
            self.latency
                .recall_probes(memory.probe, memory.latency, now);
            let last = memory.last_probe.and_then(|age| now.checked_sub(age));
            self.probes.recall(memory.history, last);
        }
        if let Some(ttft) = memory.ttft {
            self.latency.recall_traffic(ttft, now);
        }
        self.is_remembered = self.latency.best_known().is_some();
    }
}
