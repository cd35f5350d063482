//! What is known of one request while it is on its way.
//!
//! Whoever takes part in it notes what it sees: the forwarder what is asked for, an admission how its
//! attempt went, the answer how far it has come. What is noted is small and is there anyway (instants,
//! handles, counts); words are made of it only when somebody looks ([`crate::request::in_flight`]) or when the
//! request has ended ([`crate::request::record`]).

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
use zephyr_secrets::redact::may_have_credentials;

/// The session, as Claude Code names it.
pub const SESSION_ID: HeaderName = HeaderName::from_static("x-claude-code-session-id");

/// Models, sessions and the like are cut off here.
const LONGEST_NAME: usize = 256;
/// Paths are cut off here.
const LONGEST_PATH: usize = 2048;

/// Where a request has been so far.
pub struct Trail {
    /// Its name.
    pub id: RequestId,
    /// When its head was there.
    pub begun: Clock,
    /// How it is asked.
    pub method: Method,
    /// What for, without the query.
    pub path: String,
    /// The query, where it may have a credential.
    pub query: Option<String>,
    /// Which kind of call that is.
    pub kind: CallKind,
    /// Whether a stream is asked for; found out late where the body is long.
    pub stream: OnceLock<bool>,
    /// What has come of its body.
    pub received: Arc<Received>,
    /// Tokens of its answer so far.
    output: AtomicU64,
    notes: Mutex<Notes>,
}

/// What is noted on the way.
#[derive(Default)]
pub struct Notes {
    /// The client's headers, as they came; once they have gone on their way, what the record needs of them.
    pub headers: HeaderMap,
    /// The model asked for.
    pub model: Option<String>,
    /// The session it belongs to.
    pub session: Option<String>,
    /// Its attempts.
    pub legs: Vec<Leg>,
    /// When its answer began to reach the client.
    pub answered: Option<Instant>,
    /// When and how it ended.
    pub ended: Option<(Instant, RequestEnd)>,
    /// What its conversation had cached elsewhere.
    pub left: Option<Left>,
}

/// One attempt.
pub struct Leg {
    /// Where to.
    pub remote: Arc<Remote>,
    /// Why there.
    pub why: Reason,
    /// When it began.
    pub began: Instant,
    /// The beginning of its connection, if that was new.
    pub handshake: Option<Handshake>,
    /// The endpoint's status.
    pub status: Option<u16>,
    /// Until the answer's head.
    pub headers: Option<Duration>,
    /// Until the answer had proven real.
    pub first_event: Option<Duration>,
    /// What the answer's head says of limits.
    pub rate_limits: Vec<(HeaderName, HeaderValue)>,
    /// How it ended.
    pub end: Option<LegEnd>,
}

/// How an attempt ended.
pub struct LegEnd {
    /// When.
    pub at: Instant,
    /// As what.
    pub outcome: AttemptOutcome,
    /// Why it did not come to an answer.
    pub reason: Option<Reason>,
    /// What its answer was taken for, if it did not answer.
    pub verdict: Option<Verdict>,
}

impl Trail {
    /// A request with this head; `body`: how much of its body is to be kept.
    pub fn new(
        id: RequestId,
        method: Method,
        target: &Uri,
        headers: HeaderMap,
        body: LogBody,
    ) -> Self {
        let path = target.path();
        let shown = &path[..path.floor_char_boundary(LONGEST_PATH)];
        Self {
            id,
            begun: Clock::now(),
            kind: CallKind::of(method.as_str(), path),
            method,
            path: shown.to_owned(),
            query: target
                .query()
                .filter(|query| may_have_credentials(query))
                .map(str::to_owned),
            stream: OnceLock::new(),
            received: Arc::new(Received::nothing(body)),
            output: AtomicU64::new(0),
            notes: Mutex::new(Notes {
                session: named(&headers, &SESSION_ID),
                headers,
                ..Notes::default()
            }),
        }
    }

    /// What is noted so far.
    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt begins; gives its number.
    pub fn set_out(&self, leg: Leg) -> usize {
        let mut notes = self.notes();
        notes.legs.push(leg);
        notes.legs.len() - 1
    }

    /// Notes something about an attempt.
    pub fn note(&self, leg: usize, note: impl FnOnce(&mut Leg)) {
        if let Some(leg) = self.notes().legs.get_mut(leg) {
            note(leg);
        }
    }

    /// The answer has come so far.
    pub fn note_output(&self, tokens: u64) {
        self.output.store(tokens, Ordering::Relaxed);
    }

    /// Tokens of the answer so far.
    pub fn output(&self) -> u64 {
        self.output.load(Ordering::Relaxed)
    }
}

impl Notes {
    /// Where the request is, or was last.
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
            end: None,
        }
    }
}

/// The text of a header, if there is one and it is not empty.
pub fn named(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty()).then(|| shortened(text))
}

/// The beginning of a name that a client chose: nobody needs more of it, and it is shown.
pub fn shortened(name: &str) -> String {
    name[..name.floor_char_boundary(LONGEST_NAME)].to_owned()
}
