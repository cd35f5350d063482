//! An answer in one piece: a message, a token count, or neither. It is read once: the same pass judges it and
//! collects its model, tokens and so on.

use super::format::Format;
use super::message::Message;
use super::value::{Object, Value};
use super::wrong::{ApiError, Wrong, error_of, looks_like_html};
use crate::call::CallKind;
use crate::classify::Fault;
use crate::json::{Broken, Field, Json};
use crate::usage::Tally;

/// Clients skip it before JSON.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Judges a whole JSON answer.
///
/// # Errors
///
/// What is wrong with it.
pub fn judge_json(format: Format, kind: CallKind, body: &[u8]) -> Result<(), Fault> {
    judged(format, kind, body).map(drop)
}

/// Judges a whole JSON answer, and returns its model, tokens and so on.
///
/// # Errors
///
/// What is wrong with it.
pub fn read_json(format: Format, kind: CallKind, body: &[u8]) -> Result<Tally, Fault> {
    judged(format, kind, body).map(|answer| Tally::of_message(&answer.message))
}

/// Judges the beginning of a JSON answer that is too long to be held. What is there must be right; the rest
/// may still come.
///
/// # Errors
///
/// What is wrong with it.
pub fn judge_json_head(format: Format, kind: CallKind, head: &[u8]) -> Result<(), Fault> {
    let head = begin(head)?;
    let mut answer = Answer::default();
    match answer.read(head) {
        Err(broken) if !broken.is_early_end => Err(Wrong::is_no_json(head, broken).fault("")),
        Ok(()) | Err(_) => answer.judge_what_is_there(format, kind),
    }
}

fn judged(format: Format, kind: CallKind, body: &[u8]) -> Result<Answer<'_>, Fault> {
    let body = begin(body)?;
    let mut answer = Answer::default();
    if let Err(broken) = answer.read(body) {
        return Err(Wrong::is_no_json(body, broken).fault(""));
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

/// Looks at the first byte.
fn begin(body: &[u8]) -> Result<&[u8], Fault> {
    let body = body.trim_ascii_start();
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
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

/// The fields of an answer that are needed. If the text breaks off, the fields before that stay.
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
    fn read(&mut self, text: &'a [u8]) -> Result<(), Broken> {
        let mut json = Json::new(text);
        json.object(|name, json| {
            match name {
                b"error" => self.error = Value::read(json)?,
                b"input_tokens" => self.input_tokens = Value::read(json)?,
                name => return self.message.field(name, json),
            }
            Ok(Field::Read)
        })?;
        json.end()
    }
}
