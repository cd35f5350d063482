//! The preferred endpoint: new requests go to it.
//!
//! The preference changes at once in three cases: the endpoint is not fit any more; it is in a brownout and
//! another endpoint is not; it is about to run dry and another endpoint is not. For speed, priority or price
//! it changes only if three conditions hold: the other endpoint is better by the rule of the strategy
//! (latency: by at least `switch_threshold_ms` and by more than both vary, both measured in the same way), the
//! last switch is at least `min_dwell_seconds` ago, and monitoring is not paused.

use std::cmp::Ordering;
use std::time::Instant;

use super::effect::Effect;
use super::endpoint::Endpoint;
use super::mode::Mode;
use super::reason::{Decision, Why, WhyNot};
use super::state::Fleet;
use crate::config::Strategy;
use crate::endpoint_id::EndpointId;
use crate::latency::Verdict;

/// Which of two endpoints is better by everything but its speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precedence {
    /// The other one, by this rule.
    Other(Why),
    /// The one in use.
    Current,
    /// Neither, so speed decides.
    Equal,
}

/// Which endpoint should be preferred.
struct Preference {
    endpoint: EndpointId,
    why: Why,
    /// When a switch to a better endpoint is allowed, if only the dwell prevents it now.
    dwell_until: Option<Instant>,
}

impl Fleet {
    /// Checks the preferred endpoint again, after anything that may have changed it.
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
            self.left = from;
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
            // The reason for this endpoint stays while it is true. Those against the others may have changed.
            let why = if self.still_holds(old.why, target) {
                old.why
            } else if why == Why::NoneBetter {
                Why::NoneBetter
            } else {
                Why::InUse
            };
            self.decision = Some(self.decide(target, why, now, old.others));
        }
    }

    /// Whether the reason why `target` was chosen is still true.
    fn still_holds(&self, why: Why, target: EndpointId) -> bool {
        let Some(target) = self.get(target) else {
            return false;
        };
        let left = self.left.and_then(|id| self.get(id));
        let fit = || {
            self.endpoints
                .iter()
                .filter(|endpoint| endpoint.check_standing(false).is_ok())
        };
        match why {
            Why::FirstChoice => !self.endpoints.iter().any(Endpoint::has_news),
            Why::Remembered => target.is_remembered,
            Why::Faster { from, .. } => target
                .latency
                .best_known()
                .is_none_or(|latency| latency < from),
            Why::BestPriority | Why::BestPrice => {
                fit().all(|other| self.merit(target) <= self.merit(other))
            }
            Why::Replaces => left.is_some_and(|left| !left.answers()),
            Why::LeavesSlow(_) => left.is_some_and(|left| left.latency.slowness().is_some()),
            Why::SparesQuota(_) => left.is_some_and(|left| left.reserve.dry.is_some()),
            // They say how it is now.
            Why::InUse | Why::NoneBetter => false,
            // A pin ends with its mode; the others are reasons of requests.
            Why::Pinned
            | Why::StandsIn
            | Why::LeavesBroken
            | Why::Sticky
            | Why::StaysForCache(_)
            | Why::WorthMoving(_)
            | Why::Turn
            | Why::LastResort
            | Why::Trial
            | Why::Beside { .. }
            | Why::WithoutThinking => true,
        }
    }

    /// The endpoint that should be preferred. `current`: the preferred one, if it is fit.
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
            let nothing_measured = fit().all(|endpoint| endpoint.latency.of_probes().is_none());
            let why = if self.preferred.is_none() && nothing_measured {
                Why::FirstChoice
            } else if self.preferred.is_none() && best.is_remembered {
                Why::Remembered
            } else if self.preferred.is_none() {
                Why::NoneBetter
            } else {
                Why::Replaces
            };
            return prefer(best.id, why);
        };
        if let Mode::Pinned(_) = self.mode {
            return prefer(current.id, Why::Replaces); // It replaces the pinned endpoint, so it stays.
        }
        let better = fit().filter_map(|other| Some((other, self.is_better(other, current)?)));
        match better.min_by_key(|(other, _)| self.rank(other)) {
            None => prefer(current.id, Why::NoneBetter),
            Some((best, Why::Replaces)) => prefer(best.id, Why::Replaces),
            Some((best, why @ (Why::LeavesSlow(_) | Why::SparesQuota(_)))) if !self.paused => {
                prefer(best.id, why)
            }
            Some((best, why)) => match self.may_switch_for_speed(now) {
                Ok(()) => prefer(best.id, why),
                Err(dwell_until) => Some(Preference {
                    endpoint: current.id,
                    why: Why::InUse,
                    dwell_until,
                }),
            },
        }
    }

    /// Whether `other` is better than the endpoint in use, and by which rule.
    fn is_better(&self, other: &Endpoint, current: &Endpoint) -> Option<Why> {
        if other.id == current.id {
            return None;
        }
        match self.precedence(other, current) {
            Precedence::Other(why) => return Some(why),
            Precedence::Current => return None,
            Precedence::Equal => {}
        }
        let comparison = current.latency.compare(&other.latency)?;
        let faster = Why::Faster {
            to: comparison.there.usual,
            from: comparison.here.usual,
        };
        let verdict = comparison.verdict(self.config.server.switch_threshold);
        (verdict == Verdict::Faster).then_some(faster)
    }

    /// Which of them is better by everything but its speed.
    pub(super) fn precedence(&self, other: &Endpoint, current: &Endpoint) -> Precedence {
        match (
            current.standing.last_probe_failed,
            other.standing.last_probe_failed,
        ) {
            (true, false) => return Precedence::Other(Why::Replaces),
            (false, true) => return Precedence::Current,
            (true, true) | (false, false) => {}
        }
        match (current.latency.slowness(), other.latency.slowness()) {
            (Some(slowness), None) => return Precedence::Other(Why::LeavesSlow(slowness)),
            (None, Some(_)) => return Precedence::Current,
            (Some(_), Some(_)) | (None, None) => {}
        }
        match (current.reserve.dry, other.reserve.dry) {
            (Some(dry), None) => return Precedence::Other(Why::SparesQuota(dry)),
            (None, Some(_)) => return Precedence::Current,
            (Some(_), Some(_)) | (None, None) => {}
        }
        let by_price = self.config.routing.strategy == Strategy::Price;
        match self.merit(other).cmp(&self.merit(current)) {
            Ordering::Less if by_price => Precedence::Other(Why::BestPrice),
            Ordering::Less => Precedence::Other(Why::BestPriority),
            Ordering::Greater => Precedence::Current,
            Ordering::Equal => Precedence::Equal,
        }
    }

    /// Whether an unforced switch is allowed now. The error says when it will be, if only time is missing.
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

    /// `others`: a buffer for the reasons. It is reused, because this runs twice for every request.
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
        if other.standing.last_probe_failed {
            return WhyNot::ProbeFailed;
        }
        if let (Some(slowness), None) = (other.latency.slowness(), chosen.latency.slowness()) {
            return WhyNot::Slow(slowness);
        }
        if let (Some(dry), None) = (other.reserve.dry, chosen.reserve.dry) {
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
        let Some(comparison) = chosen.latency.compare(&other.latency) else {
            return WhyNot::NotMeasured;
        };
        let (its, chosen) = (comparison.there.usual, comparison.here.usual);
        match comparison.verdict(self.config.server.switch_threshold) {
            Verdict::WithinNoise { needed } => WhyNot::WithinNoise {
                its,
                chosen,
                needed,
            },
            Verdict::Faster | Verdict::NotFaster => WhyNot::NotFaster { its, chosen },
        }
    }

    fn is_fit(&self, id: EndpointId) -> bool {
        self.get(id)
            .is_some_and(|endpoint| endpoint.check_standing(false).is_ok())
    }

    /// All endpoints are down when none would take a request. Something is up again only when an endpoint has
    /// proven itself: one that may only be tried is not enough, because a cooldown ends every minute.
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
}
