//! What a fleet shows.

use std::time::Instant;

use super::endpoint::{Endpoint, EndpointStatus};
use super::mode::Mode;
use super::reason::Decision;
use super::state::Fleet;
use super::weighed::Weighed;
use crate::config::Config;
use crate::endpoint_id::EndpointId;
use crate::latency::Measure;

impl Fleet {
    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether Zephyr chooses.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether monitoring is paused.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The preferred endpoint, and why. `None`: requests are distributed, or no endpoint is fit.
    pub fn preferred(&self) -> Option<(EndpointId, &Decision)> {
        self.preferred.zip(self.decision.as_ref())
    }

    /// The last time that a conversation's prompt cache was weighed against a faster endpoint, if it was in the
    /// last ten minutes.
    pub fn last_weighed(&self, now: Instant) -> Option<Weighed> {
        self.weighed.filter(|weighed| weighed.is_recent(now))
    }

    /// The endpoint of that name.
    pub fn find(&self, name: &str) -> Option<EndpointId> {
        let found = self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.spec.name == name);
        found.map(|endpoint| endpoint.id)
    }

    /// Every endpoint as it is now, in the configuration's order.
    pub fn status(&self) -> impl Iterator<Item = EndpointStatus<'_>> {
        self.endpoints.iter().map(Endpoint::status)
    }

    /// One endpoint as it is now.
    pub fn status_of(&self, id: EndpointId) -> Option<EndpointStatus<'_>> {
        self.get(id).map(Endpoint::status)
    }

    /// Which measurement of an endpoint is compared with that of the endpoint in use, or for that one, with
    /// those of the others. `None`: there is nothing to compare.
    pub fn compared_by(&self, id: EndpointId) -> Option<Measure> {
        let current = self.get(self.preferred?)?;
        let others = self.endpoints.iter().filter(|other| {
            let is_asked_for = current.id == id || other.id == id;
            other.id != current.id && is_asked_for
        });
        let compared = others.filter_map(|other| current.latency.compare(&other.latency));
        compared.map(|comparison| comparison.measure).min()
    }

    /// An endpoint's share of all attempts in the last five minutes. `None`: there were none.
    pub fn share(&self, id: EndpointId, now: Instant) -> Option<f64> {
        let lately = |endpoint: &Endpoint| endpoint.traffic.lately(now);
        let all: u64 = self.endpoints.iter().map(lately).sum();
        let its = self.get(id).map(lately)?;
        (all > 0).then(|| its as f64 / all as f64)
    }
}
