//! The client: requests as Claude Code sends them, on plain sockets.
//!
//! What is measured is the proxies, so a request is one write of bytes made beforehand, and an answer
//! costs a read and a look at its head.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::answer::Answer;

/// How long anything may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the endpoint is asked to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    /// A message in JSON.
    Message,
    /// A short stream, at once.
    Stream,
    /// A stream of so many events, one every `gap`, the first after `phase`.
    Paced {
        /// How many.
        events: usize,
        /// Time between two of them.
        gap: Duration,
        /// Time before the first of them.
        phase: Duration,
    },
    /// A stream of so many tiny events, as fast as it goes.
    Flood {
        /// How many.
        events: usize,
    },
}

/// The bytes of a request with a body of `size` bytes.
pub(crate) fn request(ask: Ask, size: usize) -> Vec<u8> {
    let (told, stream) = match ask {
        Ask::Message => ("message".to_owned(), false),
        Ask::Stream => ("stream".to_owned(), true),
        Ask::Paced { events, gap, phase } => (
            format!("paced {events} {} {}", gap.as_micros(), phase.as_micros()),
            true,
        ),
        Ask::Flood { events } => (format!("flood {events}"), true),
    };
    let begin =
        r#"{"model":"claude-opus-5-5","max_tokens":32000,"messages":[{"role":"user","content":""#;
    let end = format!(
        r#""}}],"metadata":{{"user_id":"user_0f_account_1b_session_5a60d1ab"}},"stream":{stream}}}"#
    );
    let prose = r#"Read the file `src/main.rs` and say what it does.\n\tThen say \"done\". "#;
    let room = size.saturating_sub(begin.len() + end.len());
    let mut text: String = prose.repeat(room / prose.len());
    text.extend(std::iter::repeat_n('x', room - text.len()));
    let body = format!("{begin}{text}{end}");
    let head = format!(
        "POST /v1/messages?beta=true HTTP/1.1\r\n\
         Accept: application/json\r\n\
         Authorization: Bearer sk-of-the-client\r\n\
         Content-Type: application/json\r\n\
         User-Agent: claude-cli/2.1.329 (external, cli)\r\n\
         X-Claude-Code-Session-Id: 2078cf52-b6ea-4ed0-83f7-b5f4233e4749\r\n\
         X-Stainless-Arch: x64\r\n\
         X-Stainless-Lang: js\r\n\
         X-Stainless-OS: Linux\r\n\
         X-Stainless-Package-Version: 0.128.0\r\n\
         X-Stainless-Retry-Count: 0\r\n\
         X-Stainless-Runtime: node\r\n\
         X-Stainless-Runtime-Version: v26.12.1\r\n\
         X-Stainless-Timeout: 600\r\n\
         anthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14\r\n\
         anthropic-dangerous-direct-browser-access: true\r\n\
         anthropic-version: 2023-06-01\r\n\
         x-app: cli\r\n\
         Connection: keep-alive\r\n\
         Host: 127.0.0.1\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\n\
         x-bench: {told}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// How long one exchange took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Until the answer's body began.
    pub(crate) first: Duration,
    /// Until all of the answer was there.
    pub(crate) whole: Duration,
    /// The answer's status.
    pub(crate) status: u16,
}

/// A connection that is used for one request after the other.
pub(crate) struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            buffer: vec![0; 256 * 1024],
        })
    }

    /// Sends a request and reads its answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> Result<Timing> {
        let begun = Instant::now();
        self.stream.write_all(request).context("sending")?;
        let mut answer = Answer::new();
        let mut first = None;
        while !answer.is_done() {
            let length = self.stream.read(&mut self.buffer).context("reading")?;
            if length == 0 {
                bail!("the connection ended within an answer");
            }
            answer.feed(&self.buffer[..length], |_| {
                first.get_or_insert_with(|| begun.elapsed());
            })?;
        }
        let whole = begun.elapsed();
        Ok(Timing {
            first: first.unwrap_or(whole),
            whole,
            status: answer.status(),
        })
    }
}

/// One exchange on a connection of its own.
pub(crate) fn once(address: SocketAddr, request: &[u8]) -> Result<Timing> {
    Line::open(address)?.exchange(request)
}
