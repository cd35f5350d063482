//! An incremental reader of server-sent events (WHATWG HTML, "Server-sent events"), as the clients read them.
//!
//! Only the fields `event` and `data` matter. Lines end in LF, CRLF or CR, also mixed; a byte order mark may
//! stand before any line, as the TypeScript SDK allows. An event ends with the first byte of its blank line's
//! end, so a stream of CR lines waits for nothing.
//!
//! An event that is whole within one chunk is read in place; only the rest of a chunk is kept. Memory is
//! bounded: of an event longer than [`MAX_READ`] the beginning and the name are kept, wherever the name
//! stands, and no data. An event longer than [`MAX_EVENT`] is refused.

use std::borrow::Cow;
use std::ops::ControlFlow;

use memchr::{memchr, memchr2};

use crate::json::Json;

/// Maximum length of an event whose data is read. Tokens come in events of some hundred bytes; only whole
/// results of server tools are longer.
pub const MAX_READ: usize = 256 * 1024;

/// Maximum length of an event. Anything longer is an endless line.
pub const MAX_EVENT: usize = 8 * 1024 * 1024;

/// How much of the buffer is kept between two events.
const SPARE: usize = 4 * 1024;

/// Of a line behind the part of an event that is kept, how much is looked at: enough for `event:` and any
/// name that means something.
const LINE_HEAD: usize = 64;

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

    /// Of an event that is too long to be read, its name; `lines`: its beginning, the last line of which may
    /// be incomplete.
    fn too_long(lines: &'a [u8], name: &'a str) -> Self {
        Self {
            name,
            lines,
            data: Data::TooLong,
            has_foreign_lines: false,
        }
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

    /// Whether its data is whole JSON.
    pub(crate) fn has_json(&self) -> bool {
        let data = self.data().unwrap_or_default();
        let mut json = Json::new(&data);
        json.skip().and_then(|()| json.end()).is_ok()
    }

    /// Whether there is a `data` field.
    pub fn has_data(&self) -> bool {
        self.data != Data::None
    }

    /// Whether a line looks like a piece of another document: HTML or JSON in a stream, for instance. Any
    /// other line is a field that nobody knows, or a comment.
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
    /// What is looked at of the lines behind `rest`.
    behind: Behind,
    at: At,
}

/// Where in a line the stream has stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    LineStart,
    /// At the beginning of a line, behind a CR: an LF still belongs to that.
    AfterReturn,
    /// At the beginning of a line, behind so many bytes of a byte order mark.
    Mark(u8),
    Within,
}

impl Reader {
    /// Takes in a chunk and hands every event that it completes to `on_event`.
    ///
    /// # Errors
    ///
    /// [`Oversized`] if an event is too long.
    pub fn push(
        &mut self,
        chunk: &[u8],
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<(), Oversized> {
        let read = self.push_until(chunk, |event| {
            on_event(event);
            ControlFlow::Continue(())
        });
        read.map(drop)
    }

    /// The same until `on_event` breaks. Returns how many bytes of the chunk were taken in: with the event at
    /// which it broke, those up to its end.
    ///
    /// # Errors
    ///
    /// [`Oversized`] if an event is too long.
    pub fn push_until(
        &mut self,
        chunk: &[u8],
        mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<usize, Oversized> {
        let mut taken = 0;
        while let Some(end) = self.end_of_event(&chunk[taken..]) {
            let event = &chunk[taken..taken + end];
            taken += end;
            let flow = if self.length == 0 {
                whole(event, &mut on_event)?
            } else {
                self.keep(event)?;
                let flow = self.behind.emit(&self.rest, self.length, &mut on_event);
                self.length = 0;
                self.rest.clear();
                self.rest.shrink_to(SPARE);
                self.behind.line.clear();
                flow
            };
            if flow.is_break() {
                return Ok(taken);
            }
        }
        self.keep(&chunk[taken..])?;
        Ok(chunk.len())
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
        let (kept, behind) = piece.split_at(piece.len().min(room));
        self.rest.extend_from_slice(kept);
        if !behind.is_empty() {
            self.behind.take_in(&self.rest, behind);
        }
        Ok(())
    }

    /// The index after the first blank line, if the chunk has one. Remembers where it stopped.
    fn end_of_event(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut index = 0;
        loop {
            let byte = *chunk.get(index)?;
            match (self.at, byte) {
                (At::AfterReturn, b'\n') => {
                    self.at = At::LineStart;
                    index += 1;
                }
                (At::LineStart, b'\n') => return Some(index + 1),
                (At::LineStart | At::AfterReturn, b'\r') => {
                    let with_line_feed = chunk.get(index + 1) == Some(&b'\n');
                    self.at = if with_line_feed {
                        At::LineStart
                    } else {
                        At::AfterReturn
                    };
                    return Some(index + 1 + usize::from(with_line_feed));
                }
                (At::LineStart | At::AfterReturn, 0xEF) => {
                    self.at = At::Mark(1);
                    index += 1;
                }
                (At::Mark(1), 0xBB) => {
                    self.at = At::Mark(2);
                    index += 1;
                }
                (At::Mark(2), 0xBF) => {
                    self.at = At::LineStart;
                    index += 1;
                }
                (At::LineStart | At::AfterReturn | At::Mark(_) | At::Within, _) => {
                    self.at = At::Within;
                    index += memchr2(b'\n', b'\r', &chunk[index..])?;
                    self.at = if chunk[index] == b'\r' {
                        At::AfterReturn
                    } else {
                        At::LineStart
                    };
                    index += 1;
                }
            }
        }
    }
}

/// Looks for the name of an event in the lines that are too far behind to be kept.
#[derive(Debug, Default)]
struct Behind {
    /// The beginning of the current line, with the line end before it.
    line: Vec<u8>,
    /// The name that was found.
    name: Option<String>,
}

impl Behind {
    /// Takes in what follows `kept`.
    fn take_in(&mut self, kept: &[u8], mut piece: &[u8]) {
        if self.line.is_empty() {
            // The line that is cut off where `kept` ends.
            let start = kept.iter().rposition(|&byte| is_line_end(byte));
            let line = start.map_or(kept, |start| &kept[start..]);
            self.line
                .extend_from_slice(&line[..line.len().min(LINE_HEAD)]);
        }
        while let Some(end) = memchr2(b'\n', b'\r', piece) {
            self.extend(&piece[..end]);
            self.read_line();
            self.line.clear();
            self.line.push(piece[end]);
            piece = &piece[end + 1..];
        }
        self.extend(piece);
    }

    fn extend(&mut self, piece: &[u8]) {
        let room = LINE_HEAD.saturating_sub(self.line.len());
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn read_line(&mut self) {
        for line in Lines(&self.line) {
            if let (b"event", name) = field(line) {
                self.name = Some(name_of(name).to_owned());
            }
        }
    }

    /// Hands on the event of this length of which this is kept.
    fn emit(
        &mut self,
        kept: &[u8],
        length: usize,
        on_event: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if length <= MAX_READ {
            return if is_blank(kept) {
                ControlFlow::Continue(())
            } else {
                on_event(Event::of(kept))
            };
        }
        let name = self.name.take();
        let name = name.as_deref().unwrap_or_else(|| Event::of(kept).name);
        on_event(Event::too_long(kept, name))
    }
}

/// Hands on an event that lies in one piece.
fn whole(
    lines: &[u8],
    on_event: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Oversized> {
    if lines.len() > MAX_EVENT {
        return Err(Oversized);
    }
    if is_blank(lines) {
        return Ok(ControlFlow::Continue(()));
    }
    let event = Event::of(lines);
    Ok(on_event(if lines.len() > MAX_READ {
        Event::too_long(&lines[..MAX_READ], event.name)
    } else {
        event
    }))
}

fn is_blank(lines: &[u8]) -> bool {
    lines.iter().all(u8::is_ascii_whitespace)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The lines that are not blank, without their ends and without a byte order mark before them.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if self.0.is_empty() {
                return None;
            }
            let end = memchr2(b'\n', b'\r', self.0).unwrap_or(self.0.len());
            let line = &self.0[..end];
            self.0 = self.0.get(end + 1..).unwrap_or_default();
            let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

/// Name and value of a line; a comment has the empty name.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = memchr(b':', line) else {
        return (line, b"");
    };
    let value = &line[colon + 1..];
    (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
}

/// An event's name. One that is no text is not empty either.
fn name_of(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or("\u{fffd}")
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
    fn lines_end_in_lf_crlf_or_cr_also_mixed() {
        let expected = [("a".to_owned(), "1".to_owned()), ("b".into(), "2".into())];
        for text in [
            "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n",
            "event: a\r\ndata: 1\r\n\r\nevent: b\r\ndata: 2\r\n\r\n",
            "event: a\rdata: 1\r\revent: b\rdata: 2\r\r",
            "event: a\r\ndata: 1\n\r\nevent: b\rdata: 2\r\n\r",
            "event: a\ndata: 1\r\n\nevent: b\ndata: 2\r\r\n",
            "\r\n\nevent: a\rdata: 1\n\revent: b\ndata: 2\n\r",
        ] {
            assert_eq!(read(&[text.as_bytes()]), expected, "{text:?}");
            let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(read(&single), expected, "{text:?} byte by byte");
        }
    }

    #[test]
    fn reading_stops_behind_the_event_at_which_it_is_asked_to() {
        for (end, text) in [
            ("\n", "event: a\n\nevent: b\n\nbehind"),
            ("\r\n", "event: a\r\n\r\nevent: b\r\n\r\nbehind"),
            ("\r", "event: a\r\revent: b\r\rbehind"),
        ] {
            let mut reader = Reader::default();

            let taken = reader.push_until(text.as_bytes(), |event| {
                if event.name == "b" {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });

            assert_eq!(taken, Ok(text.len() - "behind".len()), "{end:?}");
            assert!(!reader.is_midway(), "{end:?}");
        }
    }

    #[test]
    fn a_long_event_keeps_its_name_wherever_that_stands() {
        let filler = "x".repeat(MAX_READ);
        for text in [
            format!("data: {filler}\nevent: name\n\n"),
            format!("data: {filler}\revent: name\r\r"),
            format!("data: {filler}\r\nevent:name\r\ndata: more\r\n\r\n"),
            // Cut off in the midst of the line with the name.
            format!(
                "data: {}\nevent: name\ndata: y\n\n",
                &filler[..MAX_READ - 12]
            ),
            format!("event: earlier\ndata: {filler}\nevent: name\n\n"),
            format!("event: name\ndata: {filler}\nevents: other\n: event: other\n\n"),
        ] {
            let text = format!("{text}event: short\n\n");
            for size in [text.len(), 4096, 7, MAX_READ + 1] {
                let mut reader = Reader::default();
                let mut names = Vec::new();
                for chunk in text.as_bytes().chunks(size) {
                    reader
                        .push(chunk, |event| names.push(event.name.to_owned()))
                        .unwrap();
                }
                assert_eq!(
                    names,
                    ["name", "short"],
                    "in pieces of {size}: {:.20}",
                    text
                );
            }
        }
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
    fn a_byte_order_mark_may_stand_before_any_line() {
        let text = "\u{feff}event: a\n\u{feff}data: 1\n\u{feff}\nevent: b\ndata: \u{feff}2\n\n";

        assert_eq!(
            read(&[text.as_bytes()]),
            [("a".into(), "1".into()), ("b".into(), "\u{feff}2".into())]
        );
    }

    #[test]
    fn lines_of_any_other_text_are_fields_that_nobody_knows() {
        for line in [
            "hello",
            "x.trace: 1",
            "数据: 1",
            "retry after: 3",
            " event: a",
            ":",
            "Data: 2",
        ] {
            let mut foreign = Vec::new();

            let text = format!("{line}\ndata: 1\n\n");
            Reader::default()
                .push(text.as_bytes(), |event| {
                    foreign.push(event.has_foreign_lines())
                })
                .unwrap();

            assert_eq!(foreign, [false], "{line}");
        }
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
            text in "(event: [a-c]{1,3}|data: [a-z ]{0,9}|: c|\r\n|\n|\r|\u{feff}){0,40}",
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
