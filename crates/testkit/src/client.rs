//! A client that sends exact bytes and tells a clean end from an abort.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::encoding::Encoding;
use crate::http::{Framing, Headers, Wire, header};
use crate::record::PATIENCE;

/// An HTTP/1.1 connection on which a test writes what it likes.
///
/// Whatever waits for the peer gives up after [`PATIENCE`](crate::PATIENCE) with
/// [`io::ErrorKind::TimedOut`].
#[derive(Debug)]
pub struct RawClient {
    wire: Wire<TcpStream>,
    framing: Framing,
    events: Vec<u8>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// As its framing says: all of its length, its last chunk.
    Clean,
    /// By a closed or reset connection.
    Cut,
}

/// An answer as it was received.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, in the order and case in which they were sent.
    pub headers: Headers,
    /// The body with its chunks joined, as far as it came.
    pub body: Vec<u8>,
    /// Whether that was all of it.
    pub end: End,
}

impl RawClient {
    /// Connects.
    pub async fn connect(addr: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(addr).await?;
        socket.set_nodelay(true)?;
        Ok(Self {
            wire: Wire::new(socket),
            framing: Framing::Ended,
            events: Vec::new(),
        })
    }

    /// Sends these bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.wire.socket.write_all(bytes.as_ref()).await
    }

    /// Sends a Messages request with this body.
    pub async fn send_messages(&mut self, body: impl AsRef<[u8]>) -> io::Result<()> {
        let body = body.as_ref();
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             anthropic-version: 2023-06-01\r\nx-api-key: client-key\r\nContent-Length: {}\r\n\r\n",
            self.wire.socket.peer_addr()?,
            body.len(),
        );
        self.send([head.as_bytes(), body].concat()).await
    }

    /// The head of the next answer, whether interim (1xx) or final.
    ///
    /// An error means that there is no whole head: [`io::ErrorKind::UnexpectedEof`] if the
    /// connection was closed, [`io::ErrorKind::ConnectionReset`] if it was reset.
    pub async fn read_head(&mut self) -> io::Result<(u16, Headers)> {
        let head = patiently(self.wire.head()).await?;
        let head = head.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head
            .start
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|digits| digits.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        self.framing = match status {
            100..=199 | 204 | 304 => Framing::Ended,
            _ => head.answer_framing()?,
        };
        self.events.clear();
        Ok((status, head.headers))
    }

    /// The next piece of the body as it arrives, or how the body ended.
    pub async fn read_piece(&mut self) -> io::Result<Result<Bytes, End>> {
        let mut trailers = Headers::new();
        match patiently(self.wire.piece(&mut self.framing, &mut trailers)).await {
            Ok(Some(piece)) => Ok(Ok(piece)),
            Ok(None) => Ok(Err(End::Clean)),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(error),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(error),
            Err(_) => Ok(Err(End::Cut)),
        }
    }

    /// The rest of the body and how it ended.
    pub async fn read_body(&mut self) -> io::Result<(Vec<u8>, End)> {
        let mut body = Vec::new();
        loop {
            match self.read_piece().await? {
                Ok(piece) => body.extend_from_slice(&piece),
                Err(end) => return Ok((body, end)),
            }
        }
    }

    /// The next server-sent event of an uncompressed body, as soon as it is complete, or how the
    /// body ended.
    pub async fn next_event(&mut self) -> io::Result<Result<(String, Value), End>> {
        loop {
            if let Some(length) = event_end(&self.events) {
                let event = self.events.drain(..length).collect::<Vec<u8>>();
                match events(&event).pop() {
                    Some(event) => return Ok(Ok(event)),
                    None => continue,
                }
            }
            match self.read_piece().await? {
                Ok(piece) => self.events.extend_from_slice(&piece),
                Err(end) => return Ok(Err(end)),
            }
        }
    }

    /// The next final answer, to its end.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let (status, headers) = self.read_head().await?;
            if status < 200 {
                continue;
            }
            let (body, end) = self.read_body().await?;
            return Ok(Answer {
                status,
                headers,
                body,
                end,
            });
        }
    }
}

/// Sends a Messages request on a connection of its own.
///
/// An error means that there was no whole head; see [`RawClient::read_head`].
pub async fn post_messages(addr: SocketAddr, body: impl AsRef<[u8]>) -> io::Result<Answer> {
    let mut client = RawClient::connect(addr).await?;
    client.send_messages(body).await?;
    client.answer().await
}

/// Sends a GET request on a connection of its own.
///
/// An error means that there was no whole head; see [`RawClient::read_head`].
pub async fn get(addr: SocketAddr, target: &str) -> io::Result<Answer> {
    let mut client = RawClient::connect(addr).await?;
    let head = format!("GET {target} HTTP/1.1\r\nHost: {addr}\r\n\r\n");
    client.send(head).await?;
    client.answer().await
}

impl Answer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body without its content coding, as far as it can be decoded.
    pub fn decoded(&self) -> Vec<u8> {
        match self.header("content-encoding").and_then(Encoding::named) {
            Some(encoding) => encoding.decompress(&self.body),
            None => self.body.clone(),
        }
    }

    /// The decoded body as JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.decoded()).expect("the answer's body should be JSON")
    }

    /// The decoded body as server-sent events; the last one only if it is complete. Data that is
    /// no JSON is a string.
    pub fn events(&self) -> Vec<(String, Value)> {
        events(&self.decoded())
    }

    /// The text that a reader of this message, streamed or not, has seen.
    pub fn text(&self) -> String {
        if let Ok(message) = serde_json::from_slice::<Value>(&self.decoded()) {
            let text = &message["content"][0]["text"];
            return text.as_str().unwrap_or_default().to_owned();
        }
        let deltas = self.events().into_iter();
        deltas
            .filter_map(|(_, data)| data["delta"]["text"].as_str().map(str::to_owned))
            .collect()
    }
}

fn events(mut body: &[u8]) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    while let Some(length) = event_end(body) {
        let (event, rest) = body.split_at(length);
        body = rest;
        let text = String::from_utf8_lossy(event);
        let field = |name: &str| {
            let values = text.lines().filter_map(|line| line.strip_prefix(name));
            values.map(str::trim).collect::<Vec<_>>().join("\n")
        };
        let (name, data) = (field("event:"), field("data:"));
        if !name.is_empty() || !data.is_empty() {
            let data = serde_json::from_str(&data).unwrap_or(Value::String(data));
            events.push((name, data));
        }
    }
    events
}

/// The length of the first event with the blank line after it.
fn event_end(body: &[u8]) -> Option<usize> {
    let blank = body.windows(2).position(|pair| pair == b"\n\n")?;
    Some(blank + 2)
}

async fn patiently<T>(reading: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(PATIENCE, reading).await {
        Ok(result) => result,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
