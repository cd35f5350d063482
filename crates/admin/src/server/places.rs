//! The places for connections: who has one, and who has to go.
//!
//! A connection begins as nobody's. It stays so until its request shows a token or a session. There are few
//! places for nobody, and a new connection always gets one: if they are taken, the oldest goes. So connections
//! that say nothing cannot keep out somebody with a token, whose request arrives long before so many others. (If
//! the silent ones went first, whoever fills all places but one with requests would leave newcomers that one.)
//!
//! Programs of other users have a few places of their own, whatever they show.
//! Browsers, programs and scrapers have places of their own, so that none of them can take another's: not with
//! event streams either, which stay open. If those of one kind are taken, the oldest of that kind goes; a page
//! whose stream ends connects again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::caller::Caller;

/// Whose places they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A program of another user, whatever it shows.
    Stranger,
    Nobody,
    Scraper,
    Browser,
    Program,
}

impl Kind {
    fn of(caller: Caller) -> Self {
        match caller {
            Caller::Nobody => Self::Nobody,
            Caller::Scraper => Self::Scraper,
            Caller::Browser(_) => Self::Browser,
            Caller::Program => Self::Program,
        }
    }

    fn places(self) -> usize {
        match self {
            Self::Nobody => 48,
            Self::Stranger | Self::Scraper => 8,
            Self::Browser | Self::Program => 64,
        }
    }
}

/// All places.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By number: an older connection has a smaller one.
    taken: BTreeMap<u64, Taken>,
    last: u64,
}

struct Taken {
    kind: Kind,
    closing: CancellationToken,
}

/// A connection's place. It is free again when the last clone is dropped.
#[derive(Clone)]
pub(super) struct Place(Arc<Held>);

struct Held {
    places: Places,
    number: u64,
    is_foreign: bool,
    closing: CancellationToken,
}

impl Places {
    /// A place for a new connection. `is_foreign`: it belongs to another user.
    pub(super) fn enter(&self, is_foreign: bool) -> Place {
        let kind = if is_foreign {
            Kind::Stranger
        } else {
            Kind::Nobody
        };
        let mut state = self.lock();
        state.make_room(kind);
        state.last += 1;
        let (number, closing) = (state.last, CancellationToken::new());
        let taken = Taken {
            kind,
            closing: closing.clone(),
        };
        state.taken.insert(number, taken);
        drop(state);
        Place(Arc::new(Held {
            places: self.clone(),
            number,
            is_foreign,
            closing,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Lets one go, if the places of this kind are all taken.
    fn make_room(&mut self, kind: Kind) {
        let mut all = self.taken.iter().filter(|(_, taken)| taken.kind == kind);
        if all.clone().count() < kind.places() {
            return;
        }
        if let Some(oldest) = all.next().map(|(number, _)| *number)
            && let Some(gone) = self.taken.remove(&oldest)
        {
            gone.closing.cancel();
        }
    }
}

impl Place {
    /// It has turned out whose connection this is.
    pub(super) fn belongs_to(&self, caller: Caller) {
        let kind = Kind::of(caller);
        let mut state = self.0.places.lock();
        if self.0.is_foreign || kind == Kind::Nobody || !state.taken.contains_key(&self.0.number) {
            return;
        }
        state.make_room(kind);
        if let Some(taken) = state.taken.get_mut(&self.0.number) {
            taken.kind = kind;
        }
    }

    /// Whether the connection belongs to another user, who may not use the port.
    pub(super) fn is_foreign(&self) -> bool {
        self.0.is_foreign
    }

    /// Whether nobody knows whose connection this is.
    pub(super) fn is_nobodys(&self) -> bool {
        let state = self.0.places.lock();
        let taken = state.taken.get(&self.0.number);
        taken.is_none_or(|taken| matches!(taken.kind, Kind::Nobody | Kind::Stranger))
    }

    /// Waits until the connection has to go.
    pub(super) async fn given_up(&self) {
        self.0.closing.cancelled().await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.places.lock().taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::visitors::SessionId;
    use super::*;

    fn enter(places: &Places, caller: Caller) -> Place {
        let place = places.enter(false);
        place.belongs_to(caller);
        place
    }

    fn has_gone(place: &Place) -> bool {
        place.0.closing.is_cancelled()
    }

    #[test]
    fn the_oldest_makes_room_for_a_new_one() {
        let places = Places::default();
        let all: Vec<_> = (0..Kind::Nobody.places())
            .map(|_| places.enter(false))
            .collect();
        assert!(!has_gone(&all[0]));

        let new = places.enter(false);

        let gone: Vec<_> = all.iter().map(has_gone).collect();
        assert!(gone[0] && !gone[1..].contains(&true));
        assert!(!has_gone(&new));
    }

    #[test]
    fn no_kind_takes_the_places_of_another() {
        let browser = Caller::Browser(SessionId(1));
        let kinds = [Caller::Nobody, Caller::Scraper, browser, Caller::Program];
        for flooding in kinds {
            let places = Places::default();
            let others = kinds.into_iter().filter(|kind| *kind != flooding);
            let others: Vec<_> = others.map(|kind| enter(&places, kind)).collect();

            let flood: Vec<_> = (0..500).map(|_| enter(&places, flooding)).collect();

            let most = Kind::of(flooding).places();
            let left = flood.iter().filter(|place| !has_gone(place)).count();
            // A connection is nobody's first, so the last of a flood may push out nobody's.
            let known = others.iter().filter(|place| !place.is_nobodys());
            assert!(known.clone().all(|place| !has_gone(place)), "{flooding:?}");
            assert!(left <= most, "{flooding:?}: {left}");
        }
    }

    #[test]
    fn a_stranger_stays_one_whatever_it_shows() {
        let places = Places::default();
        let own = enter(&places, Caller::Scraper);
        let silent = places.enter(false);

        let flood: Vec<_> = (0..100).map(|_| places.enter(true)).collect();
        for place in &flood {
            place.belongs_to(Caller::Scraper);
        }

        assert!(!has_gone(&own) && !has_gone(&silent));
        let left = flood.iter().filter(|place| !has_gone(place)).count();
        assert_eq!(left, Kind::Stranger.places());
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let places = Places::default();
        let place = places.enter(false);
        let of_its_request = place.clone();

        drop(place);
        assert_eq!(places.lock().taken.len(), 1);
        drop(of_its_request);

        assert_eq!(places.lock().taken.len(), 0);
    }

    #[test]
    fn one_that_had_to_go_comes_back_as_nobody_else() {
        let places = Places::default();
        let first = places.enter(false);
        let _others: Vec<_> = (0..Kind::Nobody.places())
            .map(|_| places.enter(false))
            .collect();

        first.belongs_to(Caller::Program);

        assert!(has_gone(&first) && first.is_nobodys());
        assert_eq!(places.lock().taken.len(), Kind::Nobody.places());
    }
}
