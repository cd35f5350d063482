//! An answer in one piece: a message, a token count, or neither. It is read once: the pass that judges it also
//! collects what it tells of itself.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::format::Format;
use super::message::Message;
use super::value::Value;
use super::wrong::{ApiError, Wrong, error_of, looks_like_html};
use crate::call::CallKind;
use crate::classify::Fault;
use crate::usage::Tally;

/// Judges a whole JSON answer.
///
/// # Errors
///
/// What is wrong with it.
pub fn judge_json(format: Format, kind: CallKind, body: &[u8]) -> Result<(), Fault> {
    judged(format, kind, body).map(drop)
}

/// Judges a whole JSON answer and returns what it tells of itself.
///
/// # Errors
///
/// What is wrong with it.
pub fn read_json(format: Format, kind: CallKind, body: &[u8]) -> Result<Tally, Fault> {
    judged(format, kind, body).map(|answer| Tally::of_message(&answer.message))
}

/// Judges the head of a JSON answer that is too long to be held: what is there must be right, the rest may
/// still come.
///
/// # Errors
///
/// What is wrong with it.
pub fn judge_json_head(format: Format, kind: CallKind, head: &[u8]) -> Result<(), Fault> {
    let head = begin(head)?;
    let mut answer = Answer::default();
    match answer.read(head) {
        Err(error) if !is_broken_off(head, &error) => Err(Wrong::is_no_json(&error).fault("")),
        Ok(()) | Err(_) => answer.judge_what_is_there(format, kind),
    }
}

fn judged(format: Format, kind: CallKind, body: &[u8]) -> Result<Answer<'_>, Fault> {
    let body = begin(body)?;
    let mut answer = Answer::default();
    if let Err(error) = answer.read(body) {
        return Err(Wrong::is_no_json(&error).fault(""));
    }
    answer.judge_what_is_there(format, kind)?;
    let missing = match (format, kind) {
        (Format::Any, _) | (_, CallKind::Models | CallKind::Other) => Ok(()),
        (Format::Messages, CallKind::Messages) => answer.message.is_whole(""),
        (Format::Messages, CallKind::CountTokens) => match &answer.input_tokens {
            Value::Number(Some(_)) => Ok(()),
            other @ (Value::Nothing
            | Value::Null
            | Value::Bool
            | Value::Number(None)
            | Value::Text(_)
            | Value::List(_)
            | Value::Object(_)) => Err(Wrong::new("input_tokens", "a whole number", other.kind())),
        },
    };
    missing.map_err(|wrong| wrong.fault(""))?;
    Ok(answer)
}

/// Whether JSON goes wrong only where its text ends, which may be within a number.
fn is_broken_off(text: &[u8], error: &serde_json::Error) -> bool {
    let last_line = text
        .rsplit(|&byte| byte == b'\n')
        .next()
        .map_or(0, <[u8]>::len);
    let lines = text.iter().filter(|&&byte| byte == b'\n').count() + 1;
    error.is_eof() || (error.line() == lines && error.column() >= last_line)
}

/// Looks at the first byte.
fn begin(body: &[u8]) -> Result<&[u8], Fault> {
    let body = body.trim_ascii_start();
    let seen = match body.first() {
        Some(b'{') => return Ok(body),
        None => return Err(Fault::Empty),
        Some(_) if looks_like_html(body) => return Err(Fault::Html),
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(_) if body.starts_with(b"event:") || body.starts_with(b"data:") => {
            "a stream of events"
        }
        Some(_) => "something else",
    };
    Err(Wrong::new("", "a JSON object", seen).fault(""))
}

/// The fields of an answer that are looked at. Those read before its text broke off stay.
#[derive(Default)]
struct Answer<'a> {
    message: Message<'a>,
    error: Value<'a, ApiError<'a>>,
    input_tokens: Value<'a>,
}

impl Answer<'_> {
    fn judge_what_is_there(&self, format: Format, kind: CallKind) -> Result<(), Fault> {
        if let Some(fault) = error_of(&self.error) {
            return Err(fault);
        }
        match (format, kind) {
            (Format::Messages, CallKind::Messages) => self
                .message
                .is_right_so_far("")
                .map_err(|wrong| wrong.fault("")),
            (Format::Messages, CallKind::CountTokens | CallKind::Models | CallKind::Other)
            | (Format::Any, _) => Ok(()),
        }
    }
}

impl<'a> Answer<'a> {
    fn read(&mut self, text: &'a [u8]) -> Result<(), serde_json::Error> {
        let mut json = serde_json::Deserializer::from_slice(text);
        TopLevel(self).deserialize(&mut json)?;
        json.end()
    }
}

struct TopLevel<'t, 'a>(&'t mut Answer<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for TopLevel<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for TopLevel<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Answer {
            message,
            error,
            input_tokens,
        } = self.0;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Id => once(&mut message.id, &mut map)?,
                Key::Type => once(&mut message.kind, &mut map)?,
                Key::Role => once(&mut message.role, &mut map)?,
                Key::Content => once(&mut message.content, &mut map)?,
                Key::Model => once(&mut message.model, &mut map)?,
                Key::StopReason => once(&mut message.stop_reason, &mut map)?,
                Key::Usage => once(&mut message.usage, &mut map)?,
                Key::Error => once(error, &mut map)?,
                Key::InputTokens => once(input_tokens, &mut map)?,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a field. It must not be there already: parsers differ in which of two counts.
fn once<'de: 'a, 'a, O, L, A>(field: &mut Value<'a, O, L>, map: &mut A) -> Result<(), A::Error>
where
    O: Deserialize<'de>,
    L: Deserialize<'de>,
    A: MapAccess<'de>,
{
    if !matches!(field, Value::Nothing) {
        return Err(A::Error::custom("a field twice"));
    }
    *field = map.next_value()?;
    Ok(())
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Id,
    Type,
    Role,
    Content,
    Model,
    StopReason,
    Usage,
    Error,
    InputTokens,
    #[serde(other)]
    Other,
}
