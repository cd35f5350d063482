//! Booking how attempts end.

use std::sync::Arc;
use std::time::Instant;

use super::blame::Blame;
use super::effect::Effect;
use super::permit::Permit;
use super::queue::Went;
use super::state::Fleet;
use crate::call::CallKind;
use crate::circuit::Change;
use crate::classify::{Fault, Outcome};
use crate::endpoint_id::EndpointId;

impl Fleet {
    /// Books how an attempt ended.
    pub fn settle(&mut self, permit: Permit, outcome: Outcome, now: Instant) {
        self.book(permit, outcome, now);
    }

    /// Books that an attempt failed after the client had seen a part of its answer. The client will send
    /// its request again: that goes elsewhere, if it can.
    pub fn settle_midway(&mut self, permit: Permit, fault: Fault, now: Instant) {
        let (endpoint, session) = (permit.endpoint, permit.session);
        let asked = Arc::clone(&permit.asked);
        let by_a_person = fault == Fault::DrainTimeout;
        let blame = self.book(permit, Outcome::Failed(fault), now);
        if let Some(session) = session
            && asked.kind == CallKind::Messages
            && blame == Blame::Endpoint
            && !by_a_person
        {
            let ttl = self.config.routing.sticky_ttl;
            self.conversations
                .note_broken(session, endpoint, asked, ttl, now);
        }
    }

    fn book(&mut self, permit: Permit, outcome: Outcome, now: Instant) -> Blame {
        let Permit {
            endpoint: id,
            pass,
            asked,
            ticket,
            session: _,
        } = permit;
        let blame = self.blame(id, outcome.contact(), now);
        self.note_went(ticket, how_it_went(&outcome), now);
        let policy = self.config.breaker.clone();
        let is_evidence = outcome == Outcome::Answered && asked.kind == CallKind::Messages;
        let Some(endpoint) = self.get_mut(id) else {
            self.call_who_may_go(now);
            return blame; // Removed from the configuration while the attempt was out.
        };
        let change = endpoint.settle(pass, asked, outcome, blame, &policy, now);
        self.busy_at = now;
        if is_evidence {
            self.note_evidence(id, now);
        }
        self.after(id, change, now);
        blame
    }

    /// Follows up on a change of a circuit.
    pub(super) fn after(&mut self, id: EndpointId, change: Option<Change>, now: Instant) {
        if change.is_some() {
            self.queue.rouse();
        }
        match change {
            Some(Change::Opened) => self.effects.push_back(Effect::TakenOut(id)),
            Some(Change::Reopened) => {} // Already told when it opened; it was not back since.
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
        | Outcome::Failed(_) => Went::Badly,
        Outcome::ClientFault(_) | Outcome::NotServed(_) | Outcome::Abandoned => Went::Nowhere,
    }
}
