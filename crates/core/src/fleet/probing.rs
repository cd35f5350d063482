//! The fleet's probes: which kind the budget allows, how they are booked, and what they cost.
//!
//! The rules are in [`crate::schedule`] and [`crate::spend`].

use std::time::Instant;

use super::effect::Effect;
use super::endpoint::Check;
use super::probed::Probed;
use super::state::Fleet;
use crate::config::ProbeMode;
use crate::endpoint_id::EndpointId;
use crate::latency::Percentiles;
use crate::price::Cost;
use crate::schedule::Load;
use crate::spend::{self, Day};

impl Fleet {
    /// The kind of the probe that was asked for.
    pub fn probe_mode(&self, id: EndpointId) -> ProbeMode {
        self.get(id)
            .and_then(|endpoint| endpoint.probes.out)
            .map_or(ProbeMode::Off, |check| check.mode)
    }

    /// Books how a probe ended.
    pub fn handle_probe(&mut self, id: EndpointId, probed: impl Into<Probed>, now: Instant) {
        let Probed {
            result,
            mode,
            cost,
            quota,
        } = probed.into();
        let blame = self.blame(id, result.contact(), now);
        let policy = self.config.breaker.clone();
        let jitter = self.rng.below(100);
        let load = self.load(now);
        let Some(endpoint) = self.endpoints.iter_mut().find(|endpoint| endpoint.id == id) else {
            return;
        };
        self.spend.book(&endpoint.spec.name, cost);
        let turned = quota.is_some_and(|quota| endpoint.reserve.note(quota, now));
        let change = endpoint.handle_probe((mode, result), blame, &policy, (load, jitter), now);
        self.after(id, change, now);
        if turned {
            self.reconsider(now);
        }
        self.look_for_doubt(now);
    }

    /// Says which day it is, and when it ends.
    pub fn begin_day(&mut self, day: Day) {
        self.spend.begin(day);
    }

    /// Whether the end of the day is known. If it is not, call [`Self::begin_day`].
    pub fn knows_day(&self, now: Instant) -> bool {
        self.spend.knows_day(now)
    }

    /// Books the cost of a check outside the schedule, at the endpoint with that name.
    pub fn book_check(&mut self, endpoint: &str, cost: Cost) {
        self.spend.book(endpoint, cost);
    }

    /// What all probes have cost today.
    pub fn spent_today(&self) -> Cost {
        self.spend.total()
    }

    /// What the probes of one endpoint have cost today.
    pub fn spent_today_at(&self, endpoint: &str) -> Cost {
        self.spend.of(endpoint)
    }

    /// The daily limit, if it was reached. Until the day ends, the probes under this limit are free ones.
    pub fn budget_reached(&self) -> Option<Cost> {
        self.spend.reached()
    }

    /// Times to the first event of an endpoint's real traffic, by model. The model used last comes first.
    pub fn ttft_percentiles(&self, id: EndpointId) -> impl Iterator<Item = Percentiles<'_>> {
        let endpoint = self.get(id).into_iter();
        endpoint.flat_map(|endpoint| endpoint.latency.percentiles())
    }

    /// Asks for the probe of the endpoint at `index`: the configured kind, or a free one.
    pub(super) fn send_probe(&mut self, index: usize) {
        let free = Check {
            mode: ProbeMode::CountTokens,
            reserved: Cost::ZERO,
        };
        let is_spent = self.endpoints[index].spent_until().is_some();
        let check = match self.check_budget(index) {
            Ok(check) if is_spent && check.mode.proves_messages() => free,
            Ok(check) => check,
            Err(limit) => {
                if self.spend.note_reached(limit) {
                    self.effects.push_back(Effect::BudgetReached { limit });
                }
                free
            }
        };
        let endpoint = &mut self.endpoints[index];
        endpoint.send_probe(check);
        self.effects.push_back(Effect::Probe(endpoint.id));
    }

    /// An attempt was sent. Probes that were planned for a smaller load are due sooner.
    pub(super) fn load_has_risen(&mut self, now: Instant) {
        let load = self.load(now);
        for endpoint in &mut self.endpoints {
            endpoint.hasten(load);
        }
    }

    /// How busy the fleet is.
    pub(super) fn load(&self, now: Instant) -> Load {
        match self
            .endpoints
            .iter()
            .map(|endpoint| endpoint.traffic.in_flight)
            .sum()
        {
            0 => Load::Idle(now.saturating_duration_since(self.busy_at)),
            requests => Load::Busy(requests),
        }
    }

    /// The configured probe, or the limit that does not allow it.
    fn check_budget(&self, index: usize) -> Result<Check, Cost> {
        let spec = &self.endpoints[index].spec;
        let check = &spec.health_check;
        let reserved = spend::bound(&check.model, check.mode, &self.config.pricing, spec.price);
        if reserved > Cost::ZERO {
            let total = self.spend.total() + self.reserved(|_| true);
            let of_group = || {
                let members = self.config.endpoints.iter();
                members.filter(|other| other.group == spec.group)
            };
            let group: Cost = of_group().map(|other| self.spend.of(&other.name)).sum();
            let group = group + self.reserved(|group| group == spec.group);
            let limits = [
                (total, self.config.health_check.daily_budget_usd),
                (group, check.daily_budget_usd),
            ];
            for (spent, limit) in limits {
                let limit = Cost::from_usd(limit);
                if spent + reserved > limit {
                    return Err(limit);
                }
            }
        }
        Ok(Check {
            mode: check.mode,
            reserved,
        })
    }

    /// The most that the probes in flight may cost, in the groups asked for.
    fn reserved(&self, asked_for: impl Fn(&str) -> bool) -> Cost {
        let endpoints = self.endpoints.iter();
        endpoints
            .filter(|endpoint| asked_for(&endpoint.spec.group))
            .filter_map(|endpoint| Some(endpoint.probes.out?.reserved))
            .sum()
    }
}
