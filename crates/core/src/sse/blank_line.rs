//! Where an event ends: after a blank line. A CR ends a line at once, and an LF after it belongs to the same
//! line end.

use memchr::memchr2;

/// The position within a line where the last chunk ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum At {
    #[default]
    LineStart,
    /// At the beginning of a line, after a CR: an LF would still belong to the line end.
    AfterReturn,
    /// At the beginning of a line, after so many of the three bytes of a byte order mark.
    Mark(u8),
    Within,
}

impl At {
    /// The index after the first blank line, if the chunk has one. Remembers the position at the end of the
    /// chunk.
    pub(super) fn end_of_event(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut index = 0;
        loop {
            let byte = *chunk.get(index)?;
            match (*self, byte) {
                (At::AfterReturn, b'\n') => {
                    *self = At::LineStart;
                    index += 1;
                }
                (At::LineStart | At::Mark(3), b'\n') => {
                    *self = At::LineStart;
                    return Some(index + 1);
                }
                (At::LineStart | At::AfterReturn | At::Mark(3), b'\r') => {
                    let with_line_feed = chunk.get(index + 1) == Some(&b'\n');
                    *self = if with_line_feed {
                        At::LineStart
                    } else {
                        At::AfterReturn
                    };
                    return Some(index + 1 + usize::from(with_line_feed));
                }
                (At::LineStart | At::AfterReturn, 0xEF) => {
                    *self = At::Mark(1);
                    index += 1;
                }
                (At::Mark(1), 0xBB) => {
                    *self = At::Mark(2);
                    index += 1;
                }
                (At::Mark(2), 0xBF) => {
                    *self = At::Mark(3);
                    index += 1;
                }
                (At::LineStart | At::AfterReturn | At::Mark(_) | At::Within, _) => {
                    *self = At::Within;
                    index += memchr2(b'\n', b'\r', &chunk[index..])?;
                    *self = if chunk[index] == b'\r' {
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
