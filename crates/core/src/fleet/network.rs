//! Whether anything at all can be reached.
//!
//! If this machine loses its network, every endpoint fails at once, and none of them caused it.
//!
//! # Going offline
//!
//! The fleet is offline under these conditions. For every endpoint in use (switched on, with its credential),
//! the last news is that no connection could be opened. The endpoints are at two hosts or more. All this news
//! is younger than [`WINDOW`]. With only one host the cause is unknown; then the endpoint is blamed.
//!
//! When a second host cannot be reached, endpoints without recent news are probed at once. So this is known
//! within seconds, regardless of the interval of probes.
//!
//! # What it means for circuits
//!
//! Every circuit becomes what it was at the last answer from any endpoint. What has counted since then is
//! taken back, because the network caused it. Until the network is back, a connection that fails or breaks
//! does not count against an endpoint. `AllDown` is not reported as well, because `Offline` says more.
//!
//! # Coming back
//!
//! Probes go on: after one second, and then after twice as long each time, up to 15 seconds. Requests are
//! attempted as always. The first answer of any kind, from any endpoint, ends the offline state, and then all
//! probes are due. The state also ends when fewer than two hosts are left in use.
//!
//! # After a sleep
//!
//! The network comes up some seconds after the machine. For [`GRACE`], a connection that fails or breaks does
//! not count against an endpoint, and probes go on as in the offline state.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::classify::Contact;
use crate::endpoint_id::EndpointId;
use crate::fleet::blame::Blame;
use crate::fleet::effect::Effect;
use crate::fleet::endpoint::FIRST_BACK_OFF;
use crate::fleet::state::Fleet;

/// News of an endpoint that is older than this does not count.
const WINDOW: Duration = Duration::from_secs(10);
/// How long after a sleep the network is blamed for failures.
const GRACE: Duration = Duration::from_secs(10);

impl Fleet {
    /// Since when nothing can be reached. `None`: something can.
    pub fn offline_since(&self) -> Option<Instant> {
        self.offline_since
    }

    /// The machine slept, or is on another network. Measurements are old, all probes are due, and the network
    /// is blamed for failures in the first seconds.
    pub fn wake(&mut self, now: Instant) {
        self.grace_until = Some(now + GRACE);
        for endpoint in &mut self.endpoints {
            endpoint.latency.weaken();
            endpoint.probes.timetable.ask_at(now);
        }
    }

    /// Notes what an attempt or a probe says about the network. Returns the cause of a failure.
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

    /// Ends the offline state if too few hosts are left to know.
    pub(super) fn look_at_hosts(&mut self, now: Instant) {
        if self.offline_since.is_some() && self.hosts_in_use().len() < 2 {
            self.come_back(now);
        }
    }

    fn heard(&mut self, id: EndpointId, now: Instant) {
        for endpoint in &mut self.endpoints {
            endpoint.silence.end();
        }
        if let Some(endpoint) = self.get_mut(id) {
            endpoint.silence.missed_at = None;
        }
        if self.offline_since.is_some() {
            self.come_back(now);
        }
    }

    fn missed(&mut self, id: EndpointId, now: Instant) {
        let Some(endpoint) = self.get_mut(id) else {
            return;
        };
        let is_news = endpoint.silence.missed_at.is_none();
        endpoint.silence.missed_at = Some(now);
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
            .filter(|endpoint| endpoint.silence.missed_at.is_some_and(recent))
            .map(|endpoint| endpoint.spec.url.host())
            .collect();
        if missed.len() < 2 {
            return;
        }
        if used().all(|endpoint| endpoint.silence.missed_at.is_some_and(recent)) {
            self.go_offline(now);
        } else if is_news || used().all(|endpoint| endpoint.silence.missed_at.is_some()) {
            let unheard = |at: Option<Instant>| !at.is_some_and(recent);
            for endpoint in &mut self.endpoints {
                if unheard(endpoint.silence.missed_at) && unheard(endpoint.probes.last) {
                    endpoint.probes.timetable.ask_at(now);
                }
            }
        }
    }

    fn go_offline(&mut self, now: Instant) {
        self.offline_since = Some(now);
        self.all_down = false;
        self.switched_at = None; // The last switch may be due to the lost network; allow a switch back.
        for endpoint in &mut self.endpoints {
            endpoint.take_back_silence();
            endpoint.probes.timetable.ask_at(now + FIRST_BACK_OFF);
        }
        self.effects.push_back(Effect::Offline);
    }

    fn come_back(&mut self, now: Instant) {
        self.offline_since = None;
        self.queue.rouse();
        for endpoint in &mut self.endpoints {
            endpoint.silence.missed_at = None;
            endpoint.probes.timetable.ask_at(now);
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
