//! The requests of a running engine: what they share, and what is counted and shown of them.

use std::sync::Arc;
use std::time::Instant;

use zephyr_control::{LiveRequest, Totals};
use zephyr_journal::Journal;

use super::counters::Counters;
use super::in_flight::InFlight;
use super::refusals::Refusals;
use super::side_calls::SideCalls;
use crate::clock::Clock;
use crate::engine::fleet_door::FleetDoor;
use crate::metrics::Metrics;

/// What the requests of an engine share.
pub struct Traffic {
    /// Who decides where they go.
    pub door: FleetDoor,
    /// What is counted of them for front-ends.
    pub counters: Counters,
    /// Those that are shown.
    pub in_flight: InFlight,
    /// Which of those refused at the door leave a record.
    pub refusals: Refusals,
    /// Which of their side calls leave a record.
    pub side_calls: SideCalls,
    /// Where their records go.
    pub journal: Journal,
    /// What is counted of them for Prometheus.
    pub metrics: Arc<Metrics>,
}

impl Traffic {
    /// No request yet.
    pub fn new(door: FleetDoor, journal: Journal, metrics: Arc<Metrics>) -> Self {
        Self {
            door,
            counters: Counters::default(),
            in_flight: InFlight::default(),
            refusals: Refusals::default(),
            side_calls: SideCalls::default(),
            journal,
            metrics,
        }
    }

    /// The counters as they are.
    pub fn totals(&self) -> Totals {
        let waiting = self.door.look(|state, _| state.fleet.waiting());
        self.counters.totals(waiting)
    }

    /// The requests in flight, and those that ended a moment ago.
    pub fn requests(&self, clock: &Clock) -> Vec<LiveRequest> {
        self.in_flight.view(clock)
    }

    /// Whether there is any request to be shown, so that what is shown changes by itself.
    pub fn has_requests(&self) -> bool {
        self.in_flight.are_any(Instant::now())
    }
}
