//! Saves a fleet's memory, and restores it.

use std::time::Instant;

use super::memory::Memory;
use super::mode::Mode;
use super::state::Fleet;

impl Fleet {
    /// What the next run should know.
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

    /// Restores what an earlier fleet saved. Must come before anything else happens to this fleet.
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
        // Front-ends have not seen yet what this fleet chose without a memory.
        self.effects.clear();
        self.all_down = false;
        self.preferred = None;
        self.decision = None;
        self.reconsider(now);
    }
}
