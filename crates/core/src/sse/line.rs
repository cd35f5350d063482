//! Lines, as all readers of a stream read them.

use memchr::{memchr, memchr2};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

pub(super) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The lines that are not blank, without line ends and without a byte order mark at the beginning.
pub(super) struct Lines<'a>(pub(super) &'a [u8]);

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

/// The name and value of a line. A comment has the empty name.
pub(super) fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = memchr(b':', line) else {
        return (line, b"");
    };
    let value = &line[colon + 1..];
    (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
}

/// An event's name. A name that is not valid text does not become empty.
pub(super) fn name_of(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or("\u{fffd}")
}

pub(super) fn is_blank(lines: &[u8]) -> bool {
    lines.iter().all(u8::is_ascii_whitespace)
}
