//! White space and comments, as toml_edit keeps them beside keys, values and headers.

use toml_edit::{RawString, Value};

pub(super) fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The text from the value to the end of its line.
pub(super) fn suffix(value: &Value) -> String {
    text(value.decor().suffix())
}

/// Splits the rest of a line from the lines that follow.
pub(super) fn at_line_break(text: &str) -> (&str, &str) {
    text.split_at(text.find('\n').unwrap_or(0))
}

/// Splits the text above an entry. The lines down to the last blank one belong to the place. The comments
/// below the blank line belong to the entry.
pub(super) fn at_blank_line(text: &str) -> (&str, &str) {
    let mut at = 0;
    let mut end_of_blank = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.ends_with('\n') && line.trim().is_empty() {
            end_of_blank = at;
        }
    }
    text.split_at(end_of_blank)
}

/// Splits whole lines from the indentation that follows them.
pub(super) fn at_last_line(text: &str) -> (&str, &str) {
    text.split_at(text.rfind('\n').map_or(0, |end| end + 1))
}

pub(super) fn without_break(text: &str) -> &str {
    text.strip_prefix('\n').unwrap_or(text)
}

/// The comments alone, each on a line.
pub(super) fn comments(raw: Option<&RawString>, indentation: &str) -> String {
    let text = raw.and_then(RawString::as_str).unwrap_or_default();
    let comments = text.lines().map(str::trim);
    let comments = comments.filter(|line| line.starts_with('#'));
    comments
        .map(|line| format!("{indentation}{line}\n"))
        .collect()
}
