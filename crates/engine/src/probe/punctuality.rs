//! How punctual probes are: how much later than planned each of them began.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The number of probes that are remembered.
const KEPT: usize = 1000;

/// How late the last probes were.
#[derive(Debug, Default)]
pub struct Punctuality(Mutex<VecDeque<Duration>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// The number of probes.
    pub probes: usize,
    pub mean: Duration,
    /// 95 % of the probes were no later than this.
    pub p95: Duration,
    pub max: Duration,
}

impl Punctuality {
    /// A probe that was due at `due` begins now.
    pub fn note(&self, due: Instant, now: Instant) {
        let mut late = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if late.len() >= KEPT {
            late.pop_front();
        }
        late.push_back(now.saturating_duration_since(due));
    }

    pub fn lateness(&self) -> Lateness {
        let late = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<Duration> = late.iter().copied().collect();
        drop(late);
        sorted.sort_unstable();
        let (Some(&max), Ok(probes)) = (sorted.last(), u32::try_from(sorted.len())) else {
            return Lateness::default();
        };
        Lateness {
            probes: sorted.len(),
            mean: sorted.iter().sum::<Duration>() / probes,
            p95: sorted[(sorted.len() * 95).div_ceil(100) - 1],
            max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_summed_up() {
        let punctuality = Punctuality::default();
        let due = Instant::now();
        for millis in 1..=100 {
            punctuality.note(due, due + Duration::from_millis(millis));
        }

        let lateness = punctuality.lateness();

        let expected = Lateness {
            probes: 100,
            mean: Duration::from_micros(50_500),
            p95: Duration::from_millis(95),
            max: Duration::from_millis(100),
        };
        assert_eq!(lateness, expected);
        assert_eq!(Punctuality::default().lateness(), Lateness::default());
    }
}
