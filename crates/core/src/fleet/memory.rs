//! What of a fleet outlives its process: plain data, written down and read back by its owner.
//!
//! Kept is what persons decided (mode and pin, pause, endpoints switched on or off) and what was measured, with
//! its age. Circuits, conversations and counters are not kept: a probe finds out within seconds how an endpoint is
//! now, and what it did to another process is no reason to keep it out. What probes have cost today is kept, so
//! that a restart does not get around their budget.
//!
//! An endpoint is the same one if it has the same name and URL; nothing is taken over of any other. What a person
//! switched counts until the file's own `enabled` changes. Latencies are comparable only if the probe is of the
//! same kind. [`crate::latency`] decides how much an old latency still weighs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::ProbeMode;
use crate::latency::Remembered;
use crate::spend::Spent;

/// What of a fleet outlives its process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The endpoint that a person pinned, by name.
    pub pinned: Option<String>,
    /// Whether monitoring is paused.
    pub paused: bool,
    /// The endpoints.
    pub endpoints: Vec<EndpointMemory>,
    /// What probes cost on the last day.
    #[serde(default)]
    pub spent: Spent,
}

impl Memory {
    /// The same memory, this much later.
    #[must_use]
    pub fn aged(mut self, by: Duration) -> Self {
        let older = |age: &mut Duration| *age = age.saturating_add(by);
        for endpoint in &mut self.endpoints {
            let measured = endpoint.latency.iter_mut().chain(&mut endpoint.ttft);
            measured.for_each(|remembered| older(&mut remembered.age));
            endpoint.last_probe.iter_mut().for_each(older);
        }
        self
    }
}

/// What of one endpoint outlives its fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointMemory {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// What the file said of `enabled`.
    pub enabled_in_file: bool,
    /// Whether it is enabled now.
    pub enabled: bool,
    /// What its probes do.
    pub probe: ProbeMode,
    /// The model that they name.
    pub probe_model: String,
    /// Latency of probes, smoothed.
    pub latency: Option<Remembered>,
    /// Time to first event of real traffic, smoothed.
    pub ttft: Option<Remembered>,
    /// Latencies of the last probes, oldest first; `None` failed.
    pub history: Vec<Option<Duration>>,
    /// How long ago it was last probed.
    pub last_probe: Option<Duration>,
}
