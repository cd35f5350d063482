//! Which day it is for the user, and when the day ends. Budgets are per day.

use std::time::{Duration, Instant};

use jiff::{ToSpan, Zoned};
use zephyr_core::spend::Day;

/// Today. Runs on a thread that may block, because the system may read its time zone from a file.
pub async fn today() -> Day {
    let looked = tokio::task::spawn_blocking(|| day_of(&Zoned::now(), Instant::now()));
    looked
        .await
        .expect("looking at the calendar does not panic")
}

fn day_of(here: &Zoned, now: Instant) -> Day {
    // A day may have more or less than 24 hours, and may have no midnight.
    let left = here
        .tomorrow()
        .and_then(|tomorrow| tomorrow.start_of_day())
        .or_else(|_| here.checked_add(24.hours()))
        .map_or(A_DAY, |midnight| {
            here.duration_until(&midnight).unsigned_abs()
        });
    Day {
        date: here.date().to_string(),
        ends: now + left.clamp(Duration::from_secs(1), A_DAY * 2),
    }
}

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn left(zoned: &str) -> (String, u64) {
        let now = Instant::now();
        let day = day_of(&zoned.parse().unwrap(), now);
        (day.date, day.ends.duration_since(now).as_secs())
    }

    #[test]
    fn a_day_ends_at_local_midnight() {
        let hour = 3600;

        assert_eq!(
            left("2026-11-21T22:30:00[Asia/Shanghai]"),
            ("2026-11-21".to_owned(), hour * 3 / 2)
        );
        assert_eq!(
            left("2026-10-25T00:00:00[Europe/Berlin]"),
            ("2026-10-25".to_owned(), hour * 25),
            "the clocks go back"
        );
    }
}
