//! What is known of one request while it is on its way.
//!
//! Each part of the engine notes what it sees: the forwarder notes what is asked for, an attempt how it went,
//! the answer how far it has come. The notes are small and need no extra work (instants, handles, counts).
//! They are turned into text only when a front-end looks ([`crate::request::in_flight`]) or when the request
//! has ended ([`crate::request::record`]).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use zephyr_control::{AttemptOutcome, Reason, RequestEnd, Verdict};
use zephyr_core::config::LogBody;
use zephyr_core::price::Left;
use zephyr_core::profile::CallKind;

use super::received::Received;
use super::request_id::RequestId;
use crate::clock::Clock;
use crate::endpoints::remote::Remote;
use crate::endpoints::socket::Handshake;
use zephyr_secrets::redact::{Known, Own, Redacted, Redactor, may_have_credentials};

/// Claude Code names its session in this header.
pub const SESSION_ID: HeaderName = HeaderName::from_static("x-claude-code-session-id");

/// Longer names of models, sessions and the like are cut, in bytes.
const LONGEST_NAME: usize = 256;
/// Longer paths are cut, in bytes.
const LONGEST_PATH: usize = 2048;

pub struct Trail {
    pub id: RequestId,
    /// When its head was here.
    pub begun: Clock,
    pub method: Method,
    /// Without the query.
    pub path: Redacted,
    /// The query, if it holds a credential: nothing shows it, but the journal is to recognize that.
    pub query: Option<String>,
    /// Takes the secrets out of what is shown of this request. It knows those that the request carries.
    pub redactor: Arc<Redactor>,
    pub kind: CallKind,
    /// Whether a stream is asked for. In a long body this is found late.
    pub stream: OnceLock<bool>,
    /// How much of its body has come.
    pub received: Arc<Received>,
    /// Tokens of its answer so far.
    output: AtomicU64,
    notes: Mutex<Notes>,
}

#[derive(Default)]
pub struct Notes {
    /// The client's headers as they came. Once they have been sent, only those that the record needs.
    pub headers: HeaderMap,
    /// The requested model.
    pub model: Option<Redacted>,
    pub session: Option<Redacted>,
    pub legs: Vec<Leg>,
    /// When its answer began to reach the client.
    pub answered: Option<Instant>,
    pub ended: Option<(Instant, RequestEnd)>,
    /// What its conversation had cached at another endpoint.
    pub left: Option<Left>,
}

pub struct Leg {
    pub remote: Arc<Remote>,
    pub why: Reason,
    pub began: Instant,
    /// How long its connection took. `None`: the connection was not new.
    pub handshake: Option<Handshake>,
    /// The endpoint's status.
    pub status: Option<u16>,
    /// The time until the answer's head.
    pub headers: Option<Duration>,
    /// The time until the answer had proven real.
    pub first_event: Option<Duration>,
    /// The answer's headers about limits.
    pub rate_limits: Vec<(HeaderName, HeaderValue)>,
    /// Another attempt beside it was first: its answer took this long.
    pub overtaken: Option<Duration>,
    /// Those that could have taken the request as well have failed.
    pub is_last: bool,
    pub end: Option<LegEnd>,
}

pub struct LegEnd {
    pub at: Instant,
    pub outcome: AttemptOutcome,
    /// Why it brought no answer.
    pub reason: Option<Reason>,
    /// The verdict, if there was no answer.
    pub verdict: Option<Verdict>,
}

impl Trail {
    /// A request with this head. `body`: how much of its body is kept.
    pub fn new(
        id: RequestId,
        method: Method,
        target: &Uri,
        headers: HeaderMap,
        body: LogBody,
        known: &Known,
    ) -> Self {
        let redactor = known.of_request(&Own::of(&headers, target.query()));
        let path = target.path();
        let shown = &path[..path.floor_char_boundary(LONGEST_PATH)];
        Self {
            id,
            begun: Clock::now(),
            kind: CallKind::of(method.as_str(), path),
            method,
            path: shown_path(shown, &redactor),
            query: target
                .query()
                .filter(|query| may_have_credentials(query))
                .map(str::to_owned),
            stream: OnceLock::new(),
            received: Arc::new(Received::nothing(body)),
            output: AtomicU64::new(0),
            notes: Mutex::new(Notes {
                session: named(&headers, &SESSION_ID).map(|name| redactor.text(&name)),
                headers,
                ..Notes::default()
            }),
            redactor,
        }
    }

    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requested model, as it may be shown.
    pub fn model(&self) -> Option<Redacted> {
        self.notes().model.clone()
    }

    /// An attempt begins. Returns its index.
    pub fn set_out(&self, leg: Leg) -> usize {
        let mut notes = self.notes();
        notes.legs.push(leg);
        notes.legs.len() - 1
    }

    pub fn note(&self, leg: usize, note: impl FnOnce(&mut Leg)) {
        if let Some(leg) = self.notes().legs.get_mut(leg) {
            note(leg);
        }
    }

    /// How long the answer took that was there before that of this attempt.
    pub fn overtaken(&self, leg: usize) -> Option<Duration> {
        self.notes().legs.get(leg)?.overtaken
    }

    pub fn note_output(&self, tokens: u64) {
        self.output.store(tokens, Ordering::Relaxed);
    }

    /// Tokens of the answer so far.
    pub fn output(&self) -> u64 {
        self.output.load(Ordering::Relaxed)
    }
}

impl Notes {
    /// The attempt whose answer is passed on, or the last one that is under way, or the last one.
    pub fn current_leg(&self) -> Option<&Leg> {
        let mut legs = self.legs.iter().rev();
        let answers = legs.clone().find(|leg| leg.first_event.is_some());
        let runs = || legs.find(|leg| leg.end.is_none());
        answers.or_else(runs).or_else(|| self.last_leg())
    }

    /// The last attempt.
    pub fn last_leg(&self) -> Option<&Leg> {
        self.legs.last()
    }
}

impl Leg {
    /// An attempt that begins now.
    pub fn new(remote: Arc<Remote>, why: Reason) -> Self {
        Self {
            remote,
            why,
            began: Instant::now(),
            handshake: None,
            status: None,
            headers: None,
            first_event: None,
            rate_limits: Vec::new(),
            overtaken: None,
            is_last: false,
            end: None,
        }
    }
}

/// A path as it may be shown. Those that clients of the API ask for are known.
pub fn shown_path(path: &str, redactor: &Redactor) -> Redacted {
    match path {
        "/v1/messages" => "/v1/messages".into(),
        "/v1/messages/count_tokens" => "/v1/messages/count_tokens".into(),
        "/v1/models" => "/v1/models".into(),
        _ => redactor.text(path),
    }
}

/// The text of a header. `None`: there is none, or it is empty.
pub fn named(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty()).then(|| shortened(text))
}

/// The beginning of a name that a client chose. It is shown, and a longer one helps nobody.
pub fn shortened(name: &str) -> String {
    beginning(name).to_owned()
}

/// See [`shortened`].
pub fn beginning(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME)]
}
