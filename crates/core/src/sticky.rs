//! Where conversations are at home: prompt caches live per endpoint.
//!
//! Bounded in number and in time; the one unused for longest goes first.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::fleet::EndpointId;
use crate::profile::SessionKey;

/// Most conversations remembered at once.
const CAPACITY: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Sticky {
    homes: HashMap<SessionKey, Home>,
}

#[derive(Debug)]
struct Home {
    endpoint: EndpointId,
    used: Instant,
}

impl Sticky {
    pub(crate) fn home(
        &self,
        session: SessionKey,
        ttl: Duration,
        now: Instant,
    ) -> Option<EndpointId> {
        let home = self.homes.get(&session)?;
        (now.saturating_duration_since(home.used) < ttl).then_some(home.endpoint)
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
        self.homes.insert(
            session,
            Home {
                endpoint,
                used: now,
            },
        );
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

        let just_before = sticky.home(SessionKey::of("a"), TTL, now + TTL - Duration::from_secs(1));
        let after = sticky.home(SessionKey::of("a"), TTL, now + TTL);

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
