//! The current time, and the hours and days that sums are kept by. All in milliseconds since 1970.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::units::int;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The current time.
pub(crate) fn now() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since_epoch.unwrap_or_default().as_millis();
    int(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// The start of the hour in this time zone. Not every zone is whole hours from UTC.
pub(crate) fn hour_of(at: i64, zone: &TimeZone) -> i64 {
    let start = || {
        let local = Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone());
        let hour = local.with().minute(0).second(0).subsec_nanosecond(0);
        Some(hour.build().ok()?.timestamp().as_millisecond())
    };
    start().unwrap_or(at - at % HOUR)
}

/// The start of the day in this time zone.
pub(crate) fn day_of(at: i64, zone: &TimeZone) -> i64 {
    let start = || {
        let local = Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone());
        Some(local.start_of_day().ok()?.timestamp().as_millisecond())
    };
    start().unwrap_or(at - at % DAY)
}
