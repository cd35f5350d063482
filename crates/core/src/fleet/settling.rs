//! Books how attempts end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asked::Asked;
use super::blame::Blame;
use super::effect::Effect;
use super::endpoint::Booked;
use super::mode::Mode;
use super::permit::Permit;
use super::queue::Went;
use super::state::Fleet;
use crate::call::CallKind;
use crate::circuit::Change;
use crate::classify::{Fault, Outcome, Subject};
use crate::config::Patience;
use crate::endpoint_id::EndpointId;
use crate::latency::Sample;
use crate::session::SessionKey;

/// The longest time that a refused conversation avoids an endpoint.
const LONGEST_REFUSAL: Duration = Duration::from_secs(6 * 3600);

impl Fleet {
    /// Books how an attempt ended. Returns when a mark that it set ends, if it ends by itself.
    pub fn settle(&mut self, permit: Permit, outcome: Outcome, now: Instant) -> Option<Instant> {
        self.book(permit, outcome, now).1
    }

    /// Books that an attempt failed after the client had seen a part of its answer. The client will send its
    /// request again, and the repeat goes to another endpoint if possible.
    pub fn settle_midway(&mut self, permit: Permit, fault: Fault, now: Instant) -> Option<Instant> {
        let (endpoint, session) = (permit.endpoint, permit.session);
        let asked = Arc::clone(&permit.asked);
        let by_a_person = fault == Fault::DrainTimeout;
        let (blame, until) = self.book(permit, Outcome::Failed(fault), now);
        if let Some(session) = session
            && asked.kind == CallKind::Messages
            && blame == Blame::Endpoint
            && !by_a_person
        {
            let ttl = self.config.routing.sticky_ttl;
            self.conversations
                .note_broken(session, endpoint, asked, ttl, now);
        }
        until
    }

    /// A stream's attempt is over because another one beside it was first, `after` this long: the answer of the
    /// other one had then taken `winner`. If this attempt went out first and was silent, it was late.
    pub fn settle_overtaken(
        &mut self,
        permit: Permit,
        (after, winner): (Duration, Duration),
        now: Instant,
    ) {
        if !permit.is_hedge {
            self.note_late(&permit, after, Some(winner), now);
        }
        self.book(permit, Outcome::Abandoned, now);
    }

    /// The client left a stream's attempt that was late: its patience is shorter than ours. It will send its request
    /// again, and the repeat goes to another endpoint if possible, unless it has too much cached here.
    pub fn settle_left_late(&mut self, permit: Permit, after: Duration, now: Instant) {
        self.note_late(&permit, after, None, now);
        let asking = permit.session.map(|session| (session, permit.model()));
        // Where the repeat will go is open, so the price there is taken to be the same.
        let price = self
            .get(permit.endpoint)
            .map_or(1.0, |here| here.spec.price);
        let worth = self.wait_worth_a_hedge(asking, permit.endpoint, price, now);
        let failover = &self.config.failover;
        if self.mode == Mode::Auto
            && failover.patience == Patience::Auto
            && worth.is_ok_and(|worth| worth <= after)
        {
            self.avoid_in_the_repeat(&permit, now);
        }
        self.book(permit, Outcome::Abandoned, now);
    }

    fn note_late(
        &mut self,
        permit: &Permit,
        waited: Duration,
        winner: Option<Duration>,
        now: Instant,
    ) {
        let Some(model) = permit.asked.model.as_deref() else {
            return;
        };
        let usual = self.usual_elsewhere(permit.endpoint, model);
        let elsewhere = [usual, winner].into_iter().flatten().min();
        let sample = Sample::Late {
            model,
            waited,
            elsewhere,
        };
        self.learn_pace(permit.endpoint, sample, now);
    }

    fn avoid_in_the_repeat(&mut self, permit: &Permit, now: Instant) {
        if let Some(session) = permit.session
            && permit.asked.kind == CallKind::Messages
        {
            let (asked, ttl) = (Arc::clone(&permit.asked), self.config.routing.sticky_ttl);
            self.conversations
                .note_broken(session, permit.endpoint, asked, ttl, now);
        }
    }

    fn book(&mut self, permit: Permit, outcome: Outcome, now: Instant) -> (Blame, Option<Instant>) {
        let blame = self.blame(permit.endpoint, outcome.contact(), now);
        if outcome == Outcome::Answered
            && permit.asked.kind == CallKind::Messages
            && !permit.has_begun
        {
            self.settle_conversation(&permit, now);
        }
        let Permit {
            endpoint: id,
            pass,
            asked,
            traits,
            ticket,
            session,
            ..
        } = permit;
        self.note_went(ticket, how_it_went(&outcome), now);
        let policy = self.config.breaker.clone();
        let refused_until =
            session.and_then(|session| self.note_conversation(session, id, &asked, &outcome, now));
        let Some(endpoint) = self.get_mut(id) else {
            self.call_who_may_go(now);
            return (blame, refused_until); // The endpoint was removed from the configuration during the attempt.
        };
        let Booked { change, until } = endpoint.settle(
            pass,
            (Arc::clone(&asked), traits),
            outcome,
            blame,
            &policy,
            now,
        );
        self.busy_at = now;
        self.after(id, change, now);
        (blame, refused_until.or(until))
    }

    /// What the end of an attempt means for its conversation: where it has no home, and which endpoint
    /// refuses it and until when.
    fn note_conversation(
        &mut self,
        session: SessionKey,
        id: EndpointId,
        asked: &Asked,
        outcome: &Outcome,
        now: Instant,
    ) -> Option<Instant> {
        let mut until = None;
        let ttl = self.config.routing.sticky_ttl;
        if *outcome == Outcome::Answered {
            self.conversations.mend(session, asked);
        }
        let key = (session, asked.model.as_deref());
        if let Outcome::NotServed {
            subject: Subject::Conversation | Subject::Login,
            lasts,
            ..
        } = outcome
        {
            let lasts = lasts.unwrap_or(ttl).min(LONGEST_REFUSAL);
            self.conversations.note_refused(session, id, lasts, now);
            until = Some(now + lasts);
        }
        if *outcome != Outcome::Answered && asked.kind == CallKind::Messages {
            self.conversations.leave_unproven(key, id);
        }
        until
    }

    /// Does what follows a change of a circuit.
    pub(super) fn after(&mut self, id: EndpointId, change: Option<Change>, now: Instant) {
        if change.is_some() {
            self.queue.rouse();
        }
        match change {
            Some(Change::Opened) => self.effects.push_back(Effect::TakenOut(id)),
            Some(Change::Reopened) => {} // This was reported when the circuit opened. It has not closed since.
            Some(Change::Closed) => self.effects.push_back(Effect::Recovered(id)),
            None => {}
        }
        self.reconsider(now);
    }
}

fn how_it_went(outcome: &Outcome) -> Went {
    match outcome {
        Outcome::Answered => Went::Well,
        Outcome::Refused(_)
        | Outcome::Exhausted { .. }
        | Outcome::Throttled { .. }
        | Outcome::Away { .. }
        | Outcome::Failed(_) => Went::Badly,
        Outcome::ClientFault(_) | Outcome::NotServed { .. } | Outcome::Abandoned => Went::Nowhere,
    }
}
