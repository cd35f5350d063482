//! A smoothed duration. Old samples fade with time, not with the number of samples.
//!
//! A sample that comes `dt` after the last one weighs `1 − e^(−dt/τ)`. So many samples at once move the
//! average no further than one of them, and a sample after a long silence replaces it. Reading never changes
//! it.
//!
//! A value from an earlier run keeps its age, so the rule goes on as if there had been no break. If it is
//! older than [`STALE`], or its age is unknown, it is only a starting value: the first sample replaces it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Exponentially weighted moving average of a duration.
#[derive(Clone, Copy, Debug)]
pub struct Ewma {
    /// After this time, an old value has faded to 1/e.
    tau: Duration,
    state: Option<Smoothed>,
}

/// An older value is only a starting value.
pub const STALE: Duration = Duration::from_secs(600);

/// A smoothed value that the next run may restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The value.
    pub value: Duration,
    /// Age of the last sample, at most `STALE`.
    pub age: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Smoothed {
    value: Duration,
    /// `None`: the value is stale, so the next sample replaces it.
    at: Option<Instant>,
}

/// Minimum weight of a sample, so that samples at one instant still move the average.
const LEAST_WEIGHT: f64 = 0.2;

impl Ewma {
    /// An average without samples.
    pub fn new(tau: Duration) -> Self {
        Self { tau, state: None }
    }

    /// Takes in a sample measured at `now`.
    pub fn observe(&mut self, sample: Duration, now: Instant) {
        let smoothed = match self.state {
            None | Some(Smoothed { at: None, .. }) => sample,
            Some(Smoothed {
                value: old,
                at: Some(at),
            }) => {
                let age = now.saturating_duration_since(at).as_secs_f64();
                let weight = (1.0 - (-age / self.tau.as_secs_f64()).exp()).max(LEAST_WEIGHT);
                old.mul_f64(1.0 - weight) + sample.mul_f64(weight)
            }
        };
        self.state = Some(Smoothed {
            value: smoothed,
            at: Some(now),
        });
    }

    /// The smoothed value, once there is a sample.
    pub fn get(&self) -> Option<Duration> {
        self.state.map(|smoothed| smoothed.value)
    }

    /// What the next run may restore.
    pub fn remember(&self, now: Instant) -> Option<Remembered> {
        let Smoothed { value, at } = self.state?;
        let age = at.map_or(STALE, |at| now.saturating_duration_since(at));
        Some(Remembered {
            value,
            age: age.min(STALE),
        })
    }

    /// Restores what an earlier run measured.
    pub fn recall(&mut self, remembered: Remembered, now: Instant) {
        let Remembered { value, age } = remembered;
        let at = now.checked_sub(age).filter(|_| age < STALE);
        self.state = Some(Smoothed { value, at });
    }

    /// Makes the value a starting value only.
    pub fn weaken(&mut self) {
        if let Some(smoothed) = &mut self.state {
            smoothed.at = None;
        }
    }

    /// Forgets all samples.
    pub fn clear(&mut self) {
        self.state = None;
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    #[test]
    fn the_first_sample_is_the_value() {
        let mut ewma = Ewma::new(Duration::from_secs(60));

        ewma.observe(Duration::from_millis(120), Instant::now());

        assert_eq!(ewma.get(), Some(Duration::from_millis(120)));
    }

    #[test]
    fn a_sample_after_a_long_silence_nearly_replaces_the_old() {
        let t0 = Instant::now();
        let mut ewma = Ewma::new(Duration::from_secs(10));
        ewma.observe(Duration::from_millis(1000), t0);

        ewma.observe(Duration::from_millis(100), t0 + Duration::from_secs(60));

        assert!(ewma.get().unwrap() < Duration::from_millis(110));
    }

    #[test]
    fn what_is_remembered_weighs_by_its_age() {
        let now = Instant::now();
        let weigh = |age| {
            let mut ewma = Ewma::new(Duration::from_secs(1000));
            let value = Duration::from_millis(100);
            ewma.recall(Remembered { value, age }, now);
            assert_eq!(ewma.get(), Some(value));
            ewma.observe(Duration::from_millis(200), now);
            ewma.get()
        };

        assert_eq!(
            weigh(Duration::ZERO),
            Some(Duration::from_millis(120)),
            "fresh"
        );
        assert_eq!(weigh(STALE), Some(Duration::from_millis(200)), "stale");
    }

    #[test]
    fn a_burst_at_one_instant_moves_it_by_the_least_weight_each() {
        let t0 = Instant::now();
        let mut ewma = Ewma::new(Duration::from_secs(10));
        ewma.observe(Duration::from_millis(100), t0);

        ewma.observe(Duration::from_millis(200), t0);

        assert_eq!(ewma.get(), Some(Duration::from_millis(120)));
    }
}
