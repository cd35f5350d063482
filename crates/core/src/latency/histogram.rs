//! How often times of each length came, in buckets that are each an eighth of a power of two wide. So a
//! percentile is wrong by 5 % at most. Old times fade: when the buckets hold [`FULL`] times, half of each
//! bucket is dropped.

use std::time::Duration;

/// They go from one millisecond to a quarter of an hour.
const BUCKETS: usize = 160;
/// This many samples are enough.
const FULL: u32 = 1024;

/// Times, and how often each came.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// `None`: nothing came yet, so nothing is kept for it.
    buckets: Option<Box<[u16; BUCKETS]>>,
}

impl Histogram {
    /// Takes in a time.
    pub(super) fn observe(&mut self, time: Duration) {
        let is_full = self.len() >= FULL;
        let buckets = self.buckets.get_or_insert_with(|| Box::new([0; BUCKETS]));
        if is_full {
            buckets.iter_mut().for_each(|bucket| *bucket /= 2);
        }
        buckets[bucket(time)] += 1;
    }

    /// The number of times that it holds.
    pub(super) fn len(&self) -> u32 {
        let buckets = self.buckets.iter().flat_map(|buckets| buckets.iter());
        buckets.map(|&count| u32::from(count)).sum()
    }

    /// So many percent of the times were this long or shorter. `None`: it is empty.
    pub(super) fn percentile(&self, percent: u32) -> Option<Duration> {
        let buckets = self.buckets.as_deref()?;
        let wanted = (self.len() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let at = buckets.iter().position(|&count| {
            seen += u32::from(count);
            seen >= wanted
        });
        at.map(middle)
    }
}

fn bucket(time: Duration) -> usize {
    let eighths = (time.as_secs_f64() * 1000.0).max(1.0).log2() * 8.0;
    (eighths as usize).min(BUCKETS - 1)
}

fn middle(bucket: usize) -> Duration {
    let eighths = bucket as f64 + 0.5;
    Duration::from_secs_f64((eighths / 8.0).exp2() / 1000.0)
}
