//! Makes foreign text harmless.

/// The text without control characters. An endpoint or a file may contain escape sequences, and a terminal
/// would follow them.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
