//! Amounts of money, tokens and time as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zephyr_control::{
    AttemptOutcome, AttemptRecord, Language, RequestEnd, RequestRecord, Tokens, text,
};

use super::phrase::Phrase;

/// A cell without a value.
pub(super) const NOTHING: &str = "–";

/// US dollars, exact to a hundredth of a cent. A smaller amount is not shown as zero.
pub(super) fn money(usd: f64) -> String {
    if usd == 0.0 {
        "$0".to_owned()
    } else if usd.abs() < 0.000_05 {
        "<$0.0001".to_owned()
    } else if usd < 0.0 {
        format!("-${:.4}", -usd)
    } else {
        format!("${usd:.4}")
    }
}

/// The cost of a request. Nothing, if the request was sent nowhere or failed without any tokens. Otherwise a
/// cost that is not known is shown as unknown.
pub(super) fn cost(record: &RequestRecord, language: Language) -> String {
    match record.cost_usd {
        Some(usd) => money(usd),
        None if record.attempts.is_empty() || (has_failed(record) && record.tokens.is_none()) => {
            NOTHING.to_owned()
        }
        None => text(language, &Phrase::Unknown),
    }
}

/// Whether another attempt beside it was first, so that nobody tells what it cost.
pub(super) fn was_overtaken(attempt: &AttemptRecord) -> bool {
    attempt.outcome == AttemptOutcome::Overtaken
}

/// A number with a comma at every thousand.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

pub(super) fn duration(milliseconds: f64, language: Language) -> String {
    text(
        language,
        &if milliseconds < 999.5 {
            Phrase::Milliseconds {
                ms: format!("{milliseconds:.0}"),
            }
        } else {
            Phrase::ExactSeconds {
                seconds: format!("{:.1}", milliseconds / 1000.0),
            }
        },
    )
}

pub(super) fn bytes(number: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let exact = number as f64;
    match number {
        0..1000 => format!("{number} B"),
        1000..1_000_000 => format!("{:.1} kB", exact / 1e3),
        1_000_000.. => format!("{:.1} MB", exact / 1e6),
    }
}

/// `2026-11-21 14:03:22` in that zone.
pub(super) fn time(at_ms: u64, zone: &TimeZone) -> String {
    timestamp(at_ms).map_or_else(
        || NOTHING.to_owned(),
        |at| {
            at.to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        },
    )
}

/// `None`: the calendar has no such day.
fn timestamp(at_ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()
}

/// All input tokens: fresh, written to the cache, and read from the cache.
pub(super) fn input(tokens: &Tokens) -> u64 {
    tokens.input + cache_written(tokens) + tokens.cache_read
}

pub(super) fn cache_written(tokens: &Tokens) -> u64 {
    tokens.cache_write_5m + tokens.cache_write_1h
}

/// Whether a request ended without any part of an answer.
pub(super) fn has_failed(record: &RequestRecord) -> bool {
    match record.end {
        RequestEnd::Answered | RequestEnd::Aborted | RequestEnd::Abandoned => false,
        RequestEnd::Failed | RequestEnd::Refused => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_where_it_matters() {
        let cases = [
            (0.0, "$0"),
            (0.000_04, "<$0.0001"),
            (0.000_06, "$0.0001"),
            (0.012_34, "$0.0123"),
            (1234.5, "$1234.5000"),
            (-0.5, "-$0.5000"),
        ];

        for (usd, expected) in cases {
            assert_eq!(money(usd), expected);
        }
    }

    #[test]
    fn long_numbers_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ];

        for (number, expected) in cases {
            assert_eq!(count(number), expected);
        }
    }

    #[test]
    fn durations_and_sizes_are_as_exact_as_they_matter() {
        assert_eq!(duration(0.2, Language::En), "0 ms");
        assert_eq!(duration(999.4, Language::En), "999 ms");
        assert_eq!(duration(999.6, Language::En), "1.0 s");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(12_345), "12.3 kB");
        assert_eq!(bytes(12_345_678), "12.3 MB");
    }

    #[test]
    fn a_time_is_told_where_the_reader_is() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));

        assert_eq!(time(1_795_271_402_000, &zone), "2026-11-21 22:30:02");
        assert_eq!(time(u64::MAX, &zone), NOTHING);
    }
}
