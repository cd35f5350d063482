//! What happened lately, for front-ends.

use std::collections::VecDeque;

use zephyr_control::{Event, EventKind};

/// Events kept.
const LENGTH: usize = 200;

/// What happened lately, oldest first.
#[derive(Default)]
pub struct Log {
    events: VecDeque<Event>,
    last_seq: u64,
}

impl Log {
    /// Adds an event; the oldest goes when there are too many. `at_ms`: milliseconds since 1970.
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

    /// The events kept.
    pub fn events(&self) -> Vec<Event> {
        self.events.iter().cloned().collect()
    }
}
