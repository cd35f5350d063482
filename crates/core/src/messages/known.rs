//! The parts of a message, as a stream brings them.

use super::value::{Value, fields};
use crate::sse::Event;

/// The events that make a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    MessageStart,
    BlockStart,
    BlockDelta,
    BlockStop,
    MessageDelta,
    MessageStop,
}

impl Known {
    /// Which part of a message an event is: from its data, or else from its name. If the data cannot be read,
    /// the reader of the event deals with that.
    pub(crate) fn of(event: &Event<'_>) -> Option<Self> {
        let by_name = Self::named(event.name);
        if event.name.is_empty() || event.name == "ping" {
            return None;
        }
        let data = event.data().unwrap_or_default();
        if by_name.is_some_and(|known| known.is_typed_first(&data)) {
            return by_name;
        }
        let by_type = match Value::<Typed<'_>>::of(&data) {
            Ok(Value::Object(Typed { kind })) => kind.text().and_then(Self::named),
            Ok(_) | Err(_) => None,
        };
        by_type.or(by_name)
    }

    /// Whether the data begins with this type, as the API and most relays write it. This is faster than
    /// reading the data.
    fn is_typed_first(self, data: &[u8]) -> bool {
        let tokens: [&[u8]; 5] = [b"{", b"\"type\"", b":", b"\"", self.name().as_bytes()];
        let behind = tokens.iter().try_fold(data, |data, token| {
            data.trim_ascii_start().strip_prefix(*token)
        });
        behind.is_some_and(|data| data.first() == Some(&b'"'))
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
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

    pub(crate) fn name(self) -> &'static str {
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

/// The fields of an event's data that show which part it is.
#[derive(Default)]
struct Typed<'a> {
    kind: Value<'a>,
}

fields!(Typed {
    b"type" => kind,
});
