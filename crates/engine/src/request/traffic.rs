//! What the requests of a running engine share, and what is counted and shown of them.

use std::sync::Arc;
use std::time::Instant;

use http::Request;
use zephyr_control::{LiveRequest, Totals};
use zephyr_journal::Journal;
use zephyr_secrets::redact::{Known, Own, Redacted};

use super::budget::Budget;
use super::counters::Counters;
use super::in_flight::InFlight;
use super::refusals::Refusals;
use super::side_calls::SideCalls;
use super::trail::shown_path;
use crate::clock::Clock;
use crate::engine::fleet_door::FleetDoor;
use crate::metrics::Metrics;

pub struct Traffic {
    /// Decides where requests go.
    pub door: FleetDoor,
    /// Counts for front-ends.
    pub counters: Counters,
    /// The requests that are shown.
    pub in_flight: InFlight,
    /// Which refused requests leave a record.
    pub refusals: Refusals,
    /// Which side calls leave a record.
    pub side_calls: SideCalls,
    pub journal: Journal,
    /// The memory for what is kept of requests and answers.
    pub budget: Arc<Budget>,
    /// Counts for Prometheus.
    pub metrics: Arc<Metrics>,
    /// The secrets that no text shows.
    pub known: Known,
}

impl Traffic {
    /// `memory`: how many bytes of requests and answers may be kept at once.
    pub fn new(
        door: FleetDoor,
        journal: Journal,
        metrics: Arc<Metrics>,
        (memory, known): (u64, Known),
    ) -> Self {
        Self {
            door,
            counters: Counters::default(),
            in_flight: InFlight::default(),
            refusals: Refusals::default(),
            side_calls: SideCalls::default(),
            journal,
            budget: Budget::new(memory, &metrics.clients.kept),
            metrics,
            known,
        }
    }

    pub fn totals(&self) -> Totals {
        let waiting = self.door.look(|state, _| state.fleet.waiting());
        self.counters.totals(waiting)
    }

    /// The path of a request as log lines may show it.
    pub fn shown_path<B>(&self, request: &Request<B>) -> Redacted {
        let own = Own::of(request.headers(), request.uri().query());
        shown_path(request.uri().path(), &self.known.of_request(&own))
    }

    /// The requests in flight, and those that ended a moment ago.
    pub fn requests(&self, clock: &Clock) -> Vec<LiveRequest> {
        self.in_flight.view(clock)
    }

    /// Whether there is a request to show. If so, the view changes over time without any event.
    pub fn has_requests(&self) -> bool {
        self.in_flight.are_any(Instant::now())
    }
}
