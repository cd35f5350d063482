//! The record that a request leaves. It is made after the request has ended, so the client does not wait for
//! it, and only if a journal is kept.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, USER_AGENT};
use http::{HeaderName, StatusCode};
use zephyr_control::{self as control, AttemptRecord, Reason, RequestEnd, RequestRecord, Tokens};
use zephyr_core::classify::Fault;
use zephyr_core::config::{Config, LogBody};
use zephyr_core::price::{Bill, Cost, is_priced_by_hand};
use zephyr_core::profile::CallKind;
use zephyr_core::usage::{Consumption, Tally};

use crate::clock::Clock;
use crate::endpoints::headers;
use crate::endpoints::remote::Remote;
use crate::request::capture::Capture;
use crate::request::inspect::Sight;
use crate::request::trail::{Leg, Notes, Trail, named};
use crate::view;
use zephyr_journal::Finished;
use zephyr_secrets::redact::{Redactor, is_credential};

const AGENT_ID: HeaderName = HeaderName::from_static("x-claude-code-agent-id");

/// The client's headers that the record needs even if headers are not recorded: those that name the client,
/// and those with something to redact. They are copied, because the original headers keep everything alive
/// that was read from the connection with them.
pub fn essential(headers: &HeaderMap) -> HeaderMap {
    let is_essential =
        |name: &HeaderName| *name == USER_AGENT || *name == AGENT_ID || is_credential(name);
    let copy = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
    let essential = headers.iter().filter(|(name, _)| is_essential(name));
    essential
        .filter_map(|(name, value)| Some((name.clone(), copy(value)?)))
        .collect()
}

pub struct Got {
    /// `None`: the client left before the head was sent.
    pub status: Option<StatusCode>,
    /// Whether the answer is a stream of events.
    pub is_event_stream: bool,
    /// The headers. Only if the body is kept.
    pub headers: HeaderMap,
    /// Bytes of the body so far.
    pub bytes: u64,
    /// The body. Only if it is kept.
    pub body: Option<Capture>,
    /// The endpoint whose answer it is. `None`: our own.
    pub from: Option<Arc<Remote>>,
    /// What was seen of the answer.
    pub sight: Sight,
    /// What was wrong with the answer.
    pub fault: Option<Fault>,
    /// The text of an error of our own.
    pub error: Option<String>,
}

/// What an answer used, and what that cost.
pub struct Account {
    pub consumption: Consumption,
    /// `None`: the price is unknown.
    pub bill: Option<Bill>,
    /// What the prompt of an overtaken attempt cost: an upper bound. `None`: there was none, or the price is unknown.
    pub overtaken: Option<Cost>,
}

impl Got {
    /// No answer yet. `body`: how much of the answer's body is kept.
    pub fn nothing(body: LogBody) -> Self {
        Self {
            status: None,
            is_event_stream: false,
            headers: HeaderMap::new(),
            bytes: 0,
            body: Capture::of(body),
            from: None,
            sight: Sight::Nothing,
            fault: None,
            error: None,
        }
    }

    /// The answer begins with this head.
    pub fn take_head(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.status = Some(status);
        self.is_event_stream = headers::is_event_stream(headers);
        if self.body.is_some() {
            self.headers = headers.clone();
        }
    }

    /// The next piece of the body goes to the client.
    pub fn take_in(&mut self, piece: &Bytes) {
        self.bytes += piece.len() as u64;
        if let Some(body) = &mut self.body {
            body.push(piece);
        }
    }

    /// What the answer used. A count of tokens is free, so it uses nothing.
    pub fn account(&self, trail: &Trail, config: &Config) -> Option<Account> {
        let remote = self.from.as_ref()?;
        let tally = self
            .sight
            .tally()
            .filter(|_| trail.kind == CallKind::Messages)?;
        let consumption = tally.consumption()?;
        let (own, price) = (&config.pricing, remote.spec.price);
        let bill = |model: &str| {
            let Consumption { tokens, terms, .. } = &consumption;
            Bill::of(model, tokens, terms, own, price)
        };
        let notes = trail.notes();
        let asked = notes.model.as_deref();
        // The model that served is the one to pay for. The requested model is used only if the served one is
        // unknown, or if a person has set a price for the requested one.
        let by_name = |asked: &&str| tally.model().is_none() || is_priced_by_hand(asked, own);
        let served = tally.model().and_then(bill);
        let bill = served.or_else(|| asked.filter(by_name).and_then(bill));
        let overtaken = notes.legs.iter().filter(|leg| leg.overtaken.is_some());
        Some(Account {
            consumption,
            overtaken: bill.and_then(|bill| {
                let costs = overtaken.map(|leg| bill.prompt_elsewhere(leg.remote.spec.price));
                costs.reduce(|sum, cost| sum + cost)
            }),
            bill,
        })
    }
}

pub fn finished(trail: &Trail, end: RequestEnd, got: Got, account: Option<&Account>) -> Finished {
    let now = Clock::now();
    let mut notes = trail.notes();
    let mut request_headers = std::mem::take(&mut notes.headers);
    let end = end_of(end, got.status);
    let tally = got.sight.tally();
    let bill = account.and_then(|account| account.bill);
    let overtaken = account.and_then(|account| account.overtaken);
    let is_free = trail.kind == CallKind::CountTokens && end == RequestEnd::Answered;
    let cost = bill.map(|bill| bill.cost.usd());
    let lost = bill
        .zip(notes.left)
        .map(|(bill, left)| bill.cache_lost(&left));
    let error = error(end, &got, &notes, &trail.redactor);
    let begun = trail.begun.instant();
    let millis_since_begun =
        |at: std::time::Instant| at.saturating_duration_since(begun).as_secs_f64() * 1000.0;
    let record = RequestRecord {
        id: 0,
        request: trail.id.to_string(),
        at_ms: trail.begun.unix_ms(begun),
        method: trail.method.to_string(),
        path: trail.path.to_string(),
        status: got.status.map(|status| status.as_u16()),
        end,
        client: client(&request_headers),
        session: notes.session.as_deref().map(str::to_owned),
        agent: named(&request_headers, &AGENT_ID),
        model: notes.model.as_deref().map(str::to_owned),
        served_model: tally.and_then(Tally::model).map(str::to_owned),
        // Whether a stream was asked for. If that is unknown: whether a stream came.
        stream: trail
            .stream
            .get()
            .copied()
            .or(got.is_event_stream.then_some(true)),
        endpoint: got.from.as_ref().map(|from| from.spec.name.clone()),
        attempts: notes
            .legs
            .iter_mut()
            .map(|leg| attempt(leg, trail, &now))
            .collect(),
        duration_ms: millis_since_begun(now.instant()),
        ttft_ms: notes.answered.map(millis_since_begun),
        request_bytes: trail.received.bytes(),
        response_bytes: got.bytes,
        tokens: account.map(|account| tokens(&account.consumption)),
        stop_reason: tally.and_then(Tally::stop_reason).map(str::to_owned),
        cost_usd: cost.or_else(|| is_free.then_some(0.0)),
        cache_saved_usd: bill.map(|bill| bill.cache_saved.usd()),
        cache_lost_usd: lost.map(|lost| lost.usd()),
        overtaken_cost_usd: overtaken.map(|cost| cost.usd()),
        error,
    };
    // Marked as sensitive, so that no log line shows them.
    for (name, value) in &mut request_headers {
        if is_credential(name) {
            value.set_sensitive(true);
        }
    }
    Finished {
        record,
        query: trail.query.clone(),
        request_headers,
        response_headers: got.headers,
        request_body: trail.received.take(),
        response_body: got.body.map(Capture::finish),
    }
}

/// How the request ended for a reader: an error that was passed on whole counts as an error.
pub fn end_of(end: RequestEnd, status: Option<StatusCode>) -> RequestEnd {
    match end {
        RequestEnd::Answered if status.is_some_and(|status| status.as_u16() >= 400) => {
            RequestEnd::Failed
        }
        RequestEnd::Answered
        | RequestEnd::Failed
        | RequestEnd::Aborted
        | RequestEnd::Abandoned
        | RequestEnd::Refused => end,
    }
}

fn attempt(leg: &mut Leg, trail: &Trail, now: &Clock) -> AttemptRecord {
    let millis = |took: std::time::Duration| took.as_secs_f64() * 1000.0;
    let queue = leg.began.saturating_duration_since(trail.begun.instant());
    let end = leg.end.take();
    let ended = end.as_ref().map_or(now.instant(), |end| end.at);
    let outcome = end.as_ref().map(|end| end.outcome);
    let (reason, verdict) = end.map(|end| (end.reason, end.verdict)).unwrap_or_default();
    AttemptRecord {
        endpoint: leg.remote.spec.name.clone(),
        why: Some(leg.why.clone()),
        outcome: outcome.unwrap_or(control::AttemptOutcome::Abandoned),
        reason,
        verdict,
        status: leg.status,
        queue_ms: millis(queue),
        connect_ms: leg.handshake.map(|handshake| millis(handshake.connect)),
        tls_ms: leg
            .handshake
            .and_then(|handshake| handshake.tls)
            .map(millis),
        headers_ms: leg.headers.map(millis),
        first_event_ms: leg.first_event.map(millis),
        last_byte_ms: millis(ended.saturating_duration_since(leg.began)),
        // Taken out, not cloned: the trail is shown for a while, and these headers keep the buffer alive that
        // they were read from.
        rate_limits: std::mem::take(&mut leg.rate_limits)
            .iter()
            .map(|(name, value)| (name.to_string(), lossy(value)))
            .collect(),
    }
}

fn tokens(consumption: &Consumption) -> Tokens {
    let tokens = &consumption.tokens;
    Tokens {
        input: tokens.input,
        cache_write_5m: tokens.cache_write_5m,
        cache_write_1h: tokens.cache_write_1h,
        cache_read: tokens.cache_read,
        output: tokens.output,
        thinking: consumption.thinking,
    }
}

/// The client's name and version, without the comments after them.
fn client(headers: &HeaderMap) -> Option<String> {
    let agent = named(headers, &USER_AGENT)?;
    agent.split_whitespace().next().map(str::to_owned)
}

fn error(end: RequestEnd, got: &Got, notes: &Notes, redactor: &Redactor) -> Option<String> {
    let in_words = |reason: &Reason| control::text(control::Language::En, reason);
    let midway = || Some(in_words(&view::fault_midway(got.fault.as_ref()?, redactor)));
    // From the endpoint whose answer the client got. That need not be the last one that was tried.
    let telling = || {
        let from = got.from.as_ref()?.id;
        notes.legs.iter().rev().find(|leg| leg.remote.id == from)
    };
    let of_attempt = || match end {
        RequestEnd::Failed | RequestEnd::Aborted => {
            let leg = telling().or_else(|| notes.last_leg())?;
            leg.end.as_ref()?.reason.as_ref().map(in_words)
        }
        RequestEnd::Answered | RequestEnd::Abandoned | RequestEnd::Refused => None,
    };
    got.error.clone().or_else(midway).or_else(of_attempt)
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
