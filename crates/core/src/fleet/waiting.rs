//! Requests that wait because nothing is up.
//!
//! # Which requests wait
//!
//! A message or a token count waits if it may not be attempted while nothing is up. Nothing is up if no
//! circuit lets the request through, or if the endpoint that would take it could not be connected to at the
//! last try. The last resort comes first: if no other request waits, a new request is attempted wherever that
//! is allowed, and waits only after that has failed. If others wait already, a new request waits behind them
//! at once. A request waits for `failover.hold_seconds` at most, counted once. It does not wait if waiting
//! cannot help: every endpoint refuses its credential, or has asked for a pause beyond that time. At most
//! [`MOST_WAITING`](super::queue::MOST_WAITING) requests wait, with bodies of
//! [`MOST_BYTES`](super::queue::MOST_BYTES) together. The next one gets its error at once.
//!
//! # Which request goes, and when
//!
//! Requests go in the order of arrival.
//!
//! - *Nothing is up:* the first request goes alone, as a scout: after one second, and then after twice as
//!   long each time, up to four seconds. It tries endpoints that fail, as a last resort (never without
//!   `failover.last_resort`), but no endpoint that asked for a pause. If that fails, it takes its old place
//!   again.
//! - *Half-open:* one request goes, as the trial.
//! - *Closed again:* as many requests are on their way as the width allows. The width begins at one. Each
//!   answer that begins adds one, each half second doubles it, and a failure sets it to one again. So the
//!   load on an endpoint that has just come back grows in steps, and all requests have gone within seconds.
//!
//! A request may be called and then denied an attempt although something is up, for example because another
//! endpoint serves its model. It rests before it is called again, unless something changes first. Meanwhile
//! it does not block others.
//!
//! A request that has waited too long while something is up is still sent, within [`GRACE`].

use std::time::{Duration, Instant};

use super::effect::Effect;
use super::endpoint::Endpoint;
use super::journey::{Journey, Needs};
use super::queue::{Ticket, Waiting, Went, rest};
use super::state::Fleet;
use crate::circuit::{Cause, CircuitState};
use crate::config::ProbeMode;

/// How much longer a request may wait while something is up. This is more than the slope takes.
const GRACE: Duration = Duration::from_secs(6);

/// What requests in the queue can expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prospect {
    /// A circuit is closed, and no connection there has failed since its last answer.
    Up,
    /// So many circuits are half-open without a trial.
    Trials(usize),
    /// Nothing is up, and a scout may go.
    Scouting,
    /// Nothing is up, and requests must not find out.
    Nothing,
}

impl Fleet {
    /// The number of requests that wait for an endpoint to return.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Puts a request that was denied into the queue, until an endpoint returns. `bytes`: what is kept of its
    /// body. [`Effect::Called`] says that it should ask again, [`Effect::WaitedInVain`] that it should not.
    /// `None`: it must not wait.
    pub fn wait(&mut self, journey: &mut Journey, bytes: u64, now: Instant) -> Option<Ticket> {
        let longest = self.config.failover.max_wait;
        let until = *journey.wait_until.get_or_insert(now + longest);
        let untried = journey.tried.is_empty();
        let something_is_up = self.something_is_up();
        let was_denied = journey.denials > 0;
        let behind_others = untried && journey.ticket.is_none() && self.queue.is_anyone_ready();
        let may_wait = !self.queue.is_closed()
            && until > now
            && journey.asked.kind.is_understood()
            && journey.needs == Needs::Anything
            && (self.config.failover.enabled || untried)
            && (behind_others || was_denied || !something_is_up)
            && !self.queue.is_full(bytes)
            && self.may_return_by(until);
        if !may_wait {
            return None;
        }
        if self.queue.is_idle() {
            self.queue.wait_for_return(now);
        }
        let ticket = *journey.ticket.get_or_insert_with(|| self.queue.issue());
        let rests = was_denied && something_is_up;
        let waiting = Waiting {
            until,
            bytes,
            rests_until: rests.then(|| now + rest(journey.denials)),
        };
        self.queue.add(ticket, waiting);
        self.call_who_may_go(now);
        Some(ticket)
    }

    /// A request is gone that waits, or that was called and has not asked yet.
    pub fn leave(&mut self, ticket: Ticket, now: Instant) {
        if self.queue.remove(ticket) || self.queue.forget_called(ticket) {
            self.call_who_may_go(now);
        }
    }

    /// The program ends, so no request waits any more.
    pub fn turn_away(&mut self, now: Instant) {
        let all = self.queue.close();
        self.effects.extend(all.map(Effect::WaitedInVain));
        self.call_who_may_go(now);
    }

    /// Whether the program ends, so that no request waits any more.
    pub fn turns_away(&self) -> bool {
        self.queue.is_closed()
    }

    /// Whether a new request must let others go first.
    pub(super) fn must_wait_behind(&self, journey: &Journey) -> bool {
        let room = !self.queue.is_full(0) || !self.something_is_up();
        journey.tried.is_empty()
            && journey.asked.kind.is_understood()
            && self.queue.is_anyone_ready()
            && room
    }

    /// Notes how an attempt went, if its request had waited.
    pub(super) fn note_went(&mut self, ticket: Option<Ticket>, went: Went, now: Instant) {
        if let Some(ticket) = ticket {
            self.queue.note_went(ticket, went, now);
        }
    }

    /// Calls the requests that may go now, and ends the wait of those whose time is over.
    pub(super) fn call_who_may_go(&mut self, now: Instant) {
        self.queue.rouse_rested(now);
        if self.queue.is_empty() {
            self.queue.set_alarm(None, GRACE);
            return;
        }
        match self.prospect() {
            Prospect::Up => {
                let (called, widens_at) = self.queue.call_by_width(now);
                self.tell_called(called);
                if let Some(limit) = now.checked_sub(GRACE) {
                    let late = self.queue.call_ended(limit);
                    self.tell_called(late);
                }
                self.queue.set_alarm(Some(widens_at), GRACE);
            }
            Prospect::Trials(idle) => {
                self.send_away(now);
                self.queue.wait_for_return(now);
                let called = self.queue.call_for_trials(idle);
                self.tell_called(called);
                self.queue.set_alarm(None, Duration::ZERO);
            }
            Prospect::Scouting => {
                self.send_away(now);
                let (called, next) = self.queue.call_scout(now);
                self.tell_called(called);
                self.queue.set_alarm(next, Duration::ZERO);
            }
            Prospect::Nothing => {
                self.send_away(now);
                self.queue.wait_for_return(now);
                self.queue.set_alarm(None, Duration::ZERO);
            }
        }
    }

    fn tell_called(&mut self, called: Vec<Ticket>) {
        self.effects.extend(called.into_iter().map(Effect::Called));
    }

    fn send_away(&mut self, now: Instant) {
        let ended = self.queue.take_ended(now);
        self.effects
            .extend(ended.into_iter().map(Effect::WaitedInVain));
    }

    pub(super) fn something_is_up(&self) -> bool {
        match self.prospect() {
            Prospect::Up | Prospect::Trials(_) => true,
            Prospect::Scouting | Prospect::Nothing => false,
        }
    }

    fn prospect(&self) -> Prospect {
        let (mut trials, mut fails, mut unreached) = (0, false, self.offline_since.is_some());
        for endpoint in self.endpoints.iter().filter(|one| one.is_in_use()) {
            if endpoint.spent_until().is_some() {
                continue;
            }
            match endpoint.standing.circuit.state() {
                CircuitState::Closed { .. } if endpoint.silence.missed_at.is_some() => {
                    unreached = true;
                }
                CircuitState::Closed { .. } if self.offline_since.is_none() => return Prospect::Up,
                CircuitState::HalfOpen {
                    trial_in_flight: false,
                    ..
                } if self.offline_since.is_none() => trials += 1,
                CircuitState::Open {
                    cause: Cause::Failing,
                    ..
                } => fails = true,
                CircuitState::Open { .. }
                | CircuitState::HalfOpen { .. }
                | CircuitState::Closed { .. } => {}
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
        if endpoint.spent_until().is_some_and(|end| end > until) {
            return false;
        }
        match endpoint.standing.circuit.state() {
            CircuitState::Closed { .. } | CircuitState::HalfOpen { .. } => true,
            CircuitState::Open {
                cause: Cause::Refused,
                ..
            } => false,
            CircuitState::Open {
                cause: Cause::Throttled | Cause::Exhausted,
                until: end,
                ..
            } => end.is_some_and(|end| end <= until),
            CircuitState::Open {
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
