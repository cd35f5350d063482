//! A second attempt beside a late first one (hedging).
//!
//! When an answer is late ([`Pace`](crate::latency::Pace)), another endpoint is asked as well. The first attempt
//! goes on. Whichever proves real first is passed on, and the other one is cancelled.
//!
//! That costs a second prompt. So there is at most one such attempt at a time for each request, and
//! `failover.hedge_budget_percent` of all requests. Another endpoint takes its place if it fails, or if it is late
//! itself by what answers have told. A conversation with a cache at its endpoint waits until the
//! wait is worth more than writing the cache again ([`crate::worth`]). Only an endpoint that is fit, quick and
//! not about to run dry is asked, and none while a person has pinned one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::conversations::Key;
use super::endpoint::Endpoint;
use super::journey::{Journey, Needs};
use super::mode::Mode;
use super::permit::{Grant, Permit};
use super::reason::Why;
use super::state::Fleet;
use crate::call::CallKind;
use crate::config::Hedge;
use crate::endpoint_id::EndpointId;
use crate::messages::stage::Activity;
use crate::worth::Scale;

/// Why no second attempt goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoHedge {
    /// None will, for this request.
    Never,
    /// The wait is not worth it before it has lasted this long.
    NotBefore(Duration),
}

/// Whether no other endpoint is left that could take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoneLeft(pub bool);

impl Fleet {
    /// Grants a second attempt of `journey` beside the one at `first`, whose answer has taken `waited` so far.
    ///
    /// # Errors
    ///
    /// There is none, or none yet.
    pub fn hedge(
        &mut self,
        journey: &mut Journey,
        first: EndpointId,
        waited: Duration,
        now: Instant,
    ) -> Result<Grant, NoHedge> {
        if !self.may_hedge(journey) {
            return Err(NoHedge::Never);
        }
        let other = self.other_fit(journey, now).ok_or(NoHedge::Never)?;
        let (id, price) = (other.id, other.spec.price);
        let asking = journey.session.map(|session| (session, journey.model()));
        let worth = self.wait_worth_a_hedge(asking, first, price, now)?;
        if waited < worth {
            return Err(NoHedge::NotBefore(worth));
        }
        if !self.hedges.withdraw() {
            return Err(NoHedge::Never);
        }
        journey.is_hedged = true;
        self.grant_beside(journey, id, waited, now)
            .ok_or(NoHedge::Never)
    }

    /// Grants an attempt of `journey` in place of the second one, beside a late first one, which has taken
    /// `waited` so far. If one of the two has `failed`, this is a failover, and the budget of second attempts
    /// does not count.
    ///
    /// # Errors
    ///
    /// There is none. Says whether no other endpoint is left to take the request.
    pub fn hedge_anew(
        &mut self,
        journey: &mut Journey,
        failed: bool,
        waited: Duration,
        now: Instant,
    ) -> Result<Grant, NoneLeft> {
        let none_left = NoneLeft(self.is_last(journey, now));
        let may_go_on = journey.needs == Needs::Anything && !self.has_enough(journey);
        let other = self.other_fit(journey, now).filter(|_| may_go_on);
        let id = other.ok_or(none_left)?.id;
        let is_wanted = self.mode == Mode::Auto && self.config.failover.hedge != Hedge::Off;
        let is_granted = failed || (is_wanted && self.hedges.withdraw());
        if !is_granted {
            return Err(none_left);
        }
        self.grant_beside(journey, id, waited, now).ok_or(none_left)
    }

    fn grant_beside(
        &mut self,
        journey: &mut Journey,
        id: EndpointId,
        waited: Duration,
        now: Instant,
    ) -> Option<Grant> {
        journey.tried.push(id);
        let pace = self.pace(id, journey);
        let endpoint = self.get_mut(id)?;
        let permit = Permit {
            endpoint: id,
            pass: endpoint.issue(now),
            asked: Arc::clone(&journey.asked),
            traits: journey.traits,
            session: journey.session,
            ticket: None,
            moves: None,
            is_hedge: true,
            has_begun: false,
        };
        self.load_has_risen(now);
        Some(Grant {
            permit,
            why: Why::Beside { waited },
            pace,
            is_last: self.is_last(journey, now),
        })
    }

    /// Whether the answer of `permit` may be broken off that has stopped during this activity: whether another
    /// endpoint is fit to answer its repeat. Without a session the repeat is not known as one, and may come back:
    /// so only a text that stops is broken off then.
    pub fn may_be_answered_elsewhere(
        &self,
        permit: &Permit,
        activity: Activity,
        now: Instant,
    ) -> bool {
        let is_known = permit.session.is_some() || activity == Activity::Writing;
        let session = permit.session.into_iter();
        let refused: Vec<EndpointId> = session
            .flat_map(|session| self.conversations.refused_by(session, now))
            .collect();
        let others = self.endpoints.iter();
        self.config.failover.enabled
            && is_known
            && others
                .filter(|other| other.id != permit.endpoint && !refused.contains(&other.id))
                .any(|other| {
                    other.check_standing(false).is_ok()
                        && other.marks.check(&permit.asked, permit.traits, now).is_ok()
                })
    }

    fn may_hedge(&self, journey: &Journey) -> bool {
        let failover = &self.config.failover;
        failover.enabled
            && failover.retry_sent_requests
            && failover.hedge != Hedge::Off
            && self.mode == Mode::Auto
            && self.offline_since.is_none()
            && journey.asked.kind == CallKind::Messages
            && journey.needs == Needs::Anything
            && !journey.is_hedged
            && !journey.last_resort
            && !self.has_enough(journey)
    }

    /// The best endpoint that is fit for a further attempt of `journey`, if it is quick.
    fn other_fit(&self, journey: &Journey, now: Instant) -> Option<&Endpoint> {
        let fit = self.endpoints.iter().filter(|endpoint| {
            endpoint.check(journey, false, now).is_ok()
                && endpoint.latency.slowness().is_none()
                && endpoint.reserve.dry.is_none()
                && !endpoint.standing.last_probe_failed
        });
        fit.min_by_key(|endpoint| self.rank(endpoint))
    }

    /// How long a request of a conversation has to wait at `first` until it is worth leaving what is cached there.
    /// `price`: of the other endpoint.
    pub(super) fn wait_worth_a_hedge(
        &self,
        asking: Option<Key<'_>>,
        first: EndpointId,
        price: f64,
        now: Instant,
    ) -> Result<Duration, NoHedge> {
        let ttl = self.config.routing.sticky_ttl;
        let home = asking.and_then(|key| self.conversations.home(key, ttl, now));
        let cached = home
            .filter(|home| home.endpoint == first)
            .and_then(|home| home.cached.as_ref())
            .filter(|cached| cached.alive(now).is_some_and(|tokens| tokens > 0));
        let (Some(cached), Some(here)) = (cached, self.get(first)) else {
            return Ok(Duration::ZERO);
        };
        let prices = (here.spec.price, price);
        let wait = cached.wait_worth_a_move(prices, Scale::of(&self.config), now);
        wait.ok_or(NoHedge::Never)
    }
}
