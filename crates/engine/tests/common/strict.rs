//! A peer that forgives nothing: it reads HTTP/1.1 as RFC 9112 has it, and says what is wrong.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The most that is read of one message, in bytes.
const MOST: usize = 1024 * 1024;

/// A message that has come whole.
pub struct Message {
    /// The request line, or the status line.
    pub line: String,
    pub headers: Vec<(String, String)>,
    /// How many bytes it took.
    pub length: usize,
}

/// How a message ends.
enum Framing {
    Length(usize),
    Chunked,
    /// With the connection.
    Close,
}

impl Message {
    /// Reads a request from the beginning of the bytes. `None`: it is not whole yet.
    pub fn request(bytes: &[u8]) -> Result<Option<Self>, String> {
        let Some((line, headers, head)) = head(bytes)? else {
            return Ok(None);
        };
        let words: Vec<&str> = line.split(' ').collect();
        let [method, target, "HTTP/1.1"] = words[..] else {
            return Err(format!("a request line {line:?}"));
        };
        let is_target =
            target.starts_with('/') && target.bytes().all(|byte| byte > b' ' && byte != 0x7f);
        if !is_token(method) || !is_target {
            return Err(format!("a request line {line:?}"));
        }
        if named(&headers, "host").len() != 1 {
            return Err(format!("hosts {:?}", named(&headers, "host")));
        }
        let framing = framing(&headers)?.unwrap_or(Framing::Length(0));
        Self::whole(bytes, (line, headers, head), &framing, false)
    }

    /// Reads an answer. `has_ended`: no more bytes will come.
    pub fn answer(bytes: &[u8], has_ended: bool) -> Result<Option<Self>, String> {
        let Some((line, headers, head)) = head(bytes)? else {
            return Ok(None);
        };
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let status = status.and_then(|status| status.parse::<u16>().ok());
        let status = status.ok_or_else(|| format!("a status line {line:?}"))?;
        let framing = match status {
            100..=199 | 204 | 304 => Framing::Length(0),
            _ => framing(&headers)?.unwrap_or(Framing::Close),
        };
        Self::whole(bytes, (line, headers, head), &framing, has_ended)
    }

    fn whole(
        bytes: &[u8],
        (line, headers, head): (String, Vec<(String, String)>, usize),
        framing: &Framing,
        has_ended: bool,
    ) -> Result<Option<Self>, String> {
        let body = &bytes[head..];
        let body = match framing {
            Framing::Length(length) => (body.len() >= *length).then_some(*length),
            Framing::Chunked => chunks(body)?,
            Framing::Close => has_ended.then_some(body.len()),
        };
        Ok(body.map(|body| Self {
            line,
            headers,
            length: head + body,
        }))
    }
}

/// The first line, the headers, and the length of a head that is whole.
#[expect(clippy::type_complexity, reason = "it is taken apart at once")]
fn head(bytes: &[u8]) -> Result<Option<(String, Vec<(String, String)>, usize)>, String> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let mut lines = lines(&bytes[..end])?.into_iter();
    let line = text(lines.next().unwrap_or_default())?;
    let headers = lines.map(header).collect::<Result<_, _>>()?;
    Ok(Some((line, headers, end + 4)))
}

fn header(line: &[u8]) -> Result<(String, String), String> {
    let shown = line.escape_ascii();
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = line.split_at(colon.ok_or_else(|| format!("a header {shown}"))?);
    let name = text(name)?;
    let is_value = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    if !is_token(&name) || !value.iter().all(is_value) {
        return Err(format!("a header {shown}"));
    }
    let value = String::from_utf8_lossy(&value[1..]);
    Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
}

fn framing(headers: &[(String, String)]) -> Result<Option<Framing>, String> {
    let lengths = named(headers, "content-length");
    let codings = named(headers, "transfer-encoding");
    match (&lengths[..], &codings[..]) {
        ([], []) => Ok(None),
        ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            let length = length.parse().map_err(|_| format!("a length {length:?}"))?;
            Ok(Some(Framing::Length(length)))
        }
        ([], ["chunked"]) => Ok(Some(Framing::Chunked)),
        _ => Err(format!("lengths {lengths:?} and codings {codings:?}")),
    }
}

/// The length of a chunked body that is whole, with its trailers.
fn chunks(body: &[u8]) -> Result<Option<usize>, String> {
    let mut at = 0;
    loop {
        let Some(end) = find(&body[at..], b"\r\n") else {
            return Ok(None);
        };
        let size = text(&body[at..at + end])?;
        let is_size = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let length = usize::from_str_radix(&size, 16).ok().filter(|_| is_size);
        let length = length.ok_or_else(|| format!("a chunk of {size:?} bytes"))?;
        at += end + 2;
        if length == 0 {
            if body[at..].starts_with(b"\r\n") {
                return Ok(Some(at + 2));
            }
            let Some(end) = find(&body[at..], b"\r\n\r\n") else {
                return Ok(None);
            };
            for line in lines(&body[at..at + end])? {
                header(line)?;
            }
            return Ok(Some(at + end + 4));
        }
        let Some(chunk) = body.get(at..at.saturating_add(length).saturating_add(2)) else {
            return Ok(None);
        };
        if !chunk.ends_with(b"\r\n") {
            return Err("a chunk that does not end where it says".to_owned());
        }
        at += length + 2;
    }
}

/// The lines. Only CRLF ends one.
fn lines(head: &[u8]) -> Result<Vec<&[u8]>, String> {
    let lines: Vec<&[u8]> = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    let ends = head.windows(2).filter(|two| two == b"\r\n").count();
    let is_clean = lines.len() == ends + 1 && lines.iter().all(|line| !line.contains(&b'\r'));
    is_clean
        .then_some(lines)
        .ok_or_else(|| format!("line ends in {}", head.escape_ascii()))
}

fn text(bytes: &[u8]) -> Result<String, String> {
    let text = str::from_utf8(bytes).map_err(|_| format!("text {}", bytes.escape_ascii()))?;
    Ok(text.to_owned())
}

fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

fn named<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let named = headers.iter().filter(|(this, _)| this == name);
    named.map(|(_, value)| value.as_str()).collect()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// An endpoint that reads strictly and answers every request with the same bytes.
pub struct StrictEndpoint {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

/// What a [`StrictEndpoint`] has seen.
#[derive(Clone, Default)]
pub struct Seen {
    /// The lines of whole requests.
    pub requests: Vec<String>,
    pub wrong: Vec<String>,
}

impl StrictEndpoint {
    pub async fn start(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(answer_all(socket, answer, Arc::clone(&noted)));
            }
        });
        Self { url, seen }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer_all(mut socket: TcpStream, answer: &[u8], seen: Arc<Mutex<Seen>>) {
    let mut bytes = Vec::new();
    loop {
        match Message::request(&bytes) {
            Ok(Some(request)) => {
                bytes.drain(..request.length);
                seen.lock().unwrap().requests.push(request.line);
                if socket.write_all(answer).await.is_err() {
                    return;
                }
            }
            Ok(None) => match socket.read_buf(&mut bytes).await {
                Ok(read) if read > 0 && bytes.len() < MOST => {}
                Ok(_) | Err(_) => return,
            },
            Err(wrong) => {
                let bytes = bytes.escape_ascii();
                seen.lock()
                    .unwrap()
                    .wrong
                    .push(format!("{wrong}, in b\"{bytes}\""));
                return;
            }
        }
    }
}
