//! An incremental reader of server-sent events (WHATWG HTML, "Server-sent events").
//!
//! It reads only what the Messages API uses: the fields `event` and `data`, and lines that end in LF or CRLF.
//! An event that is whole within one chunk is read in place; only the rest of a chunk is kept. Memory is
//! bounded: of an event longer than [`MAX_READ`] the beginning is kept and the rest is counted, so it has a
//! name but no data. An event longer than [`MAX_EVENT`] is refused.

use std::borrow::Cow;

use memchr::memchr;

/// Maximum length of an event whose data is read. Tokens come in events of some hundred bytes; only whole
/// results of server tools are longer.
pub const MAX_READ: usize = 256 * 1024;

/// Maximum length of an event. Anything longer is an endless line.
pub const MAX_EVENT: usize = 8 * 1024 * 1024;

/// How much of the buffer is kept between two events.
const SPARE: usize = 4 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One event, borrowed from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event` field; empty if there was none.
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
    fn of(lines: &'a [u8], cut: Cut) -> Self {
        let mut event = Self {
            name: "",
            lines,
            data: Data::None,
            has_foreign_lines: false,
        };
        for (name, value) in fields(lines) {
            match name {
                b"data" => {
                    event.data = match event.data {
                        Data::None => Data::Line(value),
                        Data::Line(_) | Data::Lines | Data::TooLong => Data::Lines,
                    };
                }
                b"event" => event.name = std::str::from_utf8(value).unwrap_or(""),
                name => event.has_foreign_lines |= !is_field_name(name),
            }
        }
        if cut == Cut::TooLong {
            event.data = Data::TooLong;
            event.has_foreign_lines = false; // The last line may be incomplete.
        }
        event
    }

    /// The `data` field, several lines joined by LF; `None` if it is too long to be read.
    pub fn data(&self) -> Option<Cow<'a, [u8]>> {
        match self.data {
            Data::None => Some(Cow::Borrowed(b"")),
            Data::Line(line) => Some(Cow::Borrowed(line)),
            Data::Lines => Some(Cow::Owned(joined(self.lines))),
            Data::TooLong => None,
        }
    }

    /// The event as it came, or its beginning.
    pub fn raw(&self) -> &'a [u8] {
        self.lines
    }

    /// Whether there is a `data` field.
    pub fn has_data(&self) -> bool {
        self.data != Data::None
    }

    /// Whether a line is neither a field nor a comment: HTML in a stream, for instance. Unknown fields are
    /// still fields.
    pub fn has_foreign_lines(&self) -> bool {
        self.has_foreign_lines
    }
}

/// An event grew beyond [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oversized;

/// Splits a byte stream into events.
#[derive(Debug, Default)]
pub struct Reader {
    /// The beginning of an unfinished event.
    rest: Vec<u8>,
    /// Length of the unfinished event.
    length: usize,
    at: At,
    /// Whether an event was seen: a byte order mark may come only before the first.
    has_begun: bool,
}

/// Where in a line the stream has stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    LineStart,
    /// After a CR at the beginning of a line.
    BareReturn,
    Within,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Whole,
    TooLong,
}

impl Reader {
    /// Takes in a chunk and hands every event that it completes to `on_event`.
    ///
    /// # Errors
    ///
    /// [`Oversized`] if an event is too long.
    pub fn push(
        &mut self,
        mut chunk: &[u8],
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<(), Oversized> {
        while let Some(end) = self.end_of_event(chunk) {
            let (event, behind) = chunk.split_at(end);
            chunk = behind;
            if self.length == 0 {
                let has_begun = std::mem::replace(&mut self.has_begun, true);
                emit(event, event.len(), has_begun, &mut on_event)?;
            } else {
                self.keep(event)?;
                let has_begun = std::mem::replace(&mut self.has_begun, true);
                emit(&self.rest, self.length, has_begun, &mut on_event)?;
                self.length = 0;
                self.rest.clear();
                self.rest.shrink_to(SPARE);
            }
        }
        self.keep(chunk)
    }

    /// Whether an event has begun and not ended.
    pub fn is_midway(&self) -> bool {
        self.rest.iter().any(|byte| !byte.is_ascii_whitespace())
    }

    /// What has arrived of an unfinished event, up to [`MAX_READ`].
    pub fn rest(&self) -> &[u8] {
        &self.rest
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), Oversized> {
        self.length = self.length.saturating_add(piece.len());
        if self.length > MAX_EVENT {
            return Err(Oversized);
        }
        let room = MAX_READ.saturating_sub(self.rest.len());
        self.rest.extend_from_slice(&piece[..piece.len().min(room)]);
        Ok(())
    }

    /// The index after the first blank line, if the chunk has one. Remembers where it stopped.
    fn end_of_event(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut index = 0;
        loop {
            match (self.at, chunk.get(index)) {
                (At::LineStart | At::BareReturn, None) => return None,
                (At::LineStart | At::BareReturn, Some(b'\n')) => {
                    self.at = At::LineStart;
                    return Some(index + 1);
                }
                (At::LineStart, Some(b'\r')) => {
                    self.at = At::BareReturn;
                    index += 1;
                }
                (At::LineStart | At::BareReturn, Some(_)) => self.at = At::Within,
                (At::Within, _) => {
                    index += memchr(b'\n', &chunk[index..])? + 1;
                    self.at = At::LineStart;
                }
            }
        }
    }
}

fn emit(
    lines: &[u8],
    length: usize,
    has_begun: bool,
    on_event: &mut impl FnMut(Event<'_>),
) -> Result<(), Oversized> {
    if length > MAX_EVENT {
        return Err(Oversized);
    }
    let (lines, cut) = match lines.get(..MAX_READ) {
        Some(beginning) if length > MAX_READ => (beginning, Cut::TooLong),
        Some(_) | None => (lines, Cut::Whole),
    };
    let lines = match lines.strip_prefix(BYTE_ORDER_MARK) {
        Some(behind) if !has_begun => behind,
        Some(_) | None => lines,
    };
    let begins_blank = lines.first().is_none_or(u8::is_ascii_whitespace);
    if !begins_blank || !lines.iter().all(u8::is_ascii_whitespace) {
        on_event(Event::of(lines, cut));
    }
    Ok(())
}

/// Name and value of every line; a comment has the empty name.
fn fields(mut lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        loop {
            if lines.is_empty() {
                return None;
            }
            let end = memchr(b'\n', lines).unwrap_or(lines.len());
            let line = &lines[..end];
            lines = lines.get(end + 1..).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                return Some(field(line));
            }
        }
    })
}

fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = memchr(b':', line) else {
        return (line, b"");
    };
    let value = &line[colon + 1..];
    (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
}

fn joined(lines: &[u8]) -> Vec<u8> {
    let values = fields(lines).filter_map(|(name, value)| (name == b"data").then_some(value));
    values.collect::<Vec<_>>().join(&b'\n')
}

fn is_field_name(name: &[u8]) -> bool {
    name.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        for chunk in chunks {
            let keep = |event: Event<'_>| {
                let data = String::from_utf8(event.data().unwrap().into_owned()).unwrap();
                events.push((event.name.to_owned(), data));
            };
            reader.push(chunk, keep).unwrap();
        }
        events
    }

    #[test]
    fn events_end_with_a_blank_line_of_either_kind() {
        let events = read(&[b"event: a\ndata: 1\n\nevent: b\r\ndata: 2\r\n\r\n"]);

        assert_eq!(events, [("a".into(), "1".into()), ("b".into(), "2".into())]);
    }

    #[test]
    fn several_data_lines_are_joined() {
        assert_eq!(
            read(&[b"data: 1\ndata:2\n\n"]),
            [(String::new(), "1\n2".into())]
        );
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut reader = Reader::default();
        let chunk = vec![b'x'; MAX_EVENT / 2];

        assert_eq!(reader.push(&chunk, |_| ()), Ok(()));
        assert_eq!(reader.push(&chunk, |_| ()), Ok(()));
        assert_eq!(reader.push(&chunk, |_| ()), Err(Oversized));
        assert!(reader.rest.capacity() <= 2 * MAX_READ);
    }

    #[test]
    fn a_long_event_has_its_name_and_no_data_wherever_it_is_cut() {
        let long = format!("event: long\ndata: {}\n\n", "x".repeat(MAX_READ));
        for size in [long.len(), 4096, MAX_READ + 1] {
            let mut reader = Reader::default();
            let mut seen = Vec::new();

            for chunk in long.as_bytes().chunks(size) {
                let note =
                    |event: Event<'_>| seen.push((event.name == "long", event.data().is_some()));
                reader.push(chunk, note).unwrap();
            }

            assert_eq!(seen, [(true, false)], "in pieces of {size}");
            assert!(reader.rest.capacity() <= SPARE, "in pieces of {size}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_none_of_the_first_field() {
        assert_eq!(
            read(&[b"\xEF\xBB", b"\xBFevent: a\n\n"]),
            [("a".into(), String::new())]
        );
    }

    #[test]
    fn unknown_fields_are_no_foreign_lines() {
        let mut foreign = Vec::new();

        Reader::default()
            .push(
                b"id: 1\nretry: 2\nx-trace: 3\ndata: {}\n\n{\"a\":1}\n\n",
                |event| {
                    foreign.push(event.has_foreign_lines());
                },
            )
            .unwrap();

        assert_eq!(foreign, [false, true]);
    }

    #[test]
    fn a_line_of_html_in_a_stream_is_noticed() {
        let mut foreign = Vec::new();
        let text = b"data: {}\n\n<html><body>\n\n: a comment\n\n";

        Reader::default()
            .push(text, |event| foreign.push(event.has_foreign_lines()))
            .unwrap();

        assert_eq!(foreign, [false, true, false]);
    }

    proptest! {
        #[test]
        fn chunk_borders_do_not_matter(
            text in "(event: [a-c]{1,3}\r?\n|data: [a-z ]{0,9}\r?\n|\r?\n|: c\n){0,30}",
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();

            prop_assert_eq!(read(&chunks), read(&[bytes]));
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut reader = Reader::default();
            prop_assert!(reader.push(&bytes, |event| drop(event.data())).is_ok());
        }
    }
}
