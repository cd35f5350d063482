//! Notices that something takes longer than it used to, before anything fails.
//!
//! The usual time is the median of the samples of the last hour. A decline begins with three samples in a row
//! that take at least twice as long and 50 ms longer. It ends with three in a row below one and a half times
//! the usual time. Samples of a decline do not change the usual time, so a short slow period does not become
//! normal. After an hour it does: then the usual time is learned again.
//!
//! Each kind of sample needs its own [`Decline`], because only samples of one kind are comparable.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How old samples of the usual time may be, and how long a decline lasts before it is usual.
const MEMORY: Duration = Duration::from_secs(3600);
/// Maximum number of samples kept.
const SAMPLES: usize = 60;
/// With fewer samples there is no usual time.
const LEAST_SAMPLES: usize = 5;
/// So many samples in a row begin a decline, or end it.
const IN_A_ROW: u32 = 3;
/// A smaller rise is not a decline, however fast the endpoint is.
const LEAST_RISE: Duration = Duration::from_millis(50);

/// How much slower something is than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slower {
    /// How long it takes now.
    pub now: Duration,
    /// How long it usually takes.
    pub usual: Duration,
}

/// The usual time, and whether it has become worse.
#[derive(Clone, Debug, Default)]
pub struct Decline {
    samples: VecDeque<(Instant, Duration)>,
    /// The same samples, shortest first. Every answer adds one, so the median must be fast to find.
    sorted: Vec<Duration>,
    /// The number of samples in a row that contradict the current state.
    contrary: u32,
    declined: Option<(Instant, Slower)>,
}

impl Decline {
    /// Takes in a sample.
    pub fn observe(&mut self, sample: Duration, now: Instant) {
        let is_old = |at: Instant| now.saturating_duration_since(at) >= MEMORY;
        if self.declined.is_some_and(|(since, _)| is_old(since)) {
            self.clear();
        }
        while self.samples.len() > LEAST_SAMPLES
            && self.samples.front().is_some_and(|&(at, _)| is_old(at))
        {
            self.forget_oldest();
        }
        let Some(usual) = self.usual() else {
            self.keep(sample, now);
            return;
        };
        match &mut self.declined {
            Some((_, slower)) => {
                slower.now = sample;
                if sample < usual.saturating_add(usual / 2) {
                    self.contrary += 1;
                } else {
                    self.contrary = 0;
                }
                if self.contrary >= IN_A_ROW {
                    (self.declined, self.contrary) = (None, 0);
                }
            }
            None if sample >= usual.saturating_add(usual.max(LEAST_RISE)) => {
                self.contrary += 1;
                if self.contrary >= IN_A_ROW {
                    let slower = Slower { now: sample, usual };
                    (self.declined, self.contrary) = (Some((now, slower)), 0);
                }
            }
            None => {
                self.contrary = 0;
                self.keep(sample, now);
            }
        }
    }

    /// The decline, if there is one.
    pub fn get(&self) -> Option<Slower> {
        self.declined.map(|(_, slower)| slower)
    }

    /// Forgets what is usual.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn keep(&mut self, sample: Duration, now: Instant) {
        if self.samples.len() >= SAMPLES {
            self.forget_oldest();
        }
        self.samples.push_back((now, sample));
        let place = self.sorted.partition_point(|&other| other < sample);
        self.sorted.insert(place, sample);
    }

    fn forget_oldest(&mut self) {
        let oldest = self.samples.pop_front();
        if let Some(place) = oldest.and_then(|(_, sample)| self.sorted.binary_search(&sample).ok())
        {
            self.sorted.remove(place);
        }
    }

    fn usual(&self) -> Option<Duration> {
        let enough = self.sorted.len() >= LEAST_SAMPLES;
        enough.then(|| self.sorted[self.sorted.len() / 2])
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// One sample per minute. The state after each.
    fn after_each(samples: impl IntoIterator<Item = u64>) -> Vec<Option<Slower>> {
        let (mut decline, mut now) = (Decline::default(), Instant::now());
        let step = |millis| {
            now += MINUTE;
            decline.observe(Duration::from_millis(millis), now);
            decline.get()
        };
        samples.into_iter().map(step).collect()
    }

    #[test]
    fn three_samples_twice_as_slow_are_a_decline_and_two_are_not() {
        let declined = after_each([300, 310, 290, 300, 300, 650, 660, 640]);

        assert_eq!(declined[6], None);
        let slower = Slower {
            now: Duration::from_millis(640),
            usual: Duration::from_millis(300),
        };
        assert_eq!(declined[7], Some(slower));
    }

    #[test]
    fn a_decline_ends_only_well_below_where_it_began() {
        let usual = [300; 5].into_iter();
        let declined = usual.chain([700; 3]).chain([500; 10]).chain([400; 3]);

        let declined = after_each(declined);

        assert!(declined[17].is_some(), "500 ms is still too slow");
        assert!(declined[19].is_some(), "two good samples are not enough");
        assert!(declined[20].is_none());
    }

    #[test]
    fn a_creeping_decline_is_noticed() {
        let creeping = (0..60).map(|minute| (300.0 * 1.04_f64.powi(minute)) as u64);

        let declined = after_each(creeping);

        assert!(declined.iter().any(Option::is_some));
    }

    #[test]
    fn what_lasts_for_an_hour_is_the_new_norm() {
        let declined = after_each([300; 5].into_iter().chain([700; 80]));

        assert!(declined[60].is_some());
        assert_eq!(declined.last(), Some(&None));
    }

    #[test]
    fn a_few_milliseconds_are_nobodys_concern() {
        let declined = after_each([3; 5].into_iter().chain([20; 10]));

        assert!(declined.iter().all(Option::is_none));
    }
}
