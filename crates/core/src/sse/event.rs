//! One event: its name, its data, and its other lines.

use std::borrow::Cow;

use super::line::{Lines, field, name_of};
use crate::json::Json;

/// One event, borrowed from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event` field. Empty if there is none.
    pub name: &'a str,
    /// The raw lines of the event.
    lines: &'a [u8],
    data: Data<'a>,
    has_foreign_lines: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Data<'a> {
    None,
    Line(&'a [u8]),
    Lines,
    TooLong,
}

impl<'a> Event<'a> {
    /// Reads the lines of an event, once.
    pub(crate) fn of(lines: &'a [u8]) -> Self {
        let mut event = Self {
            name: "",
            lines,
            data: Data::None,
            has_foreign_lines: false,
        };
        for line in Lines(lines) {
            let (name, value) = field(line);
            match name {
                b"data" => {
                    event.data = match event.data {
                        Data::None => Data::Line(value),
                        Data::Line(_) | Data::Lines | Data::TooLong => Data::Lines,
                    };
                }
                b"event" => event.name = name_of(value),
                _ => event.has_foreign_lines |= is_foreign(line),
            }
        }
        event
    }

    /// An event that is too long to be read, with its name. `lines`: its beginning, whose last line may be
    /// incomplete.
    pub(super) fn too_long(lines: &'a [u8], name: &'a str) -> Self {
        Self {
            name,
            lines,
            data: Data::TooLong,
            has_foreign_lines: false,
        }
    }

    /// The `data` field; several lines are joined by LF. `None`: it is too long to be read.
    pub fn data(&self) -> Option<Cow<'a, [u8]>> {
        match self.data {
            Data::None => Some(Cow::Borrowed(b"")),
            Data::Line(line) => Some(Cow::Borrowed(line)),
            Data::Lines => Some(Cow::Owned(joined(self.lines))),
            Data::TooLong => None,
        }
    }

    /// The event as it came, or only its beginning.
    pub fn raw(&self) -> &'a [u8] {
        self.lines
    }

    /// Whether its data is complete JSON.
    pub(crate) fn has_json(&self) -> bool {
        let data = self.data().unwrap_or_default();
        let mut json = Json::new(&data);
        json.skip().and_then(|()| json.end()).is_ok()
    }

    /// Whether there is a `data` field.
    pub fn has_data(&self) -> bool {
        self.data != Data::None
    }

    /// Whether a line looks like a piece of another document, such as HTML or JSON in a stream. Any other
    /// line is an unknown field, or a comment.
    pub fn has_foreign_lines(&self) -> bool {
        self.has_foreign_lines
    }
}

fn joined(lines: &[u8]) -> Vec<u8> {
    let values = Lines(lines)
        .map(field)
        .filter_map(|(name, value)| (name == b"data").then_some(value));
    values.collect::<Vec<_>>().join(&b'\n')
}

/// Whether a line is a piece of HTML, XML or JSON.
fn is_foreign(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), Some(b'<' | b'{' | b'['))
}
