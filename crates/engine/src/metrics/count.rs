//! The counters: plain atomics that the request path adds to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of a histogram's buckets, in milliseconds: from a warm connection nearby to a long
/// answer.
pub(super) const BUCKETS: [u64; 16] = [
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000,
    600_000,
];

/// Bytes in both directions.
#[derive(Debug, Default)]
pub struct WireBytes {
    /// To Zephyr.
    pub received: Count,
    /// From Zephyr.
    pub sent: Count,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

/// How long something took, in buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    pub(super) buckets: [AtomicU64; BUCKETS.len() + 1],
    pub(super) sum_micros: AtomicU64,
}

impl Count {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Histogram {
    /// Adds one duration.
    pub fn observe(&self, took: Duration) {
        let millis = took.as_millis();
        let bucket = BUCKETS.partition_point(|bound| u128::from(*bound) < millis);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_it_fits_in() {
        let histogram = Histogram::default();
        for millis in [0, 5, 6, 600_000, 600_001] {
            histogram.observe(Duration::from_millis(millis));
        }

        let counts = histogram
            .buckets
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed));

        assert_eq!((counts[0], counts[1]), (2, 1));
        assert_eq!((counts[15], counts[16]), (1, 1));
    }
}
