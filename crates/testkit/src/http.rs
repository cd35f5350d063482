//! HTTP/1.1 on a raw socket: heads and bodies, read byte by byte as they come.
//!
//! Not a library's parser, on purpose: header order and case stay as sent, and a body that breaks
//! off is told apart from one that ends. It is strict about framing and nothing else.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Header lines in the order and case in which they were sent.
pub type Headers = Vec<(String, String)>;

/// The first value of the header `name`, whatever its case.
pub(crate) fn header<'h>(headers: &'h Headers, name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|(have, _)| have.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// A start line with its headers.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) start: String,
    pub(crate) headers: Headers,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// How the body of a request with this head is delimited.
    pub(crate) fn request_framing(&self) -> io::Result<Framing> {
        Ok(self.declared_framing()?.unwrap_or(Framing::Ended))
    }

    /// How the body of an answer with this head is delimited, if it has one.
    pub(crate) fn answer_framing(&self) -> io::Result<Framing> {
        Ok(self.declared_framing()?.unwrap_or(Framing::UntilClose))
    }

    fn declared_framing(&self) -> io::Result<Option<Framing>> {
        if let Some(coding) = self.header("transfer-encoding") {
            return if coding.eq_ignore_ascii_case("chunked") {
                Ok(Some(Framing::Chunk { left: 0 }))
            } else {
                Err(malformed("transfer-encoding"))
            };
        }
        match self.header("content-length").map(str::parse) {
            None => Ok(None),
            Some(Ok(0)) => Ok(Some(Framing::Ended)),
            Some(Ok(left)) => Ok(Some(Framing::Length { left })),
            Some(Err(_)) => Err(malformed("content-length")),
        }
    }
}

/// What is still to be read of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framing {
    Ended,
    Length {
        left: usize,
    },
    /// `left` bytes of the current chunk; none of them: a chunk's size line comes next.
    Chunk {
        left: usize,
    },
    UntilClose,
}

/// The reading side of a connection, with what was read ahead.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    pub(crate) socket: S,
    pub(crate) ahead: BytesMut,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self {
            socket,
            ahead: BytesMut::new(),
        }
    }

    /// The next head, or `None` if the peer closed the connection before its first byte.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Head>> {
        let Some(start) = self.line().await? else {
            return Ok(None);
        };
        let headers = self.header_lines().await?;
        Ok(Some(Head { start, headers }))
    }

    /// The next piece of a body, as large as it happened to arrive; `None` at its proper end.
    pub(crate) async fn piece(
        &mut self,
        framing: &mut Framing,
        trailers: &mut Headers,
    ) -> io::Result<Option<Bytes>> {
        match *framing {
            Framing::Ended => Ok(None),
            Framing::Length { left } => {
                let piece = self.at_most(left).await?;
                *framing = match left - piece.len() {
                    0 => Framing::Ended,
                    left => Framing::Length { left },
                };
                Ok(Some(piece))
            }
            Framing::Chunk { left: 0 } => {
                let size = self.line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
                let digits = size.split(';').next().unwrap_or_default().trim();
                let left = usize::from_str_radix(digits, 16).map_err(|_| malformed("chunk"))?;
                if left == 0 {
                    *trailers = self.header_lines().await?;
                    *framing = Framing::Ended;
                    return Ok(None);
                }
                self.piece_of_chunk(left, framing).await.map(Some)
            }
            Framing::Chunk { left } => self.piece_of_chunk(left, framing).await.map(Some),
            Framing::UntilClose => {
                if self.ahead.is_empty() && self.socket.read_buf(&mut self.ahead).await? == 0 {
                    *framing = Framing::Ended;
                    return Ok(None);
                }
                Ok(Some(self.ahead.split().freeze()))
            }
        }
    }

    /// A whole body and its trailers.
    pub(crate) async fn body(&mut self, mut framing: Framing) -> io::Result<(Bytes, Headers)> {
        let mut body = BytesMut::new();
        let mut trailers = Headers::new();
        while let Some(piece) = self.piece(&mut framing, &mut trailers).await? {
            body.extend_from_slice(&piece);
        }
        Ok((body.freeze(), trailers))
    }

    /// Exactly `length` bytes.
    pub(crate) async fn exactly(&mut self, length: usize) -> io::Result<Bytes> {
        while self.ahead.len() < length {
            self.more().await?;
        }
        Ok(self.ahead.split_to(length).freeze())
    }

    async fn piece_of_chunk(&mut self, left: usize, framing: &mut Framing) -> io::Result<Bytes> {
        // Recorded before the read: if that is cancelled, the size line is not read again.
        *framing = Framing::Chunk { left };
        let piece = self.at_most(left).await?;
        let left = left - piece.len();
        if left == 0 && self.line().await?.as_deref() != Some("") {
            return Err(malformed("chunk"));
        }
        *framing = Framing::Chunk { left };
        Ok(piece)
    }

    async fn header_lines(&mut self) -> io::Result<Headers> {
        let mut headers = Headers::new();
        loop {
            let line = self.line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| malformed("header"))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// A line without its end, or `None` if the peer closed before its first byte.
    async fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.ahead.split_to(end + 2);
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            if self.socket.read_buf(&mut self.ahead).await? == 0 {
                return if self.ahead.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// At least one byte and at most `limit`.
    async fn at_most(&mut self, limit: usize) -> io::Result<Bytes> {
        if self.ahead.is_empty() {
            self.more().await?;
        }
        let length = limit.min(self.ahead.len());
        Ok(self.ahead.split_to(length).freeze())
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.socket.read_buf(&mut self.ahead).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The usual words after a status code; they mean nothing to any client.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        529 => "Overloaded",
        _ => "Status",
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}
