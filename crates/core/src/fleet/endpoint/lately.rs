//! How many attempts an endpoint has had recently: a ring of time spans, each with its own count.

use std::time::{Duration, Instant};

/// The length of a span.
const SPAN: Duration = Duration::from_secs(10);
/// The number of spans that count: five minutes.
const SPANS: usize = 30;

/// The attempts of the last five minutes.
#[derive(Debug)]
pub(crate) struct Lately {
    /// When the first span began.
    begun: Instant,
    /// The number of the last span with a count. The ring holds the spans before it.
    latest: u64,
    counts: [u32; SPANS],
}

impl Lately {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            latest: 0,
            counts: [0; SPANS],
        }
    }

    /// Counts one attempt.
    pub(crate) fn note(&mut self, now: Instant) {
        let span = self.span_at(now);
        // Skipped spans still hold counts from the last round.
        let skipped = span.saturating_sub(self.latest).min(SPANS as u64);
        for back in 0..skipped {
            self.counts[place(span - back)] = 0;
        }
        self.latest = self.latest.max(span);
        let count = &mut self.counts[place(span)];
        *count = count.saturating_add(1);
    }

    /// The number of attempts in the last five minutes.
    pub(crate) fn count(&self, now: Instant) -> u64 {
        let oldest = (self.span_at(now) + 1).saturating_sub(SPANS as u64);
        let known = (self.latest + 1).saturating_sub(SPANS as u64);
        (oldest.max(known)..=self.latest)
            .map(|span| u64::from(self.counts[place(span)]))
            .sum()
    }

    fn span_at(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.begun).as_secs() / SPAN.as_secs()
    }
}

fn place(span: u64) -> usize {
    usize::try_from(span % SPANS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn attempts_count_for_five_minutes() {
        let now = Instant::now();
        let mut lately = Lately::new(now);
        for minute in 0..3 {
            lately.note(now + MINUTE * minute);
        }

        let counts = [2, 4, 5, 6, 7, 60].map(|minute| lately.count(now + MINUTE * minute));

        assert_eq!(counts, [3, 3, 2, 1, 0, 0]);
    }

    #[test]
    fn spans_that_were_skipped_do_not_keep_old_counts() {
        let now = Instant::now();
        let mut lately = Lately::new(now);
        for second in 0..300 {
            lately.note(now + Duration::from_secs(second));
        }

        lately.note(now + MINUTE * 7);
        lately.note(now + MINUTE * 90);

        assert_eq!(lately.count(now + MINUTE * 90), 1);
    }

    #[test]
    fn a_full_ring_counts_each_once() {
        let now = Instant::now();
        let mut lately = Lately::new(now);
        for second in 0..900 {
            lately.note(now + Duration::from_secs(second));
        }

        assert_eq!(lately.count(now + Duration::from_secs(899)), 300);
    }
}
