//! What is remembered about conversations: the home of each, because every endpoint has its own prompt cache,
//! and the endpoint where an answer broke off after the client had seen a part of it.
//!
//! The number and the time are limited. The conversation that was unused for longest is forgotten first. What
//! is known about the cache at a home is forgotten with the home. It decides what a move would cost.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asked::Asked;
use crate::endpoint_id::EndpointId;
use crate::price::Usage;
use crate::session::SessionKey;
use crate::worth::Cached;

/// The most conversations that are remembered at once.
const CAPACITY: usize = 10_000;
/// The most models of one conversation.
const MOST_HOMES: usize = 4;
/// The most endpoints that are remembered as having broken off answers to one request.
const MOST_BROKEN: usize = 8;
/// The most endpoints that are remembered as refusing one conversation.
const MOST_REFUSALS: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Conversations {
    known: HashMap<SessionKey, Conversation>,
}

/// A conversation, and the model that a request in it asks for. Caches are per model, and side calls with
/// another model must not move the conversation.
pub(super) type Key<'m> = (SessionKey, Option<&'m str>);

#[derive(Debug, Default)]
struct Conversation {
    /// By model. The one used last is at the end.
    homes: Vec<(Option<Box<str>>, Home)>,
    broken: Option<Broken>,
    /// Endpoints that refuse it, and until when.
    refused: Vec<(EndpointId, Instant)>,
}

#[derive(Debug)]
pub(super) struct Home {
    pub(super) endpoint: EndpointId,
    /// When the conversation came to this endpoint.
    pub(super) since: Instant,
    /// The number of answers so far, from all endpoints.
    pub(super) turns: u32,
    /// What is cached there, once an answer has said it.
    pub(super) cached: Option<Cached>,
    /// What is cached at the endpoint it left. Kept until an answer here says what was written again.
    left: Option<Behind>,
    used: Instant,
    /// Whether the conversation was answered there. Before that it is only expected there, so that requests
    /// that arrive together go to the same endpoint.
    is_proven: bool,
}

/// A conversation's cache at an endpoint that it has left.
#[derive(Debug)]
pub(super) struct Behind {
    pub(super) endpoint: EndpointId,
    pub(super) tokens: u64,
    cached: Cached,
}

/// Answers to one request that broke off after they began. The client will send its request again.
#[derive(Debug)]
struct Broken {
    /// Where. The last one is at the end.
    endpoints: Vec<EndpointId>,
    /// Distinguishes the repeat from side calls, which name other models.
    asked: Arc<Asked>,
    at: Instant,
    /// The repeat knows it.
    is_told: bool,
}

impl Conversations {
    /// The conversation's home with this model. Without one: its last home with any model.
    pub(super) fn home(
        &self,
        (session, model): Key<'_>,
        ttl: Duration,
        now: Instant,
    ) -> Option<&Home> {
        let homes = &self.known.get(&session)?.homes;
        let recent = || {
            let all = homes.iter().rev();
            all.filter(|(_, home)| is_recent(home.used, ttl, now))
        };
        let own = recent().find(|(of, _)| of.as_deref() == model);
        own.or_else(|| recent().next()).map(|(_, home)| home)
    }

    /// Notes what an answer of `endpoint` says about the conversation's cache there. Once after a move,
    /// returns what was cached at the old home.
    pub(super) fn note_usage(
        &mut self,
        session: SessionKey,
        endpoint: EndpointId,
        (model, usage): (&str, &Usage),
        now: Instant,
    ) -> Option<Behind> {
        let home = self.known.get_mut(&session)?.own_home(Some(model))?;
        if home.endpoint != endpoint {
            return None;
        }
        home.cached = Some(Cached::update(home.cached.take(), model, usage, now));
        home.left
            .take_if(|left| left.cached.is_continued_by(model, usage))
    }

    /// A request of the conversation goes to `endpoint`. Requests that come before its answer go there too,
    /// unless the conversation already has a home.
    pub(super) fn expect_at(
        &mut self,
        (session, model): Key<'_>,
        endpoint: EndpointId,
        ttl: Duration,
        now: Instant,
    ) {
        if self
            .home((session, model), ttl, now)
            .is_some_and(|home| home.is_proven)
        {
            return;
        }
        let known = self.entry(session, ttl, now);
        known.forget_home(model);
        known.add_home(model, Home::new(endpoint, false, now));
    }

    /// `endpoint` did not answer the conversation. If it was only expected there, it no longer is.
    pub(super) fn leave_unproven(&mut self, (session, model): Key<'_>, endpoint: EndpointId) {
        let Some(known) = self.known.get_mut(&session) else {
            return;
        };
        if known
            .own_home(model)
            .is_some_and(|home| !home.is_proven && home.endpoint == endpoint)
        {
            known.forget_home(model);
            self.drop_if_empty(session);
        }
    }

    /// `endpoint` answers the conversation, and is its home from now on.
    pub(super) fn settle_at(
        &mut self,
        (session, model): Key<'_>,
        endpoint: EndpointId,
        ttl: Duration,
        now: Instant,
    ) {
        let known = self.entry(session, ttl, now);
        known.refused.retain(|(refuses, _)| *refuses != endpoint);
        let Some(mut home) = known.take_home(model) else {
            known.add_home(model, Home::new(endpoint, true, now));
            return;
        };
        if home.endpoint == endpoint || !home.is_proven {
            home.since = if home.endpoint == endpoint {
                home.since
            } else {
                now
            };
            home.endpoint = endpoint;
            home.is_proven = true;
            home.used = now;
            home.turns = home.turns.saturating_add(1);
        } else {
            // The conversation is back before anything was written at the other endpoint.
            let (cached, left) = match home.leave(now) {
                Some(left) if left.endpoint == endpoint => (Some(left.cached), None),
                left => (None, left),
            };
            home = Home {
                turns: home.turns.saturating_add(1),
                cached,
                left,
                ..Home::new(endpoint, true, now)
            };
        }
        known.add_home(model, home);
    }

    /// An endpoint refuses the conversation for so long.
    pub(super) fn note_refused(
        &mut self,
        session: SessionKey,
        endpoint: EndpointId,
        lasts: Duration,
        now: Instant,
    ) {
        let known = self.entry(session, lasts, now);
        known
            .refused
            .retain(|(refuses, until)| *until > now && *refuses != endpoint);
        if known.refused.len() >= MOST_REFUSALS {
            known.refused.remove(0);
        }
        known.refused.push((endpoint, now + lasts));
    }

    /// The endpoints that refuse the conversation.
    pub(super) fn refused_by(
        &self,
        session: SessionKey,
        now: Instant,
    ) -> impl Iterator<Item = EndpointId> {
        let refused = self.known.get(&session).into_iter();
        let refused = refused.flat_map(|known| &known.refused);
        refused
            .filter(move |(_, until)| *until > now)
            .map(|(id, _)| *id)
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
        let known = self.entry(session, ttl, now);
        let before = known.broken.take();
        let before =
            before.filter(|broken| *broken.asked == *asked && is_recent(broken.at, ttl, now));
        let mut endpoints = before.map(|broken| broken.endpoints).unwrap_or_default();
        endpoints.retain(|other| *other != endpoint);
        if endpoints.len() >= MOST_BROKEN {
            endpoints.remove(0);
        }
        endpoints.push(endpoint);
        known.broken = Some(Broken {
            endpoints,
            asked,
            at: now,
            is_told: false,
        });
    }

    /// The endpoints where answers to such a request of the conversation broke off since it was last answered.
    /// Told only once, to the repeat of the last one.
    pub(super) fn tell_broken(
        &mut self,
        session: SessionKey,
        asked: &Asked,
        ttl: Duration,
        now: Instant,
    ) -> Vec<EndpointId> {
        let known = self.known.get_mut(&session);
        let broken = known.and_then(|known| known.broken.as_mut());
        let broken = broken.filter(|broken| {
            !broken.is_told && *broken.asked == *asked && is_recent(broken.at, ttl, now)
        });
        broken.map_or(Vec::new(), |broken| {
            broken.is_told = true;
            broken.endpoints.clone()
        })
    }

    /// Such a request of the conversation was answered.
    pub(super) fn mend(&mut self, session: SessionKey, asked: &Asked) {
        if let Some(known) = self.known.get_mut(&session) {
            known.broken.take_if(|broken| *broken.asked == *asked);
            self.drop_if_empty(session);
        }
    }

    fn drop_if_empty(&mut self, session: SessionKey) {
        let is_empty = |known: &Conversation| {
            known.homes.is_empty() && known.broken.is_none() && known.refused.is_empty()
        };
        if self.known.get(&session).is_some_and(is_empty) {
            self.known.remove(&session);
        }
    }

    fn entry(&mut self, session: SessionKey, ttl: Duration, now: Instant) -> &mut Conversation {
        if self.known.len() >= CAPACITY && !self.known.contains_key(&session) {
            self.make_room(ttl, now);
        }
        self.known.entry(session).or_default()
    }

    /// Drops what has expired. If nothing has, drops the half that was unused for longest, so that the cost
    /// per conversation is small.
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
        let refused = self.refused.iter().map(|(_, until)| *until).max();
        let homes = self.homes.iter().map(|(_, home)| home.used).max();
        homes.max(broken).max(refused)
    }

    fn own_home(&mut self, model: Option<&str>) -> Option<&mut Home> {
        let mut homes = self.homes.iter_mut();
        let own = homes.find(|(of, _)| of.as_deref() == model);
        own.map(|(_, home)| home)
    }

    fn take_home(&mut self, model: Option<&str>) -> Option<Home> {
        let at = self
            .homes
            .iter()
            .position(|(of, _)| of.as_deref() == model)?;
        Some(self.homes.remove(at).1)
    }

    fn forget_home(&mut self, model: Option<&str>) {
        self.homes.retain(|(of, _)| of.as_deref() != model);
    }

    fn add_home(&mut self, model: Option<&str>, home: Home) {
        if self.homes.len() >= MOST_HOMES {
            self.homes.remove(0);
        }
        self.homes.push((model.map(Box::from), home));
    }
}

impl Home {
    fn new(endpoint: EndpointId, is_proven: bool, now: Instant) -> Self {
        Self {
            endpoint,
            since: now,
            turns: u32::from(is_proven),
            cached: None,
            left: None,
            used: now,
            is_proven,
        }
    }

    /// What a conversation leaves behind when it moves.
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
    const MODEL: Option<&str> = Some("claude-opus-5-5");

    #[test]
    fn a_conversation_is_forgotten_after_its_time() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        conversations.settle_at((SessionKey::of("a"), MODEL), EndpointId::new(1), TTL, now);

        let home = |at| {
            let home = conversations.home((SessionKey::of("a"), MODEL), TTL, at);
            home.map(|home| home.endpoint)
        };
        let just_before = home(now + TTL - Duration::from_secs(1));
        let after = home(now + TTL);

        assert_eq!((just_before, after), (Some(EndpointId::new(1)), None));
    }

    /// A conversation with a hundred thousand cached tokens at endpoint 1. It has moved to endpoint 2.
    fn moved(now: Instant) -> Conversations {
        let mut conversations = Conversations::default();
        conversations.settle_at((SessionKey::of("a"), MODEL), EndpointId::new(1), TTL, now);
        note(&mut conversations, 1, 100_000, now);
        conversations.settle_at((SessionKey::of("a"), MODEL), EndpointId::new(2), TTL, now);
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
    fn a_side_call_of_another_model_goes_along_and_takes_nothing_with_it() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        let key = SessionKey::of("a");
        let (main, side) = ((key, MODEL), (key, Some("claude-haiku-4-5")));
        let at = |conversations: &Conversations, of| {
            conversations.home(of, TTL, now).map(|home| home.endpoint)
        };
        conversations.settle_at(main, EndpointId::new(1), TTL, now);
        let before = at(&conversations, side);

        conversations.settle_at(side, EndpointId::new(2), TTL, now);

        assert_eq!(before, Some(EndpointId::new(1)));
        assert_eq!(at(&conversations, side), Some(EndpointId::new(2)));
        assert_eq!(at(&conversations, main), Some(EndpointId::new(1)));
    }

    #[test]
    fn what_is_not_answered_makes_no_home() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        let key = (SessionKey::of("a"), MODEL);
        conversations.expect_at(key, EndpointId::new(1), TTL, now);
        let meanwhile = conversations.home(key, TTL, now).map(|home| home.endpoint);

        conversations.leave_unproven(key, EndpointId::new(1));

        assert_eq!(
            meanwhile,
            Some(EndpointId::new(1)),
            "those that come together go together"
        );
        assert!(conversations.known.is_empty());
    }

    #[test]
    fn who_does_not_want_a_conversation_is_remembered_for_its_time_and_forgiven_by_an_answer() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        let (key, minute) = (SessionKey::of("a"), Duration::from_secs(60));
        for id in [1, 2] {
            conversations.note_refused(key, EndpointId::new(id), minute, now);
        }
        conversations.settle_at((key, MODEL), EndpointId::new(2), TTL, now);

        let at = |at| conversations.refused_by(key, at).collect::<Vec<_>>();

        assert_eq!(
            (at(now), at(now + minute)),
            (vec![EndpointId::new(1)], vec![])
        );
        assert_eq!(
            conversations.refused_by(SessionKey::of("b"), now).count(),
            0
        );
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

        conversations.settle_at((SessionKey::of("a"), MODEL), EndpointId::new(1), TTL, now);

        let home = conversations
            .home((SessionKey::of("a"), MODEL), TTL, now)
            .unwrap();
        assert!(home.cached.is_some());
        assert_eq!(note(&mut conversations, 1, 100_000, now), None);
    }

    #[test]
    fn a_flood_of_conversations_stays_bounded_and_keeps_the_newest() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        for n in 0..25_000_u32 {
            let at = now + Duration::from_micros(n.into());
            conversations.settle_at(
                (SessionKey::of(&n.to_string()), MODEL),
                EndpointId::new(1),
                TTL,
                at,
            );
        }

        assert!(conversations.known.len() <= CAPACITY);
        assert!(conversations.known.contains_key(&SessionKey::of("24999")));
    }

    #[test]
    fn where_answers_broke_off_is_told_once_to_each_repeat_and_to_no_side_call() {
        let now = Instant::now();
        let mut conversations = Conversations::default();
        let asked = |model: &str| Asked {
            kind: CallKind::Messages,
            model: Some(model.to_owned()),
        };
        let key = SessionKey::of("a");
        let [one, two] = [1, 2].map(EndpointId::new);
        let breaks = |conversations: &mut Conversations, id| {
            conversations.note_broken(key, id, Arc::new(asked("m")), TTL, now);
            ["side", "m", "m"].map(|model| conversations.tell_broken(key, &asked(model), TTL, now))
        };

        let told = [one, two].map(|id| breaks(&mut conversations, id));
        conversations.mend(key, &asked("m"));

        assert_eq!(told[0], [vec![], vec![one], vec![]]);
        assert_eq!(told[1], [vec![], vec![one, two], vec![]]);
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
        assert_eq!(conversations.tell_broken(newest, &asked, TTL, late), []);
    }
}
