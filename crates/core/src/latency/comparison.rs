//! Whether one endpoint is faster than another, by measurements of the same kind.
//!
//! The median of the last five must be lower by at least the threshold, and by more than both vary. Otherwise
//! two endpoints that are equally fast would be exchanged again and again. `SURE` times the noise is enough.
//! Over the last ten samples a median varies √2 times less, so for them less is enough.
//!
//! `SURE` is chosen by simulation (`crates/core/tests/it/crossing.rs`): two equal endpoints whose checks vary
//! by 30 % are exchanged about once in four hours at most, and a real difference is still acted on.

use std::time::Duration;

use super::recent::Figures;

/// A difference between medians of five samples is at least this many times the noise.
const SURE: f64 = 2.0;
/// A difference between medians of three samples is suspected from this many times the noise.
const SUSPECTED: f64 = 1.0;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Checks of the same kind.
    Checks,
    /// First events of real answers.
    FirstEvents,
}

/// Two endpoints, measured in the same way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    pub(crate) measure: Measure,
    pub(crate) here: Figures,
    pub(crate) there: Figures,
}

/// Whether the other endpoint is faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is.
    Faster,
    /// It seems to be, but by less than both vary.
    WithinNoise {
        /// The difference that would be enough.
        needed: Duration,
    },
    /// It is not faster by the threshold.
    NotFaster,
}

impl Comparison {
    /// Whether `there` is faster.
    pub(crate) fn verdict(&self, threshold: Duration) -> Verdict {
        let usual = gain(self.here.usual, self.there.usual);
        if !is_enough(usual, threshold) {
            return Verdict::NotFaster;
        }
        let needed = self.noise().mul_f64(SURE);
        let steady = self.here.steady.zip(self.there.steady);
        let is_sure = |(here, there)| {
            let steady = gain(here, there);
            is_enough(steady, threshold) && steady >= needed.div_f64(std::f64::consts::SQRT_2)
        };
        if usual >= needed || steady.is_some_and(is_sure) {
            Verdict::Faster
        } else {
            Verdict::WithinNoise { needed }
        }
    }

    /// Whether the last three samples say that `there` is faster.
    pub(crate) fn is_suspected(&self, threshold: Duration) -> bool {
        let quick = gain(self.here.quick, self.there.quick);
        is_enough(quick, threshold) && quick >= self.noise().mul_f64(SUSPECTED)
    }

    /// How much the difference of two single samples varies.
    fn noise(&self) -> Duration {
        let [here, there] = [self.here, self.there].map(|figures| figures.noise.as_secs_f64());
        Duration::from_secs_f64(here.hypot(there))
    }
}

fn gain(here: Duration, there: Duration) -> Duration {
    here.saturating_sub(there)
}

fn is_enough(gain: Duration, threshold: Duration) -> bool {
    gain >= threshold && !gain.is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLD: Duration = Duration::from_millis(50);

    fn steady(usual: u64, steady: u64, noise: u64) -> Figures {
        let usual = Duration::from_millis(usual);
        Figures {
            quick: usual,
            usual,
            steady: Some(Duration::from_millis(steady)),
            noise: Duration::from_millis(noise),
        }
    }

    fn verdict(here: Figures, there: Figures) -> Verdict {
        let measure = Measure::Checks;
        Comparison {
            measure,
            here,
            there,
        }
        .verdict(THRESHOLD)
    }

    #[test]
    fn the_threshold_decides_where_nothing_varies() {
        let here = steady(200, 200, 0);

        let verdicts = [150, 151, 300].map(|usual| verdict(here, steady(usual, usual, 0)));

        let expected = [Verdict::Faster, Verdict::NotFaster, Verdict::NotFaster];
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn what_varies_must_differ_by_more() {
        let here = steady(1000, 1000, 300);

        let seems = verdict(here, steady(600, 1000, 400));

        let needed = Duration::from_millis(1000);
        assert_eq!(seems, Verdict::WithinNoise { needed });
        assert_eq!(verdict(here, steady(0, 1000, 400)), Verdict::Faster);
    }

    #[test]
    fn ten_samples_prove_what_five_cannot() {
        let here = steady(1000, 1000, 300);

        let by_ten = [310, 280].map(|steady_there| verdict(here, steady(280, steady_there, 400)));

        let needed = Duration::from_millis(1000);
        assert_eq!(by_ten, [Verdict::WithinNoise { needed }, Verdict::Faster]);
    }

    #[test]
    fn without_a_threshold_equals_are_still_equal() {
        let here = steady(200, 200, 0);
        let comparison = Comparison {
            measure: Measure::Checks,
            here,
            there: here,
        };

        assert_eq!(comparison.verdict(Duration::ZERO), Verdict::NotFaster);
        assert!(!comparison.is_suspected(Duration::ZERO));
    }
}
