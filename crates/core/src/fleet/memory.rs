//! What is saved of a fleet for the next run: plain data that its owner writes and reads.
//!
//! Two things are saved: what a person decided (mode and pin, pause, endpoints switched on or off), and what
//! was measured, with its age. Circuits, conversations and counters are not saved: a probe finds out within
//! seconds how an endpoint is now, and a failure in another process is no reason to keep it out. The cost of
//! today's probes is saved, so that a restart does not reset their budget.
//!
//! An endpoint is the same if it has the same name and URL. Otherwise nothing is restored. A person's switch
//! counts until `enabled` in the file changes. Latencies are compared only if the probe is of the same kind.
//! [`crate::latency`] decides how much an old latency counts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::ProbeMode;
use crate::latency::Remembered;
use crate::spend::Spent;

/// What is saved of a fleet for the next run.
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
    /// The same memory when it is older by this time.
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

/// What is saved of one endpoint for the next run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointMemory {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// The value of `enabled` in the file.
    pub enabled_in_file: bool,
    /// Whether it is enabled now.
    pub enabled: bool,
    /// The kind of its probes.
    pub probe: ProbeMode,
    /// The model that its probes name.
    pub probe_model: String,
    /// The median of the last probes.
    pub latency: Option<Remembered>,
    /// The median of the last first events of real traffic.
    pub ttft: Option<Remembered>,
    /// The latencies of the last probes, oldest first. `None`: it failed.
    pub history: Vec<Option<Duration>>,
    /// How long ago it was last probed.
    pub last_probe: Option<Duration>,
}
