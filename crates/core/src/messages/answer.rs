//! An answer in one piece: a message, a token count, or neither. It is read once: what it tells of itself
//! comes out of the same pass that judges it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "JSON has no kinds to come: a value that is not of the one expected is of another"
)]

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::value::Value;
use super::{ApiError, Format, Wrong, error_of, looks_like_html};
use crate::classify::Fault;
use crate::profile::CallKind;
use crate::usage::Tally;

/// Judges a whole JSON answer.
///
/// # Errors
///
/// What is wrong with it.
pub fn judge_json(format: Format, kind: CallKind, body: &[u8]) -> Result<(), Fault> {
    judged(format, kind, body).map(drop)
}

/// Judges a whole JSON answer, and gives what it tells of itself.
///
/// # Errors
///
/// What is wrong with it.
pub fn read_json(format: Format, kind: CallKind, body: &[u8]) -> Result<Tally, Fault> {
    judged(format, kind, body).map(|answer| Tally::of_message(&answer.message))
}

/// Judges the head of a JSON answer that is too long to be held: what is there must be right, what is
/// not there may still come.
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
        (Format::Any, _) | (_, CallKind::Other) => Ok(()),
        (Format::Messages, CallKind::Messages) => answer.message.is_whole(""),
        (Format::Messages, CallKind::CountTokens) => match &answer.input_tokens {
            Value::Number(Some(_)) => Ok(()),
            other => Err(Wrong::new("input_tokens", "a whole number", other.kind())),
        },
    };
    missing.map_err(|wrong| wrong.fault(""))?;
    Ok(answer)
}

/// Whether JSON goes wrong only where its text ends, be it within a number.
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

/// What of an answer is looked at; it keeps what was read before its text broke off.
#[derive(Default)]
struct Answer<'a> {
    message: Message<'a>,
    error: Value<'a, ApiError<'a>>,
    input_tokens: Value<'a>,
}

/// A message: all of an answer, or what a `message_start` has.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Message<'a> {
    id: Value<'a>,
    #[serde(rename = "type")]
    kind: Value<'a>,
    role: Value<'a>,
    content: Value<'a, IgnoredAny, Blocks>,
    pub(crate) model: Value<'a>,
    pub(crate) stop_reason: Value<'a>,
    pub(crate) usage: Value<'a, Usage<'a>>,
}

/// Counts of tokens; the first four are judged, all are read ([`crate::usage`]).
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Usage<'a> {
    pub(crate) input_tokens: Value<'a>,
    pub(crate) output_tokens: Value<'a>,
    pub(crate) cache_creation_input_tokens: Value<'a>,
    pub(crate) cache_read_input_tokens: Value<'a>,
    pub(crate) cache_creation: Value<'a, Written<'a>>,
    pub(crate) output_tokens_details: Value<'a, Details<'a>>,
    pub(crate) server_tool_use: Value<'a, Tools<'a>>,
    pub(crate) service_tier: Value<'a>,
    pub(crate) inference_geo: Value<'a>,
    pub(crate) speed: Value<'a>,
}

/// What was written into the cache, by how long it stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Written<'a> {
    pub(crate) ephemeral_1h_input_tokens: Value<'a>,
}

/// Of what the output consists.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Details<'a> {
    pub(crate) thinking_tokens: Value<'a>,
}

/// How often tools of the server were used.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(crate) struct Tools<'a> {
    pub(crate) web_search_requests: Value<'a>,
}

/// The blocks of a message: the first that is none, if there is one.
#[derive(Debug, Default)]
struct Blocks(Option<Wrong>);

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
            (Format::Messages, CallKind::CountTokens | CallKind::Other) | (Format::Any, _) => {
                Ok(())
            }
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

impl Message<'_> {
    /// Of a `message_start`: whole, but that why it stops is not known.
    pub(super) fn is_begun(&self) -> Result<(), Wrong> {
        let prefix = "message.";
        self.is_right_so_far(prefix)?;
        self.is_complete(prefix)?;
        match self.stop_reason {
            Value::Nothing => Err(wrong(prefix, "stop_reason", "a string or null", "nothing")),
            _ => Ok(()),
        }
    }

    fn is_whole(&self, prefix: &str) -> Result<(), Wrong> {
        self.is_complete(prefix)?;
        required(prefix, "stop_reason", &self.stop_reason)
    }

    /// What is there is right.
    fn is_right_so_far(&self, prefix: &str) -> Result<(), Wrong> {
        constant(prefix, "type", &self.kind, "message")?;
        constant(prefix, "role", &self.role, "assistant")?;
        for (name, value) in [("id", &self.id), ("model", &self.model)] {
            if !matches!(value, Value::Nothing) {
                required(prefix, name, value)?;
            }
        }
        match &self.content {
            Value::List(Blocks(None)) | Value::Nothing => {}
            Value::List(Blocks(Some(block))) => {
                let path = format!("{prefix}content{}", block.path);
                return Err(Wrong::new(path, block.expected.clone(), block.seen.clone()));
            }
            other => return Err(wrong(prefix, "content", "a list", other.kind())),
        }
        match &self.stop_reason {
            Value::Nothing | Value::Null | Value::Text(_) => {}
            other => {
                return Err(wrong(
                    prefix,
                    "stop_reason",
                    "a string or null",
                    other.kind(),
                ));
            }
        }
        match &self.usage {
            Value::Nothing => Ok(()),
            Value::Object(usage) => usage
                .is_right_so_far("usage.")
                .map_err(|wrong| wrong.within(prefix)),
            other => Err(wrong(prefix, "usage", "an object", other.kind())),
        }
    }

    /// Nothing is missing, but for `stop_reason`.
    fn is_complete(&self, prefix: &str) -> Result<(), Wrong> {
        for (name, value) in [
            ("id", &self.id),
            ("type", &self.kind),
            ("role", &self.role),
            ("model", &self.model),
        ] {
            required(prefix, name, value)?;
        }
        if let Value::Nothing = self.content {
            return Err(wrong(prefix, "content", "a list", "nothing"));
        }
        let Value::Object(usage) = &self.usage else {
            return Err(wrong(prefix, "usage", "an object", self.usage.kind()));
        };
        for (name, count) in [
            ("usage.input_tokens", &usage.input_tokens),
            ("usage.output_tokens", &usage.output_tokens),
        ] {
            let Value::Number(_) = count else {
                return Err(wrong(prefix, name, "a number", count.kind()));
            };
        }
        Ok(())
    }
}

impl Usage<'_> {
    /// What is there is a number; what does not apply may be null.
    pub(super) fn is_right_so_far(&self, prefix: &str) -> Result<(), Wrong> {
        for (name, count) in [
            ("input_tokens", &self.input_tokens),
            ("output_tokens", &self.output_tokens),
            (
                "cache_creation_input_tokens",
                &self.cache_creation_input_tokens,
            ),
            ("cache_read_input_tokens", &self.cache_read_input_tokens),
        ] {
            match count {
                Value::Nothing | Value::Null | Value::Number(_) => {}
                other => return Err(wrong(prefix, name, "a number", other.kind())),
            }
        }
        Ok(())
    }
}

/// A string must be there.
fn required(prefix: &str, name: &str, value: &Value<'_>) -> Result<(), Wrong> {
    match value {
        Value::Text(_) => Ok(()),
        other => Err(wrong(prefix, name, "a string", other.kind())),
    }
}

/// If it is there, it is this word.
fn constant(prefix: &str, name: &str, value: &Value<'_>, word: &str) -> Result<(), Wrong> {
    match value {
        Value::Nothing => Ok(()),
        Value::Text(text) if text == word => Ok(()),
        Value::Text(_) => Err(wrong(prefix, name, &format!("\"{word}\""), "another word")),
        other => Err(wrong(prefix, name, &format!("\"{word}\""), other.kind())),
    }
}

fn wrong(prefix: &str, name: &str, expected: &str, seen: &str) -> Wrong {
    Wrong::new(
        format!("{prefix}{name}"),
        expected.to_owned(),
        seen.to_owned(),
    )
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

/// Reads a field that is not there yet. Parsers differ in which of two counts.
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

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Block<'a> {
    #[serde(rename = "type")]
    kind: Value<'a>,
}

impl<'de> Deserialize<'de> for Blocks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Blocks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("blocks")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Blocks, A::Error> {
                let mut first_wrong = None;
                let mut index = 0;
                while let Some(block) = list.next_element::<Value<'de, Block<'de>>>()? {
                    if first_wrong.is_none() {
                        first_wrong = check(&block, index).err();
                    }
                    index += 1;
                }
                Ok(Blocks(first_wrong))
            }
        }

        fn check(block: &Value<'_, Block<'_>>, index: usize) -> Result<(), Wrong> {
            match block {
                Value::Object(block) => required(".", "type", &block.kind)
                    .map_err(|wrong| wrong.within(&format!("[{index}]"))),
                other => Err(wrong("", &format!("[{index}]"), "an object", other.kind())),
            }
        }

        deserializer.deserialize_seq(Each)
    }
}
