//! The recent events, for front-ends.

use std::collections::VecDeque;

use zephyr_control::{Event, EventKind};

/// The most events that are kept.
const LENGTH: usize = 200;

/// The recent events, oldest first.
#[derive(Default)]
pub struct Log {
    events: VecDeque<Event>,
    last_seq: u64,
}

impl Log {
    /// Adds an event. The oldest one is removed when there are too many. `at_ms`: milliseconds since 1970.
    pub fn push(&mut self, kind: EventKind, at_ms: u64) {
        self.last_seq += 1;
        if self.events.len() >= LENGTH {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            seq: self.last_seq,
            at_ms,
            kind,
        });
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.iter().cloned().collect()
    }
}
