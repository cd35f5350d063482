//! What is remembered of a session for a while, so that what is done with one's own token needs no question: the
//! keychain entries that it has filled where there was none, and where an endpoint took its credential that it
//! has removed and may want back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zephyr_control::privilege::{Flow, Known, Source};

use super::visitors::SessionId;

/// The time for which something of a session is remembered.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// The most that is remembered of all sessions. One more replaces the oldest.
const MOST: usize = 32;

/// What is remembered of sessions.
#[derive(Default)]
pub(super) struct Memories {
    remembered: Mutex<VecDeque<Remembered>>,
    /// So that nothing of a browser changes the configuration between the judgement of a command and its
    /// effect.
    one_change: tokio::sync::Mutex<()>,
}

struct Remembered {
    session: SessionId,
    what: Memory,
    until: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Memory {
    /// The session has stored this credential.
    Own(Source),
    /// The session has removed an endpoint that took its credential there.
    Former(Vec<Flow>),
}

impl Memories {
    /// Waits until no other session changes the configuration.
    pub(super) async fn one_change(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.one_change.lock().await
    }

    /// What counts for this session.
    pub(super) fn known(&self, session: SessionId, now: Instant) -> Known {
        let mut known = Known::default();
        for remembered in self.lock(now).iter() {
            if remembered.session != session {
                continue;
            }
            match &remembered.what {
                Memory::Own(source) => known.own.push(source.clone()),
                Memory::Former(flows) => known.former.extend_from_slice(flows),
            }
        }
        known
    }

    pub(super) fn remember(&self, session: SessionId, what: Memory, now: Instant) {
        let mut remembered = self.lock(now);
        if remembered.len() == MOST {
            remembered.pop_front();
        }
        remembered.push_back(Remembered {
            session,
            what,
            until: now + MEMORY,
        });
    }

    /// Without what is too old.
    fn lock(&self, now: Instant) -> MutexGuard<'_, VecDeque<Remembered>> {
        let remembered = self.remembered.lock();
        let mut remembered = remembered.unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|remembered| now < remembered.until);
        remembered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &str) -> Memory {
        Memory::Own(Source::Entry {
            name: name.to_owned(),
        })
    }

    #[test]
    fn what_is_remembered_is_of_one_session_and_for_a_while() {
        let (memories, now) = (Memories::default(), Instant::now());
        memories.remember(SessionId(1), own("a"), now);

        let known = |session, now| memories.known(SessionId(session), now).own.len();

        assert_eq!(known(1, now), 1);
        assert_eq!(known(2, now), 0);
        assert_eq!(known(1, now + MEMORY), 0);
    }

    #[test]
    fn there_is_never_much_of_it() {
        let (memories, now) = (Memories::default(), Instant::now());

        for entry in 0..100 {
            memories.remember(SessionId(1), own(&entry.to_string()), now);
        }

        assert_eq!(memories.known(SessionId(1), now).own.len(), MOST);
    }
}
