//! What is remembered of conversations: where each is at home, since prompt caches live per endpoint, and
//! where an answer to it broke off that its client had begun to see.
//!
//! Bounded in number and in time; the conversation unused for longest goes first. With a home goes what is
//! known of the cache there, which is what a move would cost.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asked::Asked;
use crate::endpoint_id::EndpointId;
use crate::price::Usage;
use crate::session::SessionKey;
use crate::worth::Cached;

/// Most conversations remembered at once.
const CAPACITY: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Conversations {
    known: HashMap<SessionKey, Conversation>,
}

#[derive(Debug, Default)]
struct Conversation {
    home: Option<Home>,
    broken: Option<Broken>,
}

#[derive(Debug)]
pub(super) struct Home {
    pub(super) endpoint: EndpointId,
    /// When the conversation came there.
    pub(super) since: Instant,
    /// Requests so far, at whatever endpoint.
    pub(super) turns: u32,
    /// What is cached there, once an answer has told.
    pub(super) cached: Option<Cached>,
    /// What it left behind, until an answer here tells what was written anew.
    left: Option<Behind>,
    used: Instant,
}

/// A conversation's cache at an endpoint that it has left.
#[derive(Debug)]
pub(super) struct Behind {
    pub(super) endpoint: EndpointId,
    pub(super) tokens: u64,
    cached: Cached,
}

/// An answer that broke off midway. The client will send its request again.
#[derive(Debug)]
struct Broken {
    endpoint: EndpointId,
    /// Tells the repeat from side calls, which name other models.
    asked: Arc<Asked>,
    at: Instant,
}

impl Conversations {
    pub(super) fn home(&self, session: SessionKey, ttl: Duration, now: Instant) -> Option<&Home> {
        let home = self.known.get(&session)?.home.as_ref()?;
        is_recent(home.used, ttl, now).then_some(home)
    }

    /// Takes in what an answer of `endpoint` tells of the conversation's cache there. Says, once after a
    /// move, what was cached where it was before.
    pub(super) fn note_usage(
        &mut self,
        session: SessionKey,
        endpoint: EndpointId,
        (model, usage): (&str, &Usage),
        now: Instant,
    ) -> Option<Behind> {
        let home = self.known.get_mut(&session)?.home.as_mut()?;
        if home.endpoint != endpoint {
            return None;
        }
        home.cached = Some(Cached::update(home.cached.take(), model, usage, now));
        home.left
            .take_if(|left| left.cached.is_continued_by(model, usage))
    }

    /// A request of the conversation goes to `endpoint`, which is its home from now on.
    pub(super) fn settle_at(
        &mut self,
        session: SessionKey,
        endpoint: EndpointId,
        ttl: Duration,
        now: Instant,
    ) {
        match &mut self.entry(session, ttl, now).home {
            Some(home) if home.endpoint == endpoint => {
                home.used = now;
                home.turns = home.turns.saturating_add(1);
            }
            home => {
                let turns = home.as_ref().map_or(0, |home| home.turns);
                let left = home.as_mut().and_then(|home| home.leave(now));
                // It is back before anything was written elsewhere.
                let (cached, left) = match left {
                    Some(left) if left.endpoint == endpoint => (Some(left.cached), None),
                    left => (None, left),
                };
                *home = Some(Home {
                    endpoint,
                    since: now,
                    turns: turns.saturating_add(1),
                    cached,
                    left,
                    used: now,
                });
            }
        }
    }

    /// An answer of `endpoint` broke off after the client had seen a part of it.
    pub(super) fn note_broken(
        &mut self,
        session: SessionKey,
        endpoint: EndpointId,
        asked: Arc<Asked>,
        ttl: Duration,
        now: Instant,
    ) {
        self.entry(session, ttl, now).broken = Some(Broken {
            endpoint,
            asked,
            at: now,
        });
    }

    /// Where the last answer to such a request of the conversation broke off, if it did. Told once.
    pub(super) fn take_broken(
        &mut self,
        session: SessionKey,
        asked: &Asked,
        ttl: Duration,
        now: Instant,
    ) -> Option<EndpointId> {
        let known = self.known.get_mut(&session)?;
        let broken = known.broken.take_if(|broken| *broken.asked == *asked)?;
        if known.home.is_none() {
            self.known.remove(&session);
        }
        is_recent(broken.at, ttl, now).then_some(broken.endpoint)
    }

    fn entry(&mut self, session: SessionKey, ttl: Duration, now: Instant) -> &mut Conversation {
        if self.known.len() >= CAPACITY && !self.known.contains_key(&session) {
            self.make_room(ttl, now);
        }
        self.known.entry(session).or_default()
    }

    /// Drops what has expired; if nothing has, the half that was unused for longest, so that making
    /// room costs little per conversation.
    fn make_room(&mut self, ttl: Duration, now: Instant) {
        self.known
            .retain(|_, known| known.used().is_some_and(|used| is_recent(used, ttl, now)));
        if self.known.len() >= CAPACITY {
            let mut ages: Vec<Option<Instant>> =
                self.known.values().map(Conversation::used).collect();
            let middle = ages.len() / 2;
            let (_, &mut cut, _) = ages.select_nth_unstable(middle);
            self.known.retain(|_, known| known.used() > cut);
        }
    }
}

impl Conversation {
    fn used(&self) -> Option<Instant> {
        let broken = self.broken.as_ref().map(|broken| broken.at);
        self.home.as_ref().map(|home| home.used).max(broken)
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

fn is_recent(at: Instant, ttl: Duration, now: Instant) -> bool {
    now.saturating_duration_since(at) < ttl
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;
    use crate::call::CallKind;

    const TTL: Duration = Duration::from_secs(300);

    #[test]
    fn a_conversation_is_forgotten_after_its_time() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        conversations.settle_at(SessionKey::of("a"), EndpointId::new(1), TTL, now);

        let home = |at| {
            let home = conversations.home(SessionKey::of("a"), TTL, at);
            home.map(|home| home.endpoint)
        };
        let just_before = home(now + TTL - Duration::from_secs(1));
        let after = home(now + TTL);

        assert_eq!((just_before, after), (Some(EndpointId::new(1)), None));
    }

    /// A conversation with a hundred thousand cached tokens at endpoint 1 that has moved to endpoint 2.
    fn moved(now: Instant) -> Conversations {
        let mut conversations = Conversations::default();
        conversations.settle_at(SessionKey::of("a"), EndpointId::new(1), TTL, now);
        note(&mut conversations, 1, 100_000, now);
        conversations.settle_at(SessionKey::of("a"), EndpointId::new(2), TTL, now);
        conversations
    }

    fn note(
        conversations: &mut Conversations,
        endpoint: u32,
        written: u64,
        now: Instant,
    ) -> Option<u64> {
        let usage = Usage {
            cache_write_5m: written,
            ..Usage::default()
        };
        let told = ("claude-opus-5-5", &usage);
        let left =
            conversations.note_usage(SessionKey::of("a"), EndpointId::new(endpoint), told, now);
        left.map(|left| left.tokens)
    }

    #[test]
    fn what_a_conversation_left_behind_is_told_once_with_its_own_next_answer() {
        let now = Instant::now();
        let mut conversations = moved(now);

        let side_call = note(&mut conversations, 2, 2_000, now);
        let answers = [101_000, 103_000].map(|written| note(&mut conversations, 2, written, now));

        assert_eq!((side_call, answers), (None, [Some(100_000), None]));
    }

    #[test]
    fn a_conversation_that_comes_back_at_once_has_left_nothing() {
        let now = Instant::now();
        let mut conversations = moved(now);

        conversations.settle_at(SessionKey::of("a"), EndpointId::new(1), TTL, now);

        let home = conversations.home(SessionKey::of("a"), TTL, now).unwrap();
        assert!(home.cached.is_some());
        assert_eq!(note(&mut conversations, 1, 100_000, now), None);
    }

    #[test]
    fn a_flood_of_conversations_stays_bounded_and_keeps_the_newest() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        for n in 0..25_000_u32 {
            let at = now + Duration::from_micros(n.into());
            conversations.settle_at(SessionKey::of(&n.to_string()), EndpointId::new(1), TTL, at);
        }

        assert!(conversations.known.len() <= CAPACITY);
        assert!(conversations.known.contains_key(&SessionKey::of("24999")));
    }

    #[test]
    fn where_an_answer_broke_off_is_told_once_to_the_repeat_and_to_no_side_call() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        let asked = |model: &str| Asked {
            kind: CallKind::Messages,
            model: Some(model.to_owned()),
        };
        let key = SessionKey::of("a");
        conversations.note_broken(key, EndpointId::new(1), Arc::new(asked("m")), TTL, now);
        let mut take = |model, at| conversations.take_broken(key, &asked(model), TTL, at);

        let told = [("side", now), ("m", now), ("m", now)].map(|(model, at)| take(model, at));

        assert_eq!(told, [None, Some(EndpointId::new(1)), None]);
        assert!(conversations.known.is_empty(), "nothing stays of it");
    }

    #[test]
    fn where_an_answer_broke_off_is_forgotten_after_its_time_and_bounded_in_number() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        let asked = Arc::new(Asked {
            kind: CallKind::Messages,
            model: None,
        });
        for n in 0..25_000_u32 {
            let at = now + Duration::from_micros(n.into());
            let (key, endpoint) = (SessionKey::of(&n.to_string()), EndpointId::new(1));
            conversations.note_broken(key, endpoint, Arc::clone(&asked), TTL, at);
        }
        let newest = SessionKey::of("24999");

        assert!(conversations.known.len() <= CAPACITY);
        assert!(conversations.known.contains_key(&newest));
        let late = now + TTL + Duration::from_secs(1);
        assert_eq!(conversations.take_broken(newest, &asked, TTL, late), None);
    }
}
