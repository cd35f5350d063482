//! Whether anything at all can be reached.
//!
//! When this machine loses its network, every endpoint fails at once, and none of them is to blame.
//!
//! # Going offline
//!
//! What was last heard of every endpoint in use (switched on, with its credential) is that no
//! connection came about; these are endpoints at two hosts at least, and none of it is older than
//! [`WINDOW`]. With one host there is no telling whose fault it is: then it is the endpoint's.
//!
//! When a second host cannot be reached, the endpoints not heard of for a while are asked at once, so
//! that this is known in seconds whatever the probes' interval.
//!
//! # What it means for circuits
//!
//! They are as they were when anything was last heard of anywhere: what counted since then is taken
//! back, since it was the network. Until it is back, a connection that does not come about or breaks
//! counts against nobody. `AllDown` is not told besides: `Offline` says more.
//!
//! # Coming back
//!
//! Probes go on, after [`FIRST_BACK_OFF`] and then twice as long each time up to [`LONGEST_BACK_OFF`],
//! and requests are tried as ever. The first answer, whatever it is and whoever gives it, ends it: then
//! all probes are due. It ends, too, when fewer than two hosts are left in use.
//!
//! # After a sleep
//!
//! The network comes up seconds after the machine does. For [`GRACE`], a connection that does not come
//! about or breaks counts against nobody, and probes go on as they do offline.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::classify::Contact;
use crate::fleet::{Effect, EndpointId, Fleet};

/// How old the last word of an endpoint may be.
const WINDOW: Duration = Duration::from_secs(10);
/// First pause between probes while nothing can be reached.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// Longest pause between probes while nothing can be reached.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(15);
/// How long after a sleep failures are the network's.
const GRACE: Duration = Duration::from_secs(10);

/// Whose failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The endpoint's: it counts.
    Endpoint,
    /// The network's: it does not.
    Network,
}

/// The pause after so many probes in a row that reached nothing.
pub(super) fn back_off(probes: u32) -> Duration {
    let doubled = FIRST_BACK_OFF.saturating_mul(1 << probes.min(8));
    doubled.min(LONGEST_BACK_OFF)
}

impl Fleet {
    /// Since when nothing can be reached, if that is so.
    pub fn offline_since(&self) -> Option<Instant> {
        self.offline_since
    }

    /// The machine slept, or has come to another network: what was measured is old, all probes are due,
    /// and what fails in the first seconds is not the endpoints' fault.
    pub fn wake(&mut self, now: Instant) {
        self.grace_until = Some(now + GRACE);
        for endpoint in &mut self.endpoints {
            endpoint.weaken();
            endpoint.ask_at(now);
        }
    }

    /// Takes in what an attempt or a probe tells of the network; says whose its failure is, if it is one.
    pub(super) fn blame(&mut self, id: EndpointId, contact: Contact, now: Instant) -> Blame {
        let in_grace = self.grace_until.is_some_and(|until| now < until);
        match contact {
            Contact::Made => self.heard(id, now),
            Contact::NotMade => self.missed(id, now),
            Contact::Broken => {
                if let Some(endpoint) = self.get_mut(id) {
                    endpoint.note_silence();
                }
            }
            Contact::Unknown => {}
        }
        let failed = matches!(contact, Contact::NotMade | Contact::Broken);
        if failed && (in_grace || self.offline_since.is_some()) {
            Blame::Network
        } else {
            Blame::Endpoint
        }
    }

    /// Ends being offline where it can no longer be told.
    pub(super) fn look_at_hosts(&mut self, now: Instant) {
        if self.offline_since.is_some() && self.hosts_in_use().len() < 2 {
            self.come_back(now);
        }
    }

    fn heard(&mut self, id: EndpointId, now: Instant) {
        for endpoint in &mut self.endpoints {
            endpoint.before_silence = None;
        }
        if let Some(endpoint) = self.get_mut(id) {
            endpoint.missed_at = None;
        }
        if self.offline_since.is_some() {
            self.come_back(now);
        }
    }

    fn missed(&mut self, id: EndpointId, now: Instant) {
        let Some(endpoint) = self.get_mut(id) else {
            return;
        };
        let is_news = endpoint.missed_at.is_none();
        endpoint.missed_at = Some(now);
        endpoint.note_silence();
        if self.offline_since.is_some() {
            return;
        }
        let recent = |at: Instant| now.saturating_duration_since(at) <= WINDOW;
        let used = || {
            self.endpoints
                .iter()
                .filter(|endpoint| endpoint.is_in_use())
        };
        let missed: BTreeSet<&str> = used()
            .filter(|endpoint| endpoint.missed_at.is_some_and(recent))
            .map(|endpoint| endpoint.spec.url.host())
            .collect();
        if missed.len() < 2 {
            return;
        }
        if used().all(|endpoint| endpoint.missed_at.is_some_and(recent)) {
            self.go_offline(now);
        } else if is_news || used().all(|endpoint| endpoint.missed_at.is_some()) {
            let unheard = |at: Option<Instant>| !at.is_some_and(recent);
            for endpoint in &mut self.endpoints {
                if unheard(endpoint.missed_at) && unheard(endpoint.last_probe()) {
                    endpoint.ask_at(now);
                }
            }
        }
    }

    fn go_offline(&mut self, now: Instant) {
        self.offline_since = Some(now);
        self.all_down = false;
        self.switched_at = None; // Whoever was left for want of a network may be gone back to.
        for endpoint in &mut self.endpoints {
            endpoint.take_back_silence();
            endpoint.ask_at(now + FIRST_BACK_OFF);
        }
        self.effects.push_back(Effect::Offline);
    }

    fn come_back(&mut self, now: Instant) {
        self.offline_since = None;
        self.queue.rouse();
        for endpoint in &mut self.endpoints {
            endpoint.missed_at = None;
            endpoint.ask_at(now);
        }
        self.effects.push_back(Effect::Online);
    }

    fn hosts_in_use(&self) -> BTreeSet<&str> {
        let used = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.is_in_use());
        used.map(|endpoint| endpoint.spec.url.host()).collect()
    }
}
