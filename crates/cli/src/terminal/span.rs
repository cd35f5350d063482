//! A span of time in words.

use serde::Serialize;
use zephyr_control::{Language, text};

/// In the form that [`zephyr_control::text`] puts into words.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Span {
    Seconds { seconds: u64 },
    Minutes { minutes: u64 },
    Hours { hours: u64, minutes: u64 },
    Days { days: u64, hours: u64 },
}

/// A span, as exactly as it matters. A part of a second counts as one.
pub(crate) fn span(milliseconds: u64, language: Language) -> String {
    let seconds = milliseconds.div_ceil(1000);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let span = match (days, hours, minutes) {
        (0, 0, 0) => Span::Seconds { seconds },
        (0, 0, _) => Span::Minutes { minutes },
        (0, _, _) => Span::Hours {
            hours,
            minutes: minutes % 60,
        },
        (_, _, _) => Span::Days {
            days,
            hours: hours % 24,
        },
    };
    text(language, &span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_two_units_at_most() {
        let words = |seconds: u64| span(seconds * 1000, Language::En);

        assert_eq!(words(59), "59 s");
        assert_eq!(words(90), "1 min");
        assert_eq!(words(3 * 3600 + 300), "3 h 5 min");
        assert_eq!(words(419_025), "4 d 20 h");
        assert_eq!(span(1, Language::En), "1 s");
    }
}
