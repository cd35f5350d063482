//! Choosing: for one attempt, and the preferred endpoint of all.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use crate::circuit::{Cause, State};
use crate::config::Strategy;
use crate::fleet::endpoint::Endpoint;
use crate::fleet::{Decision, Effect, EndpointId, Fleet, Journey, Mode, Why, WhyNot};
use crate::rng::Rng;

/// Which endpoint is better: the smaller. The order of the fields is the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    last_probe_failed: bool,
    /// Answers, but many times slower than it does.
    slow: bool,
    /// Its quota is about to run dry.
    runs_dry: bool,
    /// By the strategy; equal for all under `latency`.
    merit: Merit,
    /// Unmeasured ones come last, in the configuration's order.
    unmeasured: bool,
    latency: Duration,
    position: Position,
}

/// Priority as it is, or the bits of a price: for numbers that are not negative they order as it does.
type Merit = u64;

/// The default group first, then the configuration's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    outside_default_group: bool,
    index: usize,
}

/// How usable the best of what is out is: for the last resort. The smaller is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Remnant {
    /// Not open at all (a trial is out, or the model is said not to be served), else by cause.
    cause: Option<Cause>,
    /// The one that is free earliest.
    until: Option<Instant>,
    position: Position,
}

/// Which endpoint should be preferred.
struct Preference {
    endpoint: EndpointId,
    why: Why,
    /// When a better one may be switched to, if only the dwell holds it back.
    dwell_until: Option<Instant>,
}

/// Where the round robin stands.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Credit of each endpoint: smooth weighted round robin, as nginx does it.
    credit: Vec<(EndpointId, i64)>,
}

impl Turns {
    /// The next of `candidates`, in proportion to their weights and as evenly spaced as these allow.
    fn next(&mut self, candidates: &[(EndpointId, u32)]) -> Option<EndpointId> {
        self.credit
            .retain(|(id, _)| candidates.iter().any(|(candidate, _)| candidate == id));
        for &(id, weight) in candidates {
            match self.credit.iter_mut().find(|(known, _)| *known == id) {
                Some((_, credit)) => *credit += i64::from(weight),
                None => self.credit.push((id, i64::from(weight))),
            }
        }
        let total: i64 = candidates
            .iter()
            .map(|&(_, weight)| i64::from(weight))
            .sum();
        // Of equals the first: candidates come in the configuration's order.
        let by_credit = |&(id, _): &(EndpointId, u32)| {
            let credit = self.credit.iter().find(|(known, _)| *known == id);
            Reverse(credit.map_or(0, |&(_, credit)| credit))
        };
        let (chosen, _) = *candidates
            .iter()
            .min_by_key(|candidate| by_credit(candidate))?;
        if let Some((_, credit)) = self.credit.iter_mut().find(|(id, _)| *id == chosen) {
            *credit -= total;
        }
        Some(chosen)
    }
}

impl Fleet {
    /// The endpoint for the next attempt of `journey`.
    pub(super) fn choose(
        &mut self,
        journey: &mut Journey,
        now: Instant,
    ) -> Option<(EndpointId, Why)> {
        if let Some(avoided) = journey.avoids {
            if let Some((id, why)) = self.choose_fit(journey, now) {
                let is_due = self.would_go_to(avoided, journey, now);
                return Some((id, if is_due { Why::LeavesBroken } else { why }));
            }
            journey.avoids = None; // Nothing else is fit.
        }
        self.choose_fit(journey, now)
            .or_else(|| self.choose_trial(journey, now))
            .or_else(|| self.choose_last_resort(journey))
    }

    fn choose_fit(&mut self, journey: &Journey, now: Instant) -> Option<(EndpointId, Why)> {
        if let Mode::Pinned(pinned) = self.mode
            && let Some(why) = self.may_use_pinned(pinned, journey, now)
        {
            return Some((pinned, why));
        }
        if let Mode::Auto = self.mode
            && let Some(choice) = self.stay_or_move(journey, now)
        {
            return Some(choice);
        }
        self.choose_by_strategy(journey, now)
    }

    /// Whether `journey` would go to the endpoint that it avoids, as the pin, its home or the one in use.
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
                .and_then(|session| self.conversations.home(session, routing.sticky_ttl, now))
                .map(|home| home.endpoint),
        };
        [first, self.preferred]
            .into_iter()
            .flatten()
            .find(|&id| matches!(check(id), Some(Ok(()) | Err(WhyNot::BrokeOff))))
            .is_some_and(|id| id == avoided)
    }

    /// Why each endpoint may not take an attempt of `journey`; those that may are left out.
    pub(super) fn rejections(&self, journey: &Journey, now: Instant) -> Vec<(EndpointId, WhyNot)> {
        let why_not = |endpoint: &Endpoint| {
            let why = endpoint.check(journey, false, now).err()?;
            Some((endpoint.id, why))
        };
        self.endpoints.iter().filter_map(why_not).collect()
    }

    /// Looks at the preferred endpoint again, after anything that may have changed it.
    pub(super) fn reconsider(&mut self, now: Instant) {
        self.prefer_again(now);
        self.call_who_may_go(now);
    }

    fn prefer_again(&mut self, now: Instant) {
        self.dwell_until = None;
        self.tell_if_all_down();
        if self.config.routing.strategy.distributes() && self.mode == Mode::Auto {
            self.preferred = None;
            self.decision = None;
            return;
        }
        let fit_now = self.preferred.filter(|&id| self.is_fit(id));
        let Some(Preference {
            endpoint: target,
            why,
            dwell_until,
        }) = self.preference(fit_now, now)
        else {
            self.preferred = None;
            self.decision = None;
            return;
        };
        self.dwell_until = dwell_until;
        if self.preferred != Some(target) {
            let from = self.preferred;
            let decision = self.decide(target, why, now, Vec::new());
            if from.is_some() {
                self.switched_at = Some(now);
            }
            self.preferred = Some(target);
            self.decision = Some(decision.clone());
            self.effects.push_back(Effect::Switched {
                from,
                to: target,
                decision,
            });
        } else if why == Why::Pinned
            || self
                .decision
                .as_ref()
                .is_none_or(|decision| decision.why == Why::Pinned)
        {
            self.decision = Some(self.decide(target, why, now, Vec::new()));
        } else if let Some(old) = self.decision.take() {
            // The reason for having come here stays; why the others are not better may have changed.
            self.decision = Some(self.decide(target, old.why, now, old.others));
        }
    }

    fn may_use_pinned(&self, pinned: EndpointId, journey: &Journey, now: Instant) -> Option<Why> {
        let endpoint = self.get(pinned)?;
        let trial_wanted = !endpoint.probe_decides(self.paused);
        match endpoint.check(journey, trial_wanted, now) {
            Ok(()) if endpoint.is_half_open() => Some(Why::Trial),
            Ok(()) => Some(Why::Pinned),
            // Without failover the pin is all there is; its breaker then protects nobody.
            Err(_) if !self.config.failover.enabled => endpoint
                .check_last_resort(journey)
                .ok()
                .map(|()| Why::Pinned),
            Err(_) => None,
        }
    }

    /// The conversation's home if it is fit, or the preferred endpoint if moving there is worth it.
    fn stay_or_move(&self, journey: &Journey, now: Instant) -> Option<(EndpointId, Why)> {
        let routing = &self.config.routing;
        if !routing.sticky_sessions {
            return None;
        }
        let home = self
            .conversations
            .home(journey.session?, routing.sticky_ttl, now)?;
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
        let may_come = there.dry().is_none() && there.check(journey, false, now).is_ok();
        if there.id == here.id || !may_come {
            return stays;
        }
        let saved = self.saved_by_moving(journey.model(), here, there);
        let Some(saved) = saved.filter(|saved| *saved >= self.config.server.switch_threshold)
        else {
            return stays;
        };
        let prices = (here.spec.price, there.spec.price);
        let worth = cached.weigh(saved, home.turns, prices, &self.config.pricing, now);
        if worth.is_worth_it() {
            Some((there.id, Why::WorthMoving(worth)))
        } else {
            Some((here.id, Why::StaysForCache(worth)))
        }
    }

    /// How much sooner answers would begin there, measured the same way at both.
    fn saved_by_moving(
        &self,
        model: Option<&str>,
        here: &Endpoint,
        there: &Endpoint,
    ) -> Option<Duration> {
        let usual = |endpoint: &Endpoint| endpoint.pace.usual(model?);
        if let Some(slowness) = here.pace.slowness() {
            // Where nothing is known of the other: as fast as this one usually is.
            let expected = usual(there).unwrap_or(slowness.usual);
            return slowness.its.checked_sub(expected);
        }
        if self.config.routing.strategy != Strategy::Latency {
            return None; // Who prefers by priority or price asks for no speed.
        }
        let measured = usual(here).zip(usual(there));
        let (from, to) = measured.or_else(|| comparable(here, there))?;
        from.checked_sub(to)
    }

    /// A slow endpoint whose rest is over is tried by a new conversation, if it would be chosen otherwise.
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
            endpoint.pace.may_be_tried(now)
                && endpoint.dry().is_none()
                && rivals(endpoint)
                && endpoint.check(journey, false, now).is_ok()
        };
        endpoints.find(waits).map(|endpoint| endpoint.id)
    }

    fn choose_by_strategy(&mut self, journey: &Journey, now: Instant) -> Option<(EndpointId, Why)> {
        if let Some(trial) = self.trial_that_no_probe_makes(journey, now) {
            return Some((trial, Why::Trial));
        }
        if let Some(slow) = self.slow_one_to_try(journey, now) {
            return Some((slow, Why::Trial));
        }
        let fit = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.check(journey, false, now).is_ok());
        // Neither the slow ones nor those that are about to run dry, as long as there are others.
        let burden =
            |endpoint: &Endpoint| (endpoint.pace.slowness().is_some(), endpoint.dry().is_some());
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
                    return Some((id, Why::InUse));
                }
                let best = fit.min_by_key(|endpoint| self.rank(endpoint))?;
                return Some((best.id, Why::Replaces));
            }
        };
        if self.config.routing.strategy == Strategy::Random {
            return pick(&candidates, &mut self.rng).map(|id| (id, Why::Turn));
        }
        self.turns.next(&candidates).map(|id| (id, Why::Turn))
    }

    /// Where no probe can tell whether an endpoint has recovered, one request at a time does.
    fn trial_that_no_probe_makes(&self, journey: &Journey, now: Instant) -> Option<EndpointId> {
        if journey.has_failed() {
            return None; // Not risked again.
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

    /// Nothing closed is left: a half-open endpoint need not wait for its probe.
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

    /// The endpoint that should be preferred. `current`: the one that is, if it is fit.
    fn preference(&self, current: Option<EndpointId>, now: Instant) -> Option<Preference> {
        let prefer = |endpoint, why| {
            Some(Preference {
                endpoint,
                why,
                dwell_until: None,
            })
        };
        if let Mode::Pinned(pinned) = self.mode
            && (self.is_fit(pinned) || !self.config.failover.enabled)
        {
            return prefer(pinned, Why::Pinned);
        }
        let fit = || {
            self.endpoints
                .iter()
                .filter(|endpoint| endpoint.check_standing(false).is_ok())
        };
        let best = fit().min_by_key(|endpoint| self.rank(endpoint))?;
        let Some(current) = current.and_then(|id| self.get(id)) else {
            let nothing_measured = fit().all(|endpoint| endpoint.probes.get().is_none());
            let why = if self.preferred.is_none() && nothing_measured {
                Why::FirstChoice
            } else if self.preferred.is_none() && best.is_remembered() {
                Why::Remembered
            } else {
                Why::Replaces
            };
            return prefer(best.id, why);
        };
        if let Mode::Pinned(_) = self.mode {
            return prefer(current.id, Why::Replaces); // Stands in for the pin; no reason to wander.
        }
        match self.is_better(best, current) {
            None => prefer(current.id, Why::InUse),
            Some(Why::Replaces) => prefer(best.id, Why::Replaces),
            Some(why @ (Why::LeavesSlow(_) | Why::SparesQuota(_))) if !self.paused => {
                prefer(best.id, why)
            }
            Some(why) => match self.may_switch_for_speed(now) {
                Ok(()) => prefer(best.id, why),
                Err(dwell_until) => Some(Preference {
                    endpoint: current.id,
                    why: Why::InUse,
                    dwell_until,
                }),
            },
        }
    }

    /// Whether, and by which rule, `other` is better than the endpoint in use.
    fn is_better(&self, other: &Endpoint, current: &Endpoint) -> Option<Why> {
        if other.id == current.id {
            return None;
        }
        if current.last_probe_failed && !other.last_probe_failed {
            return Some(Why::Replaces);
        }
        if other.last_probe_failed && !current.last_probe_failed {
            return None;
        }
        match (current.pace.slowness(), other.pace.slowness()) {
            (Some(slowness), None) => return Some(Why::LeavesSlow(slowness)),
            (None, Some(_)) => return None,
            (Some(_), Some(_)) | (None, None) => {}
        }
        match (current.dry(), other.dry()) {
            (Some(dry), None) => return Some(Why::SparesQuota(dry)),
            (None, Some(_)) => return None,
            (Some(_), Some(_)) | (None, None) => {}
        }
        let (merit, than) = (self.merit(other), self.merit(current));
        if merit != than {
            let by_price = self.config.routing.strategy == Strategy::Price;
            let why = if by_price {
                Why::BestPrice
            } else {
                Why::BestPriority
            };
            return (merit < than).then_some(why);
        }
        let (to, from) = comparable(other, current)?;
        let faster = from.checked_sub(to)? >= self.config.server.switch_threshold && to < from;
        faster.then_some(Why::Faster { to, from })
    }

    /// Whether a switch that nothing forces may happen now; else when it may, if time is all it takes.
    fn may_switch_for_speed(&self, now: Instant) -> Result<(), Option<Instant>> {
        if self.paused {
            return Err(None);
        }
        match self
            .switched_at
            .map(|at| at + self.config.routing.min_dwell)
        {
            Some(until) if until > now => Err(Some(until)),
            Some(_) | None => Ok(()),
        }
    }

    /// `others`: room for the reasons; this happens twice for every request.
    fn decide(
        &self,
        chosen: EndpointId,
        why: Why,
        now: Instant,
        mut others: Vec<(EndpointId, WhyNot)>,
    ) -> Decision {
        others.clear();
        let chosen_endpoint = self.get(chosen);
        let passed_over = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.id != chosen);
        others.extend(passed_over.map(|other| {
            let why_not = chosen_endpoint.map_or(WhyNot::NotMeasured, |chosen| {
                self.why_not(other, chosen, why, now)
            });
            (other.id, why_not)
        }));
        Decision { why, others }
    }

    fn why_not(&self, other: &Endpoint, chosen: &Endpoint, why: Why, now: Instant) -> WhyNot {
        if let Err(why_not) = other.check_standing(false) {
            return why_not;
        }
        if why == Why::Pinned {
            return WhyNot::NotPinned;
        }
        if other.last_probe_failed {
            return WhyNot::ProbeFailed;
        }
        if let (Some(slowness), None) = (other.pace.slowness(), chosen.pace.slowness()) {
            return WhyNot::Slow(slowness);
        }
        if let (Some(dry), None) = (other.dry(), chosen.dry()) {
            return WhyNot::RunsDry(dry);
        }
        if self.is_better(other, chosen).is_some() {
            return match self.may_switch_for_speed(now) {
                Err(Some(until)) => WhyNot::Dwelling { until },
                Err(None) | Ok(()) => WhyNot::Paused,
            };
        }
        if self.merit(other) > self.merit(chosen) {
            let by_price = self.config.routing.strategy == Strategy::Price;
            return if by_price {
                WhyNot::Dearer
            } else {
                WhyNot::LowerPriority
            };
        }
        match comparable(other, chosen) {
            Some((its, chosen)) => WhyNot::NotFaster { its, chosen },
            None => WhyNot::NotMeasured,
        }
    }

    fn is_fit(&self, id: EndpointId) -> bool {
        self.get(id)
            .is_some_and(|endpoint| endpoint.check_standing(false).is_ok())
    }

    /// All are down when none would take a request; something is up again when an endpoint has proven
    /// itself. One that may merely be tried ends nothing: its cooldown is over every minute.
    fn tell_if_all_down(&mut self) {
        if self.offline_since().is_some() {
            return;
        }
        let or_to_be_tried = !self.all_down;
        let is_up = |endpoint: &Endpoint| endpoint.check_standing(or_to_be_tried).is_ok();
        let all_down = !self.endpoints.is_empty() && !self.endpoints.iter().any(is_up);
        if all_down != self.all_down {
            self.all_down = all_down;
            self.effects.push_back(if all_down {
                Effect::AllDown
            } else {
                Effect::SomethingUp
            });
        }
    }

    fn rank(&self, endpoint: &Endpoint) -> Rank {
        let latency = endpoint.probes.get().or(endpoint.traffic.get());
        Rank {
            last_probe_failed: endpoint.last_probe_failed,
            slow: endpoint.pace.slowness().is_some(),
            runs_dry: endpoint.dry().is_some(),
            merit: self.merit(endpoint),
            unmeasured: latency.is_none(),
            latency: latency.unwrap_or_default(),
            position: self.position(endpoint),
        }
    }

    fn merit(&self, endpoint: &Endpoint) -> Merit {
        match self.config.routing.strategy {
            Strategy::Priority => u64::from(endpoint.spec.priority),
            Strategy::Price => endpoint.spec.price.to_bits(),
            Strategy::Latency
            | Strategy::RoundRobin
            | Strategy::WeightedRoundRobin
            | Strategy::Random => 0,
        }
    }

    fn remnant(&self, endpoint: &Endpoint) -> Remnant {
        let (cause, until) = match endpoint.circuit.state() {
            State::Open { cause, until, .. } => (Some(cause), until),
            State::Closed { .. } | State::HalfOpen { .. } => (None, None),
        };
        Remnant {
            cause,
            until,
            position: self.position(endpoint),
        }
    }

    fn position(&self, endpoint: &Endpoint) -> Position {
        let default = self.config.groups.iter().find(|group| group.default);
        let index = self
            .endpoints
            .iter()
            .position(|other| other.id == endpoint.id);
        Position {
            outside_default_group: default.is_some_and(|group| group.name != endpoint.spec.group),
            index: index.unwrap_or(usize::MAX),
        }
    }
}

/// The latencies of both, measured the same way: probes against probes, else traffic against traffic.
fn comparable(a: &Endpoint, b: &Endpoint) -> Option<(Duration, Duration)> {
    let probes = a.probes.get().zip(b.probes.get());
    let probes = probes.filter(|_| a.measures_like(b));
    probes.or_else(|| a.traffic.get().zip(b.traffic.get()))
}

fn pick(candidates: &[(EndpointId, u32)], rng: &mut Rng) -> Option<EndpointId> {
    let index = rng.below(candidates.len() as u64);
    candidates
        .get(usize::try_from(index).ok()?)
        .map(|&(id, _)| id)
}
