//! The last few samples of one kind of measurement: their medians, and how much they vary.
//!
//! | figure | of the last | for |
//! | --- | --- | --- |
//! | `quick` | 3 | whether a change is suspected |
//! | `usual` | 5 | what is shown and compared: three new samples move it |
//! | `steady` | 10 | differences that are too small for the last five to prove |
//! | `noise` | 31 | how large a difference must be to count |
//!
//! An even number of samples has two middle ones. The smaller one is the median, because a time that is
//! measured is more often too long than too short.
//!
//! The noise is the median difference between one sample and the next. For samples around a constant level it
//! is close to their standard deviation (0.95 times for a normal distribution, 1.01 times for a uniform one).
//! A change of the level is one difference among many, so it is no noise.
//!
//! A sample replaces all earlier ones if the last one is older than [`STALE`], is from before a sleep, or has
//! an unknown age. Reading never changes anything.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// An older value is only a starting value.
pub const STALE: Duration = Duration::from_secs(600);

const QUICK: usize = 3;
const USUAL: usize = 5;
const STEADY: usize = 10;
/// The last ones, and those before them that they may have risen above.
const SAMPLES: usize = 25;
const DIFFERENCES: usize = 30;
/// With fewer differences the noise is unknown: one may be a change of the level.
const LEAST_DIFFERENCES: usize = 2;
/// With fewer samples there is nothing to rise above.
const LEAST_BEFORE: usize = 3;
/// A rise is at least this many times the noise. By simulation: where the level stays and samples vary by
/// 30 %, one in 400 (uniform noise) to one in 1000 (normal noise) is taken for a rise.
const RISE: f64 = 2.5;

/// The last few samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    /// Oldest first.
    samples: VecDeque<Duration>,
    /// Between one sample and the next, oldest first.
    differences: VecDeque<Duration>,
    /// When the last sample was measured. `None`: there is none, or it is stale.
    at: Option<Instant>,
    figures: Option<Figures>,
}

/// What the last samples say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The median of the last three.
    pub(crate) quick: Duration,
    /// The median of the last five.
    pub(crate) usual: Duration,
    /// The median of the last ten, if there are ten.
    pub(crate) steady: Option<Duration>,
    /// How much the samples vary. Zero if that is unknown.
    pub(crate) noise: Duration,
}

/// A median that the next run may restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The value.
    pub value: Duration,
    /// Age of the last sample, at most `STALE`.
    pub age: Duration,
}

impl Recent {
    /// Takes in a sample measured at `now`.
    pub(crate) fn observe(&mut self, sample: Duration, now: Instant) {
        if let (Some(_), Some(&last)) = (self.at, self.samples.back()) {
            push(&mut self.differences, last.abs_diff(sample), DIFFERENCES);
        }
        if !self.is_fresh(now) {
            self.samples.clear();
        }
        push(&mut self.samples, sample, SAMPLES);
        self.at = Some(now);
        self.figures = Figures::of(&self.samples, &self.differences);
    }

    /// What the samples say, once there is one.
    pub(crate) fn figures(&self) -> Option<Figures> {
        self.figures
    }

    /// The median of the last five, once there is a sample.
    pub(crate) fn usual(&self) -> Option<Duration> {
        self.figures.map(|figures| figures.usual)
    }

    /// The median of the last five, if there are enough of them and the last one is not stale.
    pub(crate) fn usual_lately(&self, now: Instant) -> Option<Duration> {
        let is_known = self.samples.len() >= QUICK && self.is_fresh(now);
        self.usual().filter(|_| is_known)
    }

    /// Whether the last five are higher than the ones before by at least `threshold` and by more than both
    /// vary. A level that has risen is told once.
    pub(crate) fn take_rise(&mut self, threshold: Duration) -> bool {
        let last = self.samples.len().saturating_sub(USUAL);
        if last < LEAST_BEFORE {
            return false;
        }
        let before = median(self.samples.range(..last));
        let Some((now, before)) = self.figures.zip(before) else {
            return false;
        };
        let needed = threshold.max(now.noise.mul_f64(RISE));
        let has_risen = now.usual > before && now.usual - before >= needed;
        if has_risen {
            // The last three are of the new level for sure, so they are what the next ones may rise above.
            let old = self.samples.len() - QUICK;
            self.samples.drain(..old);
        }
        has_risen
    }

    /// What the next run may restore.
    pub(crate) fn remember(&self, now: Instant) -> Option<Remembered> {
        let age = self
            .at
            .map_or(STALE, |at| now.saturating_duration_since(at));
        Some(Remembered {
            value: self.usual()?,
            age: age.min(STALE),
        })
    }

    /// Restores what an earlier run measured. It counts as one sample.
    pub(crate) fn recall(&mut self, remembered: Remembered, now: Instant) {
        let Remembered { value, age } = remembered;
        self.clear();
        self.samples.push_back(value);
        self.at = now.checked_sub(age).filter(|_| age < STALE);
        self.figures = Figures::of(&self.samples, &self.differences);
    }

    /// Makes the value a starting value only.
    pub(crate) fn weaken(&mut self) {
        self.at = None;
    }

    /// Forgets all samples.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.at
            .is_some_and(|at| now.saturating_duration_since(at) < STALE)
    }
}

impl Figures {
    fn of(samples: &VecDeque<Duration>, differences: &VecDeque<Duration>) -> Option<Self> {
        let of_last = |count: usize| {
            let skipped = samples.len().saturating_sub(count);
            median(samples.range(skipped..))
        };
        let noise = if differences.len() < LEAST_DIFFERENCES {
            None
        } else {
            median(differences.iter())
        };
        Some(Self {
            quick: of_last(QUICK)?,
            usual: of_last(USUAL)?,
            steady: of_last(STEADY).filter(|_| samples.len() >= STEADY),
            noise: noise.unwrap_or_default(),
        })
    }
}

fn push(ring: &mut VecDeque<Duration>, value: Duration, most: usize) {
    if ring.len() >= most {
        ring.pop_front();
    }
    ring.push_back(value);
}

fn median<'a>(values: impl Iterator<Item = &'a Duration>) -> Option<Duration> {
    let mut sorted: Vec<Duration> = values.copied().collect();
    sorted.sort_unstable();
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const THRESHOLD: Duration = Duration::from_millis(50);

    struct Scene {
        recent: Recent,
        now: Instant,
    }

    impl Scene {
        /// One sample a minute.
        fn of(millis: impl IntoIterator<Item = u64>) -> Self {
            let mut scene = Self {
                recent: Recent::default(),
                now: Instant::now(),
            };
            millis.into_iter().for_each(|sample| scene.sample(sample));
            scene
        }

        fn sample(&mut self, millis: u64) {
            self.now += MINUTE;
            self.recent.observe(ms(millis), self.now);
        }

        fn usual(&self) -> Duration {
            self.recent.usual().unwrap()
        }

        /// The number of the first of these samples that is a rise.
        fn rises_at(&mut self, millis: impl IntoIterator<Item = u64>) -> Option<usize> {
            let mut samples = millis.into_iter();
            samples.position(|sample| {
                self.sample(sample);
                self.recent.take_rise(THRESHOLD)
            })
        }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn three_new_samples_move_the_median_and_two_do_not() {
        let mut scene = Scene::of([80; 5]);

        let after_each: Vec<_> = (0..3)
            .map(|_| {
                scene.sample(220);
                scene.usual()
            })
            .collect();

        assert_eq!(after_each, [80, 80, 220].map(ms));
    }

    #[test]
    fn the_smaller_one_of_two_counts() {
        assert_eq!(Scene::of([300, 100]).usual(), ms(100));
        assert_eq!(Scene::of([100, 300]).usual(), ms(100));
    }

    #[test]
    fn a_change_of_the_level_is_no_noise() {
        let steady = Scene::of([80; 5].into_iter().chain([220; 5]));
        let noisy = Scene::of([80, 120, 75, 118, 82, 117]);

        assert_eq!(steady.recent.figures().unwrap().noise, Duration::ZERO);
        let noise = noisy.recent.figures().unwrap().noise;
        assert!((ms(35)..=ms(45)).contains(&noise), "{noise:?}");
    }

    #[test]
    fn one_sample_replaces_what_is_old_but_not_how_much_it_varied() {
        let mut scene = Scene::of([80, 120, 80, 120]);

        scene.now += STALE;
        scene.sample(300);

        let figures = scene.recent.figures().unwrap();
        assert_eq!((figures.usual, figures.noise), (ms(300), ms(40)));
    }

    #[test]
    fn what_is_remembered_counts_as_one_sample_while_it_is_fresh() {
        let now = Instant::now();
        let after_one = |age| {
            let mut recent = Recent::default();
            let value = ms(100);
            recent.recall(Remembered { value, age }, now);
            assert_eq!(recent.usual(), Some(value));
            recent.observe(ms(200), now);
            recent.usual()
        };

        assert_eq!(after_one(Duration::ZERO), Some(ms(100)), "fresh");
        assert_eq!(after_one(STALE), Some(ms(200)), "stale");
    }

    #[test]
    fn what_was_before_a_sleep_is_replaced() {
        let mut scene = Scene::of([80; 5]);

        scene.recent.weaken();
        let asleep = scene.usual();
        scene.sample(300);

        assert_eq!((asleep, scene.usual()), (ms(80), ms(300)));
    }

    #[test]
    fn a_rise_is_seen_at_its_third_sample_and_told_once() {
        let mut scene = Scene::of([100; 10]);

        let first = scene.rises_at([170; 20]);
        let again = scene.rises_at([170; 20]);
        let higher = scene.rises_at([250; 20]);

        assert_eq!((first, again, higher), (Some(2), None, Some(2)));
    }

    #[test]
    fn less_than_the_threshold_or_than_the_noise_is_no_rise() {
        let below = Scene::of([100; 10]).rises_at([140; 10]);
        let noisy = [600, 1000].into_iter().cycle();
        let within = Scene::of(noisy.take(20)).rises_at([1000; 5]);

        assert_eq!((below, within), (None, None));
    }

    #[test]
    fn becoming_faster_is_no_rise() {
        assert_eq!(Scene::of([300; 10]).rises_at([100; 20]), None);
    }
}
