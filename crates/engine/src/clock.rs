//! Two clocks: monotonic instants for decisions, wall-clock time for people.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One moment on both clocks. With it, instants become times of day.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    instant: Instant,
    wall: SystemTime,
}

impl Clock {
    pub fn now() -> Self {
        Self {
            instant: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// One moment that both clocks show.
    #[cfg(test)]
    pub fn of(instant: Instant, wall: SystemTime) -> Self {
        Self { instant, wall }
    }

    pub fn instant(&self) -> Instant {
        self.instant
    }

    /// The time since 1970-01-01 UTC.
    pub fn since_epoch(&self) -> Duration {
        self.wall.duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    /// How much more time than on the monotonic clock passed on the wall clock since `earlier`.
    pub fn ran_ahead_since(&self, earlier: &Self) -> Duration {
        let monotonic = self.instant.saturating_duration_since(earlier.instant);
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        wall.saturating_sub(monotonic)
    }

    /// The time of an instant in the past or future, in milliseconds since the Unix epoch.
    pub fn unix_ms(&self, at: Instant) -> u64 {
        let wall = match at.checked_duration_since(self.instant) {
            Some(ahead) => self.wall.checked_add(ahead),
            None => self.wall.checked_sub(self.instant.duration_since(at)),
        };
        let since_epoch = wall.and_then(|wall| wall.duration_since(UNIX_EPOCH).ok());
        millis(since_epoch.unwrap_or_default())
    }
}

/// Whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
