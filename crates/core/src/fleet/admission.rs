//! Granting attempts.

use std::sync::Arc;
use std::time::Instant;

use super::denied::{Denied, DeniedWhy};
use super::endpoint::Endpoint;
use super::journey::{Journey, Needs, Shunned};
use super::permit::{Grant, Permit};
use super::reason::Why;
use super::state::Fleet;
use super::weighed::Weighed;
use crate::call::CallKind;
use crate::config::Patience;
use crate::endpoint_id::EndpointId;
use crate::latency::{Known, Pace, Silences, Size};

/// How many times as long the repeat of an answer that broke off may be silent.
const PATIENCE_WITH_A_REPEAT: u32 = 4;

impl Fleet {
    /// Grants an attempt to the endpoint that should get it.
    ///
    /// # Errors
    ///
    /// Why there is no attempt, and why each endpoint was passed over.
    pub fn admit(&mut self, journey: &mut Journey, now: Instant) -> Result<Grant, Denied> {
        self.handle_timeout(now);
        let errand = journey.ticket.and_then(|ticket| self.queue.arrive(ticket));
        match errand {
            Some(errand) => journey.set_out_again(errand),
            None if self.must_wait_behind(journey) => {
                return Err(Denied {
                    why: DeniedWhy::OthersWait,
                    endpoints: self.rejections(journey, now),
                });
            }
            None => {}
        }
        let mut granted = self.grant(journey, now);
        match (&mut granted, journey.ticket.filter(|_| errand.is_some())) {
            (Ok(grant), Some(ticket)) => {
                journey.denials = 0;
                grant.permit.ticket = Some(ticket);
                self.queue.set_out(ticket);
            }
            (Err(_), Some(_)) => {
                journey.denials = journey.denials.saturating_add(1);
                self.call_who_may_go(now);
            }
            (Ok(_) | Err(_), None) => {}
        }
        granted
    }

    fn grant(&mut self, journey: &mut Journey, now: Instant) -> Result<Grant, Denied> {
        if let Err(why) = self.allow_attempt(journey, now) {
            return Err(Denied {
                why,
                endpoints: self.rejections(journey, now),
            });
        }
        self.note_what_to_avoid(journey, now);
        self.find_home(journey, now);
        let (id, why) = match self.choose(journey, now) {
            Some(choice) => choice,
            None => {
                let endpoints = self.rejections(journey, now);
                let why = if self.endpoints.is_empty() {
                    DeniedWhy::NoEndpoints
                } else {
                    DeniedWhy::NoneFit
                };
                return Err(Denied { why, endpoints });
            }
        };
        // The first failover of a request does not count against the retry budget, nor does a first pass over
        // the endpoints that are up.
        let is_first_pass = journey.earlier == 0 && why != Why::LastResort;
        if journey.tried.len() >= 2 && !is_first_pass && !self.budget.withdraw(now) {
            return Err(Denied {
                why: DeniedWhy::BudgetSpent,
                endpoints: self.rejections(journey, now),
            });
        }
        journey.last_resort |= why == Why::LastResort;
        journey.tried.push(id);
        if why == Why::Trial
            && let Some(endpoint) = self.get_mut(id)
        {
            endpoint.latency.is_tried(now);
        }
        if let Why::StaysForCache(worth) = why {
            self.weighed = self.preferred.map(|faster| Weighed {
                at: now,
                from: id,
                to: faster,
                worth,
                has_moved: false,
            });
        }
        let mut moves = None;
        // A side call that goes elsewhere leaves the prompt cache where it is. So does an attempt while
        // offline.
        if self.config.routing.sticky_sessions
            && self.offline_since.is_none()
            && journey.asked.kind == CallKind::Messages
            && let Some(session) = journey.session
        {
            let ttl = self.config.routing.sticky_ttl;
            let key = (session, journey.asked.model.as_deref());
            if let (Why::WorthMoving(worth), Some(home)) =
                (why, self.conversations.home(key, ttl, now))
            {
                moves = Some((home.endpoint, worth));
            }
            self.conversations.expect_at(key, id, ttl, now);
        }
        let endpoint = self
            .get_mut(id)
            .expect("choose returns endpoints of the fleet");
        let permit = Permit {
            endpoint: id,
            pass: endpoint.issue(now),
            asked: Arc::clone(&journey.asked),
            traits: journey.traits,
            session: journey.session,
            ticket: None,
            moves,
            is_hedge: false,
            has_begun: false,
        };
        let pace = self.pace(id, journey);
        self.load_has_risen(now);
        let why = if journey.lacks_thinking {
            Why::WithoutThinking
        } else {
            why
        };
        let is_last = self.is_last(journey, now);
        Ok(Grant {
            permit,
            why,
            pace,
            is_last,
        })
    }

    /// Whether no further attempt of `journey` would be granted to an endpoint that is fit.
    pub(super) fn is_last(&self, journey: &Journey, now: Instant) -> bool {
        let mut others = self.endpoints.iter();
        !self.config.failover.enabled
            || self.has_enough(journey)
            || !others.any(|other| other.check(journey, false, now).is_ok())
    }

    /// How long `journey` may take at the endpoint.
    pub(super) fn pace(&self, id: EndpointId, journey: &Journey) -> Pace {
        let endpoint = self.get(id).expect("the endpoint was chosen in this step");
        let (model, bytes) = (journey.model(), journey.traits.bytes);
        let size = Size::of(bytes);
        let known = |endpoint: &Endpoint| endpoint.latency.known_pace(model, size);
        let others = self.endpoints.iter().filter(|other| other.id != id);
        let elsewhere = others.map(known).reduce(Known::max).unwrap_or_default();
        let check = endpoint.latency.of_probes();
        let mut pace = known(endpoint).complete(elsewhere, check, bytes);
        match self.config.failover.patience {
            Patience::Auto if journey.repeats_a_break => {
                // What broke off here may be as slow everywhere.
                pace.silence = pace.silence.times(PATIENCE_WITH_A_REPEAT);
            }
            Patience::Auto => {}
            Patience::Fixed => {
                pace.begin = None;
                pace.silence = Silences::ENDLESS;
            }
        }
        pace
    }

    fn note_what_to_avoid(&mut self, journey: &mut Journey, now: Instant) {
        if self.config.failover.enabled
            && journey.tried.is_empty()
            && let Some(session) = journey.session
        {
            let ttl = self.config.routing.sticky_ttl;
            let conversations = &mut self.conversations;
            for broken in conversations.tell_broken(session, &journey.asked, ttl, now) {
                journey.avoids.push((broken, Shunned::BrokeOff));
                journey.repeats_a_break = true;
            }
            let refused = conversations.refused_by(session, now);
            let refused = refused.map(|id| (id, Shunned::Refused));
            journey.avoids.extend(refused);
        }
    }

    /// Finds the last endpoint of a conversation, if only that one can read the thinking.
    fn find_home(&self, journey: &mut Journey, now: Instant) {
        if journey.needs == Needs::Home {
            let ttl = self.config.routing.sticky_ttl;
            let home = journey.session.and_then(|session| {
                self.conversations
                    .home((session, journey.model()), ttl, now)
            });
            journey.needs = home.map_or(Needs::Nothing, |home| Needs::Only(home.endpoint));
        }
    }

    fn allow_attempt(&mut self, journey: &Journey, now: Instant) -> Result<(), DeniedWhy> {
        let failover = &self.config.failover;
        let made = journey.tried.len();
        if made == 0 {
            if journey.wait_until.is_none() {
                self.budget.deposit(now);
                self.hedges.deposit();
            }
            return Ok(());
        }
        if !failover.enabled {
            return Err(DeniedWhy::FailoverOff);
        }
        if self.has_enough(journey) {
            return Err(DeniedWhy::AttemptsSpent);
        }
        Ok(())
    }

    /// Whether `journey` has had all the attempts that one request gets.
    pub(super) fn has_enough(&self, journey: &Journey) -> bool {
        let failover = &self.config.failover;
        let limit = failover.max_attempts.map(|most| most as usize);
        let is_spent = limit.is_some_and(|limit| journey.tried.len() >= limit);
        // If two endpoints cannot take a request, it is not offered to all others.
        let is_turned_away = journey.turned_away > 1 && !failover.on_client_errors;
        is_turned_away || (is_spent && !journey.last_resort)
    }
}
