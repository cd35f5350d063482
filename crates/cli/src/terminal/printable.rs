//! Text of others, made harmless.

/// The text without control characters: an endpoint or a file may hold escape sequences, which a
/// terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
