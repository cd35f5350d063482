//! An incremental reader of server-sent events (WHATWG HTML, "Server-sent events").
//!
//! It reads only what the Messages API uses: the fields `event` and `data`, lines that end in LF or
//! CRLF. An event that lies whole in one chunk is read where it lies; only the rest of a chunk is kept.

/// Most bytes of one unfinished event. Claude Code's largest are tool results of a few hundred KB.
pub const MAX_EVENT: usize = 8 * 1024 * 1024;

/// One event, borrowed from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event` field; empty if there was none.
    pub name: &'a str,
    /// The raw lines of the event.
    lines: &'a [u8],
}

impl Event<'_> {
    /// The `data` field; several lines are joined by LF.
    pub fn data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        for value in
            fields(self.lines).filter_map(|(name, value)| (name == b"data").then_some(value))
        {
            if !data.is_empty() {
                data.push(b'\n');
            }
            data.extend_from_slice(value);
        }
        data
    }

    /// The event as it came.
    pub fn raw(&self) -> &[u8] {
        self.lines
    }

    /// Whether there is a `data` field.
    pub fn has_data(&self) -> bool {
        fields(self.lines).any(|(name, _)| name == b"data")
    }

    /// Whether a line is neither a field nor a comment: HTML in a stream, for instance.
    pub fn has_foreign_lines(&self) -> bool {
        fields(self.lines)
            .any(|(name, _)| !matches!(name, b"event" | b"data" | b"id" | b"retry" | b""))
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
    /// Up to here `rest` was searched for its end.
    searched: usize,
}

impl Reader {
    /// Takes in a chunk and hands every event that it completes to `on_event`.
    ///
    /// # Errors
    ///
    /// [`Oversized`] if an event does not end in time.
    pub fn push(
        &mut self,
        mut chunk: &[u8],
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<(), Oversized> {
        if !self.rest.is_empty() {
            let joined_from = self.rest.len();
            self.rest.extend_from_slice(chunk);
            let Some(end) = end_of_event(&self.rest, self.searched) else {
                return self.wait_for_more();
            };
            emit(&self.rest[..end], &mut on_event);
            // The end lies behind what was there before: the old rest held no whole event.
            chunk = &chunk[end.saturating_sub(joined_from)..];
            self.rest.clear();
            self.searched = 0;
        }
        while let Some(end) = end_of_event(chunk, 0) {
            emit(&chunk[..end], &mut on_event);
            chunk = &chunk[end..];
        }
        self.rest.extend_from_slice(chunk);
        self.wait_for_more()
    }

    /// Whether an event has begun and not ended.
    pub fn is_midway(&self) -> bool {
        self.rest.iter().any(|byte| !byte.is_ascii_whitespace())
    }

    /// What of an unfinished event has arrived.
    pub fn rest(&self) -> &[u8] {
        &self.rest
    }

    fn wait_for_more(&mut self) -> Result<(), Oversized> {
        // A blank line's first line end may be the last byte seen.
        self.searched = self.rest.len().saturating_sub(3);
        if self.rest.len() > MAX_EVENT {
            Err(Oversized)
        } else {
            Ok(())
        }
    }
}

/// The index behind the first blank line at or after `from`.
fn end_of_event(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = bytes[at..].iter().position(|&byte| byte == b'\n') {
        let line_end = at + found;
        match &bytes[line_end + 1..] {
            [b'\n', ..] => return Some(line_end + 2),
            [b'\r', b'\n', ..] => return Some(line_end + 3),
            _ => at = line_end + 1,
        }
    }
    None
}

fn emit(lines: &[u8], on_event: &mut impl FnMut(Event<'_>)) {
    if lines.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let name = fields(lines)
        .filter_map(|(name, value)| (name == b"event").then_some(value))
        .last();
    let name = name
        .and_then(|name| std::str::from_utf8(name).ok())
        .unwrap_or("");
    on_event(Event { name, lines });
}

/// Name and value of every line; a comment has the empty name.
fn fields(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return None;
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Some((line, &b""[..]));
        };
        let value = &line[colon + 1..];
        Some((&line[..colon], value.strip_prefix(b" ").unwrap_or(value)))
    })
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
                let data = String::from_utf8(event.data()).unwrap();
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
