//! What a scripted endpoint does with one request.
//!
//! An [`Act`] is a value: it says what to do, knows nothing of sockets, and can be cloned. Some
//! acts depend on the request ([`Act::message`] streams if it is asked to); a [`Script`] decides
//! which act a request gets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::encoding::Encoding;
use crate::http::{Headers, reason};
use crate::perform::{AnswerHead, Payload, Plan};
use crate::received::Received;
use crate::stream::{DEFAULT_MODEL, Gate, Phase, Step, TextStream, Usage, error_text, halves};

/// What to do with one request.
#[derive(Clone, Debug)]
#[must_use]
pub struct Act {
    kind: Kind,
    reading: Reading,
    before: Vec<Step>,
    headers: Headers,
    last: bool,
    encoding: Option<Encoding>,
    piece: Option<usize>,
}

/// When a request's body is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reading {
    BeforeAnswer,
    AfterAnswer,
    Never,
}

#[derive(Clone, Debug)]
enum Kind {
    Message {
        text: String,
        usage: Usage,
    },
    Error {
        status: u16,
        kind: String,
        message: String,
    },
    Full {
        status: u16,
        content_type: Option<&'static str>,
        body: Bytes,
    },
    Stream(Vec<Step>),
    /// Everything on the wire, the head included.
    Raw(Vec<Step>),
}

/// Complete answers.
impl Act {
    /// Answers as a real endpoint does whose model says `text`.
    ///
    /// A Messages call gets a message, streamed word by word if the body says `"stream": true`;
    /// `…/count_tokens`, `GET …/models` and `GET …/models/ID` get what belongs there; any other
    /// path gets a 404. Answers carry `request-id` and `anthropic-*` headers.
    pub fn message(text: &str) -> Self {
        let (text, usage) = (text.to_owned(), Usage::default());
        Self::of(Kind::Message { text, usage })
    }

    /// Answers with this status and, for an error, the API's error body for it.
    pub fn status(status: u16) -> Self {
        if status < 400 {
            return Self::full(status, None, Bytes::new());
        }
        let kind = error_type(status).to_owned();
        let message = error_text(&kind).to_owned();
        Self::of(Kind::Error {
            status,
            kind,
            message,
        })
    }

    /// Answers with status 200 and this JSON.
    pub fn json(value: &Value) -> Self {
        Self::full(200, JSON, value.to_string())
    }

    /// Redirects to another URL.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::full(status, None, Bytes::new()).header("location", location)
    }

    /// Answers with a web page, as a captive portal does.
    pub fn html(status: u16) -> Self {
        let page = "<!doctype html><html><head><title>Sign in</title></head>\
                    <body><h1>Sign in to use this network</h1></body></html>\n";
        Self::full(status, Some("text/html; charset=utf-8"), page)
    }

    /// Answers 200 with an error in the body.
    pub fn json_error_200() -> Self {
        Self::full(
            200,
            JSON,
            error_body("overloaded_error", "Overloaded", "req_011Zephyr"),
        )
    }

    /// Answers 200 with nothing in the body.
    pub fn empty_200() -> Self {
        Self::full(200, JSON, Bytes::new())
    }

    /// Answers 200 with the first half of a message's JSON, properly framed.
    pub fn malformed_json_200() -> Self {
        Self::full(200, JSON, halves(&phase_message()).0)
    }

    /// Answers with a chat completion of the OpenAI kind.
    pub fn openai_json() -> Self {
        let message = json!({"role": "assistant", "content": PHASE_TEXT});
        Self::json(&json!({
            "id": "chatcmpl-zephyr",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": "gpt-4o",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18},
        }))
    }
}

/// Streams.
impl Act {
    /// Answers 200 with an event stream that consists of these steps.
    pub fn sse(steps: Vec<Step>) -> Self {
        Self::of(Kind::Stream(steps))
    }

    /// Streams chat completion chunks of the OpenAI kind.
    pub fn openai_stream() -> Self {
        let chunk = |delta: Value, finish: Value| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            let chunk = json!({
                "id": "chatcmpl-zephyr",
                "object": "chat.completion.chunk",
                "created": 1_790_000_000,
                "model": "gpt-4o",
                "choices": [choice],
            });
            Step::raw(format!("data: {chunk}\n\n"))
        };
        Self::sse(vec![
            chunk(json!({"role": "assistant", "content": ""}), Value::Null),
            chunk(json!({"content": PHASE_TEXT}), Value::Null),
            chunk(json!({}), json!("stop")),
            Step::raw("data: [DONE]\n\n"),
        ])
    }

    /// Streams a text and closes the connection at `phase`, without ending the body.
    pub fn cut_at(phase: Phase) -> Self {
        Self::breaking(phase, Step::Cut)
    }

    /// Streams a text and resets the connection at `phase`.
    pub fn reset_at(phase: Phase) -> Self {
        Self::breaking(phase, Step::Reset)
    }

    /// Streams a text and falls silent at `phase`, until the peer leaves.
    pub fn stall_at(phase: Phase) -> Self {
        Self::breaking(phase, Step::Stall)
    }

    /// Streams a text, sends an `error` event of this type at `phase`, and ends the body properly.
    ///
    /// An event needs a whole line to start on: before the headers it is the stream's first event,
    /// inside of an event it comes in place of that event.
    pub fn error_event_at(phase: Phase, kind: &str) -> Self {
        let boundary = match phase {
            Phase::InMessageStart => Phase::AfterHeaders,
            Phase::InLastChunk => Phase::AfterMessageDelta,
            Phase::BeforeHeaders
            | Phase::AfterHeaders
            | Phase::AfterMessageStart
            | Phase::AfterPing
            | Phase::AfterBlockStart
            | Phase::AfterFirstDelta
            | Phase::BetweenDeltas
            | Phase::AfterBlockStop
            | Phase::AfterMessageDelta => phase,
        };
        let mut steps = TextStream::new(PHASE_TEXT).until(boundary);
        steps.push(Step::error_event(kind));
        Self::sse(steps)
    }

    /// Streams a text, ends the body properly at `phase`, and leaves the rest out.
    pub fn end_at(phase: Phase) -> Self {
        let mut steps = TextStream::new(PHASE_TEXT).until(phase);
        if let Some(Step::Torn(chunk)) = steps.pop_if(|step| matches!(step, Step::Torn(_))) {
            steps.push(Step::Raw(halves(&chunk).0));
        }
        Self::sse(steps)
    }

    /// Streams a text in full, but waits at `phase` until `gate` is open.
    pub fn gate_at(phase: Phase, gate: Gate) -> Self {
        let stream = TextStream::new(PHASE_TEXT);
        if phase == Phase::BeforeHeaders {
            return Self::sse(stream.steps()).gate(gate);
        }
        let (mut steps, mut rest) = (stream.until(phase), stream.after(phase));
        if let Some(Step::Torn(chunk)) = steps.pop_if(|step| matches!(step, Step::Torn(_))) {
            let (first, second) = halves(&chunk);
            steps.push(Step::Raw(first));
            rest = vec![Step::Raw(second)];
        }
        steps.push(Step::Gate(gate));
        steps.extend(rest);
        Self::sse(steps)
    }

    fn breaking(phase: Phase, how: Step) -> Self {
        if phase == Phase::BeforeHeaders {
            return Self::raw(vec![how]);
        }
        let mut steps = TextStream::new(PHASE_TEXT).until(phase);
        steps.push(how);
        Self::sse(steps)
    }
}

/// Answers that are none.
impl Act {
    /// Never answers.
    pub fn hang() -> Self {
        Self::raw(vec![Step::Stall])
    }

    /// Reads the request and closes the connection.
    pub fn close() -> Self {
        Self::raw(vec![Step::Cut])
    }

    /// Reads the request and resets the connection.
    pub fn reset() -> Self {
        Self::raw(vec![Step::Reset])
    }

    /// Reads the request and says that it was not processed: over HTTP/2 the stream is refused.
    pub fn refuse() -> Self {
        Self::raw(vec![Step::Refuse])
    }

    /// Reads the request and ends its connection without having processed anything there: over HTTP/2
    /// with a `GOAWAY` that says so.
    pub fn go_away() -> Self {
        Self::raw(vec![Step::GoAway])
    }

    /// Answers with bytes that are no HTTP, and closes the connection.
    pub fn garbage() -> Self {
        Self::bytes(&b"\x16\x03\x01\x02\x00 this is not HTTP\r\n\r\n"[..])
    }

    /// Sends exactly these bytes, head and all, and closes the connection.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::raw(vec![Step::raw(bytes), Step::Cut])
    }

    /// Carries out these steps with no head and no framing. [`Step::End`], or the end of the list,
    /// leaves the connection open for the next request.
    pub fn raw(steps: Vec<Step>) -> Self {
        Self::of(Kind::Raw(steps))
    }

    /// Sends a JSON message, closing the connection after half of its declared length.
    pub fn cut_message() -> Self {
        let body = phase_message();
        let head = format!(
            "HTTP/1.1 200 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            reason(200),
            body.len(),
        );
        Self::raw(vec![Step::raw(head), Step::Raw(halves(&body).0), Step::Cut])
    }

    /// Answers with this status as soon as the request's head is there, leaving the body unread
    /// until the answer is sent; then closes its sending half and discards what still comes, so
    /// that the answer is not lost to a reset.
    ///
    /// Needs to know its request by the head alone, so it has this effect as an [`Endpoint`]'s
    /// only act or when pushed; from [`Script::by`], it comes after the body.
    ///
    /// [`Endpoint`]: crate::Endpoint
    pub fn early(status: u16) -> Self {
        Self {
            reading: Reading::AfterAnswer,
            ..Self::status(status).close_after()
        }
    }

    /// Answers 413 as soon as the request's head is there and closes the connection with the body
    /// unread, which resets it. Like [`Act::early`], it has no such effect from [`Script::by`].
    pub fn refuse_body() -> Self {
        Self {
            reading: Reading::Never,
            ..Self::status(413).close_after()
        }
    }
}

/// Variations.
impl Act {
    /// Adds a header, in place of any header of this name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        self.also_header(name, value)
    }

    /// Adds a header, beside any header of this name that was added before.
    pub fn also_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let (status, content_type) = match self.kind {
            Kind::Error { status, .. } => (status, JSON),
            Kind::Full {
                status,
                content_type,
                ..
            } => (status, content_type.or(JSON)),
            Kind::Message { .. } | Kind::Stream(_) | Kind::Raw(_) => (200, JSON),
        };
        let body = body.into();
        self.kind = Kind::Full {
            status,
            content_type,
            body,
        };
        self
    }

    /// Replaces the message of an error; without effect on other acts.
    pub fn error_message(mut self, text: &str) -> Self {
        if let Kind::Error { message, .. } = &mut self.kind {
            text.clone_into(message);
        }
        self
    }

    /// Replaces the type of an error; without effect on other acts.
    pub fn error_type(mut self, name: &str) -> Self {
        if let Kind::Error { kind, .. } = &mut self.kind {
            name.clone_into(kind);
        }
        self
    }

    /// Replaces the usage that a message claims; without effect on other acts.
    pub fn usage(mut self, claimed: Usage) -> Self {
        if let Kind::Message { usage, .. } = &mut self.kind {
            *usage = claimed;
        }
        self
    }

    /// Waits before the head is sent.
    pub fn after(mut self, time: Duration) -> Self {
        self.before.push(Step::Wait(time));
        self
    }

    /// Waits for the gate before the head is sent.
    pub fn gate(mut self, gate: Gate) -> Self {
        self.before.push(Step::Gate(gate));
        self
    }

    /// Announces the answer as the connection's last, and closes after it.
    pub fn close_after(mut self) -> Self {
        self.last = true;
        self
    }

    /// Compresses the payload; a stream is flushed after every event.
    pub fn compressed(mut self, encoding: Encoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// Writes the payload in pieces of `size` bytes, in a stream each as a chunk of its own.
    pub fn chunked_as(mut self, size: usize) -> Self {
        self.piece = Some(size);
        self
    }
}

/// Decides which act a request gets.
#[derive(Clone)]
pub struct Script(Choice);

#[derive(Clone)]
enum Choice {
    Always(Act),
    By(Arc<dyn Fn(&Received) -> Act + Send + Sync>),
}

impl Script {
    /// Lets a function choose, once the whole request is there.
    pub fn by(choose: impl Fn(&Received) -> Act + Send + Sync + 'static) -> Self {
        Self(Choice::By(Arc::new(choose)))
    }

    pub(crate) fn act_for(&self, request: &Received) -> Act {
        match &self.0 {
            Choice::Always(act) => act.clone(),
            Choice::By(choose) => choose(request),
        }
    }

    /// The act that needs no look at the request's body, if there is one.
    pub(crate) fn early_act(&self) -> Option<Act> {
        match &self.0 {
            Choice::Always(act) if act.is_early() => Some(act.clone()),
            Choice::Always(_) | Choice::By(_) => None,
        }
    }
}

impl From<Act> for Script {
    fn from(act: Act) -> Self {
        Self(Choice::Always(act))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Choice::Always(act) => f.debug_tuple("Always").field(act).finish(),
            Choice::By(_) => f.write_str("By(..)"),
        }
    }
}

/// From an act to what it means for a request.
impl Act {
    pub(crate) fn is_early(&self) -> bool {
        self.reading != Reading::BeforeAnswer
    }

    pub(crate) fn reading(&self) -> Reading {
        self.reading
    }

    pub(crate) fn plan(self, request: &Received) -> Plan {
        let id = format!("req_011Zephyr{:06}", request.number);
        let (status, mut headers, payload) = match self.kind {
            Kind::Raw(steps) => {
                return Plan {
                    before: self.before,
                    head: None,
                    payload: Payload::Steps(steps),
                    encoding: None,
                    piece: self.piece,
                };
            }
            Kind::Message { text, usage } => as_real(request, &text, usage, &id),
            Kind::Error {
                status,
                kind,
                message,
            } => full(status, JSON, error_body(&kind, &message, &id)),
            Kind::Full {
                status,
                content_type,
                body,
            } => full(status, content_type, body),
            Kind::Stream(steps) => event_stream(steps),
        };
        headers.push(("request-id".to_owned(), id));
        headers.push((
            "anthropic-organization-id".to_owned(),
            "org-zephyr-test".to_owned(),
        ));
        if let Some(encoding) = self.encoding {
            headers.push(("content-encoding".to_owned(), encoding.name().to_owned()));
        }
        headers.retain(|(name, _)| crate::http::header(&self.headers, name).is_none());
        headers.extend(self.headers);
        let head = AnswerHead {
            status,
            headers,
            last: self.last || wants_close(request),
        };
        let bare = request.method == "HEAD";
        Plan {
            before: self.before,
            head: Some(head),
            payload: if bare { Payload::None } else { payload },
            encoding: self.encoding,
            piece: self.piece,
        }
    }

    fn full(status: u16, content_type: Option<&'static str>, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self::of(Kind::Full {
            status,
            content_type,
            body,
        })
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            reading: Reading::BeforeAnswer,
            before: Vec::new(),
            headers: Headers::new(),
            last: false,
            encoding: None,
            piece: None,
        }
    }
}

const JSON: Option<&str> = Some("application/json");

/// Long enough that every [`Phase`] is a different point of its stream.
const PHASE_TEXT: &str = "The wind turns, and the kite follows.";

type Parts = (u16, Headers, Payload);

fn as_real(request: &Received, text: &str, usage: Usage, id: &str) -> Parts {
    let path = request.path();
    if request.method == "POST" && path.ends_with("/count_tokens") {
        let tokens = request.body.len() / 4 + 1;
        return full(200, JSON, json!({"input_tokens": tokens}).to_string());
    }
    if request.method == "POST" && path.ends_with("/messages") {
        return message_answer(request, text, usage);
    }
    if request.method == "GET" && path.ends_with("/models") {
        let models: Vec<Value> = MODELS.iter().map(|(id, name)| model(id, name)).collect();
        let list = json!({
            "data": models,
            "has_more": false,
            "first_id": MODELS[0].0,
            "last_id": MODELS[MODELS.len() - 1].0,
        });
        return full(200, JSON, list.to_string());
    }
    if request.method == "GET"
        && let Some((_, wanted)) = path.rsplit_once("/models/")
        && let Some((id, name)) = MODELS.iter().find(|(id, _)| *id == wanted)
    {
        return full(200, JSON, model(id, name).to_string());
    }
    full(404, JSON, error_body("not_found_error", "Not found", id))
}

fn message_answer(request: &Received, text: &str, usage: Usage) -> Parts {
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let stream = TextStream {
        id: format!("msg_01Zephyr{:06}", request.number),
        model: asked["model"].as_str().unwrap_or(DEFAULT_MODEL).to_owned(),
        text: text.to_owned(),
        usage,
    };
    let (status, mut headers, payload) = if asked["stream"] == true {
        event_stream(stream.steps())
    } else {
        full(200, JSON, message(&stream))
    };
    headers.extend(RATE_LIMITS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    (status, headers, payload)
}

fn message(stream: &TextStream) -> String {
    json!({
        "id": stream.id,
        "type": "message",
        "role": "assistant",
        "model": stream.model,
        "content": [{"type": "text", "text": stream.text}],
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": stream.usage.json(stream.usage.output),
    })
    .to_string()
}

fn phase_message() -> Bytes {
    message(&TextStream::new(PHASE_TEXT)).into()
}

fn full(status: u16, content_type: Option<&str>, body: impl Into<Bytes>) -> Parts {
    let headers = content_type
        .map(|value| ("content-type".to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    (status, headers, Payload::Full(body.into()))
}

fn event_stream(steps: Vec<Step>) -> Parts {
    let headers = vec![
        (
            "content-type".to_owned(),
            "text/event-stream; charset=utf-8".to_owned(),
        ),
        ("cache-control".to_owned(), "no-cache".to_owned()),
    ];
    (200, headers, Payload::Steps(steps))
}

fn error_body(kind: &str, message: &str, id: &str) -> String {
    let error = json!({"type": kind, "message": message});
    json!({"type": "error", "error": error, "request_id": id}).to_string()
}

fn error_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

fn wants_close(request: &Received) -> bool {
    request
        .header("connection")
        .is_some_and(|value| value.eq_ignore_ascii_case("close"))
}

const MODELS: [(&str, &str); 3] = [
    ("claude-opus-5-5", "Claude Opus 5.5"),
    ("claude-sonnet-5-5", "Claude Sonnet 5.5"),
    ("claude-haiku-5-5", "Claude Haiku 5.5"),
];

fn model(id: &str, name: &str) -> Value {
    json!({
        "type": "model",
        "id": id,
        "display_name": name,
        "created_at": "2026-09-01T00:00:00Z",
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
    })
}

const RATE_LIMITS: [(&str, &str); 4] = [
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
    ("anthropic-ratelimit-requests-reset", "2026-11-21T00:01:00Z"),
    ("anthropic-ratelimit-tokens-remaining", "1990000"),
];
