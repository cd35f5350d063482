//! The order of a stream: which event may follow which.
//!
//! First `message_start`, then blocks, then `message_delta`, then `message_stop`. Each block begins, is
//! filled and ends under its index. `message_stop` ends the stream; what follows is not read. Blocks may
//! overlap, and an index may be used again after its block has ended, as in Claude Code.
//!
//! Streams are read as clients read them. A part of a message is recognized by the `type` in its data.
//! Clients use the name of an event only for `ping` and `error`, and to see whether there is a name. Pings,
//! unknown events and events without a name may come at any time and are not read. The exception is an event
//! without a name that carries a part of the message or an error, because the client would lose it.
//!
//! Under [`Format::Any`] a stream that begins differently has another format and passes. A stream that begins
//! with `message_start` must still keep the order, but its fields may be missing.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "JSON has no kinds to come: a value that is not of the one expected is of another"
)]

use super::answer::judge_json;
use super::format::Format;
use super::known::Known;
use super::message::{Message, UsageObject};
use super::plain::PlainDelta;
use super::stage::{Activity, Stage};
use super::value::{Value, fields};
use super::wrong::{ApiError, Wrong, error_of, is_word, looks_like_html};
use crate::call::CallKind;
use crate::classify::Fault;
use crate::sse::Event;

/// Maximum number of open blocks; real streams have one.
const MAX_OPEN: usize = 256;

/// How far a stream has come, and which event may come next.
#[derive(Debug)]
pub(crate) struct Course {
    format: Format,
    stage: Stage,
    /// The stream has another format, and that is allowed.
    is_foreign: bool,
    /// The number of events so far.
    events: u64,
    /// How many of those are parts of a message.
    parts: u64,
    open: Vec<Block>,
    /// A block had no readable index, so indices are no longer used.
    is_unindexed: bool,
    /// The kind of the block that ended last.
    ended: Option<BlockKind>,
    /// Whether a `message_delta` came.
    has_delta: bool,
    /// Whether it has said why it stops, with no part after that.
    has_stopped: bool,
    /// Whether it has said that it stops to call a tool.
    calls_tool: bool,
    /// Whether something came before `message_start` that clients do not read.
    has_noise: bool,
}

#[derive(Debug)]
struct Block {
    index: u64,
    kind: BlockKind,
}

/// The kind of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlockKind {
    Text,
    Thinking,
    /// A call of a tool by the client.
    Tool,
    /// A call of a tool by the server. Its result follows in a block of its own.
    ServerTool,
    Compaction,
    /// An unknown kind.
    Other,
}

/// The fields that they carry.
#[derive(Default)]
struct Fields<'a> {
    kind: Value<'a>,
    index: Value<'a>,
    delta: Value<'a, Delta<'a>>,
    content_block: Value<'a, Typed<'a>>,
    message: Value<'a, Message<'a>>,
    usage: Value<'a, UsageObject<'a>>,
}

fields!(Fields {
    b"type" => kind,
    b"index" => index,
    b"delta" => delta,
    b"content_block" => content_block,
    b"message" => message,
    b"usage" => usage,
});

#[derive(Default)]
struct Delta<'a> {
    kind: Value<'a>,
    stop_reason: Value<'a>,
}

fields!(Delta {
    b"type" => kind,
    b"stop_reason" => stop_reason,
});

#[derive(Default)]
struct Typed<'a> {
    kind: Value<'a>,
}

fields!(Typed {
    b"type" => kind,
});

impl Course {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            stage: Stage::Silent,
            is_foreign: false,
            events: 0,
            parts: 0,
            open: Vec::new(),
            is_unindexed: false,
            ended: None,
            has_delta: false,
            has_stopped: false,
            calls_tool: false,
            has_noise: false,
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether it may end here without a `message_stop`.
    pub(crate) fn may_end(&self) -> bool {
        self.stage == Stage::Complete || self.is_foreign
    }

    /// Whether only `message_stop` is missing: every block has ended, and the last part said why the message
    /// stops.
    pub(crate) fn has_stopped(&self) -> bool {
        self.has_stopped && self.stage < Stage::Complete
    }

    /// The number of parts so far.
    pub(crate) fn parts(&self) -> u64 {
        self.parts
    }

    /// What its model does until the next part comes.
    pub(crate) fn activity(&self) -> Activity {
        if self.is_foreign || self.is_unindexed {
            return Activity::Tool;
        }
        match (self.open.last(), self.ended) {
            // Behind a call comes its result, and behind a result the model reads it.
            (None, Some(BlockKind::ServerTool | BlockKind::Other)) => Activity::Tool,
            (None, _) => Activity::Writing,
            (Some(block), _) => match block.kind {
                BlockKind::Text => Activity::Writing,
                BlockKind::Thinking => Activity::Thinking,
                BlockKind::Tool
                | BlockKind::ServerTool
                | BlockKind::Compaction
                | BlockKind::Other => Activity::Tool,
            },
        }
    }

    /// Whether something came before `message_start` that is in no stream of the API.
    pub(crate) fn has_noise(&self) -> bool {
        self.has_noise
    }

    /// Checks the next event.
    pub(crate) fn take_in(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        if self.stage == Stage::Complete {
            return Ok(());
        }
        self.events += 1;
        if event.name == "error" {
            return Err(error_in(event));
        }
        if self.is_foreign {
            // A message may begin after something that looked like another format.
            let begins =
                event.name.starts_with("message") && Known::of(event) == Some(Known::MessageStart);
            if !begins {
                self.parts += 1;
                return Ok(());
            }
            self.is_foreign = false;
            return self.read(Known::MessageStart, event, |_, _| Ok(()));
        }
        let stage = match Known::of(event) {
            Some(Known::MessageStart) => self.message_start(event)?,
            Some(known) if self.stage == Stage::Silent => self.without_start(known, event)?,
            Some(known) => self.part(known, event)?,
            None => self.unknown(event)?,
        };
        self.stage = self.stage.max(stage);
        if event.has_foreign_lines() && self.stage < Stage::Complete && !self.is_foreign {
            // Clients skip such lines, so they lose what was in between.
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
        self.parts += 1;
        if known != Known::MessageDelta {
            self.has_stopped = false;
        }
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

    /// A ping, a comment, a future event, an event without a name, or something that is not a stream of the
    /// API.
    fn unknown(&mut self, event: &Event<'_>) -> Result<Stage, Fault> {
        if event.has_foreign_lines() && event.name.is_empty() && self.stage < Stage::Content {
            return Err(no_stream(event.raw()));
        }
        let is_ping = event.name == "ping" || !event.has_data();
        match self.format {
            Format::Any if self.stage == Stage::Silent && !is_ping => self.foreign(event),
            Format::Any | Format::Messages if event.name.is_empty() && !is_ping => {
                self.nameless(event)
            }
            Format::Any | Format::Messages => Ok(self.stage),
        }
    }

    /// Clients do not read an event without a name. That is harmless, unless it is a part of a message or an
    /// error.
    fn nameless(&mut self, event: &Event<'_>) -> Result<Stage, Fault> {
        let Some(data) = event.data() else {
            return Ok(self.stage);
        };
        // Text that is not JSON, such as `[DONE]`, means nothing to any client.
        let Ok(Value::Object(fields)) = Value::<Nameless<'_>>::of(&data) else {
            self.has_noise |= self.stage == Stage::Silent;
            return Ok(self.stage);
        };
        let kind = fields.kind.text();
        let is_lost = kind == Some("error") || kind.and_then(Known::named).is_some();
        if self.stage < Stage::Content {
            let has_error = error_of(&fields.error).is_some();
            if is_lost || has_error || fields.is_of_another_format() {
                return Err(no_stream(event.raw()));
            }
            self.has_noise |= self.stage == Stage::Silent && kind != Some("ping");
        } else if is_lost {
            let wrong = Wrong::new("", "the name of the event", "none");
            return Err(self.wrong(event, &wrong));
        }
        Ok(self.stage)
    }

    /// A stream of another format, if that is allowed.
    fn foreign(&mut self, event: &Event<'_>) -> Result<Stage, Fault> {
        let data = event.data().unwrap_or_default();
        if let Ok(Value::Object(Typed { kind })) = Value::<Typed<'_>>::of(&data)
            && kind.text() == Some("ping")
        {
            return Ok(self.stage);
        }
        if event.name.is_empty()
            && let Err(fault @ Fault::ErrorEvent(_)) =
                judge_json(Format::Any, CallKind::Other, &data)
        {
            return Err(fault);
        }
        self.is_foreign = true;
        Ok(Stage::Content)
    }

    /// Reads the data and passes its fields on. Data that is too long to read is trusted.
    fn read(
        &mut self,
        known: Known,
        event: &Event<'_>,
        judge: impl FnOnce(&mut Self, &Fields<'_>) -> Result<(), Wrong>,
    ) -> Result<(), Fault> {
        let Some(data) = event.data() else {
            match known {
                Known::BlockStart | Known::BlockStop => self.is_unindexed = true,
                Known::MessageDelta => {
                    self.has_delta = true;
                    self.has_stopped = self.open.is_empty() || self.is_unindexed;
                }
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
        let judged = match Value::<Fields<'_>>::of(&data) {
            Ok(Value::Object(fields)) => self
                .type_is(known, &fields)
                .and_then(|()| judge(self, &fields)),
            Ok(other) => Err(Wrong::new("", "an object", other.kind())),
            Err(_) if data.is_empty() => Err(Wrong::new("", "JSON", "no data")),
            Err(broken) => Err(Wrong::is_no_json(&data, broken)),
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
        if self.open.iter().any(|block| block.index == index) {
            let seen = format!("{index} again");
            return Err(Wrong::new("index", "that of no open block", seen));
        }
        if self.open.len() >= MAX_OPEN {
            let expected = format!("at most {MAX_OPEN} blocks at once");
            return Err(Wrong::new("", expected, "one more"));
        }
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

    /// Adds to the block with that index. It must be open, and its kind must take the delta.
    fn fill(&self, index: u64, delta: Option<&str>) -> Result<(), Wrong> {
        let block = self.open.iter().find(|block| block.index == index);
        let block = block.ok_or_else(|| not_open(index))?;
        match delta {
            Some(delta) if !block.kind.takes(delta) => Err(Wrong::new(
                "delta.type",
                format!("a delta of {}", block.kind.in_words()),
                delta.to_owned(), // One of the known words.
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn block_stop(&mut self, fields: &Fields<'_>) -> Result<(), Wrong> {
        let Some(index) = self.index(fields)? else {
            return Ok(());
        };
        let open = self.open.iter().position(|block| block.index == index);
        let ended = self.open.swap_remove(open.ok_or_else(|| not_open(index))?);
        self.ended = Some(ended.kind);
        Ok(())
    }

    fn message_delta(&mut self, fields: &Fields<'_>) -> Result<(), Wrong> {
        self.has_delta = true;
        let reason = fields.delta.object().map(|delta| &delta.stop_reason);
        if let Some(Value::Text(reason)) = reason {
            self.has_stopped = self.open.is_empty() || self.is_unindexed;
            self.calls_tool = reason == "tool_use";
        }
        if self.format == Format::Any {
            return Ok(());
        }
        match (&fields.delta, reason) {
            (_, Some(Value::Nothing | Value::Null | Value::Text(_))) => {}
            (_, Some(reason)) => {
                let seen = reason.kind();
                return Err(Wrong::new("delta.stop_reason", "a string or null", seen));
            }
            (other, None) => return Err(Wrong::new("delta", "an object", other.kind())),
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
        if !self.has_delta && self.format == Format::Messages {
            return Err(Wrong::new("", "message_delta", "message_stop"));
        }
        if self.calls_tool && self.stage < Stage::Content {
            return Err(Wrong::new("", "a block that calls a tool", "message_stop"));
        }
        Ok(())
    }

    /// The event's index. `None`: indices are no longer used.
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
        match Known::of(event) {
            Some(known) => wrong.fault(&format!(", in event {number} ({})", known.name())),
            None => wrong.fault(&format!(", in event {number}")),
        }
    }
}

impl BlockKind {
    fn named(kind: &str) -> Self {
        match kind {
            "text" => Self::Text,
            "thinking" => Self::Thinking,
            "tool_use" => Self::Tool,
            "server_tool_use" | "mcp_tool_use" => Self::ServerTool,
            "compaction" => Self::Compaction,
            _ => Self::Other,
        }
    }

    /// Whether the block takes such a delta. An unknown delta fits everywhere.
    fn takes(self, delta: &str) -> bool {
        let fits = match delta {
            "text_delta" | "citations_delta" => self == Self::Text,
            "thinking_delta" | "signature_delta" => self == Self::Thinking,
            "input_json_delta" => matches!(self, Self::Tool | Self::ServerTool),
            "compaction_delta" => self == Self::Compaction,
            _ => true,
        };
        fits || self == Self::Other
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Thinking => "thinking",
            Self::Tool | Self::ServerTool => "a tool's input",
            Self::Compaction => "a compaction",
            Self::Other => "any kind",
        }
    }
}

/// The needed fields of an event without a name.
#[derive(Default)]
struct Nameless<'a> {
    kind: Value<'a>,
    error: Value<'a, ApiError<'a>>,
    choices: Value<'a>,
    object: Value<'a>,
    candidates: Value<'a>,
}

fields!(Nameless {
    b"type" => kind,
    b"error" => error,
    b"choices" => choices,
    b"object" => object,
    b"candidates" => candidates,
});

impl Nameless<'_> {
    /// Whether it is a piece of an answer in another vendor's format. In such a stream `message_start` will
    /// never come.
    fn is_of_another_format(&self) -> bool {
        let fields = [&self.choices, &self.object, &self.candidates];
        fields.iter().any(|field| !matches!(field, Value::Nothing))
    }
}

/// What is wrong with bytes that are not a stream of the Messages API.
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

#[derive(Default)]
struct ErrorEvent<'a> {
    error: Value<'a, ApiError<'a>>,
}

fields!(ErrorEvent {
    b"error" => error,
});

fn error_in(event: &Event<'_>) -> Fault {
    let data = event.data().unwrap_or_default();
    let told = match Value::<ErrorEvent<'_>>::of(&data) {
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
