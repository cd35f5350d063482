//! What is wrong in a piece of JSON, in words.
//!
//! Only the kind of what was seen is named, never the content: an endpoint could return anything there, such
//! as a key.

use std::borrow::Cow;

use super::value::{Value, fields};
use crate::classify::Fault;
use crate::json::Broken;

/// What is wrong in a piece of JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Where it is, for example `message.usage`. Empty: the whole.
    pub(super) path: Cow<'static, str>,
    pub(super) expected: Cow<'static, str>,
    pub(super) seen: Cow<'static, str>,
}

impl Wrong {
    pub(super) fn new(
        path: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
        seen: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            path: path.into(),
            expected: expected.into(),
            seen: seen.into(),
        }
    }

    pub(super) fn is_no_json(text: &[u8], broken: Broken) -> Self {
        Self::new("", "JSON", place_of(text, broken))
    }

    /// The same fault, with the path of the outer object before it.
    pub(super) fn within(self, prefix: &str) -> Self {
        Self::new(format!("{prefix}{}", self.path), self.expected, self.seen)
    }

    /// `place`: where the piece of JSON is. Empty: it is the answer itself.
    pub(super) fn fault(&self, place: &str) -> Fault {
        let Self {
            path,
            expected,
            seen,
        } = self;
        let at = if path.is_empty() { "" } else { " at " };
        Fault::NotMessages(format!("expected {expected}{at}{path}, seen {seen}{place}"))
    }
}

/// Whether a body begins as a web page does.
pub fn looks_like_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    [
        &b"<!doctype"[..],
        b"<html",
        b"<head",
        b"<body",
        b"<?xml",
        b"<!--",
    ]
    .iter()
    .any(|tag| start.len() >= tag.len() && start[..tag.len()].eq_ignore_ascii_case(tag))
}

/// The error object of the Messages API. Relays shorten it: without a type, or only a text.
#[derive(Default)]
pub(super) struct ApiError<'a> {
    kind: Value<'a>,
}

fields!(ApiError {
    b"type" => kind,
});

/// The fault in an `error` field, if there is one.
pub(super) fn error_of(error: &Value<'_, ApiError<'_>>) -> Option<Fault> {
    let kind = match error {
        Value::Nothing | Value::Null => return None,
        Value::Object(ApiError {
            kind: Value::Text(kind),
        }) if is_word(kind) => kind.as_ref(),
        Value::Object(_) | Value::Text(_) | Value::Bool | Value::Number(_) | Value::List(_) => {
            "error"
        }
    };
    Some(Fault::ErrorEvent(kind.to_owned()))
}

/// Whether it is a word such as `overloaded_error`. An endpoint could return anything else, and faults are
/// shown and logged.
pub(super) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The place where JSON is broken, without its content.
fn place_of(text: &[u8], broken: Broken) -> String {
    let what = if broken.is_early_end {
        "an early end"
    } else {
        "something that is no JSON"
    };
    let seen = &text[..(broken.at + 1).min(text.len())];
    let before = seen.strip_suffix(b"\n").unwrap_or(seen);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let in_line = before.rsplit(|&byte| byte == b'\n').next();
    let column = in_line.map_or(0, <[u8]>::len);
    format!("{what} at line {line}, column {column}")
}
