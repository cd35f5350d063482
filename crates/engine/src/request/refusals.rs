//! Which of the requests that are refused at the door leave a record.
//!
//! Any web page can send such requests, as many as it likes. Without a limit they would push the user's own
//! requests out of the journal. All of them are still counted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most records in one span. The first ones tell the most.
const MOST: u32 = 30;
const SPAN: Duration = Duration::from_secs(60);

/// Counts the records of the current span.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Option<(Instant, u32)>>);

impl Refusals {
    /// Whether a refusal at this moment leaves a record. If it does, it counts towards the limit.
    pub fn is_to_be_recorded(&self, now: Instant) -> bool {
        let mut span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, left) = match *span {
            Some((began, left)) if now.saturating_duration_since(began) < SPAN => (began, left),
            Some(_) | None => (now, 0),
        };
        *span = Some((began, left.saturating_add(1)));
        left < MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_knocks_without_end_leaves_few_records_a_minute() {
        let (refusals, begin) = (Refusals::default(), Instant::now());
        let recorded = |minute: u32| {
            let now = begin + SPAN * minute;
            (0..1000)
                .filter(|_| refusals.is_to_be_recorded(now))
                .count()
        };

        assert_eq!((recorded(0), recorded(1)), (30, 30));
    }
}
