//! The Messages format: what an answer must have, and in which order a stream must say it.
//!
//! Only what clients rely on is asked for. Whatever the API may learn to say passes: events, block
//! types, delta types and fields that are not known here. What is wrong is told in words, what was
//! expected, what was seen and where; what was seen is told by its kind, never by its content, which
//! could be what an endpoint echoes, a key for instance.
//!
//! Nothing is built up: a piece of JSON is read once, where it lies, and forgotten.

pub(crate) mod answer;
mod course;
mod plain;
pub(crate) mod value;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::error::Category;

use crate::classify::Fault;

pub use answer::{judge_json, judge_json_head, read_json};
pub(crate) use course::{Course, no_stream};
use value::Value;

/// What counts as an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// An answer of the Messages API.
    #[default]
    Messages,
    /// Any JSON object, any stream of events; no web page, no error, not nothing.
    Any,
}

/// What is wrong in a piece of JSON.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    /// Where, for instance `message.usage`; empty for all of it.
    path: Cow<'static, str>,
    expected: Cow<'static, str>,
    seen: Cow<'static, str>,
}

impl Wrong {
    fn new(
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

    fn is_no_json(error: &serde_json::Error) -> Self {
        Self::new("", "JSON", place_of(error))
    }

    /// The same, told from further outside.
    fn within(self, prefix: &str) -> Self {
        Self::new(format!("{prefix}{}", self.path), self.expected, self.seen)
    }

    /// `place`: of the piece of JSON; empty if it is the answer.
    fn fault(&self, place: &str) -> Fault {
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

/// The error object of the Messages API, also as relays abridge it: without a type, or only a text.
#[derive(Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct ApiError<'a> {
    #[serde(default, rename = "type")]
    kind: Value<'a>,
}

/// The fault that an `error` field is, if it is one.
fn error_of(error: &Value<'_, ApiError<'_>>) -> Option<Fault> {
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

/// Whether it is a word such as `overloaded_error`. Anything else could be what an endpoint echoes, and
/// faults are shown and logged.
fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Where JSON goes wrong, without what stands there.
fn place_of(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Io | Category::Syntax => "something that is no JSON",
        Category::Data => "a field twice", // A value of any other kind is no error of the reader's.
        Category::Eof => "an early end",
    };
    format!("{what} at line {}, column {}", error.line(), error.column())
}
