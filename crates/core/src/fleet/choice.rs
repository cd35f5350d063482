//! Chooses the endpoint for one attempt.
//!
//! 1. A pinned endpoint, if it is fit.
//! 2. The conversation's home, if it is fit: fitness outranks stickiness, and stickiness outranks speed, unless the
//!    speed is worth more than the cache ([`crate::worth`]).
//! 3. By the strategy: the preferred endpoint, or the one whose turn it is.
//! 4. None is fit: a half-open one, and as a last resort the best of those that are out, but never one that refuses
//!    our credential.
//!
//! If the answer to a request broke off, the client repeats the request. The repeat avoids that endpoint in
//! the first three steps, as long as another one is fit.

use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::journey::Journey;
use super::mode::Mode;
use super::reason::{Why, WhyNot};
use super::state::Fleet;
use crate::config::Strategy;
use crate::endpoint_id::EndpointId;
use crate::latency::Size;
use crate::rng::Rng;
use crate::worth::Scale;

/// Where an attempt would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// To this endpoint.
    One(EndpointId, Why),
    /// To one of these, by turns or by chance. Each has its weight; there is at least one.
    Turn(Vec<(EndpointId, u32)>),
}

impl Fleet {
    /// The endpoint for the next attempt of `journey`.
    pub(super) fn choose(
        &mut self,
        journey: &mut Journey,
        now: Instant,
    ) -> Option<(EndpointId, Why)> {
        if !journey.avoids.is_empty() {
            if let Some((id, why)) = self.choose_fit(journey, now) {
                let by_strategy =
                    matches!(why, Why::InUse | Why::StandsIn | Why::Replaces | Why::Turn);
                let is_due = by_strategy
                    && journey
                        .left_broken()
                        .is_some_and(|broken| self.would_go_to(broken, journey, now));
                return Some((id, if is_due { Why::LeavesBroken } else { why }));
            }
            journey.avoids.clear(); // No other endpoint is fit.
        }
        self.choose_fit(journey, now)
            .or_else(|| self.choose_trial(journey, now))
            .or_else(|| self.choose_last_resort(journey))
    }

    /// Why each endpoint may not take an attempt of `journey`. Endpoints that may take it are not listed.
    pub(super) fn rejections(&self, journey: &Journey, now: Instant) -> Vec<(EndpointId, WhyNot)> {
        let why_not = |endpoint: &Endpoint| {
            let why = endpoint.check(journey, false, now).err()?;
            Some((endpoint.id, why))
        };
        self.endpoints.iter().filter_map(why_not).collect()
    }

    /// Where the next attempt of `journey` would go. Asking changes nothing.
    pub(super) fn look_where(&self, journey: &Journey, now: Instant) -> Option<Pick> {
        let one = |(id, why)| Pick::One(id, why);
        self.pick_fit(journey, now)
            .or_else(|| self.choose_trial(journey, now).map(one))
            .or_else(|| self.choose_last_resort(journey).map(one))
    }

    fn choose_fit(&mut self, journey: &Journey, now: Instant) -> Option<(EndpointId, Why)> {
        match self.pick_fit(journey, now)? {
            Pick::One(id, why) => Some((id, why)),
            Pick::Turn(candidates) => {
                let chosen = if self.config.routing.strategy == Strategy::Random {
                    pick(&candidates, &mut self.rng)
                } else {
                    self.turns.next(&candidates)
                };
                chosen.map(|id| (id, Why::Turn))
            }
        }
    }

    /// The fit endpoint for an attempt of `journey`, or the ones that take turns.
    pub(super) fn pick_fit(&self, journey: &Journey, now: Instant) -> Option<Pick> {
        if let Mode::Pinned(pinned) = self.mode
            && let Some(why) = self.may_use_pinned(pinned, journey, now)
        {
            return Some(Pick::One(pinned, why));
        }
        if let Mode::Auto = self.mode
            && let Some((id, why)) = self.stay_or_move(journey, now)
        {
            return Some(Pick::One(id, why));
        }
        self.pick_by_strategy(journey, now)
    }

    /// Whether `journey` would go to the endpoint that it avoids: the pinned one, its home, or the one in
    /// use.
    fn would_go_to(&self, avoided: EndpointId, journey: &Journey, now: Instant) -> bool {
        let check = |id| {
            self.get(id)
                .map(|endpoint| endpoint.check(journey, false, now))
        };
        let routing = &self.config.routing;
        let first = match self.mode {
            Mode::Pinned(pinned) => Some(pinned),
            Mode::Auto => journey
                .session
                .filter(|_| routing.sticky_sessions)
                .and_then(|session| {
                    self.conversations
                        .home((session, journey.model()), routing.sticky_ttl, now)
                })
                .map(|home| home.endpoint),
        };
        [first, self.preferred]
            .into_iter()
            .flatten()
            .find(|&id| matches!(check(id), Some(Ok(()) | Err(WhyNot::BrokeOff))))
            .is_some_and(|id| id == avoided)
    }

    fn may_use_pinned(&self, pinned: EndpointId, journey: &Journey, now: Instant) -> Option<Why> {
        let endpoint = self.get(pinned)?;
        let trial_wanted = !endpoint.probe_decides(self.paused);
        match endpoint.check(journey, trial_wanted, now) {
            Ok(()) if endpoint.is_half_open() => Some(Why::Trial),
            Ok(()) => Some(Why::Pinned),
            // Without failover only the pinned endpoint is used, so its circuit protects nothing.
            Err(_) if !self.config.failover.enabled => endpoint
                .check_last_resort(journey)
                .ok()
                .map(|()| Why::Pinned),
            Err(_) => None,
        }
    }

    /// The conversation's home if it is fit, or the preferred endpoint if the move is worth it.
    fn stay_or_move(&self, journey: &Journey, now: Instant) -> Option<(EndpointId, Why)> {
        let routing = &self.config.routing;
        if !routing.sticky_sessions {
            return None;
        }
        let home = self.conversations.home(
            (journey.session?, journey.model()),
            routing.sticky_ttl,
            now,
        )?;
        let here = self.get(home.endpoint)?;
        here.check(journey, false, now).ok()?;
        let stays = Some((here.id, Why::Sticky));
        let may_move = !self.paused && home.since + routing.min_dwell <= now;
        let (Some(there), Some(cached)) = (
            self.preferred.and_then(|id| self.get(id)),
            home.cached.as_ref().filter(|_| may_move),
        ) else {
            return stays;
        };
        let may_come = there.reserve.dry.is_none() && there.check(journey, false, now).is_ok();
        if there.id == here.id || !may_come {
            return stays;
        }
        let saved = self.saved_by_moving(journey, here, there, now);
        let Some(saved) = saved.filter(|saved| *saved >= self.config.server.switch_threshold)
        else {
            return stays;
        };
        let prices = (here.spec.price, there.spec.price);
        let worth = cached.weigh(saved, home.turns, prices, Scale::of(&self.config), now);
        if worth.is_worth_it() {
            Some((there.id, Why::WorthMoving(worth)))
        } else {
            Some((here.id, Why::StaysForCache(worth)))
        }
    }

    /// How much sooner answers would begin there, if both are measured in the same way: by the last first
    /// events of such requests, if there were some lately at both, or else by the checks.
    fn saved_by_moving(
        &self,
        journey: &Journey,
        here: &Endpoint,
        there: &Endpoint,
        now: Instant,
    ) -> Option<Duration> {
        let (model, size) = (journey.model(), Size::of(journey.traits.bytes));
        let lately = |endpoint: &Endpoint| endpoint.latency.lately((model?, size), now);
        if let Some(slowness) = here.latency.slowness() {
            // If the other endpoint is unknown, assume that it is as fast as this one usually is.
            let usual = || there.latency.usual(model?);
            let expected = lately(there).or_else(usual).unwrap_or(slowness.usual);
            return slowness.its.checked_sub(expected);
        }
        if self.config.routing.strategy != Strategy::Latency {
            return None; // Speed does not matter under priority and price.
        }
        let checked = || {
            let comparison = here.latency.compare(&there.latency)?;
            Some((comparison.here.usual, comparison.there.usual))
        };
        let (from, to) = lately(here).zip(lately(there)).or_else(checked)?;
        from.checked_sub(to)
    }

    /// A slow endpoint whose pause is over. A new conversation tries it if it would be chosen otherwise.
    fn slow_one_to_try(&self, journey: &Journey, now: Instant) -> Option<EndpointId> {
        if self.paused || self.mode != Mode::Auto || journey.has_failed() {
            return None;
        }
        let in_use = self.preferred.and_then(|id| self.get(id));
        let rivals = |endpoint: &Endpoint| {
            in_use.is_none_or(|in_use| {
                in_use.id != endpoint.id && self.merit(endpoint) <= self.merit(in_use)
            })
        };
        let mut endpoints = self.endpoints.iter();
        let waits = |endpoint: &&Endpoint| {
            endpoint.latency.may_be_tried(now)
                && endpoint.reserve.dry.is_none()
                && rivals(endpoint)
                && endpoint.check(journey, false, now).is_ok()
        };
        endpoints.find(waits).map(|endpoint| endpoint.id)
    }

    fn pick_by_strategy(&self, journey: &Journey, now: Instant) -> Option<Pick> {
        if let Some(trial) = self.trial_that_no_probe_makes(journey, now) {
            return Some(Pick::One(trial, Why::Trial));
        }
        if let Some(slow) = self.slow_one_to_try(journey, now) {
            return Some(Pick::One(slow, Why::Trial));
        }
        let fit = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.check(journey, false, now).is_ok());
        // Slow endpoints, and those about to run dry, are skipped as long as there are others.
        let burden = |endpoint: &Endpoint| {
            (
                endpoint.latency.slowness().is_some(),
                endpoint.reserve.dry.is_some(),
            )
        };
        let least = fit.clone().map(burden).min().filter(|_| !self.paused);
        let its_turn = fit
            .clone()
            .filter(|endpoint| least.is_none_or(|least| burden(endpoint) == least));
        let candidates: Vec<(EndpointId, u32)> = match self.config.routing.strategy {
            Strategy::WeightedRoundRobin => its_turn
                .map(|endpoint| (endpoint.id, endpoint.spec.weight))
                .collect(),
            Strategy::RoundRobin | Strategy::Random => {
                its_turn.map(|endpoint| (endpoint.id, 1)).collect()
            }
            Strategy::Latency | Strategy::Priority | Strategy::Price => {
                if let Some(id) = self
                    .preferred
                    .filter(|&id| fit.clone().any(|endpoint| endpoint.id == id))
                {
                    return Some(Pick::One(id, Why::InUse));
                }
                let best = fit.min_by_key(|endpoint| self.rank(endpoint))?;
                let why = match self.preferred {
                    Some(_) => Why::StandsIn,
                    None => Why::Replaces,
                };
                return Some(Pick::One(best.id, why));
            }
        };
        (!candidates.is_empty()).then_some(Pick::Turn(candidates))
    }

    /// A half-open endpoint that no probe can test. One request at a time tests it.
    fn trial_that_no_probe_makes(&self, journey: &Journey, now: Instant) -> Option<EndpointId> {
        if journey.has_failed() {
            return None; // This request has already failed once, so it is not risked again.
        }
        let waits = |endpoint: &&Endpoint| {
            endpoint.is_half_open()
                && !endpoint.probe_decides(self.paused)
                && endpoint.check(journey, true, now).is_ok()
        };
        self.endpoints
            .iter()
            .find(waits)
            .map(|endpoint| endpoint.id)
    }

    /// No closed endpoint is left, so a half-open one does not wait for its probe.
    fn choose_trial(&self, journey: &Journey, now: Instant) -> Option<(EndpointId, Why)> {
        let may = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.check(journey, true, now).is_ok());
        may.min_by_key(|endpoint| self.rank(endpoint))
            .map(|endpoint| (endpoint.id, Why::Trial))
    }

    fn choose_last_resort(&self, journey: &Journey) -> Option<(EndpointId, Why)> {
        if !self.config.failover.last_resort {
            return None;
        }
        let may = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.check_last_resort(journey).is_ok());
        may.min_by_key(|endpoint| self.remnant(endpoint))
            .map(|endpoint| (endpoint.id, Why::LastResort))
    }
}

fn pick(candidates: &[(EndpointId, u32)], rng: &mut Rng) -> Option<EndpointId> {
    let index = rng.below(candidates.len() as u64);
    candidates
        .get(usize::try_from(index).ok()?)
        .map(|&(id, _)| id)
}
