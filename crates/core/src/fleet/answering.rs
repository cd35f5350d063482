//! What the beginning of an answer says about its endpoint.

use std::time::{Duration, Instant};

use super::effect::Effect;
use super::permit::{Lesson, Permit};
use super::queue::Went;
use super::state::Fleet;
use crate::call::CallKind;
use crate::classify::Contact;
use crate::latency::{Sample, Size};
use crate::price::Left;
use crate::quota::Quota;

impl Fleet {
    /// The attempt's answer is real and begins to reach the client. `ttft`: the time to its first event.
    pub fn begin(&mut self, permit: &mut Permit, ttft: Duration, now: Instant) {
        self.blame(permit.endpoint, Contact::Made, now);
        self.note_went(permit.ticket, Went::Well, now);
        if permit.asked.kind != CallKind::Messages {
            self.reconsider(now);
            return; // The time of other calls says nothing about messages.
        }
        permit.has_begun = true;
        self.settle_conversation(permit, now);
        if let Some(endpoint) = self.get_mut(permit.endpoint) {
            let model = permit.asked.model.as_deref();
            let sample = Sample::Answer { model, took: ttft };
            endpoint.latency.observe(sample, now);
            let change = endpoint.standing.circuit.begin(permit.pass);
            self.after(permit.endpoint, change, now);
        }
    }

    /// Learns from the beginning of an answer: how fast the endpoint is, and what it has cached. If this is
    /// the conversation's first answer after a move, returns what it had cached at the other endpoint.
    pub fn learn(&mut self, permit: &Permit, lesson: &Lesson, now: Instant) -> Option<Left> {
        let model = permit.asked.model.as_deref()?;
        let behind = permit.session.zip(lesson.usage).and_then(|told| {
            let (session, usage) = told;
            let told = (model, &usage);
            self.conversations
                .note_usage(session, permit.endpoint, told, now)
        });
        let left = behind.and_then(|behind| {
            Some(Left {
                tokens: behind.tokens,
                price: self.get(behind.endpoint)?.spec.price,
            })
        });
        if let Some(took) = lesson.first_event {
            self.learn_pace(permit, model, took, now);
        }
        left
    }

    /// Notes what an answer says about its endpoint's quota.
    pub fn note_quota(&mut self, permit: &Permit, quota: Quota, now: Instant) {
        let endpoint = self.get_mut(permit.endpoint);
        if endpoint.is_some_and(|endpoint| endpoint.reserve.note(quota, now)) {
            self.reconsider(now);
        }
    }

    /// The home of a conversation is the endpoint that answers it.
    pub(super) fn settle_conversation(&mut self, permit: &Permit, now: Instant) {
        let routing = &self.config.routing;
        let Some(session) = permit.session.filter(|_| routing.sticky_sessions) else {
            return;
        };
        if self.offline_since.is_some() {
            return;
        }
        let (ttl, id) = (routing.sticky_ttl, permit.endpoint);
        let key = (session, permit.asked.model.as_deref());
        let home = self
            .conversations
            .home(key, ttl, now)
            .map(|home| home.endpoint);
        if let Some((from, worth)) = permit.moves.filter(|(from, _)| home == Some(*from)) {
            self.effects.push_back(Effect::Moved {
                from,
                to: id,
                worth,
            });
        }
        self.conversations.settle_at(key, id, ttl, now);
    }

    fn learn_pace(&mut self, permit: &Permit, model: &str, took: Duration, now: Instant) {
        let others = self
            .endpoints
            .iter()
            .filter(|other| other.id != permit.endpoint && other.is_in_use());
        let elsewhere = others.filter_map(|other| other.latency.usual(model)).min();
        let threshold = self.config.server.switch_threshold;
        if let Some(endpoint) = self.get_mut(permit.endpoint) {
            let sample = Sample::Stream {
                model,
                size: Size::of(permit.traits.bytes),
                took,
                elsewhere,
            };
            endpoint.latency.observe(sample, now);
            let has_risen = endpoint.latency.take_rise(threshold);
            self.reconsider(now);
            if has_risen {
                self.note_rise(now);
            }
        }
    }
}
