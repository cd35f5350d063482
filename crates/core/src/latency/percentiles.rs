//! Times to first event of real traffic, by model: percentiles, and whether they become worse.
//!
//! Each endpoint keeps the [`MODELS`] models that were used last.

use std::time::{Duration, Instant};

use super::decline::{Decline, Slower};
use super::histogram::Histogram;

/// Maximum number of models per endpoint.
pub const MODELS: usize = 8;
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
    times: Histogram,
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
            times: Histogram::default(),
            decline: Decline::default(),
        }
    }

    fn observe(&mut self, ttft: Duration, now: Instant) {
        self.decline.observe(ttft, now);
        self.count += 1;
        self.times.observe(ttft);
    }

    fn percentiles(&self) -> Percentiles<'_> {
        Percentiles {
            model: &self.name,
            count: self.count,
            p50: self.times.percentile(50),
            p95: self.times.p95(),
        }
    }
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
