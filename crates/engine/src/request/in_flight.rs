//! The requests in flight, and those that ended a moment ago, for front-ends.
//!
//! A request takes one short lock when it begins and one when it ends. In between it notes what happens in
//! its own [`Trail`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zephyr_control::LiveRequest;

use crate::clock::Clock;
use crate::request::trail::Trail;

/// How long a request is shown after its end.
const LINGER: Duration = Duration::from_secs(5);
/// The most requests that are kept after their end.
const MOST_ENDED: usize = 100;
/// The most requests that are shown.
const MOST_SHOWN: usize = 200;

#[derive(Default)]
pub struct InFlight(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    /// By number, so the oldest comes first.
    in_flight: BTreeMap<u64, Arc<Trail>>,
    /// In the order in which they ended.
    ended: VecDeque<(Instant, Arc<Trail>)>,
}

impl InFlight {
    pub fn begin(&self, trail: &Arc<Trail>) {
        let number = trail.id.number();
        self.lists().in_flight.insert(number, Arc::clone(trail));
    }

    pub fn end(&self, trail: &Trail, now: Instant) {
        let mut lists = self.lists();
        if let Some(trail) = lists.in_flight.remove(&trail.id.number()) {
            lists.forget(now);
            if lists.ended.len() >= MOST_ENDED {
                lists.ended.pop_front();
            }
            lists.ended.push_back((now, trail));
        }
    }

    /// Whether there is a request to show. If so, the view changes over time without any event.
    pub fn are_any(&self, now: Instant) -> bool {
        let mut lists = self.lists();
        lists.forget(now);
        !lists.in_flight.is_empty() || !lists.ended.is_empty()
    }

    /// The requests in flight, oldest first, then those that have ended.
    pub fn view(&self, clock: &Clock) -> Vec<LiveRequest> {
        let shown: Vec<Arc<Trail>> = {
            let mut lists = self.lists();
            lists.forget(clock.instant());
            let ended = lists.ended.iter().map(|(_, trail)| trail);
            let all = lists.in_flight.values().chain(ended);
            all.take(MOST_SHOWN).cloned().collect()
        };
        shown.iter().map(|trail| live(trail, clock)).collect()
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    fn forget(&mut self, now: Instant) {
        while let Some((ended, _)) = self.ended.front()
            && *ended + LINGER <= now
        {
            self.ended.pop_front();
        }
    }
}

fn live(trail: &Trail, clock: &Clock) -> LiveRequest {
    let notes = trail.notes();
    let leg = notes.current_leg();
    let waits = leg.is_some_and(|leg| leg.end.is_some())
        && notes.ended.is_none()
        && notes.answered.is_none();
    let leg = leg.filter(|_| !waits);
    LiveRequest {
        request: trail.id.to_string(),
        at_ms: trail.begun.unix_ms(trail.begun.instant()),
        ended_at_ms: notes.ended.map(|(at, _)| clock.unix_ms(at)),
        end: notes.ended.map(|(_, end)| end),
        path: trail.path.clone(),
        model: notes.model.clone(),
        session: notes.session.clone(),
        endpoint: leg.map(|leg| leg.remote.spec.name.clone()),
        attempts: u32::try_from(notes.legs.len()).unwrap_or(u32::MAX),
        streaming: notes.answered.is_some(),
        output_tokens: trail.output(),
    }
}
