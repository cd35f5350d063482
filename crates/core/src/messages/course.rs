//! The course of a stream: which event may follow which.
//!
//! `message_start`, then blocks, each begun, filled and ended under its index, then `message_delta`, then
//! `message_stop`. Blocks have rising indices and may overlap. Pings and unknown events may come at any time
//! and are not read. What comes after `message_stop` is read only as far as it would change the message.
//!
//! Under [`Format::Any`] a stream that begins differently is of another format and passes; one that begins
//! with `message_start` must still keep the order, but its fields may be missing.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "JSON has no kinds to come: a value that is not of the one expected is of another"
)]

use serde::Deserialize;

use super::answer::judge_json;
use super::format::Format;
use super::message::{Message, UsageObject};
use super::plain::PlainDelta;
use super::stage::Stage;
use super::value::Value;
use super::wrong::{ApiError, Wrong, error_of, is_word, looks_like_html};
use crate::call::CallKind;
use crate::classify::Fault;
use crate::sse::Event;

/// Maximum number of open blocks; real streams have one.
const MAX_OPEN: usize = 256;

/// How far a stream has come, and what it may say next.
#[derive(Debug)]
pub(crate) struct Course {
    format: Format,
    stage: Stage,
    /// The stream is of another format, which is allowed.
    is_foreign: bool,
    /// Events so far.
    events: u64,
    open: Vec<Block>,
    /// Indices below were used.
    next_index: u64,
    /// A block had no readable index, so indices tell nothing any more.
    is_unindexed: bool,
    /// Whether a `message_delta` was seen.
    has_reason: bool,
}

#[derive(Debug)]
struct Block {
    index: u64,
    kind: BlockKind,
}

/// What a block is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockKind {
    Text,
    Thinking,
    Tool,
    Compaction,
    /// Not known here.
    Other,
}

/// The events that make a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    MessageStart,
    BlockStart,
    BlockDelta,
    BlockStop,
    MessageDelta,
    MessageStop,
}

/// The fields that they carry.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Fields<'a> {
    #[serde(rename = "type")]
    kind: Value<'a>,
    index: Value<'a>,
    delta: Value<'a, Delta<'a>>,
    content_block: Value<'a, Typed<'a>>,
    message: Value<'a, Message<'a>>,
    usage: Value<'a, UsageObject<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Delta<'a> {
    #[serde(rename = "type")]
    kind: Value<'a>,
    stop_reason: Value<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Typed<'a> {
    #[serde(rename = "type")]
    kind: Value<'a>,
}

impl Course {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            stage: Stage::Silent,
            is_foreign: false,
            events: 0,
            open: Vec::new(),
            next_index: 0,
            is_unindexed: false,
            has_reason: false,
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether it may end here without a `message_stop`.
    pub(crate) fn may_end(&self) -> bool {
        self.stage == Stage::Complete || self.is_foreign
    }

    /// Takes in the next event.
    pub(crate) fn take_in(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        self.events += 1;
        if event.name == "error" {
            return Err(error_in(event));
        }
        if self.is_foreign {
            return Ok(());
        }
        let stage = match Known::named(event.name) {
            Some(known) if self.stage == Stage::Complete => self.after_the_end(known, event)?,
            Some(Known::MessageStart) => self.message_start(event)?,
            Some(known) if self.stage == Stage::Silent => self.without_start(known, event)?,
            Some(known) => self.part(known, event)?,
            None => self.unknown(event)?,
        };
        self.stage = self.stage.max(stage);
        if event.has_foreign_lines() && self.stage < Stage::Complete && !self.is_foreign {
            // Clients skip such lines, and with them what was lost in between.
            return Err(self.wrong(
                event,
                &Wrong::new("", "fields of an event", "foreign lines"),
            ));
        }
        Ok(())
    }

    fn message_start(&mut self, event: &Event<'_>) -> Result<Stage, Fault> {
        if self.stage > Stage::Silent {
            return Err(self.wrong(
                event,
                &Wrong::new("", "one message", "a second message_start"),
            ));
        }
        self.read(Known::MessageStart, event, |course, fields| {
            match (course.format, &fields.message) {
                (Format::Any, _) => Ok(()),
                (Format::Messages, Value::Object(message)) => message.is_begun(),
                (Format::Messages, other) => Err(Wrong::new("message", "an object", other.kind())),
            }
        })?;
        Ok(Stage::Started)
    }

    fn without_start(&mut self, known: Known, event: &Event<'_>) -> Result<Stage, Fault> {
        match self.format {
            Format::Any => self.foreign(event),
            Format::Messages => {
                Err(self.wrong(event, &Wrong::new("", "message_start first", known.name())))
            }
        }
    }

    /// An event between `message_start` and `message_stop`.
    fn part(&mut self, known: Known, event: &Event<'_>) -> Result<Stage, Fault> {
        self.read(known, event, |course, fields| match known {
            Known::MessageStart => Ok(()),
            Known::BlockStart => course.block_start(fields),
            Known::BlockDelta => course.block_delta(fields),
            Known::BlockStop => course.block_stop(fields),
            Known::MessageDelta => course.message_delta(fields),
            Known::MessageStop => course.message_stop(),
        })?;
        Ok(match known {
            Known::BlockStart | Known::BlockDelta | Known::BlockStop => Stage::Content,
            Known::MessageStop => Stage::Complete,
            Known::MessageStart | Known::MessageDelta => self.stage,
        })
    }

    /// The message is complete. A second end is harmless; anything else would add to it.
    fn after_the_end(&self, known: Known, event: &Event<'_>) -> Result<Stage, Fault> {
        match known {
            Known::MessageStop => Ok(Stage::Complete),
            Known::MessageStart
            | Known::BlockStart
            | Known::BlockDelta
            | Known::BlockStop
            | Known::MessageDelta => {
                Err(self.wrong(event, &Wrong::new("", "message_stop last", known.name())))
            }
        }
    }

    /// A ping, a comment, a future event, or no stream of the API at all.
    fn unknown(&mut self, event: &Event<'_>) -> Result<Stage, Fault> {
        let is_nameless = event.name.is_empty() && (event.has_data() || event.has_foreign_lines());
        match (self.format, self.stage) {
            (_, Stage::Silent | Stage::Started) if is_nameless => match self.format {
                Format::Any if self.stage == Stage::Silent && !event.has_foreign_lines() => {
                    self.foreign(event)
                }
                Format::Any | Format::Messages => Err(no_stream(event.raw())),
            },
            (_, Stage::Content) if event.name.is_empty() && event.has_data() => {
                self.nameless(event)
            }
            (Format::Any, Stage::Silent) if event.has_data() && event.name != "ping" => {
                self.foreign(event)
            }
            (Format::Any | Format::Messages, _) => Ok(self.stage),
        }
    }

    /// Clients go by the name: they lose a part of a message that has none.
    fn nameless(&self, event: &Event<'_>) -> Result<Stage, Fault> {
        let Some(data) = event.data() else {
            return Ok(self.stage);
        };
        if data.trim_ascii() == b"[DONE]" {
            return Ok(self.stage); // Relays add this.
        }
        let fields: Value<'_, Fields<'_>> = serde_json::from_slice(&data)
            .map_err(|error| self.wrong(event, &Wrong::is_no_json(&error)))?;
        match fields {
            Value::Object(fields)
                if fields.kind.text() == Some("error")
                    || fields.kind.text().and_then(Known::named).is_some() =>
            {
                let wrong = Wrong::new("", "the name of the event", "none");
                Err(self.wrong(event, &wrong))
            }
            _ => Ok(self.stage),
        }
    }

    /// A stream of another format, where that is allowed.
    fn foreign(&mut self, event: &Event<'_>) -> Result<Stage, Fault> {
        let data = event.data().unwrap_or_default();
        if event.name.is_empty()
            && let Err(fault @ Fault::ErrorEvent(_)) =
                judge_json(Format::Any, CallKind::Other, &data)
        {
            return Err(fault);
        }
        self.is_foreign = true;
        Ok(Stage::Content)
    }

    /// Reads the data and hands its fields on. Data that is too long to read is trusted.
    fn read(
        &mut self,
        known: Known,
        event: &Event<'_>,
        judge: impl FnOnce(&mut Self, &Fields<'_>) -> Result<(), Wrong>,
    ) -> Result<(), Fault> {
        let Some(data) = event.data() else {
            match known {
                Known::BlockStart | Known::BlockStop => self.is_unindexed = true,
                Known::MessageDelta => self.has_reason = true,
                Known::MessageStart | Known::BlockDelta | Known::MessageStop => {}
            }
            return Ok(());
        };
        if known == Known::BlockDelta
            && !self.is_unindexed
            && let Some(delta) = PlainDelta::of(&data)
        {
            return self
                .fill(delta.index, Some(delta.kind))
                .map_err(|wrong| self.wrong(event, &wrong));
        }
        let judged = match serde_json::from_slice::<Value<'_, Fields<'_>>>(&data) {
            Ok(Value::Object(fields)) => self
                .type_is(known, &fields)
                .and_then(|()| judge(self, &fields)),
            Ok(other) => Err(Wrong::new("", "an object", other.kind())),
            Err(_) if data.is_empty() => Err(Wrong::new("", "JSON", "no data")),
            Err(error) => Err(Wrong::is_no_json(&error)),
        };
        judged.map_err(|wrong| self.wrong(event, &wrong))
    }

    fn type_is(&self, known: Known, fields: &Fields<'_>) -> Result<(), Wrong> {
        match (&fields.kind, self.format) {
            (Value::Text(kind), _) if kind == known.name() => Ok(()),
            (Value::Nothing, Format::Any) => Ok(()),
            (other, _) => {
                let expected = format!("\"{}\"", known.name());
                Err(Wrong::new("type", expected, word_or_kind(other)))
            }
        }
    }

    fn block_start(&mut self, fields: &Fields<'_>) -> Result<(), Wrong> {
        let kind = match (&fields.content_block, self.format) {
            (
                Value::Object(Typed {
                    kind: Value::Text(kind),
                }),
                _,
            ) => BlockKind::named(kind),
            (_, Format::Any) => BlockKind::Other,
            (Value::Object(Typed { kind }), Format::Messages) => {
                return Err(Wrong::new("content_block.type", "a string", kind.kind()));
            }
            (other, Format::Messages) => {
                return Err(Wrong::new("content_block", "an object", other.kind()));
            }
        };
        let Some(index) = self.index(fields)? else {
            return Ok(());
        };
        if index < self.next_index {
            let expected = format!("an index of {} or more", self.next_index);
            return Err(Wrong::new("index", expected, format!("{index} again")));
        }
        if self.open.len() >= MAX_OPEN {
            let expected = format!("at most {MAX_OPEN} blocks at once");
            return Err(Wrong::new("", expected, "one more"));
        }
        self.next_index = index.saturating_add(1);
        self.open.push(Block { index, kind });
        Ok(())
    }

    fn block_delta(&mut self, fields: &Fields<'_>) -> Result<(), Wrong> {
        let delta = match (&fields.delta, self.format) {
            (
                Value::Object(Delta {
                    kind: Value::Text(kind),
                    ..
                }),
                _,
            ) => Some(kind.as_ref()),
            (_, Format::Any) => None,
            (Value::Object(Delta { kind, .. }), Format::Messages) => {
                return Err(Wrong::new("delta.type", "a string", kind.kind()));
            }
            (other, Format::Messages) => {
                return Err(Wrong::new("delta", "an object", other.kind()));
            }
        };
        match self.index(fields)? {
            Some(index) => self.fill(index, delta),
            None => Ok(()),
        }
    }

    /// Fills the block of that index, which must be open and of a kind that takes it.
    fn fill(&self, index: u64, delta: Option<&str>) -> Result<(), Wrong> {
        let block = self.open.iter().find(|block| block.index == index);
        let block = block.ok_or_else(|| not_open(index))?;
        match delta {
            Some(delta) if !block.kind.takes(delta) => Err(Wrong::new(
                "delta.type",
                format!("a delta of {}", block.kind.in_words()),
                delta.to_owned(), // One of the words known here.
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn block_stop(&mut self, fields: &Fields<'_>) -> Result<(), Wrong> {
        let Some(index) = self.index(fields)? else {
            return Ok(());
        };
        let open = self.open.iter().position(|block| block.index == index);
        self.open.swap_remove(open.ok_or_else(|| not_open(index))?);
        Ok(())
    }

    fn message_delta(&mut self, fields: &Fields<'_>) -> Result<(), Wrong> {
        self.has_reason = true;
        if self.format == Format::Any {
            return Ok(());
        }
        match &fields.delta {
            Value::Object(Delta {
                stop_reason: Value::Nothing | Value::Null | Value::Text(_),
                ..
            }) => {}
            Value::Object(Delta { stop_reason, .. }) => {
                let seen = stop_reason.kind();
                return Err(Wrong::new("delta.stop_reason", "a string or null", seen));
            }
            other => return Err(Wrong::new("delta", "an object", other.kind())),
        }
        match &fields.usage {
            Value::Nothing | Value::Null => Ok(()),
            Value::Object(usage) => usage.is_right_so_far("usage."),
            other => Err(Wrong::new("usage", "an object", other.kind())),
        }
    }

    fn message_stop(&self) -> Result<(), Wrong> {
        if let Some(block) = self.open.first().filter(|_| !self.is_unindexed) {
            let expected = format!("content_block_stop of block {}", block.index);
            return Err(Wrong::new("", expected, "message_stop"));
        }
        if !self.has_reason && self.format == Format::Messages {
            return Err(Wrong::new("", "message_delta", "message_stop"));
        }
        Ok(())
    }

    /// The event's index; `None` if indices tell nothing.
    fn index(&mut self, fields: &Fields<'_>) -> Result<Option<u64>, Wrong> {
        match (&fields.index, self.format) {
            (Value::Number(Some(index)), _) if !self.is_unindexed => Ok(Some(*index)),
            (Value::Number(Some(_)), _) => Ok(None),
            (Value::Nothing, Format::Any) => {
                self.is_unindexed = true;
                Ok(None)
            }
            (other, _) => Err(Wrong::new("index", "a whole number", other.kind())),
        }
    }

    fn wrong(&self, event: &Event<'_>, wrong: &Wrong) -> Fault {
        let number = self.events;
        match Known::named(event.name) {
            Some(known) => wrong.fault(&format!(", in event {number} ({})", known.name())),
            None => wrong.fault(&format!(", in event {number}")),
        }
    }
}

impl Known {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "content_block_delta" => Self::BlockDelta,
            "content_block_start" => Self::BlockStart,
            "content_block_stop" => Self::BlockStop,
            "message_delta" => Self::MessageDelta,
            "message_start" => Self::MessageStart,
            "message_stop" => Self::MessageStop,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::MessageStart => "message_start",
            Self::BlockStart => "content_block_start",
            Self::BlockDelta => "content_block_delta",
            Self::BlockStop => "content_block_stop",
            Self::MessageDelta => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }
}

impl BlockKind {
    fn named(kind: &str) -> Self {
        match kind {
            "text" => Self::Text,
            "thinking" => Self::Thinking,
            "tool_use" | "server_tool_use" | "mcp_tool_use" => Self::Tool,
            "compaction" => Self::Compaction,
            _ => Self::Other,
        }
    }

    /// Whether such a delta fits. An unknown one fits everywhere.
    fn takes(self, delta: &str) -> bool {
        let of = match delta {
            "text_delta" | "citations_delta" => Self::Text,
            "thinking_delta" | "signature_delta" => Self::Thinking,
            "input_json_delta" => Self::Tool,
            "compaction_delta" => Self::Compaction,
            _ => return true,
        };
        self == of || self == Self::Other
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Thinking => "thinking",
            Self::Tool => "a tool's input",
            Self::Compaction => "a compaction",
            Self::Other => "any kind",
        }
    }
}

/// What is wrong with bytes that are no stream of the Messages API.
pub(crate) fn no_stream(bytes: &[u8]) -> Fault {
    if looks_like_html(bytes) {
        return Fault::Html;
    }
    let data = bytes.strip_prefix(b"data:").unwrap_or(bytes);
    let seen = match judge_json(Format::Any, CallKind::Other, data) {
        Err(fault @ Fault::ErrorEvent(_)) => return fault,
        Ok(()) if data.len() == bytes.len() => "a JSON object",
        Ok(()) | Err(_) => "a stream of another format",
    };
    Wrong::new("", "events of the Messages API", seen).fault("")
}

fn error_in(event: &Event<'_>) -> Fault {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct ErrorEvent<'a> {
        error: Value<'a, ApiError<'a>>,
    }

    let data = event.data().unwrap_or_default();
    let told = match serde_json::from_slice::<Value<'_, ErrorEvent<'_>>>(&data) {
        Ok(Value::Object(event)) => error_of(&event.error),
        Ok(_) | Err(_) => None,
    };
    told.unwrap_or_else(|| Fault::ErrorEvent("error".to_owned()))
}

fn not_open(index: u64) -> Wrong {
    Wrong::new("index", "that of an open block", index.to_string())
}

/// The word itself, if it cannot be a secret.
fn word_or_kind(value: &Value<'_>) -> String {
    match value.text() {
        Some(word) if is_word(word) => format!("\"{word}\""),
        Some(_) => "another word".to_owned(),
        None => value.kind().to_owned(),
    }
}
