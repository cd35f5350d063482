//! Puts a configuration into force.

use std::collections::BTreeSet;
use std::time::Instant;

use super::endpoint::Endpoint;
use super::mode::Mode;
use super::state::Fleet;
use crate::config::Config;
use crate::endpoint_id::EndpointId;
use crate::price::Cost;

impl Fleet {
    /// Puts a configuration into force. Endpoints are matched by name. An endpoint that stays keeps what was
    /// learned about it, unless its URL changed. `new_credentials` names the endpoints whose secret has
    /// changed.
    pub fn handle_config(
        &mut self,
        config: Config,
        without_credential: &BTreeSet<String>,
        new_credentials: &BTreeSet<String>,
        now: Instant,
    ) {
        let mut old = std::mem::take(&mut self.endpoints);
        for spec in &config.endpoints {
            let known = old
                .iter()
                .position(|endpoint| endpoint.spec.name == spec.name);
            let mut endpoint = match known.map(|at| old.swap_remove(at)) {
                Some(endpoint) if endpoint.spec.url == spec.url => {
                    endpoint.with_spec(spec.clone(), now)
                }
                Some(_) | None => {
                    self.next_id += 1;
                    Endpoint::new(EndpointId::new(self.next_id), spec.clone(), now)
                }
            };
            endpoint.access.has_credential = !without_credential.contains(&spec.name);
            if new_credentials.contains(&spec.name) {
                endpoint.credential_changed(now);
            }
            self.endpoints.push(endpoint);
        }
        if let Mode::Pinned(pinned) = self.mode
            && self.get(pinned).is_none()
        {
            self.mode = Mode::Auto;
        }
        self.budget
            .set_percent(config.failover.retry_budget_percent);
        self.hedges
            .set_percent(config.failover.hedge_budget_percent);
        if budgets(&config) != budgets(&self.config) {
            self.spend.forget_reached();
        }
        self.config = config;
        self.queue.rouse();
        self.look_at_hosts(now);
        self.reconsider(now);
    }

    /// Renames an endpoint and keeps what was learned about it. The configuration with the new name must
    /// follow.
    pub fn rename(&mut self, from: &str, to: &str) {
        let named = self
            .endpoints
            .iter_mut()
            .find(|endpoint| endpoint.spec.name == from);
        if let Some(endpoint) = named {
            to.clone_into(&mut endpoint.spec.name);
            self.spend.rename(from, to);
        }
    }
}

fn budgets(config: &Config) -> Vec<Cost> {
    let checks = config.endpoints.iter().map(|spec| &spec.health_check);
    let all = checks.chain([&config.health_check]);
    all.map(|check| Cost::from_usd(check.daily_budget_usd))
        .collect()
}
