//! The longest times that the file can set.

pub(super) const DAY_SECONDS: u64 = 24 * 60 * 60;
pub(super) const YEAR_SECONDS: u64 = 366 * DAY_SECONDS;
