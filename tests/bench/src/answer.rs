//! Reading an HTTP/1.1 answer piece by piece, with as little work as possible.
//!
//! Not a parser to be trusted with strangers: it reads what the programs measured here send.

use anyhow::{Context, Result, bail};

/// An answer that is being read.
#[derive(Debug)]
pub(crate) struct Answer {
    part: Part,
    /// The head, or a chunk's size line, as far as it has come.
    line: Vec<u8>,
    status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Head,
    Length(usize),
    ChunkSize,
    Chunk(usize),
    ChunkEnd,
    /// The line ends after the last chunk.
    Trailer,
    Done,
}

impl Answer {
    /// An answer of which nothing has come.
    pub(crate) fn new() -> Self {
        Self {
            part: Part::Head,
            line: Vec::new(),
            status: 0,
        }
    }

    /// Takes in what came and hands the body's bytes to `body`.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut body: impl FnMut(&[u8])) -> Result<()> {
        while !bytes.is_empty() {
            match self.part {
                Part::Head => {
                    let before = self.line.len();
                    self.line.extend_from_slice(bytes);
                    let from = before.saturating_sub(3);
                    let Some(end) = find(&self.line[from..], b"\r\n\r\n") else {
                        return Ok(());
                    };
                    let end = from + end + 4;
                    bytes = &bytes[end - before..];
                    self.line.truncate(end);
                    self.part = self.read_head()?;
                    self.line.clear();
                }
                Part::Length(left) => {
                    let (data, rest) = bytes.split_at(left.min(bytes.len()));
                    body(data);
                    bytes = rest;
                    self.part = match left - data.len() {
                        0 => Part::Done,
                        left => Part::Length(left),
                    };
                }
                Part::Chunk(left) => {
                    let (data, rest) = bytes.split_at(left.min(bytes.len()));
                    body(data);
                    bytes = rest;
                    self.part = match left - data.len() {
                        0 => Part::ChunkEnd,
                        left => Part::Chunk(left),
                    };
                }
                Part::ChunkSize | Part::ChunkEnd | Part::Trailer => {
                    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                        self.line.extend_from_slice(bytes);
                        return Ok(());
                    };
                    self.line.extend_from_slice(&bytes[..end]);
                    bytes = &bytes[end + 1..];
                    self.part = match self.part {
                        Part::ChunkEnd => Part::ChunkSize,
                        Part::Trailer => Part::Done,
                        Part::ChunkSize
                        | Part::Head
                        | Part::Length(_)
                        | Part::Chunk(_)
                        | Part::Done => match chunk_size(&self.line)? {
                            0 => Part::Trailer,
                            size => Part::Chunk(size),
                        },
                    };
                    self.line.clear();
                }
                Part::Done => bail!("bytes after the end of an answer"),
            }
        }
        Ok(())
    }

    /// Whether all of it is there.
    pub(crate) fn is_done(&self) -> bool {
        self.part == Part::Done
    }

    /// Its status, once its head is there.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    fn read_head(&mut self) -> Result<Part> {
        let head = std::str::from_utf8(&self.line)?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        self.status = status.context("an answer without a status")?.parse()?;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                return Ok(match value.trim().parse()? {
                    0 => Part::Done,
                    length => Part::Length(length),
                });
            }
            if name.eq_ignore_ascii_case("transfer-encoding") {
                return Ok(Part::ChunkSize);
            }
        }
        bail!("an answer without a length")
    }
}

fn chunk_size(line: &[u8]) -> Result<usize> {
    let text = std::str::from_utf8(line)?;
    let size = text.split(';').next().unwrap_or_default().trim();
    usize::from_str_radix(size, 16).context("no size of a chunk")
}

/// Where `what` begins in `bytes`.
pub(crate) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, step: usize) -> (u16, String, bool) {
        let mut answer = Answer::new();
        let mut body = Vec::new();
        for piece in text.as_bytes().chunks(step) {
            answer
                .feed(piece, |data| body.extend_from_slice(data))
                .unwrap();
        }
        let body = String::from_utf8(body).unwrap();
        (answer.status(), body, answer.is_done())
    }

    #[test]
    fn an_answer_is_read_in_pieces_of_any_size() {
        let long = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        let chunked = "HTTP/1.1 529 Busy\r\nTransfer-Encoding: chunked\r\n\r\n\
                       3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

        for step in 1..80 {
            assert_eq!(read(long, step), (200, "hello".to_owned(), true));
            assert_eq!(read(chunked, step), (529, "hello".to_owned(), true));
        }
    }

    #[test]
    fn an_answer_that_stops_midway_is_not_done() {
        let cut = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n";

        assert_eq!(read(cut, 7), (200, "hel".to_owned(), false));
    }
}
