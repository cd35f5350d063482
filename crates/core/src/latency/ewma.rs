//! A smoothed duration. Old samples fade with time, not with the number of samples.
//!
//! A sample that comes `dt` after the last one weighs `1 − e^(−dt/τ)`. So many samples at once move the
//! average no further than one of them, and a sample after a long silence replaces it. Reading never changes
//! it.

use std::time::{Duration, Instant};

/// Exponentially weighted moving average of a duration.
#[derive(Clone, Copy, Debug)]
pub struct Ewma {
    /// After this time, an old value has faded to 1/e.
    tau: Duration,
    state: Option<Smoothed>,
}

#[derive(Clone, Copy, Debug)]
struct Smoothed {
    value: Duration,
    at: Instant,
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
            None => sample,
            Some(Smoothed { value: old, at }) => {
                let age = now.saturating_duration_since(at).as_secs_f64();
                let weight = (1.0 - (-age / self.tau.as_secs_f64()).exp()).max(LEAST_WEIGHT);
                old.mul_f64(1.0 - weight) + sample.mul_f64(weight)
            }
        };
        self.state = Some(Smoothed {
            value: smoothed,
            at: now,
        });
    }

    /// The smoothed value, once there is a sample.
    pub fn get(&self) -> Option<Duration> {
        self.state.map(|smoothed| smoothed.value)
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
    fn a_burst_at_one_instant_moves_it_by_the_least_weight_each() {
        let t0 = Instant::now();
        let mut ewma = Ewma::new(Duration::from_secs(10));
        ewma.observe(Duration::from_millis(100), t0);

        ewma.observe(Duration::from_millis(200), t0);

        assert_eq!(ewma.get(), Some(Duration::from_millis(120)));
    }
}
