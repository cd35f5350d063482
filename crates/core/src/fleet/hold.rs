//! Requests that wait because nothing is up.
//!
//! # Who waits
//!
//! A message or a token count that may not be attempted (any more) while nothing is up: no circuit
//! lets it through, or whoever it lets through could not be connected to when it was last tried. The last resort comes first: who comes while
//! nobody waits is attempted wherever that is allowed, and waits after it failed. Who comes while others
//! wait waits behind them at once. It waits for `failover.hold_seconds` at most, counted once; and not at
//! all where that is in vain: every endpoint refuses its credential, or asked for a pause beyond that time.
//! At most [`MOST_WAITING`] wait, with bodies of [`MOST_BYTES`] in all; the next gets its error at once.
//!
//! # Who goes, and when
//!
//! In the order in which they came.
//!
//! - *Nothing is up:* the first goes as a scout, alone, after [`FIRST_SCOUT`] and then twice as long each
//!   time up to [`LONGEST_SCOUT`]. It tries what fails, as a last resort (never without
//!   `failover.last_resort`), and nobody who asked for a pause. In vain, it takes its old place again.
//! - *Half-open:* one goes, as the trial.
//! - *Closed again:* as many are on their way as there is width for. It begins with one; each answer that
//!   begins adds one, each [`WIDEN`] doubles it, a failure makes it one again. So an endpoint that has
//!   just come back meets a slope and not a wall, and whoever waits is through within seconds.
//!
//! Whose time ends while something is up is not sent away but goes, [`GRACE`] later at the latest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::circuit::{Cause, State};
use crate::config::ProbeMode;
use crate::fleet::endpoint::Endpoint;
use crate::fleet::{Effect, Fleet, Journey};

/// Most requests that wait at once.
pub const MOST_WAITING: usize = 1000;
/// Most bytes of bodies that are kept for them.
pub const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// When the first scout goes after nothing was up.
const FIRST_SCOUT: Duration = Duration::from_secs(1);
/// Longest time between two scouts.
const LONGEST_SCOUT: Duration = Duration::from_secs(4);
/// How long a width lasts that no answer has widened.
const WIDEN: Duration = Duration::from_millis(500);
/// How long a request may wait beyond its time while something is up: more than the slope takes.
const GRACE: Duration = Duration::from_secs(6);

/// A place in the queue. The smaller came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// What a request that was called goes out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// To be answered.
    Turn,
    /// To find out whether anything is back.
    Scout,
}

/// How an attempt of a request that had waited went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Went {
    /// Its answer has begun, or is complete.
    Well,
    /// It failed.
    Badly,
    /// Neither: its client left, or the request was wrong.
    Nowhere,
}

/// The queue, and those of it who are on their way.
#[derive(Debug)]
pub(super) struct Hold {
    last: u64,
    waiting: BTreeMap<Ticket, Waiting>,
    ends: BTreeSet<(Instant, Ticket)>,
    bytes: u64,
    /// Called, and not yet admitted.
    called: BTreeMap<Ticket, Errand>,
    /// Admitted, and not yet answered.
    out: BTreeSet<Ticket>,
    slope: Slope,
    /// When there is something to do though nothing happens.
    alarm: Option<Instant>,
    /// The program ends: nobody waits any more.
    closed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    until: Instant,
    bytes: u64,
}

/// How many may be on their way.
#[derive(Clone, Copy, Debug)]
enum Slope {
    /// Nothing is up.
    Down { scout_at: Instant, pause: Duration },
    /// Something is.
    Up { width: usize, widen_at: Instant },
}

/// What there is for those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prospect {
    /// A closed circuit, and nobody has failed to connect there since it was last heard of.
    Up,
    /// So many half-open circuits without a trial.
    Trials(usize),
    /// Nothing, and a scout may look.
    Scouting,
    /// Nothing, and it is not for requests to find out.
    Nothing,
}

impl Hold {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            last: 0,
            waiting: BTreeMap::new(),
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

    /// Somebody who was called is there.
    pub(super) fn arrive(&mut self, ticket: Ticket) -> Option<Errand> {
        self.called.remove(&ticket)
    }

    /// Somebody who was called has an attempt out.
    pub(super) fn set_out(&mut self, ticket: Ticket) {
        self.out.insert(ticket);
    }

    fn is_full(&self, bytes: u64) -> bool {
        self.waiting.len() >= MOST_WAITING || self.bytes.saturating_add(bytes) > MOST_BYTES
    }

    fn add(&mut self, ticket: Ticket, waiting: Waiting) {
        self.bytes += waiting.bytes;
        self.ends.insert((waiting.until, ticket));
        self.waiting.insert(ticket, waiting);
    }

    fn remove(&mut self, ticket: Ticket) -> bool {
        let Some(waiting) = self.waiting.remove(&ticket) else {
            return false;
        };
        self.bytes -= waiting.bytes;
        self.ends.remove(&(waiting.until, ticket));
        true
    }

    fn on_their_way(&self) -> usize {
        self.called.len() + self.out.len()
    }

    /// The first who waits, called.
    fn call_first(&mut self, errand: Errand) -> Option<Ticket> {
        let (&ticket, _) = self.waiting.first_key_value()?;
        self.remove(ticket);
        self.called.insert(ticket, errand);
        Some(ticket)
    }

    /// Those whose time was over by `limit`.
    fn take_ended(&mut self, limit: Instant) -> Vec<Ticket> {
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

    fn first_end(&self) -> Option<Instant> {
        self.ends.first().map(|&(until, _)| until)
    }
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

impl Fleet {
    /// How many requests wait for an endpoint to return.
    pub fn waiting(&self) -> usize {
        self.hold.waiting.len()
    }

    /// Lets a request that was denied wait for an endpoint to return; `bytes`: what is kept of its body.
    /// [`Effect::Called`] tells when it should ask again, [`Effect::WaitedInVain`] that it should not.
    /// `None`: it is not to wait.
    pub fn wait(&mut self, journey: &mut Journey, bytes: u64, now: Instant) -> Option<Ticket> {
        let hold = self.config.failover.hold;
        let until = *journey.hold_until.get_or_insert(now + hold);
        let fresh = journey.tried.is_empty();
        let behind_others = fresh && !self.hold.waiting.is_empty();
        let may_wait = !self.hold.closed
            && until > now
            && journey.asked.kind.is_understood()
            && (self.config.failover.enabled || fresh)
            && (behind_others || !self.something_is_up())
            && !self.hold.is_full(bytes)
            && self.may_return_by(until);
        if !may_wait {
            return None;
        }
        if self.hold.waiting.is_empty() && self.hold.on_their_way() == 0 {
            self.hold.slope = Slope::down(now);
        }
        let ticket = *journey.ticket.get_or_insert_with(|| {
            self.hold.last += 1;
            Ticket(self.hold.last)
        });
        self.hold.add(ticket, Waiting { until, bytes });
        self.call_who_may_go(now);
        Some(ticket)
    }

    /// Somebody who waits, or was called and has not asked yet, is gone.
    pub fn leave(&mut self, ticket: Ticket, now: Instant) {
        let waited = self.hold.remove(ticket);
        let called = self.hold.called.remove(&ticket).is_some();
        if waited || called {
            self.call_who_may_go(now);
        }
    }

    /// The program ends: who waits waits in vain, and nobody begins to.
    pub fn turn_away(&mut self, now: Instant) {
        self.hold.closed = true;
        while let Some((&ticket, _)) = self.hold.waiting.first_key_value() {
            self.hold.remove(ticket);
            self.effects.push_back(Effect::WaitedInVain(ticket));
        }
        self.call_who_may_go(now);
    }

    /// Whether the program ends, so that nobody waits any more.
    pub fn turns_away(&self) -> bool {
        self.hold.closed
    }

    /// Whether a request that has just come must let others go first.
    pub(super) fn must_wait_behind(&self, journey: &Journey) -> bool {
        let others_wait = !self.hold.waiting.is_empty();
        let room = !self.hold.is_full(0) || !self.something_is_up();
        journey.tried.is_empty() && journey.asked.kind.is_understood() && others_wait && room
    }

    /// Takes in how an attempt went, if it was of a request that had waited.
    pub(super) fn note_went(&mut self, ticket: Option<Ticket>, went: Went, now: Instant) {
        if !ticket.is_some_and(|ticket| self.hold.out.remove(&ticket)) {
            return;
        }
        if let Slope::Up { width, .. } = &mut self.hold.slope {
            match went {
                Went::Well => *width = width.saturating_add(1).min(MOST_WAITING),
                Went::Badly => self.hold.slope = Slope::foot(now),
                Went::Nowhere => {}
            }
        }
    }

    /// Calls whoever may go now, and sends away whose time is over.
    pub(super) fn call_who_may_go(&mut self, now: Instant) {
        self.hold.alarm = None;
        if self.hold.waiting.is_empty() {
            return;
        }
        match self.prospect() {
            Prospect::Up => self.call_by_width(now),
            Prospect::Trials(idle) => {
                self.send_away(now);
                self.hold.slope = Slope::down(now);
                while self.hold.called.len() < idle && self.call(Errand::Turn) {}
                self.hold.alarm = self.hold.first_end();
            }
            Prospect::Scouting => {
                self.send_away(now);
                self.send_scout(now);
            }
            Prospect::Nothing => {
                self.send_away(now);
                self.hold.slope = Slope::down(now);
                self.hold.alarm = self.hold.first_end();
            }
        }
    }

    fn call_by_width(&mut self, now: Instant) {
        let (mut width, mut widen_at) = match self.hold.slope {
            Slope::Up { width, widen_at } => (width, widen_at),
            Slope::Down { .. } => (1, now + WIDEN),
        };
        while widen_at <= now {
            width = (width * 2).min(MOST_WAITING);
            widen_at += WIDEN;
        }
        self.hold.slope = Slope::Up { width, widen_at };
        while self.hold.on_their_way() < width && self.call(Errand::Turn) {}
        if let Some(limit) = now.checked_sub(GRACE) {
            for ticket in self.hold.take_ended(limit) {
                self.hold.called.insert(ticket, Errand::Turn);
                self.effects.push_back(Effect::Called(ticket));
            }
        }
        if !self.hold.waiting.is_empty() {
            let latest = self.hold.first_end().map(|until| until + GRACE);
            self.hold.alarm = Some(latest.map_or(widen_at, |latest| latest.min(widen_at)));
        }
    }

    fn send_scout(&mut self, now: Instant) {
        let (mut scout_at, mut pause) = match self.hold.slope {
            Slope::Down { scout_at, pause } => (scout_at, pause),
            Slope::Up { .. } => (now + FIRST_SCOUT, FIRST_SCOUT),
        };
        let alone = self.hold.on_their_way() == 0;
        if alone && scout_at <= now && self.call(Errand::Scout) {
            pause = (pause * 2).min(LONGEST_SCOUT);
            scout_at = now + pause;
        }
        self.hold.slope = Slope::Down { scout_at, pause };
        let next_scout = Some(scout_at).filter(|_| self.hold.on_their_way() == 0);
        let ends = self.hold.first_end();
        self.hold.alarm = ends.map(|end| next_scout.map_or(end, |scout| scout.min(end)));
    }

    fn call(&mut self, errand: Errand) -> bool {
        let ticket = self.hold.call_first(errand);
        self.effects.extend(ticket.map(Effect::Called));
        ticket.is_some()
    }

    fn send_away(&mut self, now: Instant) {
        let ended = self.hold.take_ended(now);
        self.effects
            .extend(ended.into_iter().map(Effect::WaitedInVain));
    }

    fn something_is_up(&self) -> bool {
        match self.prospect() {
            Prospect::Up | Prospect::Trials(_) => true,
            Prospect::Scouting | Prospect::Nothing => false,
        }
    }

    fn prospect(&self) -> Prospect {
        let (mut trials, mut fails, mut unreached) = (0, false, self.offline_since.is_some());
        for endpoint in self.endpoints.iter().filter(|one| one.is_in_use()) {
            match endpoint.circuit.state() {
                State::Closed { .. } if endpoint.missed_at.is_some() => unreached = true,
                State::Closed { .. } if self.offline_since.is_none() => return Prospect::Up,
                State::HalfOpen {
                    trial_in_flight: false,
                    ..
                } if self.offline_since.is_none() => trials += 1,
                State::Open {
                    cause: Cause::Failing,
                    ..
                } => fails = true,
                State::Open { .. } | State::HalfOpen { .. } | State::Closed { .. } => {}
            }
        }
        if trials > 0 {
            Prospect::Trials(trials)
        } else if unreached || (fails && self.config.failover.last_resort) {
            Prospect::Scouting
        } else {
            Prospect::Nothing
        }
    }

    /// Whether an endpoint may be back by then.
    fn may_return_by(&self, until: Instant) -> bool {
        self.offline_since.is_some()
            || self
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.is_in_use())
                .any(|endpoint| self.may_one_return_by(endpoint, until))
    }

    fn may_one_return_by(&self, endpoint: &Endpoint, until: Instant) -> bool {
        match endpoint.circuit.state() {
            State::Closed { .. } | State::HalfOpen { .. } => true,
            State::Open {
                cause: Cause::Refused,
                ..
            } => false,
            State::Open {
                cause: Cause::Throttled | Cause::Exhausted,
                until: end,
                ..
            } => end.is_some_and(|end| end <= until),
            State::Open {
                cause: Cause::Failing,
                until: end,
                ..
            } => {
                let is_probed = !self.paused && endpoint.spec.health_check.mode != ProbeMode::Off;
                let is_looked_for = is_probed || self.config.failover.last_resort;
                is_looked_for || end.is_some_and(|end| end <= until)
            }
        }
    }
}
