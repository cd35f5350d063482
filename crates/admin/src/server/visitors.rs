//! The browsers that are signed in.
//!
//! A program that knows the admin token gets a code for a browser. A code is valid once and for a minute.
//! The browser exchanges it for a session and sends both halves of that from then on. So the token itself
//! never gets near a browser, its history or its address bar.
//!
//! Codes and sessions are in memory only, bounded, and end with the program.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;

use crate::token::{self, TokenError};

/// The time for which a code can be exchanged.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// The time after which an unused session ends.
const SESSION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Most codes, or sessions. One more replaces the oldest.
const CODES: usize = 8;
const SESSIONS: usize = 32;

/// The codes and sessions that are valid.
#[derive(Default)]
pub(super) struct Visitors(Mutex<State>);

#[derive(Default)]
struct State {
    codes: VecDeque<Secret>,
    sessions: VecDeque<Secret>,
    /// How many sessions there were.
    begun: u64,
}

struct Secret {
    text: String,
    /// Of a session.
    id: SessionId,
    until: Instant,
}

/// A session, for what is remembered of it. No other one ever has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionId(pub(super) u64);

/// Two secrets that are valid only together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The browser adds it by itself, to requests for any port of this machine.
    pub(super) cookie: String,
    /// Our page adds it. No page of another port can know it.
    pub(super) key: String,
}

impl Session {
    fn whole(&self) -> String {
        format!("{}.{}", self.cookie, self.key)
    }
}

impl Visitors {
    /// A code for a browser.
    pub(super) fn code(&self, now: Instant) -> Result<String, TokenError> {
        let code = token::challenge()?;
        let mut state = self.lock();
        let none = SessionId(0);
        remember(&mut state.codes, CODES, (&code, none), now + CODE_LIFETIME);
        Ok(code)
    }

    /// Exchanges the code for a session. The code is not valid any more.
    pub(super) fn exchange(&self, code: &str, now: Instant) -> Result<Option<Session>, TokenError> {
        let session = Session {
            cookie: token::challenge()?,
            key: token::challenge()?,
        };
        let mut state = self.lock();
        if take(&mut state.codes, code, now).is_none() {
            return Ok(None);
        }
        let until = now + SESSION_LIFETIME;
        state.begun += 1;
        let id = SessionId(state.begun);
        remember(&mut state.sessions, SESSIONS, (&session.whole(), id), until);
        Ok(Some(session))
    }

    /// Which session it is, if it is valid. Then its lifetime begins again.
    pub(super) fn admit(&self, session: &Session, now: Instant) -> Option<SessionId> {
        let session = session.whole();
        let mut state = self.lock();
        let id = take(&mut state.sessions, &session, now)?.id;
        let until = now + SESSION_LIFETIME;
        remember(&mut state.sessions, SESSIONS, (&session, id), until);
        Some(id)
    }

    /// Ends the session.
    pub(super) fn forget(&self, session: &Session, now: Instant) {
        take(&mut self.lock().sessions, &session.whole(), now);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember(
    secrets: &mut VecDeque<Secret>,
    most: usize,
    (text, id): (&str, SessionId),
    until: Instant,
) {
    if secrets.len() == most {
        secrets.pop_front();
    }
    let text = text.to_owned();
    secrets.push_back(Secret { text, id, until });
}

/// Removes the secret if it is valid. Each secret is compared as a whole, so the duration tells nothing.
fn take(secrets: &mut VecDeque<Secret>, text: &str, now: Instant) -> Option<Secret> {
    secrets.retain(|secret| now < secret.until);
    let mut found = None;
    for (position, secret) in secrets.iter().enumerate() {
        if secret.text.as_bytes().ct_eq(text.as_bytes()).into() {
            found = Some(position);
        }
    }
    secrets.remove(found?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn session(visitors: &Visitors, now: Instant) -> Session {
        let code = visitors.code(now).unwrap();
        visitors.exchange(&code, now).unwrap().unwrap()
    }

    #[test]
    fn a_code_is_good_for_one_session() {
        let (visitors, now) = (Visitors::default(), Instant::now());
        let code = visitors.code(now).unwrap();

        let first = visitors.exchange(&code, now).unwrap();
        let second = visitors.exchange(&code, now).unwrap();

        assert!(visitors.admit(&first.unwrap(), now).is_some());
        assert_eq!(second, None);
    }

    #[test]
    fn a_session_stays_the_same_and_is_no_other() {
        let (visitors, now) = (Visitors::default(), Instant::now());
        let (ours, other) = (session(&visitors, now), session(&visitors, now));

        let ids = [&ours, &other, &ours].map(|session| visitors.admit(session, now).unwrap());

        assert_eq!(ids[0], ids[2]);
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn one_half_of_a_session_is_none() {
        let (visitors, now) = (Visitors::default(), Instant::now());
        let (ours, other) = (session(&visitors, now), session(&visitors, now));
        let with = |cookie: &str, key: &str| Session {
            cookie: cookie.to_owned(),
            key: key.to_owned(),
        };

        for wrong in [
            with(&ours.cookie, ""),
            with("", &ours.key),
            with(&ours.cookie, &ours.cookie),
            with(&ours.cookie, &other.key),
            with(&ours.key, &ours.cookie),
            with(&format!("{}.{}", ours.cookie, ours.key), ""),
        ] {
            assert!(visitors.admit(&wrong, now).is_none(), "{wrong:?}");
        }
        assert!(visitors.admit(&ours, now).is_some());
    }

    #[test]
    fn a_code_is_good_for_a_minute() {
        let (visitors, now) = (Visitors::default(), Instant::now());
        let (early, late) = (visitors.code(now).unwrap(), visitors.code(now).unwrap());
        let just_in_time = now + CODE_LIFETIME - SECOND;

        assert!(visitors.exchange(&early, just_in_time).unwrap().is_some());
        assert_eq!(visitors.exchange(&late, now + CODE_LIFETIME).unwrap(), None);
    }

    #[test]
    fn a_session_ends_when_it_is_not_used() {
        let (visitors, begun) = (Visitors::default(), Instant::now());
        let session = session(&visitors, begun);
        let used = begun + SESSION_LIFETIME - SECOND;

        assert!(visitors.admit(&session, used).is_some());
        assert!(
            visitors
                .admit(&session, used + SESSION_LIFETIME - SECOND)
                .is_some()
        );
        assert!(
            visitors
                .admit(&session, used + 2 * SESSION_LIFETIME)
                .is_none()
        );
    }

    #[test]
    fn a_session_ends_when_it_is_forgotten() {
        let (visitors, now) = (Visitors::default(), Instant::now());
        let (kept, left) = (session(&visitors, now), session(&visitors, now));

        visitors.forget(&left, now);

        assert!(visitors.admit(&kept, now).is_some());
        assert!(visitors.admit(&left, now).is_none());
    }

    #[test]
    fn there_are_never_many_of_either() {
        let (visitors, now) = (Visitors::default(), Instant::now());
        let code = visitors.code(now).unwrap();
        let first = session(&visitors, now);
        let used = session(&visitors, now);

        for _ in 0..SESSIONS - 1 {
            assert!(visitors.admit(&used, now).is_some());
            session(&visitors, now);
        }

        assert!(
            visitors.admit(&first, now).is_none(),
            "the one that was not used goes"
        );
        assert!(visitors.admit(&used, now).is_some());
        assert_eq!(visitors.lock().sessions.len(), SESSIONS);
        for _ in 0..CODES {
            visitors.code(now).unwrap();
        }
        assert_eq!(visitors.exchange(&code, now).unwrap(), None);
        assert_eq!(visitors.lock().codes.len(), CODES);
    }

    #[test]
    fn nothing_else_is_a_code_or_a_session() {
        let (visitors, now) = (Visitors::default(), Instant::now());
        let code = visitors.code(now).unwrap();
        let session = session(&visitors, now);

        for wrong in ["", "0", &code[1..], &format!("{code}0"), &session.cookie] {
            assert_eq!(visitors.exchange(wrong, now).unwrap(), None);
        }
        for wrong in ["", &code, &session.cookie[1..]] {
            let cookie = wrong.to_owned();
            let wrong = Session {
                cookie,
                ..session.clone()
            };
            assert!(visitors.admit(&wrong, now).is_none());
        }
    }
}
