//! The places where things are counted.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zephyr_control::RequestEnd;
use zephyr_core::classify::Outcome;
use zephyr_core::fleet::ProbeResult;
use zephyr_core::price::{Cost, Usage};

use super::count::{Count, Histogram, WireBytes};
use crate::clients::reply::Code;

/// All counts.
#[derive(Debug, Default)]
pub struct Metrics {
    pub clients: ClientMeter,
    /// How often the endpoint in use changed.
    pub switches: Count,
    pub journal: Arc<zephyr_journal::Meter>,
    pub(super) requests: [Count; REQUEST_ENDS.len()],
    pub(super) request_time: Histogram,
    pub(super) hedges: [Count; WINNERS.len()],
    pub(super) endpoints: Mutex<BTreeMap<String, Arc<EndpointMeter>>>,
    /// Errors are rare, so a lock is fast enough.
    pub(super) errors: Mutex<BTreeMap<&'static str, u64>>,
}

/// Which of two attempts brought what the client gets, if one was sent beside a late first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    First,
    Second,
    /// Both failed, or the client left.
    Neither,
}

/// The counts for the connections of clients.
#[derive(Debug, Default)]
pub struct ClientMeter {
    /// Accepted connections.
    pub accepted: Count,
    /// Connections that were refused because there were too many.
    pub refused: Count,
    /// Connections that have ended.
    pub ended: Count,
    /// Bytes on the wire.
    pub traffic: Arc<WireBytes>,
    /// Bytes of requests and answers that are kept now.
    pub kept: Arc<AtomicU64>,
}

/// The counts for one endpoint.
#[derive(Debug, Default)]
pub struct EndpointMeter {
    /// Bytes on the wire.
    pub traffic: Arc<WireBytes>,
    /// The time until a new connection was ready.
    pub connect: Histogram,
    /// The time until an answer had proven real.
    pub first_event: Histogram,
    pub(super) attempts: [Count; ATTEMPT_OUTCOMES.len()],
    pub(super) attempt_time: Histogram,
    pub(super) probes: [Count; PROBE_RESULTS.len()],
    pub(super) probe_time: Histogram,
    pub(super) tokens: [Count; TOKEN_KINDS.len()],
    /// In billionths of a dollar.
    pub(super) cost: Count,
}

impl Metrics {
    /// The counts of an endpoint. Callers with the same name share them.
    pub fn endpoint(&self, name: &str) -> Arc<EndpointMeter> {
        Arc::clone(lock(&self.endpoints).entry(name.to_owned()).or_default())
    }

    /// Removes the endpoints for which `is_named` is false.
    pub fn keep(&self, is_named: impl Fn(&str) -> bool) {
        lock(&self.endpoints).retain(|name, _| is_named(name));
    }

    pub fn request(&self, end: RequestEnd, took: Duration) {
        self.requests[request_end(end)].add(1);
        self.request_time.observe(took);
    }

    /// A second attempt beside a late first one is over.
    pub fn hedge(&self, winner: Winner) {
        self.hedges[self::winner(winner)].add(1);
    }

    pub fn error(&self, code: Code) {
        *lock(&self.errors).entry(code.as_str()).or_default() += 1;
    }
}

impl EndpointMeter {
    pub fn attempt(&self, outcome: &Outcome, took: Duration) {
        self.attempts[attempt_outcome(outcome)].add(1);
        self.attempt_time.observe(took);
    }

    /// Counts an answer's tokens, and their cost if it is known.
    pub fn answer(&self, tokens: &Usage, cost: Option<Cost>) {
        let told = [
            tokens.input,
            tokens.cache_write_5m,
            tokens.cache_write_1h,
            tokens.cache_read,
            tokens.output,
        ];
        for (count, tokens) in self.tokens.iter().zip(told) {
            count.add(tokens);
        }
        self.cost.add(cost.unwrap_or_default().billionths());
    }

    pub fn probe(&self, result: &ProbeResult) {
        let (index, took) = match result {
            ProbeResult::Answered(took) => (0, Some(*took)),
            ProbeResult::Reached(took) => (1, Some(*took)),
            ProbeResult::Failed(_) => (2, None),
        };
        self.probes[index].add(1);
        if let Some(took) = took {
            self.probe_time.observe(took);
        }
    }
}

/// How requests end, in the order of [`request_end`].
pub(super) const REQUEST_ENDS: [RequestEnd; 5] = [
    RequestEnd::Answered,
    RequestEnd::Failed,
    RequestEnd::Aborted,
    RequestEnd::Abandoned,
    RequestEnd::Refused,
];

fn request_end(end: RequestEnd) -> usize {
    match end {
        RequestEnd::Answered => 0,
        RequestEnd::Failed => 1,
        RequestEnd::Aborted => 2,
        RequestEnd::Abandoned => 3,
        RequestEnd::Refused => 4,
    }
}

/// Who wins, in the order of [`winner`].
pub(super) const WINNERS: [&str; 3] = ["first", "second", "neither"];

fn winner(winner: Winner) -> usize {
    match winner {
        Winner::First => 0,
        Winner::Second => 1,
        Winner::Neither => 2,
    }
}

/// The outcomes of attempts, in the order of [`attempt_outcome`].
pub(super) const ATTEMPT_OUTCOMES: [&str; 8] = [
    "answered",
    "client_fault",
    "not_served",
    "refused",
    "exhausted",
    "throttled",
    "failed",
    "abandoned",
];

fn attempt_outcome(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Answered => 0,
        Outcome::ClientFault(_) => 1,
        Outcome::NotServed { .. } => 2,
        Outcome::Refused(_) => 3,
        Outcome::Exhausted { .. } => 4,
        Outcome::Throttled { .. } => 5,
        Outcome::Failed(_) | Outcome::Away { .. } => 6,
        Outcome::Abandoned => 7,
    }
}

/// The kinds of tokens by price, in the order of [`EndpointMeter::answer`].
pub(super) const TOKEN_KINDS: [&str; 5] = [
    "input",
    "cache_write_5m",
    "cache_write_1h",
    "cache_read",
    "output",
];

/// The results of probes, in the order of [`EndpointMeter::probe`].
pub(super) const PROBE_RESULTS: [&str; 3] = ["answered", "reached", "failed"];

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_counted_in_one_place_until_no_configuration_names_it() {
        let metrics = Metrics::default();
        metrics.endpoint("A").traffic.sent.add(1);
        metrics.endpoint("A").traffic.sent.add(1);
        metrics.endpoint("B").traffic.sent.add(1);

        metrics.keep(|name| name == "A");

        assert_eq!(metrics.endpoint("A").traffic.sent.get(), 2);
        assert_eq!(metrics.endpoint("B").traffic.sent.get(), 0);
    }
}
