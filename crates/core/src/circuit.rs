//! One endpoint's circuit: whether it may take attempts, and when it may again.
//!
//! ```text
//!          failures reach the limit, throttled,
//!          exhausted, or refused
//!   Closed ───────────────────────────────────▶ Open
//!     ▲                                          │ cooldown over, or reinstated
//!     │ proven by the trial or by a probe        ▼
//!     └────────────────────────────────────── HalfOpen ──▶ Open (the trial failed)
//! ```
//!
//! A trial whose answer begins closes the circuit at once, but on probation: the next failure opens it again,
//! and a complete answer ends the probation. Every transition starts a new generation, so that an attempt
//! from an earlier generation has no effect on the circuit.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config::{Breaker, BreakerPolicy};

/// The first pause of an endpoint that throttles without saying for how long. It doubles like a cooldown.
const FIRST_BACK_OFF: Duration = Duration::from_secs(5);

/// Why a circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// It failed.
    Failing,
    /// It asked us to slow down.
    Throttled,
    /// Its quota is used up.
    Exhausted,
    /// It refuses our credential.
    Refused,
}

/// The state of a circuit. Each state owns the data that has a meaning only in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// It takes attempts.
    Closed {
        /// Failures in a row.
        failures: u32,
    },
    /// It takes no attempts.
    Open {
        /// Why.
        cause: Cause,
        /// When it ends. `None`: a probe, a person or a new credential ends it.
        until: Option<Instant>,
        /// How many times it opened without an answer in between.
        trips: u32,
    },
    /// It takes one attempt, to find out how the endpoint is.
    HalfOpen {
        /// Why it was open.
        cause: Cause,
        /// Whether that attempt is in flight.
        trial_in_flight: bool,
        /// How many times it opened without an answer in between.
        trips: u32,
    },
}

/// A circuit, with what it remembers.
#[derive(Clone, Debug)]
pub struct Circuit {
    state: CircuitState,
    generation: u32,
    /// The trips before the current probation. 0: no probation.
    probation: u32,
    recent_failures: VecDeque<Instant>,
    last_success: Option<Instant>,
}

/// The right to send one attempt, as the circuit sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    generation: u32,
    trial: bool,
}

/// A transition that is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It opened.
    Opened,
    /// It opened again: the trial failed, so the endpoint was never back.
    Reopened,
    /// It closed.
    Closed,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            state: CircuitState::Closed { failures: 0 },
            generation: 0,
            probation: 0,
            recent_failures: VecDeque::new(),
            last_success: None,
        }
    }
}

impl Circuit {
    /// The current state.
    pub fn state(&self) -> CircuitState {
        self.state
    }

    /// Gives out the right to one attempt. The caller has checked that the state allows it.
    pub fn issue(&mut self) -> Pass {
        let trial = match &mut self.state {
            // A last resort may run beside the trial.
            CircuitState::HalfOpen {
                trial_in_flight, ..
            } => !std::mem::replace(trial_in_flight, true),
            CircuitState::Closed { .. } | CircuitState::Open { .. } => false,
        };
        Pass {
            generation: self.generation,
            trial,
        }
    }

    /// The attempt's answer has begun and is real. Its end is still open.
    pub fn begin(&mut self, pass: Pass) -> Option<Change> {
        if pass.generation != self.generation {
            return None;
        }
        match self.state {
            CircuitState::HalfOpen { trips, .. } | CircuitState::Open { trips, .. } => {
                Some(self.close_on_probation(trips))
            }
            CircuitState::Closed { .. } => None,
        }
    }

    /// The attempt has its complete answer.
    pub fn succeed(&mut self, pass: Pass, now: Instant) -> Option<Change> {
        self.last_success = Some(now);
        self.recent_failures.clear();
        let was_closed = matches!(self.state, CircuitState::Closed { .. });
        if !was_closed && pass.generation != self.generation {
            return None; // An attempt from an earlier generation proves nothing about this one.
        }
        self.probation = 0;
        if was_closed {
            self.state = CircuitState::Closed { failures: 0 };
            None
        } else {
            self.change(CircuitState::Closed { failures: 0 });
            Some(Change::Closed)
        }
    }

    /// The attempt failed.
    pub fn fail(&mut self, pass: Pass, policy: &Breaker, now: Instant) -> Option<Change> {
        if !self.counts(pass) {
            return None;
        }
        self.count_failure(policy, now)
    }

    /// The endpoint asked for a pause.
    pub fn throttle(
        &mut self,
        pass: Pass,
        cause: Cause,
        retry_after: Option<Duration>,
        policy: &Breaker,
        now: Instant,
    ) -> Option<Change> {
        if !self.counts(pass) {
            return None;
        }
        let trips = self.trips();
        let pause = match (retry_after, cause) {
            (Some(asked), _) => asked,
            (None, Cause::Exhausted) => policy.max_cooldown,
            (None, Cause::Throttled | Cause::Failing | Cause::Refused) => {
                doubled(FIRST_BACK_OFF, trips)
            }
        };
        self.open(cause, Some(now + pause.min(policy.max_cooldown)), trips)
    }

    /// The endpoint refuses our credential. Waiting will not help.
    pub fn refuse(&mut self, pass: Pass) -> Option<Change> {
        if !self.counts(pass) {
            return None;
        }
        self.open(Cause::Refused, None, self.trips())
    }

    /// The attempt ended without saying anything about the endpoint.
    pub fn release(&mut self, pass: Pass) {
        if let CircuitState::HalfOpen {
            trial_in_flight, ..
        } = &mut self.state
            && pass.generation == self.generation
        {
            *trial_in_flight &= !pass.trial;
        }
    }

    /// A probe proved that the endpoint works, or a person says: try again now.
    pub fn close(&mut self, now: Instant) -> Option<Change> {
        self.last_success = Some(now);
        self.recent_failures.clear();
        self.probation = 0;
        match self.state {
            CircuitState::Closed { .. } => {
                self.state = CircuitState::Closed { failures: 0 };
                None
            }
            CircuitState::Open { .. } | CircuitState::HalfOpen { .. } => {
                self.change(CircuitState::Closed { failures: 0 });
                Some(Change::Closed)
            }
        }
    }

    /// A probe failed. It counts as a failed attempt that began now.
    pub fn fail_probe(&mut self, policy: &Breaker, now: Instant) -> Option<Change> {
        match self.state {
            CircuitState::Closed { .. } | CircuitState::HalfOpen { .. } => {
                self.count_failure(policy, now)
            }
            CircuitState::Open { .. } => None,
        }
    }

    /// Something has changed, so the results of attempts in flight no longer count.
    pub fn outdate(&mut self) {
        if let CircuitState::HalfOpen {
            trial_in_flight, ..
        } = &mut self.state
        {
            *trial_in_flight = false;
        }
        self.generation = self.generation.wrapping_add(1);
    }

    /// Takes back what has happened since the circuit was `before`. Attempts in flight no longer count.
    pub fn restore(&mut self, before: Self) {
        let generation = self.generation;
        *self = before;
        self.generation = generation;
        self.outdate();
    }

    /// When [`Self::handle_timeout`] must be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            CircuitState::Open { until, .. } => until,
            CircuitState::Closed { .. } | CircuitState::HalfOpen { .. } => None,
        }
    }

    /// Ends a cooldown that is over. Returns whether it did.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        match self.state {
            CircuitState::Open {
                cause,
                until: Some(until),
                trips,
            } if until <= now => {
                self.change(CircuitState::HalfOpen {
                    cause,
                    trial_in_flight: false,
                    trips,
                });
                true
            }
            CircuitState::Open { .. }
            | CircuitState::Closed { .. }
            | CircuitState::HalfOpen { .. } => false,
        }
    }

    /// A pass from before the last transition does not count. An open circuit gives out passes only as a last
    /// resort, and their failures make nothing longer.
    fn counts(&self, pass: Pass) -> bool {
        pass.generation == self.generation && !matches!(self.state, CircuitState::Open { .. })
    }

    fn count_failure(&mut self, policy: &Breaker, now: Instant) -> Option<Change> {
        let trips = self.trips();
        if let CircuitState::Closed { failures } = &mut self.state {
            *failures = failures.saturating_add(1);
            let failures = *failures;
            if self.probation == 0 && !self.trips_on(failures, policy, now) {
                return None;
            }
        }
        let cooldown = doubled(policy.cooldown, trips).min(policy.max_cooldown);
        self.open(Cause::Failing, Some(now + cooldown), trips)
    }

    fn trips_on(&mut self, failures: u32, policy: &Breaker, now: Instant) -> bool {
        match policy.policy {
            BreakerPolicy::Consecutive { max_failures } => failures >= max_failures,
            BreakerPolicy::Window {
                window,
                min_failures,
            } => {
                let recent = |at: Instant| now.saturating_duration_since(at) < window;
                let needed = usize::try_from(min_failures).unwrap_or(usize::MAX);
                self.recent_failures.push_back(now);
                self.recent_failures.retain(|&at| recent(at));
                while self.recent_failures.len() > needed {
                    self.recent_failures.pop_front();
                }
                self.recent_failures.len() >= needed && !self.last_success.is_some_and(recent)
            }
        }
    }

    fn trips(&self) -> u32 {
        match self.state {
            CircuitState::Closed { .. } => self.probation,
            CircuitState::Open { trips, .. } | CircuitState::HalfOpen { trips, .. } => trips,
        }
    }

    fn open(&mut self, cause: Cause, until: Option<Instant>, trips: u32) -> Option<Change> {
        let was_out = matches!(self.state, CircuitState::HalfOpen { .. });
        self.probation = 0;
        self.change(CircuitState::Open {
            cause,
            until,
            trips: trips.saturating_add(1),
        });
        Some(if was_out {
            Change::Reopened
        } else {
            Change::Opened
        })
    }

    /// Keeps the generation: the trial that closed the circuit is still in flight, and its end counts.
    fn close_on_probation(&mut self, trips: u32) -> Change {
        self.probation = trips.max(1);
        self.state = CircuitState::Closed { failures: 0 };
        Change::Closed
    }

    fn change(&mut self, next: CircuitState) {
        self.state = next;
        self.generation = self.generation.wrapping_add(1);
    }
}

fn doubled(base: Duration, times: u32) -> Duration {
    base.saturating_mul(1_u32 << times.min(16))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    fn policy() -> Breaker {
        Breaker {
            policy: BreakerPolicy::Consecutive { max_failures: 3 },
            cooldown: secs(60),
            max_cooldown: secs(600),
        }
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// An open circuit, and the moment when it opened.
    fn opened() -> (Circuit, Instant) {
        let now = Instant::now();
        let mut circuit = Circuit::default();
        for _ in 0..3 {
            let pass = circuit.issue();
            circuit.fail(pass, &policy(), now);
        }
        (circuit, now)
    }

    fn half_open() -> (Circuit, Instant) {
        let (mut circuit, t0) = opened();
        let now = t0 + secs(60);
        assert!(circuit.handle_timeout(now));
        (circuit, now)
    }

    #[test]
    fn it_opens_at_the_third_failure_in_a_row() {
        let now = Instant::now();
        let mut circuit = Circuit::default();
        let mut outcomes = Vec::new();

        for answered in [false, false, true, false, false, false] {
            let pass = circuit.issue();
            let change = if answered {
                circuit.succeed(pass, now)
            } else {
                circuit.fail(pass, &policy(), now)
            };
            outcomes.push(change);
        }

        assert_eq!(
            outcomes,
            [None, None, None, None, None, Some(Change::Opened)]
        );
    }

    #[test]
    fn the_cooldown_doubles_up_to_its_bound() {
        let (mut circuit, mut now) = opened();
        let mut cooldowns = Vec::new();

        for _ in 0..5 {
            let until = circuit.poll_timeout().unwrap();
            cooldowns.push((until - now).as_secs());
            now = until;
            circuit.handle_timeout(now);
            let trial = circuit.issue();
            circuit.fail(trial, &policy(), now);
        }

        assert_eq!(cooldowns, [60, 120, 240, 480, 600]);
    }

    #[test]
    fn a_failed_trial_is_no_second_opening() {
        let (mut circuit, now) = half_open();
        let trial = circuit.issue();

        assert_eq!(circuit.fail(trial, &policy(), now), Some(Change::Reopened));
    }

    #[test]
    fn a_straggler_cannot_disturb_a_recovering_circuit() {
        let now = Instant::now();
        let mut circuit = Circuit::default();
        let straggler = circuit.issue();
        for _ in 0..3 {
            let pass = circuit.issue();
            circuit.fail(pass, &policy(), now);
        }
        circuit.handle_timeout(now + secs(60));
        let trial = circuit.issue();

        assert_eq!(circuit.fail(straggler, &policy(), now + secs(61)), None);
        assert_eq!(circuit.succeed(straggler, now + secs(61)), None);

        assert_eq!(circuit.succeed(trial, now + secs(62)), Some(Change::Closed));
    }

    #[test]
    fn a_trial_that_begins_to_stream_closes_on_probation() {
        let (mut circuit, now) = half_open();
        let trial = circuit.issue();

        assert_eq!(circuit.begin(trial), Some(Change::Closed));
        assert_eq!(
            circuit.fail(trial, &policy(), now),
            Some(Change::Opened),
            "one failure is enough"
        );
        assert_eq!(
            circuit.poll_timeout(),
            Some(now + secs(120)),
            "and it counts as a trip in a row"
        );
    }

    #[test]
    fn a_complete_answer_ends_the_probation() {
        let (mut circuit, now) = half_open();
        let trial = circuit.issue();
        circuit.begin(trial);
        circuit.succeed(trial, now);

        let next = circuit.issue();

        assert_eq!(circuit.fail(next, &policy(), now), None);
    }

    #[test]
    fn streams_cut_midway_trip_it_though_each_began_well() {
        let now = Instant::now();
        let mut circuit = Circuit::default();
        let mut last = None;

        for _ in 0..3 {
            let pass = circuit.issue();
            circuit.begin(pass);
            last = circuit.fail(pass, &policy(), now);
        }

        assert_eq!(last, Some(Change::Opened));
    }

    #[test]
    fn an_abandoned_trial_makes_room_for_another() {
        let (mut circuit, _) = half_open();
        let trial = circuit.issue();

        circuit.release(trial);

        assert!(matches!(
            circuit.state(),
            CircuitState::HalfOpen {
                trial_in_flight: false,
                ..
            }
        ));
    }

    #[test]
    fn a_retry_after_is_honoured_and_bounded() {
        for (asked, granted) in [(7, 7), (86_400, 600)] {
            let now = Instant::now();
            let mut circuit = Circuit::default();
            let pass = circuit.issue();

            circuit.throttle(pass, Cause::Throttled, Some(secs(asked)), &policy(), now);

            assert_eq!(circuit.poll_timeout(), Some(now + secs(granted)));
        }
    }

    #[test]
    fn a_refused_credential_waits_for_a_person() {
        let mut circuit = Circuit::default();
        let pass = circuit.issue();

        circuit.refuse(pass);

        assert_eq!(circuit.poll_timeout(), None, "no retry can help");
        assert_eq!(circuit.close(Instant::now()), Some(Change::Closed));
    }

    #[test]
    fn by_the_window_one_success_holds_it_closed() {
        let t0 = Instant::now();
        let policy = Breaker {
            policy: BreakerPolicy::Window {
                window: secs(140),
                min_failures: 2,
            },
            ..policy()
        };
        let mut circuit = Circuit::default();
        let pass = circuit.issue();
        circuit.succeed(pass, t0);

        let changes = [10, 20, 139, 141].map(|at| {
            let pass = circuit.issue();
            circuit.fail(pass, &policy, t0 + secs(at))
        });

        assert_eq!(changes, [None, None, None, Some(Change::Opened)]);
    }

    #[test]
    fn by_the_window_failures_far_apart_do_not_trip() {
        let t0 = Instant::now();
        let policy = Breaker {
            policy: BreakerPolicy::Window {
                window: secs(140),
                min_failures: 2,
            },
            ..policy()
        };
        let mut circuit = Circuit::default();

        for n in 0..5 {
            let pass = circuit.issue();
            assert_eq!(circuit.fail(pass, &policy, t0 + secs(n * 150)), None);
        }
    }
}
