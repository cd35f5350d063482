//! The queue: which requests wait, which were called, which are on their way, and how fast they follow each
//! other.
//!
//! This is only bookkeeping. [`super::waiting`] decides which requests wait and which are called.
//!
//! A request that was called and then denied an attempt keeps its place. It must rest before it is called
//! again: for [`FIRST_REST`], then twice as long each time, up to [`LONGEST_REST`]. The rest ends early if
//! something changes. Without the rest the request would be called at once, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The most requests that wait at once.
pub const MOST_WAITING: usize = 1000;
/// The most bytes of bodies that are kept for them.
pub const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// The first scout goes this long after the last endpoint went down.
const FIRST_SCOUT: Duration = Duration::from_secs(1);
/// The longest time between two scouts.
const LONGEST_SCOUT: Duration = Duration::from_secs(4);
/// The width doubles after this time, even without an answer.
const WIDEN: Duration = Duration::from_millis(500);
/// The rest after the first denial.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest rest after a denial.
const LONGEST_REST: Duration = Duration::from_secs(4);

/// A place in the queue. A smaller number came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Why a request is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// It should be answered.
    Turn,
    /// It should find out whether an endpoint is back.
    Scout,
}

/// How the attempt of a request that had waited went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Went {
    /// Its answer has begun, or is complete.
    Well,
    /// It failed.
    Badly,
    /// Neither: the client left, or the request was wrong.
    Nowhere,
}

/// One request that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// When it has waited long enough.
    pub(super) until: Instant,
    /// The bytes that are kept of its body.
    pub(super) bytes: u64,
    /// When it may be called again, if it was denied.
    pub(super) rests_until: Option<Instant>,
}

/// The requests that wait, and those of them that are on their way.
#[derive(Debug)]
pub(super) struct Queue {
    last: u64,
    waiting: BTreeMap<Ticket, Waiting>,
    /// The requests of `waiting` that may be called.
    ready: BTreeSet<Ticket>,
    /// The requests of `waiting` that rest.
    resting: BTreeSet<(Instant, Ticket)>,
    ends: BTreeSet<(Instant, Ticket)>,
    bytes: u64,
    /// Called, but not admitted yet.
    called: BTreeMap<Ticket, Errand>,
    /// Admitted, but not answered yet.
    out: BTreeSet<Ticket>,
    slope: Slope,
    /// When the queue must be checked even if nothing happens.
    alarm: Option<Instant>,
    /// The program ends, so no request waits any more.
    closed: bool,
}

/// How many requests may be on their way.
#[derive(Clone, Copy, Debug)]
enum Slope {
    /// Nothing is up.
    Down { scout_at: Instant, pause: Duration },
    /// An endpoint is up.
    Up { width: usize, widen_at: Instant },
}

impl Slope {
    fn down(now: Instant) -> Self {
        Self::Down {
            scout_at: now + FIRST_SCOUT,
            pause: FIRST_SCOUT,
        }
    }

    fn foot(now: Instant) -> Self {
        Self::Up {
            width: 1,
            widen_at: now + WIDEN,
        }
    }
}

/// How long a request rests after so many denials in a row.
pub(super) fn rest(denials: u32) -> Duration {
    let doubled = FIRST_REST.saturating_mul(1 << denials.saturating_sub(1).min(8));
    doubled.min(LONGEST_REST)
}

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            last: 0,
            waiting: BTreeMap::new(),
            ready: BTreeSet::new(),
            resting: BTreeSet::new(),
            ends: BTreeSet::new(),
            bytes: 0,
            called: BTreeMap::new(),
            out: BTreeSet::new(),
            slope: Slope::down(now),
            alarm: None,
            closed: false,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.alarm
    }

    /// The number of requests that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether no request waits, and none that waited is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.is_empty() && self.on_their_way() == 0
    }

    /// Whether a request waits that could go if there were room. Requests that rest do not block others.
    pub(super) fn is_anyone_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether there is no room for a body of this size.
    pub(super) fn is_full(&self, bytes: u64) -> bool {
        self.waiting.len() >= MOST_WAITING || self.bytes.saturating_add(bytes) > MOST_BYTES
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Ends the queue. Returns all requests that wait, in the order of arrival.
    pub(super) fn close(&mut self) -> impl Iterator<Item = Ticket> + use<> {
        self.closed = true;
        self.bytes = 0;
        self.ready.clear();
        self.resting.clear();
        self.ends.clear();
        std::mem::take(&mut self.waiting).into_keys()
    }

    /// Gives out the next place, at the end.
    pub(super) fn issue(&mut self) -> Ticket {
        self.last += 1;
        Ticket(self.last)
    }

    pub(super) fn add(&mut self, ticket: Ticket, waiting: Waiting) {
        self.bytes += waiting.bytes;
        self.ends.insert((waiting.until, ticket));
        match waiting.rests_until {
            Some(at) => self.resting.insert((at, ticket)),
            None => self.ready.insert(ticket),
        };
        self.waiting.insert(ticket, waiting);
    }

    /// Removes a request that waits. Returns whether it waited.
    pub(super) fn remove(&mut self, ticket: Ticket) -> bool {
        let Some(waiting) = self.waiting.remove(&ticket) else {
            return false;
        };
        self.bytes -= waiting.bytes;
        self.ends.remove(&(waiting.until, ticket));
        match waiting.rests_until {
            Some(at) => self.resting.remove(&(at, ticket)),
            None => self.ready.remove(&ticket),
        };
        true
    }

    /// A called request asks for its attempt.
    pub(super) fn arrive(&mut self, ticket: Ticket) -> Option<Errand> {
        self.called.remove(&ticket)
    }

    /// A called request is gone. Returns whether it had been called.
    pub(super) fn forget_called(&mut self, ticket: Ticket) -> bool {
        self.called.remove(&ticket).is_some()
    }

    /// A called request has sent an attempt.
    pub(super) fn set_out(&mut self, ticket: Ticket) {
        self.out.insert(ticket);
    }

    /// Notes how an attempt of a request that had waited went. Only the first report counts.
    pub(super) fn note_went(&mut self, ticket: Ticket, went: Went, now: Instant) {
        if !self.out.remove(&ticket) {
            return;
        }
        if let Slope::Up { width, .. } = &mut self.slope {
            match went {
                Went::Well => *width = width.saturating_add(1).min(MOST_WAITING),
                Went::Badly => self.slope = Slope::foot(now),
                Went::Nowhere => {}
            }
        }
    }

    /// Removes and returns the requests whose time was over by `limit`.
    pub(super) fn take_ended(&mut self, limit: Instant) -> Vec<Ticket> {
        let ended: Vec<Ticket> = self
            .ends
            .iter()
            .take_while(|(until, _)| *until <= limit)
            .map(|&(_, ticket)| ticket)
            .collect();
        for &ticket in &ended {
            self.remove(ticket);
        }
        ended
    }

    /// Calls the requests whose time was over by `limit`, regardless of the width.
    pub(super) fn call_ended(&mut self, limit: Instant) -> Vec<Ticket> {
        let ended = self.take_ended(limit);
        let errands = ended.iter().map(|&ticket| (ticket, Errand::Turn));
        self.called.extend(errands);
        ended
    }

    /// Something has changed: all rests end.
    pub(super) fn rouse(&mut self) {
        self.end_rests(|_| true);
    }

    /// Ends the rests that are over.
    pub(super) fn rouse_rested(&mut self, now: Instant) {
        self.end_rests(|at| at <= now);
    }

    /// Only the return of an endpoint can help. The slope starts again when one returns.
    pub(super) fn wait_for_return(&mut self, now: Instant) {
        self.slope = Slope::down(now);
    }

    /// Calls as many requests as the width allows. Returns them, and when the width doubles.
    pub(super) fn call_by_width(&mut self, now: Instant) -> (Vec<Ticket>, Instant) {
        let (mut width, mut widen_at) = match self.slope {
            Slope::Up { width, widen_at } => (width, widen_at),
            Slope::Down { .. } => (1, now + WIDEN),
        };
        while widen_at <= now {
            width = (width * 2).min(MOST_WAITING);
            widen_at += WIDEN;
        }
        self.slope = Slope::Up { width, widen_at };
        let room = width.saturating_sub(self.on_their_way());
        (self.call_first(room, Errand::Turn), widen_at)
    }

    /// Calls one request for each trial that has none yet.
    pub(super) fn call_for_trials(&mut self, trials: usize) -> Vec<Ticket> {
        let room = trials.saturating_sub(self.called.len());
        self.call_first(room, Errand::Turn)
    }

    /// Calls a scout, if it is time for one and no request is on its way. Returns it, and when the next one
    /// may go if nothing happens before.
    pub(super) fn call_scout(&mut self, now: Instant) -> (Vec<Ticket>, Option<Instant>) {
        let (mut scout_at, mut pause) = match self.slope {
            Slope::Down { scout_at, pause } => (scout_at, pause),
            Slope::Up { .. } => (now + FIRST_SCOUT, FIRST_SCOUT),
        };
        let is_time = self.on_their_way() == 0 && scout_at <= now;
        let scout = self.call_first(usize::from(is_time), Errand::Scout);
        if !scout.is_empty() {
            pause = (pause * 2).min(LONGEST_SCOUT);
            scout_at = now + pause;
        }
        self.slope = Slope::Down { scout_at, pause };
        (scout, Some(scout_at).filter(|_| self.on_their_way() == 0))
    }

    /// Sets the alarm: when the next call is due, when a rest ends, or `grace` after the time of a request is
    /// over.
    pub(super) fn set_alarm(&mut self, next_call: Option<Instant>, grace: Duration) {
        let next_call = next_call.filter(|_| self.is_anyone_ready());
        let rest_over = self.resting.first().map(|&(at, _)| at);
        let end = self.ends.first().map(|&(until, _)| until + grace);
        self.alarm = [next_call, rest_over, end].into_iter().flatten().min();
    }

    fn on_their_way(&self) -> usize {
        self.called.len() + self.out.len()
    }

    fn call_first(&mut self, room: usize, errand: Errand) -> Vec<Ticket> {
        let first: Vec<Ticket> = self.ready.iter().copied().take(room).collect();
        for &ticket in &first {
            self.remove(ticket);
            self.called.insert(ticket, errand);
        }
        first
    }

    fn end_rests(&mut self, is_over: impl Fn(Instant) -> bool) {
        while let Some(&(at, ticket)) = self.resting.first()
            && is_over(at)
        {
            self.resting.remove(&(at, ticket));
            self.ready.insert(ticket);
            if let Some(waiting) = self.waiting.get_mut(&ticket) {
                waiting.rests_until = None;
            }
        }
    }
}
