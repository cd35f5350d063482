//! Times to first event of real traffic, by model: percentiles, and whether they become worse.
//!
//! Each endpoint keeps the [`MODELS`] models that were used last. The times of a model are in `BUCKETS`
//! buckets, each an eighth of a power of two wide, so a percentile is wrong by 5 % at most. Old times fade:
//! when the buckets hold `FULL` times, half of each bucket is dropped.

use std::time::{Duration, Instant};

use super::decline::{Decline, Slower};

/// Maximum number of models per endpoint.
pub const MODELS: usize = 8;
/// They go from one millisecond to a quarter of an hour.
const BUCKETS: usize = 160;
/// This many samples are enough.
const FULL: u32 = 1024;
/// Longer names are cut; no model has such a name.
const LONGEST_NAME: usize = 128;

/// Percentiles of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Percentiles<'a> {
    /// The model.
    pub model: &'a str,
    /// Samples so far.
    pub count: u64,
    /// Half of them were this fast or faster.
    pub p50: Duration,
    /// 95 of 100 were this fast or faster.
    pub p95: Duration,
}

/// The times of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct ByModel {
    /// The model used last is at the end.
    models: Vec<Model>,
}

#[derive(Debug)]
struct Model {
    name: String,
    count: u64,
    buckets: Box<[u16; BUCKETS]>,
    decline: Decline,
}

impl ByModel {
    pub(crate) fn observe(&mut self, model: &str, ttft: Duration, now: Instant) {
        let model = &model[..model.floor_char_boundary(LONGEST_NAME)];
        let last = self.models.len().checked_sub(1);
        match self.models.iter().position(|known| known.name == model) {
            Some(at) if Some(at) == last => {}
            Some(at) => self.models[at..].rotate_left(1),
            None => {
                if self.models.len() >= MODELS {
                    self.models.remove(0);
                }
                self.models.push(Model::new(model));
            }
        }
        if let Some(model) = self.models.last_mut() {
            model.observe(ttft, now);
        }
    }

    pub(crate) fn percentiles(&self) -> impl Iterator<Item = Percentiles<'_>> {
        self.models.iter().rev().map(Model::percentiles)
    }

    /// The decline of the model used last, if there is one.
    pub(crate) fn slower(&self) -> Option<Slower> {
        self.models.last()?.decline.get()
    }

    /// Forgets what is usual, but keeps the percentiles.
    pub(crate) fn weaken(&mut self) {
        for model in &mut self.models {
            model.decline.clear();
        }
    }
}

impl Model {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            count: 0,
            buckets: Box::new([0; BUCKETS]),
            decline: Decline::default(),
        }
    }

    fn observe(&mut self, ttft: Duration, now: Instant) {
        self.decline.observe(ttft, now);
        self.count += 1;
        if self.total() >= FULL {
            self.buckets.iter_mut().for_each(|bucket| *bucket /= 2);
        }
        self.buckets[bucket(ttft)] += 1;
    }

    fn percentiles(&self) -> Percentiles<'_> {
        Percentiles {
            model: &self.name,
            count: self.count,
            p50: self.percentile(50),
            p95: self.percentile(95),
        }
    }

    fn percentile(&self, percent: u32) -> Duration {
        let wanted = (self.total() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let at = self.buckets.iter().position(|&count| {
            seen += u32::from(count);
            seen >= wanted
        });
        middle(at.unwrap_or_default())
    }

    fn total(&self) -> u32 {
        self.buckets.iter().map(|&count| u32::from(count)).sum()
    }
}

fn bucket(ttft: Duration) -> usize {
    let eighths = (ttft.as_secs_f64() * 1000.0).max(1.0).log2() * 8.0;
    (eighths as usize).min(BUCKETS - 1)
}

fn middle(bucket: usize) -> Duration {
    let eighths = bucket as f64 + 0.5;
    Duration::from_secs_f64((eighths / 8.0).exp2() / 1000.0)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    fn close(is: Duration, should: u64) -> bool {
        (is.as_secs_f64() * 1000.0 / should as f64 - 1.0).abs() < 0.05
    }

    #[test]
    fn percentiles_are_within_five_percent() {
        let mut traffic = ByModel::default();
        let now = Instant::now();

        for millis in 1..=1000 {
            traffic.observe("m", Duration::from_millis(millis), now);
        }

        let found = traffic.percentiles().next().unwrap();
        assert_eq!(found.count, 1000);
        assert!(close(found.p50, 500) && close(found.p95, 950), "{found:?}");
    }

    #[test]
    fn what_was_long_ago_fades() {
        let mut traffic = ByModel::default();
        let now = Instant::now();

        for millis in [[100; 5000], [1000; 5000]].concat() {
            traffic.observe("m", Duration::from_millis(millis), now);
        }

        let found = traffic.percentiles().next().unwrap();
        assert!(close(found.p50, 1000), "{found:?}");
    }

    #[test]
    fn models_are_kept_apart_and_only_the_last_few() {
        let mut traffic = ByModel::default();
        let now = Instant::now();

        for (name, millis) in [("a", 100), ("b", 200), ("a", 100)] {
            traffic.observe(name, Duration::from_millis(millis), now);
        }
        for other in 0..MODELS - 1 {
            traffic.observe(&format!("other {other}"), Duration::from_millis(1), now);
        }

        let names: Vec<_> = traffic.percentiles().map(|found| found.model).collect();
        assert_eq!(names.len(), MODELS);
        assert!(names.contains(&"a") && !names.contains(&"b"), "{names:?}");
    }

    #[test]
    fn nothing_is_too_short_or_too_long() {
        let mut traffic = ByModel::default();
        let now = Instant::now();
        for odd in [Duration::ZERO, Duration::MAX] {
            traffic.observe("é".repeat(100).as_str(), odd, now);
        }

        let found = traffic.percentiles().next().unwrap();

        assert!(found.p50 < found.p95);
        assert!(found.model.len() <= LONGEST_NAME);
    }
}
