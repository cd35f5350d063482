//! The endpoint behind every proxy: answers at once, and misbehaves when told to.
//!
//! A request's `x-bench` says what is wanted; without it (a probe) it is a message. `GET /bench/MODE`
//! switches a listener between `good`, `reset` and a status, and says how many requests it had since
//! the switch before.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::Sleep;

const MESSAGE: &str = r#"{"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-4-6","content":[{"type":"text","text":"It reads its arguments and starts what they name. Done."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":312,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":17}}"#;
const ERROR: &str = r#"{"type":"error","error":{"type":"api_error","message":"told to fail"}}"#;
const BEGIN: &str = "event: message_start\n\
    data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-4-6\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":312,\"output_tokens\":1}}}\n\n\
    event: content_block_start\n\
    data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
const END: &str = "event: content_block_stop\n\
    data: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
    event: message_delta\n\
    data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":17}}\n\n\
    event: message_stop\n\
    data: {\"type\":\"message_stop\"}\n\n";

/// What stands before and after the text of a delta.
pub(crate) const DELTA_BEGIN: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"";
const DELTA_END: &str = "\"}}\n\n";

const GOOD: u16 = 0;
const RESET: u16 = 1;

/// Serves so many listeners until it is killed; prints their ports.
pub(crate) fn run(listeners: &str) -> Result<()> {
    let count: usize = listeners.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut serving = Vec::new();
        for _ in 0..count {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            println!("{}", listener.local_addr()?.port());
            serving.push(tokio::spawn(serve(listener)));
        }
        for task in serving {
            task.await??;
        }
        Ok(())
    })
}

/// How a listener behaves, and what it has seen.
#[derive(Default)]
struct Conduct {
    /// [`GOOD`], [`RESET`], or the status of every answer.
    mode: AtomicU16,
    requests: AtomicU64,
}

async fn serve(listener: TcpListener) -> Result<()> {
    let conduct = Arc::new(Conduct::default());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let conduct = Arc::clone(&conduct);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&conduct), request));
            let mut connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if (&mut connection).await.is_err() {
                let stream = connection.into_parts().io.into_inner();
                // If it fails, the connection is gone already.
                let _ = stream.set_zero_linger();
            }
        });
    }
}

async fn answer(conduct: Arc<Conduct>, request: Request<Incoming>) -> Result<Response<Reply>> {
    if let Some(mode) = request.uri().path().strip_prefix("/bench/") {
        let mode = match mode {
            "good" => GOOD,
            "reset" => RESET,
            status => status.parse()?,
        };
        conduct.mode.store(mode, Ordering::Relaxed);
        let seen = conduct.requests.swap(0, Ordering::Relaxed);
        return Ok(whole(StatusCode::OK, seen.to_string().into()));
    }
    let (head, mut body) = request.into_parts();
    let asked = head.headers.get("x-bench");
    if asked.is_some() {
        conduct.requests.fetch_add(1, Ordering::Relaxed);
    }
    let mode = conduct.mode.load(Ordering::Relaxed);
    if mode == RESET {
        return Err(anyhow!("told to reset"));
    }
    while let Some(frame) = body.frame().await {
        frame?;
    }
    if mode != GOOD {
        return Ok(whole(
            StatusCode::from_u16(mode)?,
            Bytes::from_static(ERROR.as_bytes()),
        ));
    }
    let asked = asked.map_or(Ok("message"), HeaderValue::to_str)?;
    let mut words = asked.split(' ');
    let kind = words.next();
    let mut number = || words.next().unwrap_or_default().parse::<u64>();
    Ok(match kind {
        Some("stream") => streamed(Reply::Flood {
            left: 0,
            began: false,
        }),
        Some("flood") => {
            let left = number()?;
            streamed(Reply::Flood { left, began: false })
        }
        Some("paced") => {
            let left = number()?;
            let gap = Duration::from_micros(number()?);
            let due = Instant::now() + Duration::from_micros(number()?);
            let timer = Box::pin(tokio::time::sleep_until(due.into()));
            streamed(Reply::Paced {
                left,
                gap,
                due,
                timer,
                began: false,
            })
        }
        Some(_) | None => whole(StatusCode::OK, Bytes::from_static(MESSAGE.as_bytes())),
    })
}

fn whole(status: StatusCode, body: Bytes) -> Response<Reply> {
    let mut response = Response::new(Reply::Whole(Some(body)));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn streamed(reply: Reply) -> Response<Reply> {
    let mut response = Response::new(reply);
    let events = HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, events);
    response
}

/// The body of an answer.
enum Reply {
    /// All at once.
    Whole(Option<Bytes>),
    /// Tiny events without a pause.
    Flood { left: u64, began: bool },
    /// An event every `gap` that says when it was sent.
    Paced {
        left: u64,
        gap: Duration,
        due: Instant,
        timer: Pin<Box<Sleep>>,
        began: bool,
    },
}

impl Body for Reply {
    type Data = Bytes;
    type Error = anyhow::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let piece = match &mut *self {
            Self::Whole(body) => body.take(),
            Self::Flood { began, .. } | Self::Paced { began, .. } if !*began => {
                *began = true;
                Some(Bytes::from_static(BEGIN.as_bytes()))
            }
            Self::Flood { left: 0, .. } | Self::Paced { left: 0, .. } => {
                *self = Self::Whole(None);
                Some(Bytes::from_static(END.as_bytes()))
            }
            Self::Flood { left, .. } => {
                *left -= 1;
                Some(Bytes::from(format!("{DELTA_BEGIN}tok{DELTA_END}")))
            }
            Self::Paced {
                left,
                gap,
                due,
                timer,
                ..
            } => {
                ready!(timer.as_mut().poll(cx));
                *left -= 1;
                *due += *gap;
                timer.as_mut().reset((*due).into());
                let mut event = String::with_capacity(160);
                let _ = write!(event, "{DELTA_BEGIN}{}{DELTA_END}", unix_nanos());
                Some(event.into())
            }
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Self::Flood { .. } | Self::Paced { .. } => SizeHint::default(),
        }
    }
}

/// Now, on the clock that all processes of a machine share.
pub(crate) fn unix_nanos() -> u128 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_nanos()
}
