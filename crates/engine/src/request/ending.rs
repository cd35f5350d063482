//! When Zephyr ends a stream that its endpoint leaves open.
//!
//! A message is there once it has said why it stops. Normally its `message_stop` follows at once, and then
//! the stream ends. If the endpoint sends only pings from there on, or nothing, Zephyr waits for half of the
//! longest silence of healthy streams, at most for [`AFTER_STOP`]: nothing is lost by ending what is whole. A
//! further part of the message, such as a second `message_delta`, starts that time again.

use std::time::{Duration, Instant};

use zephyr_core::latency::Silences;
use zephyr_core::proof::Activity;

/// How long a stream that has said all may stay open.
const AFTER_STOP: Duration = Duration::from_secs(10);

/// Measures how long a stream has had nothing more to say.
#[derive(Debug)]
pub struct Ending {
    /// How long the stream may stay open after it has said all.
    pub limit: Duration,
    since: Option<Instant>,
    parts: u64,
}

impl Ending {
    /// For a stream that may be silent for `idle`, and between two parts for `silences`.
    pub fn of(idle: Duration, silences: Silences) -> Self {
        let usual = silences.of(Activity::Writing) / 2;
        Self {
            limit: AFTER_STOP.min(idle).min(usual),
            since: None,
            parts: 0,
        }
    }

    /// Notes the progress of the stream: whether it has said all, and its number of parts.
    pub fn note(&mut self, has_said_all: bool, parts: u64, now: impl FnOnce() -> Instant) {
        if !has_said_all {
            self.since = None;
        } else if self.since.is_none() || self.parts != parts {
            self.since = Some(now());
            self.parts = parts;
        }
    }

    /// When Zephyr ends the stream. `None`: it has not said all.
    pub fn due(&self) -> Option<Instant> {
        Some(self.since? + self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(300);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_stream_that_has_said_all_has_ten_seconds_whatever_comes_but_parts() {
        let (mut ending, begun) = (Ending::of(IDLE, Silences::ENDLESS), Instant::now());

        for seconds in 0..20 {
            ending.note(true, 5, || begun + seconds * SECOND); // Pings.
        }

        assert_eq!(ending.due(), Some(begun + 10 * SECOND));
    }

    #[test]
    fn a_further_part_begins_the_time_anew_or_takes_it_back() {
        let (mut ending, begun) = (Ending::of(IDLE, Silences::ENDLESS), Instant::now());
        ending.note(true, 5, || begun);

        ending.note(true, 6, || begun + 9 * SECOND);
        assert_eq!(ending.due(), Some(begun + 19 * SECOND));

        ending.note(false, 7, || begun + 9 * SECOND);
        assert_eq!(ending.due(), None);
    }

    #[test]
    fn a_stream_with_something_to_say_has_all_the_time() {
        let mut ending = Ending::of(IDLE, Silences::ENDLESS);

        ending.note(false, 5, Instant::now);

        assert_eq!(ending.due(), None);
    }

    #[test]
    fn it_stays_open_no_longer_than_any_silence() {
        let begun = Instant::now();
        let mut learned = Silences::default();
        learned.note(Activity::Writing, 6 * SECOND);

        let dues = [(2 * SECOND, Silences::ENDLESS), (IDLE, learned)].map(|(idle, silences)| {
            let mut ending = Ending::of(idle, silences);
            ending.note(true, 5, || begun);
            ending.due()
        });

        assert_eq!(dues, [2, 3].map(|seconds| Some(begun + seconds * SECOND)));
    }
}
