//! What is sent after an answer's head, step by step, and the standard event stream of a text.
//!
//! A stream is a list of [`Step`]s. [`TextStream`] writes the list a real endpoint would send;
//! [`Phase`] names every point at which it can break, so that a test can loop over all of them.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

/// One thing a scripted endpoint does while it answers.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends a server-sent event.
    Event(String, Value),
    /// Sends bytes as they are, as one piece of the body.
    Raw(Bytes),
    /// Announces these bytes as one chunk and sends the first half of them.
    Torn(Bytes),
    /// Waits for a time.
    Wait(Duration),
    /// Waits until the test opens the gate.
    Gate(Gate),
    /// Closes the connection without ending the body.
    Cut,
    /// Resets the connection (RST). On systems other than Linux, the peer may lose what it has
    /// not read yet.
    Reset,
    /// Over HTTP/2: refuses the stream (`REFUSED_STREAM`). Over HTTP/1.1: as [`Step::Reset`].
    Refuse,
    /// Over HTTP/2: ends the connection without an error (`GOAWAY`, `NO_ERROR`) and says that no stream of
    /// it was processed. Over HTTP/1.1: as [`Step::Cut`].
    GoAway,
    /// Sends nothing more until the peer leaves.
    Stall,
    /// Ends the body properly. The end of a list does the same.
    End,
}

impl Step {
    /// Sends an event of this name whose data is `data`.
    pub fn event(name: &str, data: Value) -> Self {
        Self::Event(name.to_owned(), data)
    }

    /// Sends bytes as they are.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::Raw(bytes.into())
    }

    /// Sends an `error` event, as an endpoint does when it fails after its 200.
    pub fn error_event(kind: &str) -> Self {
        let error = json!({"type": kind, "message": error_text(kind)});
        Self::event("error", json!({"type": "error", "error": error}))
    }
}

/// Holds an endpoint back until the test lets it go on. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets everybody through, from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits until somebody opens the gate.
    pub async fn opened(&self) {
        let mut open = self.0.subscribe();
        // Cannot fail: `self` keeps the sender alive.
        let _ = open.wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// A point of a streamed answer at which something can go wrong, in the order of the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// The request was read; no byte of an answer was sent.
    BeforeHeaders,
    /// The answer's head was sent, with status 200.
    AfterHeaders,
    /// Half of the first event was sent.
    InMessageStart,
    /// The whole `message_start` was sent.
    AfterMessageStart,
    /// `message_start` and a `ping` were sent.
    AfterPing,
    /// The first `content_block_start` was sent, and no text yet.
    AfterBlockStart,
    /// One piece of the text was sent.
    AfterFirstDelta,
    /// Some pieces of the text were sent, and some are missing.
    BetweenDeltas,
    /// The text is complete; `content_block_stop` was sent.
    AfterBlockStop,
    /// Everything but `message_stop` was sent.
    AfterMessageDelta,
    /// The chunk that holds `message_stop` was announced and half of it was sent.
    InLastChunk,
}

impl Phase {
    /// Every phase, in the order of the wire.
    pub const ALL: [Self; 11] = [
        Self::BeforeHeaders,
        Self::AfterHeaders,
        Self::InMessageStart,
        Self::AfterMessageStart,
        Self::AfterPing,
        Self::AfterBlockStart,
        Self::AfterFirstDelta,
        Self::BetweenDeltas,
        Self::AfterBlockStop,
        Self::AfterMessageDelta,
        Self::InLastChunk,
    ];

    /// Whether the endpoint has sent any content by now.
    ///
    /// True from [`Phase::AfterBlockStart`] on: a `content_block_start` is content, since some
    /// kinds of block come whole in it. The head, `message_start` and `ping` are none.
    pub fn client_sees_content(&self) -> bool {
        *self >= Self::AfterBlockStart
    }

    /// Whether the endpoint has sent its answer's head by now.
    pub fn client_may_see_head(&self) -> bool {
        *self >= Self::AfterHeaders
    }
}

/// The tokens an answer claims to have used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Usage {
    /// `input_tokens`: those after the last cache breakpoint.
    pub input: u64,
    /// `cache_creation_input_tokens`, all with the five-minute lifetime.
    pub cache_creation: u64,
    /// `cache_read_input_tokens`.
    pub cache_read: u64,
    /// `output_tokens`, in total.
    pub output: u64,
}

impl Usage {
    pub(crate) fn json(&self, output: u64) -> Value {
        json!({
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.cache_creation,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cache_creation,
                "ephemeral_1h_input_tokens": 0,
            },
            "output_tokens": output,
            "service_tier": "standard",
        })
    }
}

impl Default for Usage {
    /// Four different numbers, so that a test sees when two are mixed up.
    fn default() -> Self {
        Self {
            input: 25,
            cache_creation: 300,
            cache_read: 7_000,
            output: 12,
        }
    }
}

/// The events with which an endpoint streams a text.
#[derive(Clone, Debug)]
pub struct TextStream {
    /// The message's id.
    pub id: String,
    /// The model that claims to answer.
    pub model: String,
    /// The whole text; sent in at least three deltas if it has as many characters.
    pub text: String,
    /// What the stream claims to have used: input at its start, everything at its end.
    pub usage: Usage,
}

impl TextStream {
    /// A stream of `text` by a current model.
    pub fn new(text: &str) -> Self {
        Self {
            id: "msg_01Zephyr".to_owned(),
            model: DEFAULT_MODEL.to_owned(),
            text: text.to_owned(),
            usage: Usage::default(),
        }
    }

    /// All events.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = self.opening();
        steps.extend(self.deltas());
        steps.extend(self.closing());
        steps
    }

    /// What has been sent when `phase` is reached.
    ///
    /// Before and after the headers this is nothing; which of the two it is decides the answer's
    /// head, not its body.
    pub fn until(&self, phase: Phase) -> Vec<Step> {
        self.split(phase).0
    }

    /// What is missing after `phase`: together with [`TextStream::until`], the whole stream,
    /// except that a torn chunk cannot be mended.
    pub fn after(&self, phase: Phase) -> Vec<Step> {
        self.split(phase).1
    }

    fn split(&self, phase: Phase) -> (Vec<Step>, Vec<Step>) {
        let mut sent = self.steps();
        let count = sent.len();
        let deltas = self.deltas().len();
        match phase {
            Phase::BeforeHeaders | Phase::AfterHeaders => (Vec::new(), sent),
            Phase::InMessageStart => {
                let whole = event_of(&sent.remove(0));
                let (first, second) = halves(&whole);
                sent.insert(0, Step::Raw(second));
                (vec![Step::Raw(first)], sent)
            }
            Phase::AfterMessageStart => cut_list(sent, 1),
            Phase::AfterPing => cut_list(sent, 2),
            Phase::AfterBlockStart => cut_list(sent, 3),
            Phase::AfterFirstDelta => cut_list(sent, 4),
            Phase::BetweenDeltas => cut_list(sent, 3 + deltas.saturating_sub(1)),
            Phase::AfterBlockStop => cut_list(sent, count - 2),
            Phase::AfterMessageDelta => cut_list(sent, count - 1),
            Phase::InLastChunk => {
                let (mut sent, rest) = cut_list(sent, count - 1);
                sent.push(Step::Torn(event_of(&rest[0])));
                (sent, Vec::new())
            }
        }
    }

    fn opening(&self) -> Vec<Step> {
        let message = json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": self.usage.json(1),
        });
        let block = json!({"type": "text", "text": ""});
        vec![
            typed("message_start", json!({"message": message})),
            typed("ping", json!({})),
            typed(
                "content_block_start",
                json!({"index": 0, "content_block": block}),
            ),
        ]
    }

    fn deltas(&self) -> Vec<Step> {
        let delta = |text: String| {
            let delta = json!({"type": "text_delta", "text": text});
            typed("content_block_delta", json!({"index": 0, "delta": delta}))
        };
        pieces(&self.text).into_iter().map(delta).collect()
    }

    fn closing(&self) -> Vec<Step> {
        let delta = json!({"stop_reason": "end_turn", "stop_sequence": null});
        let usage = self.usage.json(self.usage.output);
        vec![
            typed("content_block_stop", json!({"index": 0})),
            typed("message_delta", json!({"delta": delta, "usage": usage})),
            typed("message_stop", json!({})),
        ]
    }
}

pub(crate) const DEFAULT_MODEL: &str = "claude-opus-5-5";

/// The bytes of one server-sent event.
pub(crate) fn event_bytes(name: &str, data: &Value) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

pub(crate) fn halves(bytes: &Bytes) -> (Bytes, Bytes) {
    let middle = bytes.len() / 2;
    (bytes.slice(..middle), bytes.slice(middle..))
}

/// What the API says for an error of this type.
pub(crate) fn error_text(kind: &str) -> &'static str {
    match kind {
        "authentication_error" => "invalid x-api-key",
        "billing_error" => "Your credit balance is too low",
        "invalid_request_error" => "max_tokens: Field required",
        "not_found_error" => "Not found",
        "overloaded_error" => "Overloaded",
        "permission_error" => "Your API key does not have permission to use this resource",
        "rate_limit_error" => "This request would exceed your organization's rate limit",
        "request_too_large" => "Request exceeds the maximum size",
        "timeout_error" => "The request timed out",
        _ => "Internal server error",
    }
}

/// An event whose data repeats its name as `type`, as all of the API's events do.
fn typed(name: &str, mut data: Value) -> Step {
    data["type"] = name.into();
    Step::event(name, data)
}

fn event_of(step: &Step) -> Bytes {
    let Step::Event(name, data) = step else {
        unreachable!("a text stream consists of events")
    };
    event_bytes(name, data)
}

fn cut_list(mut steps: Vec<Step>, at: usize) -> (Vec<Step>, Vec<Step>) {
    let rest = steps.split_off(at.min(steps.len()));
    (steps, rest)
}

/// The text by words, or by characters if it has fewer than three words.
fn pieces(text: &str) -> Vec<String> {
    let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    if words.len() >= 3 {
        return words;
    }
    text.chars().map(String::from).collect()
}
