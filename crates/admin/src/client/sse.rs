//! Server-sent events, read as they arrive.
//!
//! It understands what the admin server sends: `event` and `data` fields and comments. The caller skips
//! events that are not called `snapshot`.

use std::collections::VecDeque;

/// In bytes, for one event: far more than any snapshot.
const LIMIT: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
}

/// An event outgrew the limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Takes bytes in pieces of any size and gives whole events.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    event: Event,
    ready: VecDeque<Event>,
}

impl Parser {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.line.extend_from_slice(rest);
        if self.line.len() + self.event.data.len() > LIMIT {
            return Err(TooLong);
        }
        Ok(())
    }

    /// The oldest whole event that was not taken yet.
    pub(super) fn next(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line));
        if line.is_empty() {
            let mut event = std::mem::take(&mut self.event);
            if event.data.pop().is_some() {
                self.ready.push_back(event);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = Parser::default();
        for piece in pieces {
            parser.push(piece).unwrap();
        }
        std::iter::from_fn(|| parser.next())
            .map(|event| (event.name, event.data))
            .collect()
    }

    fn event(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn an_event_is_whole_after_its_blank_line() {
        assert_eq!(events(&[b"event: snapshot\ndata: {}\n"]), []);
        assert_eq!(
            events(&[b"event: snapshot\ndata: {}\n\n"]),
            [event("snapshot", "{}")]
        );
    }

    #[test]
    fn the_pieces_do_not_matter() {
        let stream = "event: snapshot\r\ndata: {\"flag\":\"🇭🇰\"}\r\n\r\ndata:2\n\n".as_bytes();
        let whole = events(&[stream]);
        let bytes: Vec<_> = stream.chunks(1).collect();

        assert_eq!(
            whole,
            [event("snapshot", "{\"flag\":\"🇭🇰\"}"), event("", "2")]
        );
        assert_eq!(events(&bytes), whole);
    }

    #[test]
    fn comments_are_skipped_and_lines_of_data_joined() {
        let stream = b": keep-alive\n\n:\n\ndata: 1\ndata: 2\nid: 7\n\n";

        assert_eq!(events(&[stream]), [event("", "1\n2")]);
    }

    #[test]
    fn an_endless_event_is_an_error() {
        let mut parser = Parser::default();
        let piece = vec![b'a'; LIMIT];

        assert_eq!(parser.push(&piece), Ok(()));
        assert_eq!(parser.push(b"a"), Err(TooLong));
    }
}
