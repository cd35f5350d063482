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
    used: Instant,
}

impl Sticky {
    pub(crate) fn home(&self, session: SessionKey, ttl: Duration, now: Instant) -> Option<&Home> {
        let home = self.homes.get(&session)?;
        (now.saturating_duration_since(home.used) < ttl).then_some(home)
    }

    /// Takes in what an answer of `endpoint` tells of the conversation's cache there.
    pub(crate) fn note_usage(
        &mut self,
        session: SessionKey,
        endpoint: EndpointId,
        (model, usage): (&str, &Usage),
        now: Instant,
    ) {
        if let Some(home) = self.homes.get_mut(&session)
            && home.endpoint == endpoint
        {
            home.cached = Some(Cached::update(home.cached.take(), model, usage, now));
        }
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
                let turns = before.map_or(0, |home| home.turns);
                let home = Home {
                    endpoint,
                    since: now,
                    turns: turns.saturating_add(1),
                    cached: None,
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
