//! The places of clients' connections: there are only so many.
//!
//! When they run short, the connection that has been idle for longest gives its place away. So nobody can close
//! the port by holding connections on which nothing is asked. A connection with a request on its way keeps its
//! place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

/// The number of requests on their way over a connection that has given its place away.
const GIVEN_AWAY: u32 = u32::MAX;

/// The places of all connections.
pub struct Places {
    most: usize,
    taken: Mutex<Taken>,
    began: Instant,
}

#[derive(Default)]
struct Taken {
    next: u64,
    by_number: HashMap<u64, Arc<Use>>,
}

/// What is known of one connection.
struct Use {
    /// The requests on their way over it.
    requests: AtomicU32,
    /// When the last one ended, or it was taken: milliseconds since `began`.
    idle_since: AtomicU64,
    given_away: CancellationToken,
}

/// The place of one connection. It is free again when this is dropped.
pub struct Place {
    places: Arc<Places>,
    number: u64,
    used: Arc<Use>,
}

/// A request on its way. Its connection keeps its place until this is dropped.
pub struct Busy {
    places: Arc<Places>,
    used: Arc<Use>,
}

impl Places {
    /// Room for this many connections.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
            began: Instant::now(),
        })
    }

    /// A place: a free one, or that of the connection that has been idle for longest. `None`: a request is on
    /// its way over every connection.
    pub fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.by_number.len() >= self.most {
            let number = taken.longest_idle()?;
            let given = taken.by_number.remove(&number)?;
            given.given_away.cancel();
        }
        let number = taken.next;
        taken.next += 1;
        let used = Arc::new(Use {
            requests: AtomicU32::new(0),
            idle_since: AtomicU64::new(self.now()),
            given_away: CancellationToken::new(),
        });
        taken.by_number.insert(number, Arc::clone(&used));
        Some(Place {
            places: Arc::clone(self),
            number,
            used,
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// The connection that has been idle for longest. No request can begin on it any more.
    fn longest_idle(&self) -> Option<u64> {
        let mut idle: Vec<_> = self
            .by_number
            .iter()
            .filter(|(_, used)| used.requests.load(Ordering::Acquire) == 0)
            .map(|(number, used)| (used.idle_since.load(Ordering::Relaxed), *number))
            .collect();
        idle.sort_unstable();
        // One on which a request has just begun is passed over.
        idle.into_iter().map(|(_, number)| number).find(|number| {
            self.by_number[number]
                .requests
                .compare_exchange(0, GIVEN_AWAY, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
        })
    }
}

impl Place {
    /// Returns once the place is given away: the connection has to end.
    pub async fn given_away(&self) {
        self.used.given_away.cancelled().await;
    }

    /// A request begins. `None`: too late, the place is given away.
    pub fn begin(&self) -> Option<Busy> {
        let more = |requests: u32| (requests != GIVEN_AWAY).then(|| requests + 1);
        let requests = &self.used.requests;
        requests
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .ok()?;
        Some(Busy {
            places: Arc::clone(&self.places),
            used: Arc::clone(&self.used),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().by_number.remove(&self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.used
            .idle_since
            .store(self.places.now(), Ordering::Relaxed);
        self.used.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_given_away(place: &Place) -> bool {
        place.used.given_away.is_cancelled()
    }

    #[test]
    fn the_longest_idle_connection_gives_its_place_away() {
        let places = Places::new(2);
        let first = places.take().unwrap();
        let second = places.take().unwrap();
        drop(first.begin());
        first.used.idle_since.store(20, Ordering::Relaxed);
        second.used.idle_since.store(10, Ordering::Relaxed);

        let third = places.take().unwrap();

        assert!(is_given_away(&second) && second.begin().is_none());
        assert!(!is_given_away(&first) && !is_given_away(&third));
        drop(second);
        assert_eq!(places.taken().by_number.len(), 2);
    }

    #[test]
    fn a_connection_with_a_request_keeps_its_place() {
        let places = Places::new(2);
        let (busy, idle) = (places.take().unwrap(), places.take().unwrap());
        let (one, two) = (busy.begin(), busy.begin());
        drop(one);

        let third = places.take().unwrap();
        let request = third.begin();

        assert!(is_given_away(&idle) && !is_given_away(&busy));
        assert!(places.take().is_none(), "every connection is busy");
        drop(two);
        assert!(places.take().is_some(), "one is idle again");
        drop(request);
    }

    #[test]
    fn a_place_is_free_when_its_connection_ends() {
        let places = Places::new(1);
        let place = places.take().unwrap();
        let busy = place.begin();
        drop((busy, place));

        let next = places.take().unwrap();

        assert!(!is_given_away(&next));
    }
}
