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
    /// The number of times in the buckets.
    len: u32,
    /// Every request asks for these two, and of every endpoint, so they are kept.
    p95: Duration,
    p99: Duration,
}

impl Histogram {
    /// Takes in a time.
    pub(super) fn observe(&mut self, time: Duration) {
        let buckets = self.buckets.get_or_insert_with(|| Box::new([0; BUCKETS]));
        if self.len >= FULL {
            buckets.iter_mut().for_each(|bucket| *bucket /= 2);
            self.len = buckets.iter().map(|&count| u32::from(count)).sum();
        }
        buckets[bucket(time)] += 1;
        self.len += 1;
        self.p95 = self.percentile(95);
        self.p99 = self.percentile(99);
    }

    /// The number of times that it holds.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// 95 of 100 times were this long or shorter. Zero: it is empty.
    pub(super) fn p95(&self) -> Duration {
        self.p95
    }

    /// 99 of 100 times were this long or shorter. Zero: it is empty.
    pub(super) fn p99(&self) -> Duration {
        self.p99
    }

    /// So many percent of the times were this long or shorter. Zero: it is empty.
    pub(super) fn percentile(&self, percent: u32) -> Duration {
        let wanted = (self.len * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let mut buckets = self.buckets.iter().flat_map(|buckets| buckets.iter());
        let at = buckets.position(|&count| {
            seen += u32::from(count);
            seen >= wanted
        });
        at.map(middle).unwrap_or_default()
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
