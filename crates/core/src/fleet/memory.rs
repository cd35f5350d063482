//! What of a fleet outlives its process: plain data, written down and read back by whoever owns it.
//!
//! Kept is what persons decided (mode and pin, pause, endpoints switched on or off) and what was
//! measured, with its age. Not kept are circuits, conversations and counters: how an endpoint is now, a
//! probe finds out within seconds, and what it did to another process is no reason to keep it out. What
//! probes have cost today is kept, so that a restart is no way around their budget.
//!
//! An endpoint is the same one if it has the same name and URL; of any other, and of one that is gone,
//! nothing is taken over. What a person switched counts until the file's own `enabled` changes. Latencies
//! are comparable only if the probe is of the same kind. How much an old latency still weighs is for
//! [`crate::ewma`] to say.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::config::ProbeMode;
use crate::ewma::Remembered;
use crate::fleet::{Fleet, Mode};
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

/// What of one endpoint outlives its fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointMemory {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// What the file said of `enabled`.
    pub enabled_in_file: bool,
    /// What counts.
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

impl Memory {
    /// The same memory, so much later.
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

impl Fleet {
    /// What is to outlive this fleet.
    pub fn memory(&self, now: Instant) -> Memory {
        let pinned = match self.mode {
            Mode::Auto => None,
            Mode::Pinned(id) => self.get(id).map(|endpoint| endpoint.spec.name.clone()),
        };
        Memory {
            pinned,
            paused: self.paused,
            endpoints: self
                .endpoints
                .iter()
                .map(|endpoint| endpoint.remember(now))
                .collect(),
            spent: self.spend.remember(),
        }
    }

    /// Takes over what an earlier fleet left, before anything else happens to this one.
    pub fn restore(&mut self, memory: Memory, now: Instant) {
        self.spend.recall(memory.spent);
        let mut pinned = None;
        for kept in memory.endpoints {
            let mut endpoints = self.endpoints.iter_mut();
            let same = endpoints.find(|endpoint| {
                endpoint.spec.name == kept.name && endpoint.spec.url.to_string() == kept.url
            });
            let Some(endpoint) = same else { continue };
            if memory.pinned.as_ref() == Some(&kept.name) {
                pinned = Some(endpoint.id);
            }
            endpoint.recall(kept, now);
        }
        self.mode = pinned.map_or(Mode::Auto, Mode::Pinned);
        self.paused = memory.paused;
        // Nobody has been told yet what it chose without a memory.
        self.effects.clear();
        self.all_down = false;
        self.preferred = None;
        self.decision = None;
        self.reconsider(now);
    }
}
