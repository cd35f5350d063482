//! Writing a fleet's memory, and taking it over.

use std::time::Instant;

use super::memory::Memory;
use super::mode::Mode;
use super::state::Fleet;

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
        // Nobody has been told yet what this fleet chose without a memory.
        self.effects.clear();
        self.all_down = false;
        self.preferred = None;
        self.decision = None;
        self.reconsider(now);
    }
}
