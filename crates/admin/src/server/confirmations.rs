//! What browsers have asked for and the operating system's user has not confirmed, or not yet.
//!
//! A confirmation is for one browser, one command and the effect that was shown: if the configuration has
//! changed meanwhile so that the same command would do something else, it has to be confirmed again. It is
//! good once. A hash stands for the command, which may hold a token.
//!
//! They are in memory only, bounded, and end with the program. One browser cannot push out those of another
//! by asking much.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use tokio::sync::watch;
use zephyr_control::privilege::{Confirmation, Danger, Effect, Standing};

use super::visitors::SessionId;
use crate::token::TokenError;

/// The time in which something can be confirmed and carried out.
pub(super) const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// Most confirmations of all browsers, and of one. One more replaces the oldest.
pub(super) const MOST: usize = 8;
pub(super) const MOST_OF_ONE: usize = 2;
/// Numbers have four digits.
const NUMBERS: std::ops::RangeInclusive<u32> = 1000..=9999;

/// What waits for a confirmation. Its clones are the same.
#[derive(Clone, Debug)]
pub struct Confirmations(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    asked: Mutex<VecDeque<Asked>>,
    changes: watch::Sender<()>,
}

#[derive(Debug)]
struct Asked {
    number: u32,
    session: SessionId,
    command: Fingerprint,
    effect: Effect,
    danger: Danger,
    until: Instant,
    answer: Option<bool>,
}

/// Stands for a command or a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<u8>);

impl Fingerprint {
    /// Of what a path was asked to do.
    pub(super) fn of(path: &str, body: &impl serde::Serialize) -> serde_json::Result<Self> {
        let text = serde_json::to_vec(&(path, body))?;
        let hash = digest::digest(&digest::SHA256, &text);
        Ok(Self(hash.as_ref().to_vec()))
    }
}

/// What becomes of something dangerous.
#[derive(Debug, PartialEq)]
pub(super) enum Demanded {
    /// It was confirmed, and is carried out now.
    Confirmed,
    /// The operating system's user has to confirm it.
    Asked(Box<Confirmation>),
    /// The operating system's user said no.
    Refused,
}

impl Default for Confirmations {
    fn default() -> Self {
        Self(Arc::new(Shared {
            asked: Mutex::default(),
            changes: watch::Sender::new(()),
        }))
    }
}

impl Confirmations {
    /// What waits for an answer, oldest first.
    pub fn waiting(&self) -> Vec<Confirmation> {
        self.waiting_at(Instant::now())
    }

    /// Every change of what waits.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.0.changes.subscribe()
    }

    /// Answers for the operating system's user. `None`: no such number waits.
    pub fn settle(&self, number: u32, allow: bool) -> Option<Confirmation> {
        self.settle_at(number, allow, Instant::now())
    }

    /// Takes the confirmation of this command, if there is one; or asks for it.
    pub(super) fn demand(
        &self,
        session: SessionId,
        command: &Fingerprint,
        (effect, danger): (Effect, Danger),
        now: Instant,
    ) -> Result<Demanded, TokenError> {
        let random = random()?;
        let mut asked = self.lock(now);
        let same = |asked: &Asked| {
            asked.session == session && asked.command == *command && asked.effect == effect
        };
        if let Some(at) = asked.iter().position(same) {
            let Some(allowed) = asked[at].answer else {
                return Ok(Demanded::Asked(Box::new(asked[at].told(now))));
            };
            asked.remove(at);
            return Ok(if allowed {
                Demanded::Confirmed
            } else {
                Demanded::Refused
            });
        }
        let of_one = asked
            .iter()
            .filter(|asked| asked.session == session)
            .count();
        if of_one == MOST_OF_ONE
            && let Some(oldest) = asked.iter().position(|asked| asked.session == session)
        {
            asked.remove(oldest);
        } else if asked.len() == MOST {
            asked.pop_front();
        }
        let is_free = |number: &u32| asked.iter().all(|asked| asked.number != *number);
        let from = NUMBERS.start() + random % (NUMBERS.end() - NUMBERS.start());
        let number = (from..=*NUMBERS.end()).chain(NUMBERS).find(is_free);
        let new = Asked {
            number: number.unwrap_or(from),
            session,
            command: command.clone(),
            effect,
            danger,
            until: now + LIFETIME,
            answer: None,
        };
        let told = new.told(now);
        asked.push_back(new);
        drop(asked);
        self.0.changes.send_replace(());
        Ok(Demanded::Asked(Box::new(told)))
    }

    /// How the confirmation stands that this browser has asked for.
    pub(super) fn standing(&self, session: SessionId, number: u32, now: Instant) -> Standing {
        let asked = self.lock(now);
        let own = |asked: &&Asked| asked.session == session && asked.number == number;
        match asked.iter().find(own).map(|asked| asked.answer) {
            None => Standing::Gone,
            Some(None) => Standing::Waiting,
            Some(Some(true)) => Standing::Allowed,
            Some(Some(false)) => Standing::Refused,
        }
    }

    /// Forgets what this browser has asked for: it does not wait any more.
    pub(super) fn withdraw(&self, session: SessionId, number: u32, now: Instant) {
        let own = |asked: &Asked| asked.session == session && asked.number == number;
        self.lock(now).retain(|asked| !own(asked));
        self.0.changes.send_replace(());
    }

    pub(super) fn waiting_at(&self, now: Instant) -> Vec<Confirmation> {
        let asked = self.lock(now);
        let waiting = asked.iter().filter(|asked| asked.answer.is_none());
        waiting.map(|asked| asked.told(now)).collect()
    }

    pub(super) fn settle_at(&self, number: u32, allow: bool, now: Instant) -> Option<Confirmation> {
        let mut asked = self.lock(now);
        let waits = |asked: &&mut Asked| asked.number == number && asked.answer.is_none();
        let settled = asked.iter_mut().find(waits)?;
        settled.answer = Some(allow);
        let told = settled.told(now);
        drop(asked);
        self.0.changes.send_replace(());
        Some(told)
    }

    /// Without those that are too old.
    fn lock(&self, now: Instant) -> MutexGuard<'_, VecDeque<Asked>> {
        let asked = self.0.asked.lock();
        let mut asked = asked.unwrap_or_else(PoisonError::into_inner);
        asked.retain(|asked| now < asked.until);
        asked
    }
}

impl Asked {
    fn told(&self, now: Instant) -> Confirmation {
        let left = self.until.saturating_duration_since(now).as_millis();
        Confirmation {
            number: self.number,
            effect: self.effect.clone(),
            danger: self.danger,
            left_ms: u64::try_from(left).unwrap_or(u64::MAX),
        }
    }
}

/// So that a number says nothing about how much was asked before.
fn random() -> Result<u32, TokenError> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(TokenError::Random)?;
    Ok(u32::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn effect(entry: &str) -> (Effect, Danger) {
        let entry = entry.to_owned();
        (Effect::StoreToken { entry }, Danger::MovesCredentials)
    }

    fn fingerprint(command: &str) -> Fingerprint {
        Fingerprint::of("/api/v1/commands", &command).unwrap()
    }

    /// Asks, or takes what was allowed.
    fn demand(
        confirmations: &Confirmations,
        session: u64,
        command: &str,
        now: Instant,
    ) -> Demanded {
        let session = SessionId(session);
        let demanded = confirmations.demand(session, &fingerprint(command), effect(command), now);
        demanded.unwrap()
    }

    fn asked(confirmations: &Confirmations, session: u64, command: &str, now: Instant) -> u32 {
        match demand(confirmations, session, command, now) {
            Demanded::Asked(confirmation) => confirmation.number,
            other @ (Demanded::Confirmed | Demanded::Refused) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_confirmed_is_carried_out_once() {
        let (confirmations, now) = (Confirmations::default(), Instant::now());

        let number = asked(&confirmations, 1, "a", now);
        let again = asked(&confirmations, 1, "a", now);
        confirmations.settle_at(number, true, now).unwrap();
        let first = demand(&confirmations, 1, "a", now);
        let second = demand(&confirmations, 1, "a", now);

        assert_eq!(number, again, "asking again is the same question");
        assert!(NUMBERS.contains(&number));
        assert_eq!(first, Demanded::Confirmed);
        assert!(matches!(second, Demanded::Asked(_)), "{second:?}");
    }

    #[test]
    fn it_is_for_one_browser_one_command_and_one_effect() {
        let (confirmations, now) = (Confirmations::default(), Instant::now());
        let number = asked(&confirmations, 1, "a", now);
        confirmations.settle_at(number, true, now).unwrap();

        let other_browser = demand(&confirmations, 2, "a", now);
        let other_command = demand(&confirmations, 1, "b", now);
        let (session, command) = (SessionId(1), fingerprint("a"));
        let other_effect = confirmations.demand(session, &command, effect("b"), now);

        for refused in [other_browser, other_command, other_effect.unwrap()] {
            assert!(matches!(refused, Demanded::Asked(_)), "{refused:?}");
        }
    }

    #[test]
    fn what_was_refused_is_told_once_and_may_be_asked_again() {
        let (confirmations, now) = (Confirmations::default(), Instant::now());
        let number = asked(&confirmations, 1, "a", now);

        confirmations.settle_at(number, false, now).unwrap();

        let session = SessionId(1);
        assert_eq!(
            confirmations.standing(session, number, now),
            Standing::Refused
        );
        assert_eq!(demand(&confirmations, 1, "a", now), Demanded::Refused);
        assert_eq!(confirmations.standing(session, number, now), Standing::Gone);
        assert!(matches!(
            demand(&confirmations, 1, "a", now),
            Demanded::Asked(_)
        ));
    }

    #[test]
    fn an_answer_counts_once_and_only_in_time() {
        let (confirmations, now) = (Confirmations::default(), Instant::now());
        let number = asked(&confirmations, 1, "a", now);
        let last = now + LIFETIME - SECOND;

        assert_eq!(confirmations.settle_at(number + 1, true, now), None);
        assert_eq!(confirmations.waiting_at(last)[0].left_ms, 1000);
        assert!(confirmations.settle_at(number, true, last).is_some());
        assert_eq!(confirmations.settle_at(number, false, last), None);
        assert_eq!(confirmations.waiting_at(last), []);
        let late = demand(&confirmations, 1, "a", now + LIFETIME);
        assert!(matches!(late, Demanded::Asked(_)), "{late:?}");
    }

    #[test]
    fn how_one_stands_is_told_to_the_browser_that_asked() {
        let (confirmations, now) = (Confirmations::default(), Instant::now());
        let number = asked(&confirmations, 1, "a", now);

        let standing = |session| confirmations.standing(SessionId(session), number, now);

        assert_eq!(standing(1), Standing::Waiting);
        assert_eq!(standing(2), Standing::Gone);
        confirmations.settle_at(number, true, now).unwrap();
        assert_eq!(standing(1), Standing::Allowed);
        confirmations.withdraw(SessionId(2), number, now);
        assert_eq!(standing(1), Standing::Allowed);
        confirmations.withdraw(SessionId(1), number, now);
        assert_eq!(standing(1), Standing::Gone);
    }

    #[test]
    fn there_are_never_many_and_one_browser_pushes_out_its_own() {
        let (confirmations, now) = (Confirmations::default(), Instant::now());
        let kept = asked(&confirmations, 1, "a", now);

        for command in 0..100 {
            asked(&confirmations, 2, &command.to_string(), now);
        }

        let waiting = confirmations.waiting_at(now);
        assert_eq!(waiting.len(), 1 + MOST_OF_ONE);
        assert_eq!(waiting[0].number, kept);
        for session in 3..100 {
            asked(&confirmations, session, "a", now);
        }
        assert_eq!(confirmations.waiting_at(now).len(), MOST);
    }

    #[test]
    fn a_change_is_told() {
        let (confirmations, now) = (Confirmations::default(), Instant::now());
        let mut changes = confirmations.changes();

        let number = asked(&confirmations, 1, "a", now);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        confirmations.settle_at(number, true, now);

        assert!(changes.has_changed().unwrap());
    }
}
