//! What happens when time passes.

use std::time::Instant;

use super::effect::Effect;
use super::endpoint::{Due, Monitoring};
use super::state::Fleet;

impl Fleet {
    /// When [`Self::handle_timeout`] must be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let monitoring = self.monitoring();
        let endpoints = self
            .endpoints
            .iter()
            .filter_map(|endpoint| endpoint.poll_timeout(monitoring));
        endpoints
            .chain(self.dwell_until)
            .chain(self.spend.poll_timeout())
            .chain(self.queue.poll_timeout())
            .min()
    }

    /// Ends the cooldowns, dwells and drains that are over by `now`, and asks for the probes that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let monitoring = self.monitoring();
        self.spend.handle_timeout(now);
        for index in 0..self.endpoints.len() {
            let endpoint = &mut self.endpoints[index];
            match endpoint.handle_timeout(monitoring, now, &mut self.effects) {
                Due::Probe => self.send_probe(index),
                Due::Nothing => {}
            }
        }
        self.reconsider(now);
    }

    /// The next effect to carry out.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    fn monitoring(&self) -> Monitoring {
        if self.paused {
            Monitoring::Paused
        } else if self.offline_since.is_some() {
            Monitoring::Offline
        } else {
            Monitoring::Running
        }
    }
}
