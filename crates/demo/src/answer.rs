//! The answer to a request, as a value: its bytes, their pace and their end.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::message::{Message, Usage};
use crate::profile::{Behaviour, Profile, SLOWNESS};

/// A request as it arrived.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
    /// Its position among the requests of its endpoint, from 0.
    pub(crate) number: u64,
}

/// The answer to a request.
pub(crate) enum Answer {
    /// The connection is reset (RST).
    Reset,
    /// A head, and pieces of a body.
    Sent(Sent),
}

pub(crate) struct Sent {
    /// Before the head.
    pub(crate) after: Duration,
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) length: Length,
    pub(crate) end: End,
}

/// A part of the body, and the time before it.
pub(crate) struct Piece {
    pub(crate) after: Duration,
    pub(crate) bytes: Bytes,
}

/// How the body is delimited.
pub(crate) enum Length {
    Chunks,
    Declared(usize),
}

/// How the body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Whole,
    /// The connection is closed in the middle.
    Cut,
}

/// The endpoint's answer to the request, at this time after its start.
pub(crate) fn answer(profile: &Profile, asked: &Asked<'_>, elapsed: Duration) -> Answer {
    let mut dice = Dice::new(profile.seed, asked.number);
    let latency = profile.latency.mul_f64(0.85 + 0.4 * dice.fraction());
    let sent = match profile.behaviour_at(elapsed) {
        Behaviour::Healthy => healthy(profile, asked, &mut dice),
        Behaviour::Slow => healthy(profile, asked, &mut dice).later(SLOWNESS),
        Behaviour::Overloaded => overloaded(asked.number),
        Behaviour::Down => return Answer::Reset,
        Behaviour::CutsStreams => cutting(profile, asked, &mut dice),
        Behaviour::Html => Sent::whole(StatusCode::OK, "text/html; charset=utf-8", PAGE),
    };
    Answer::Sent(sent.later(latency))
}

/// The body of a Messages call.
struct Call {
    asked: Value,
    streamed: bool,
}

impl Call {
    /// `None`: it is none.
    fn of(asked: &Asked<'_>) -> Option<Self> {
        if asked.method != Method::POST || !asked.path.ends_with("/messages") {
            return None;
        }
        let asked: Value = serde_json::from_slice(asked.body).unwrap_or_default();
        let streamed = asked["stream"] == true;
        Some(Self { asked, streamed })
    }
}

fn healthy(profile: &Profile, asked: &Asked<'_>, dice: &mut Dice) -> Sent {
    let Some(call) = Call::of(asked) else {
        return beside_messages(asked);
    };
    let message = message(profile, asked, &call.asked, dice);
    if !call.streamed {
        return Sent::whole(StatusCode::OK, JSON, message.json());
    }
    let mut pieces: Vec<_> = message.opening().into_iter().map(at_once).collect();
    let text = message.text().into_iter();
    pieces.extend(text.map(|piece| paced(piece, dice)));
    pieces.extend(message.closing().into_iter().map(at_once));
    Sent::stream(pieces, End::Whole)
}

/// Breaks off in the middle of a message.
fn cutting(profile: &Profile, asked: &Asked<'_>, dice: &mut Dice) -> Sent {
    let Some(call) = Call::of(asked) else {
        return beside_messages(asked);
    };
    let message = message(profile, asked, &call.asked, dice);
    if !call.streamed {
        let whole = message.json();
        return Sent {
            length: Length::Declared(whole.len()),
            end: End::Cut,
            ..Sent::whole(StatusCode::OK, JSON, whole.slice(..whole.len() / 2))
        };
    }
    let mut text = message.text();
    text.pop();
    let mut pieces: Vec<_> = message.opening().into_iter().map(at_once).collect();
    pieces.extend(text.into_iter().map(|piece| paced(piece, dice)));
    Sent::stream(pieces, End::Cut)
}

fn overloaded(number: u64) -> Sent {
    let status = StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    Sent::whole(
        status,
        JSON,
        error("overloaded_error", "Overloaded", number),
    )
}

/// The answer to a request that is no Messages call.
fn beside_messages(asked: &Asked<'_>) -> Sent {
    let is = |method: Method, end: &str| *asked.method == method && asked.path.ends_with(end);
    if is(Method::POST, "/count_tokens") {
        let tokens = json!({"input_tokens": asked.body.len() / 4 + 1});
        return Sent::whole(StatusCode::OK, JSON, tokens.to_string());
    }
    if is(Method::GET, "/models") {
        let models: Vec<_> = MODELS.iter().map(|(id, name)| model(id, name)).collect();
        let list = json!({
            "data": models,
            "has_more": false,
            "first_id": MODELS[0].0,
            "last_id": MODELS[MODELS.len() - 1].0,
        });
        return Sent::whole(StatusCode::OK, JSON, list.to_string());
    }
    let wanted = asked.path.rsplit_once("/models/").map(|(_, id)| id);
    if let Some((id, name)) = MODELS.iter().find(|(id, _)| Some(*id) == wanted)
        && *asked.method == Method::GET
    {
        return Sent::whole(StatusCode::OK, JSON, model(id, name).to_string());
    }
    let body = error("not_found_error", "Not found", asked.number);
    Sent::whole(StatusCode::NOT_FOUND, JSON, body)
}

/// The answer to a Messages call. The call's `max_tokens` limits its words.
fn message(profile: &Profile, request: &Asked<'_>, asked: &Value, dice: &mut Dice) -> Message {
    let limit = asked["max_tokens"].as_u64().unwrap_or(u64::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).max(1);
    let text = format!("{} here. {}", profile.name, dice.choice(&THOUGHTS));
    let words: Vec<&str> = text.split(' ').take(limit).collect();
    let size = count(request.body.len());
    Message {
        id: format!("msg_01Sim{:03}x{:08}", profile.seed, request.number),
        model: asked["model"].as_str().unwrap_or(MODELS[0].0).to_owned(),
        text: words.join(" "),
        usage: Usage {
            input: 10 + size % 400,
            cache_read: size / 4,
            output: count(words.len()),
        },
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl Sent {
    fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            after: Duration::ZERO,
            status,
            content_type,
            length: Length::Declared(body.len()),
            pieces: vec![at_once(body)],
            end: End::Whole,
        }
    }

    fn stream(pieces: Vec<Piece>, end: End) -> Self {
        Self {
            after: Duration::ZERO,
            status: StatusCode::OK,
            content_type: "text/event-stream; charset=utf-8",
            pieces,
            length: Length::Chunks,
            end,
        }
    }

    fn later(mut self, time: Duration) -> Self {
        self.after += time;
        self
    }
}

fn at_once(bytes: Bytes) -> Piece {
    Piece {
        after: Duration::ZERO,
        bytes,
    }
}

/// Pieces at the pace of a model that writes.
fn paced(bytes: Bytes, dice: &mut Dice) -> Piece {
    Piece {
        after: PACE.mul_f64(0.5 + 2.0 * dice.fraction()),
        bytes,
    }
}

/// The API's error body.
fn error(kind: &str, message: &str, number: u64) -> String {
    let error = json!({"type": kind, "message": message});
    json!({"type": "error", "error": error, "request_id": request_id(number)}).to_string()
}

/// The id of a request.
pub(crate) fn request_id(number: u64) -> String {
    format!("req_011Zephyr{number:06}")
}

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

const JSON: &str = "application/json";
/// The usual time between two words.
pub(crate) const PACE: Duration = Duration::from_millis(20);
const PAGE: &str = "<!doctype html><html><head><title>Sign in</title></head>\
                    <body><h1>Sign in to use this network</h1></body></html>\n";

const MODELS: [(&str, &str); 3] = [
    ("claude-opus-5-5", "Claude Opus 5.5"),
    ("claude-sonnet-5-5", "Claude Sonnet 5.5"),
    ("claude-haiku-5-5", "Claude Haiku 5.5"),
];

const THOUGHTS: [&str; 6] = [
    "I have read the function twice: the loop ends one element early, because the bound was meant \
     to be inclusive. Changing it makes both tests pass.",
    "The two modules share a type but not a reason to change. I would leave the duplication alone \
     until a third user shows what they have in common.",
    "The test fails only when it runs after its neighbour: both write to the same folder. Giving \
     each a folder of its own removes the surprise.",
    "That query reads the whole table for every row on the page. An index on the date, and one \
     query instead of fifty, brings it down to a few milliseconds.",
    "I renamed the field, updated its three callers and the documentation, and ran the tests. \
     Nothing else refers to the old name.",
    "There are two ways to do this. The first is shorter; the second can be undone. As the data \
     cannot be restored, I suggest the second.",
];
