//! What the beginning of an answer says about its endpoint.

use std::time::{Duration, Instant};

use super::effect::Effect;
use super::permit::{Lesson, Permit};
use super::queue::Went;
use super::state::Fleet;
use super::weighed::Weighed;
use crate::call::CallKind;
use crate::classify::Contact;
use crate::endpoint_id::EndpointId;
use crate::latency::{Sample, Silences, Size};
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
            let elsewhere = self.usual_elsewhere(permit.endpoint, model);
            let sample = Sample::Stream {
                model,
                size: Size::of(permit.traits.bytes),
                took,
                elsewhere,
            };
            self.learn_pace(permit.endpoint, sample, now);
        }
        if let Some(took) = lesson.whole {
            self.learn_pace(permit.endpoint, Sample::Whole { model, took }, now);
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
            self.weighed = Some(Weighed {
                at: now,
                from,
                to: id,
                worth,
                has_moved: true,
            });
        }
        self.conversations.settle_at(key, id, ttl, now);
    }

    /// A stream is complete. `longest`: how long it was silent, by what the model did.
    pub fn learn_silences(&mut self, permit: &Permit, longest: &Silences, now: Instant) {
        if let Some(model) = permit.asked.model.as_deref()
            && let Some(endpoint) = self.get_mut(permit.endpoint)
        {
            endpoint
                .latency
                .observe(Sample::Silences { model, longest }, now);
        }
    }

    /// The usual time to the first event of this model's streams at the fastest other endpoint.
    pub(super) fn usual_elsewhere(&self, id: EndpointId, model: &str) -> Option<Duration> {
        let others = self
            .endpoints
            .iter()
            .filter(|other| other.id != id && other.is_in_use());
        others.filter_map(|other| other.latency.usual(model)).min()
    }

    pub(super) fn learn_pace(&mut self, id: EndpointId, sample: Sample<'_>, now: Instant) {
        let threshold = self.config.server.switch_threshold;
        if let Some(endpoint) = self.get_mut(id) {
            endpoint.latency.observe(sample, now);
            let has_risen = endpoint.latency.take_rise(threshold);
            self.reconsider(now);
            if has_risen {
                self.note_rise(now);
            }
        }
    }
}
