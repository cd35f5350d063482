//! Counts, times and money as integers: SQLite has no unsigned numbers, and sums of floats depend on their
//! order.

/// An integer of SQLite.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Largest count that is stored, so that no answer can make a sum overflow.
const MOST: u64 = 1_000_000_000;
/// The same for times and money: three years, and a hundred thousand dollars.
const MOST_MEASURED: i64 = 100_000_000_000_000;

/// A count, limited to what is stored.
pub(crate) fn count(number: u64) -> u64 {
    number.min(MOST)
}

/// An integer of ours: none is negative.
pub(crate) fn whole(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Milliseconds as microseconds.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates"
)]
pub(crate) fn micros(millis: f64) -> i64 {
    ((millis * 1e3).round() as i64).clamp(0, MOST_MEASURED)
}

/// Microseconds as milliseconds.
#[allow(clippy::cast_precision_loss, reason = "exact for 285 years")]
pub(crate) fn millis(micros: i64) -> f64 {
    micros as f64 / 1e3
}

/// Dollars as billionths.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates"
)]
pub(crate) fn nanousd(usd: f64) -> i64 {
    ((usd * 1e9).round() as i64).clamp(-MOST_MEASURED, MOST_MEASURED)
}

/// Billionths as dollars.
#[allow(clippy::cast_precision_loss, reason = "exact for nine million dollars")]
pub(crate) fn usd(nanousd: i64) -> f64 {
    nanousd as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_keeps_nine_digits() {
        assert_eq!(usd(nanousd(0.012_345_678)), 0.012_345_678);
    }
}
