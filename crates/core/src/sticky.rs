//! Where conversations are at home: prompt caches live per endpoint.
//!
//! Bounded in number and in time; the one unused for longest goes first. With each goes what is known
//! of its cache there, which is what a move would cost.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::fleet::EndpointId;
use crate::price::Usage;
use crate::profile::SessionKey;
use crate::worth::Cached;

/// Most conversations remembered at once.
const CAPACITY: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Sticky {
    homes: HashMap<SessionKey, Home>,
}

#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) endpoint: EndpointId,
    /// When it came there.
    pub(crate) since: Instant,
    /// Requests so far, wherever they went.
    pub(crate) turns: u32,
    /// What is cached of it there, once an answer told.
    pub(crate) cached: Option<Cached>,
    /// What it left behind, until an answer here told what was written anew.
    left: Option<Behind>,
    used: Instant,
}

/// A conversation's cache at an endpoint that it has left.
#[derive(Debug)]
pub(crate) struct Behind {
    pub(crate) endpoint: EndpointId,
    pub(crate) tokens: u64,
    cached: Cached,
}

impl Sticky {
    pub(crate) fn home(&self, session: SessionKey, ttl: Duration, now: Instant) -> Option<&Home> {
        let home = self.homes.get(&session)?;
        (now.saturating_duration_since(home.used) < ttl).then_some(home)
    }

    /// Takes in what an answer of `endpoint` tells of the conversation's cache there. Says, once after a
    /// move, what was cached where it was before.
    pub(crate) fn note_usage(
        &mut self,
        session: SessionKey,
        endpoint: EndpointId,
        (model, usage): (&str, &Usage),
        now: Instant,
    ) -> Option<Behind> {
        let home = self.homes.get_mut(&session)?;
        if home.endpoint != endpoint {
            return None;
        }
        home.cached = Some(Cached::update(home.cached.take(), model, usage, now));
        home.left
            .take_if(|left| left.cached.is_continued_by(model, usage))
    }

    pub(crate) fn settle_at(
        &mut self,
        session: SessionKey,
        endpoint: EndpointId,
        ttl: Duration,
        now: Instant,
    ) {
        if self.homes.len() >= CAPACITY && !self.homes.contains_key(&session) {
            self.make_room(ttl, now);
        }
        match self.homes.get_mut(&session) {
            Some(home) if home.endpoint == endpoint => {
                home.used = now;
                home.turns = home.turns.saturating_add(1);
            }
            before => {
                let turns = before.as_ref().map_or(0, |home| home.turns);
                let left = before.and_then(|home| home.leave(now));
                // It is back before anything was written elsewhere.
                let (cached, left) = match left {
                    Some(left) if left.endpoint == endpoint => (Some(left.cached), None),
                    left => (None, left),
                };
                let home = Home {
                    endpoint,
                    since: now,
                    turns: turns.saturating_add(1),
                    cached,
                    left,
                    used: now,
                };
                self.homes.insert(session, home);
            }
        }
    }

    /// Drops what has expired; if nothing has, the half that was unused for longest, so that making
    /// room costs little per conversation.
    fn make_room(&mut self, ttl: Duration, now: Instant) {
        self.homes
            .retain(|_, home| now.saturating_duration_since(home.used) < ttl);
        if self.homes.len() >= CAPACITY {
            let mut ages: Vec<Instant> = self.homes.values().map(|home| home.used).collect();
            let middle = ages.len() / 2;
            let (_, &mut cut, _) = ages.select_nth_unstable(middle);
            self.homes.retain(|_, home| home.used > cut);
        }
    }
}

impl Home {
    /// What a conversation that goes elsewhere leaves behind.
    fn leave(&mut self, now: Instant) -> Option<Behind> {
        let here = self.cached.take().and_then(|cached| {
            let tokens = cached.alive(now)?;
            Some(Behind {
                endpoint: self.endpoint,
                tokens,
                cached,
            })
        });
        here.or_else(|| self.left.take())
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests need one instant to start from"
)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(300);

    #[test]
    fn a_conversation_is_forgotten_after_its_time() {
        let now = Instant::now();
        let mut sticky = Sticky::default();
        sticky.settle_at(SessionKey::of("a"), EndpointId::new(1), TTL, now);

        let home = |at| {
            let home = sticky.home(SessionKey::of("a"), TTL, at);
            home.map(|home| home.endpoint)
        };
        let just_before = home(now + TTL - Duration::from_secs(1));
        let after = home(now + TTL);

        assert_eq!((just_before, after), (Some(EndpointId::new(1)), None));
    }

    /// A conversation with a hundred thousand cached tokens at endpoint 1 that has moved to endpoint 2.
    fn moved(now: Instant) -> Sticky {
        let mut sticky = Sticky::default();
        sticky.settle_at(SessionKey::of("a"), EndpointId::new(1), TTL, now);
        note(&mut sticky, 1, 100_000, now);
        sticky.settle_at(SessionKey::of("a"), EndpointId::new(2), TTL, now);
        sticky
    }

    fn note(sticky: &mut Sticky, endpoint: u32, written: u64, now: Instant) -> Option<u64> {
        let usage = Usage {
            cache_write_5m: written,
            ..Usage::default()
        };
        let told = ("claude-opus-5-5", &usage);
        let left = sticky.note_usage(SessionKey::of("a"), EndpointId::new(endpoint), told, now);
        left.map(|left| left.tokens)
    }

    #[test]
    fn what_a_conversation_left_behind_is_told_once_with_its_own_next_answer() {
        let now = Instant::now();
        let mut sticky = moved(now);

        let side_call = note(&mut sticky, 2, 2_000, now);
        let answers = [101_000, 103_000].map(|written| note(&mut sticky, 2, written, now));

        assert_eq!((side_call, answers), (None, [Some(100_000), None]));
    }

    #[test]
    fn a_conversation_that_comes_back_at_once_has_left_nothing() {
        let now = Instant::now();
        let mut sticky = moved(now);

        sticky.settle_at(SessionKey::of("a"), EndpointId::new(1), TTL, now);

        let home = sticky.home(SessionKey::of("a"), TTL, now).unwrap();
        assert!(home.cached.is_some());
        assert_eq!(note(&mut sticky, 1, 100_000, now), None);
    }

    #[test]
    fn a_flood_of_conversations_stays_bounded_and_keeps_the_newest() {
        let now = Instant::now();
        let mut sticky = Sticky::default();
        for n in 0..25_000_u32 {
            let at = now + Duration::from_micros(n.into());
            sticky.settle_at(SessionKey::of(&n.to_string()), EndpointId::new(1), TTL, at);
        }

        assert!(sticky.homes.len() <= CAPACITY);
        assert!(sticky.homes.contains_key(&SessionKey::of("24999")));
    }
}
