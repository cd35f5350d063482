//! The decisions of a person.

use std::time::Instant;

use super::endpoint::Availability;
use super::mode::Mode;
use super::state::Fleet;
use crate::endpoint_id::EndpointId;

impl Fleet {
    /// Pins an endpoint.
    pub fn pin(&mut self, id: EndpointId, now: Instant) {
        self.mode = Mode::Pinned(id);
        self.queue.rouse();
        self.reconsider(now);
    }

    /// Zephyr chooses again.
    pub fn unpin(&mut self, now: Instant) {
        self.queue.rouse();
        self.mode = Mode::Auto;
        self.switched_at = None; // A person's decision does not start a dwell.
        self.reconsider(now);
    }

    /// Stops probes and switches for speed.
    pub fn pause(&mut self, now: Instant) {
        self.paused = true;
        for endpoint in &mut self.endpoints {
            endpoint.probes.timetable.is_demanded = false;
        }
        self.end_rounds();
        self.reconsider(now);
    }

    /// Ends a pause. All probes are due.
    pub fn resume(&mut self, now: Instant) {
        self.paused = false;
        self.refresh(now);
        self.reconsider(now);
    }

    /// Makes every probe due now.
    pub fn refresh(&mut self, now: Instant) {
        for endpoint in &mut self.endpoints {
            endpoint.probes.timetable.demand_at(now);
            endpoint.probes.timetable.is_demanded = true;
        }
    }

    /// Lets an endpoint be used again.
    pub fn enable(&mut self, id: EndpointId, now: Instant) {
        if let Some(endpoint) = self.get_mut(id) {
            endpoint.access.availability = Availability::Enabled;
            endpoint.probes.timetable.demand_at(now);
        }
        self.queue.rouse();
        self.look_at_hosts(now);
        self.reconsider(now);
    }

    /// Takes an endpoint out of use. Its attempts may finish within the drain timeout.
    pub fn disable(&mut self, id: EndpointId, now: Instant) {
        let until = now + self.config.server.drain_timeout;
        if let Some(endpoint) = self.get_mut(id) {
            endpoint.drain(until);
        }
        self.look_at_hosts(now);
        self.reconsider(now);
    }

    /// "Try again now": closes the circuit, and forgets what counts against the endpoint.
    pub fn reinstate(&mut self, id: EndpointId, now: Instant) {
        if let Some(endpoint) = self.get_mut(id) {
            let change = endpoint.reinstate(now);
            self.after(id, change, now);
        }
    }
}
