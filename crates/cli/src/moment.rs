//! Points in time as a person types them: `2h` ago, a day, a time of day, or an exact time with its offset. A
//! day without a time means its midnight. A time without an offset is in the reader's time zone.

use std::str::FromStr;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A point in time, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A time before now.
    Ago(Duration),
    /// A time of the reader's calendar and clock.
    Civil(DateTime),
    /// A time with an offset.
    Exact(Timestamp),
}

/// The text is not a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is 90s, 45m, 2h, 3d or 1w ago, or 2026-11-20, or 2026-11-20T10:00")]
pub(crate) struct NoMoment;

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let text = text.trim();
        // The exact form first, because a civil time would ignore its offset.
        let timestamp = text.parse().ok().map(Self::Exact);
        timestamp
            .or_else(|| text.parse().ok().map(Self::Civil))
            .or_else(|| ago(text).map(Self::Ago))
            .ok_or(NoMoment)
    }
}

impl Moment {
    /// In milliseconds since 1970-01-01 UTC. 0 for a moment before that.
    pub(crate) fn in_ms(&self, now: Timestamp, zone: &TimeZone) -> u64 {
        let at = match self {
            Self::Ago(span) => SignedDuration::try_from(*span)
                .ok()
                .and_then(|span| now.checked_sub(span).ok()),
            Self::Civil(civil) => zone.to_ambiguous_timestamp(*civil).compatible().ok(),
            Self::Exact(at) => Some(*at),
        };
        at.and_then(|at| u64::try_from(at.as_millisecond()).ok())
            .unwrap_or_default()
    }
}

fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_ms(text: &str) -> Option<u64> {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let moment: Moment = text.parse().ok()?;
        Some(moment.in_ms(now, &zone))
    }

    fn utc(text: &str) -> Option<u64> {
        let at: Timestamp = text.parse().unwrap();
        u64::try_from(at.as_millisecond()).ok()
    }

    #[test]
    fn a_span_is_counted_back_from_now() {
        assert_eq!(in_ms("90s"), utc("2026-11-21T11:58:30Z"));
        assert_eq!(in_ms("45m"), utc("2026-11-21T11:15:00Z"));
        assert_eq!(in_ms("2h"), utc("2026-11-21T10:00:00Z"));
        assert_eq!(in_ms("3d"), utc("2026-11-18T12:00:00Z"));
        assert_eq!(in_ms("1w"), utc("2026-11-14T12:00:00Z"));
    }

    #[test]
    fn a_day_and_a_time_are_the_readers() {
        assert_eq!(in_ms("2026-11-20"), utc("2026-11-19T16:00:00Z"));
        assert_eq!(in_ms("2026-11-20T10:00"), utc("2026-11-20T02:00:00Z"));
        assert_eq!(in_ms("2026-11-20 10:00:30"), utc("2026-11-20T02:00:30Z"));
    }

    #[test]
    fn an_offset_counts() {
        assert_eq!(in_ms("2026-11-20T10:00Z"), utc("2026-11-20T10:00:00Z"));
        assert_eq!(in_ms("2026-11-20T10:00+01:00"), utc("2026-11-20T09:00:00Z"));
    }

    #[test]
    fn before_the_beginning_is_the_beginning() {
        assert_eq!(in_ms("1960-01-01"), Some(0));
        assert_eq!(in_ms("9999w"), Some(0));
        assert_eq!(in_ms("18446744073709551615s"), Some(0));
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "",
            "h",
            "2",
            "-2h",
            "2y",
            "2.5h",
            "yesterday",
            "2026-13-01",
            "2h3m",
            "٣h",
        ] {
            assert_eq!(in_ms(text), None, "{text}");
        }
    }
}
