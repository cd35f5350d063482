//! How well the schedule of probes is kept: by how much later than planned each of them began.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Probes remembered.
const KEPT: usize = 1000;

/// Remembers by how much the last probes were late.
#[derive(Debug, Default)]
pub struct Punctuality(Mutex<VecDeque<Duration>>);

/// How late probes were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// How many there were.
    pub probes: usize,
    /// On average.
    pub mean: Duration,
    /// 95 of 100 were no later.
    pub p95: Duration,
    /// The latest.
    pub max: Duration,
}

impl Punctuality {
    /// A probe that was due then begins now.
    pub fn note(&self, due: Instant, now: Instant) {
        let mut late = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if late.len() >= KEPT {
            late.pop_front();
        }
        late.push_back(now.saturating_duration_since(due));
    }

    /// How late the last ones were.
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
