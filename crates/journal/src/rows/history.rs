//! Adds up how endpoints were, by minute.

use std::collections::HashMap;

use rusqlite::Connection;
use zephyr_control::AttemptRecord;

use crate::tables::{AddHistory, MINUTE, Span, int, is_failure, micros, whole};

/// By endpoint and minute.
#[derive(Default)]
pub(super) struct HistoryTally(HashMap<(i64, i64), Span>);

impl HistoryTally {
    /// Adds an attempt of a request that began at `began_ms`. It counts for the minute in which it ended.
    pub(super) fn add_attempt(&mut self, endpoint: i64, began_ms: u64, attempt: &AttemptRecord) {
        let took_us = micros(attempt.queue_ms) + micros(attempt.last_byte_ms);
        let ended = began_ms.saturating_add(whole(took_us / 1000));
        let span = self.span(endpoint, ended);
        span.attempts += 1;
        span.failures += i64::from(is_failure(attempt.outcome));
        if let Some(ttft) = attempt.first_event_ms {
            span.streams += 1;
            span.ttft_us += micros(ttft);
        }
    }

    pub(super) fn span(&mut self, endpoint: i64, at_ms: u64) -> &mut Span {
        let at = int(at_ms);
        self.0.entry((endpoint, at - at % MINUTE)).or_default()
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut history = AddHistory::to(connection)?;
        for ((endpoint, minute), span) in self.0 {
            history.add(endpoint, (minute, MINUTE), &span)?;
        }
        Ok(())
    }
}
