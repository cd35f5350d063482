//! One request from its head to the end of its answer.
//!
//! A [`Lifetime`] owns the request's trail, what its client got, and how it ends. Dropping it ends the
//! request: the request is counted, leaves its record if it should leave one, and is no longer shown. If
//! nothing has said how the request ends, its client has abandoned it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, Uri};
use zephyr_control::RequestEnd;
use zephyr_core::classify::Fault;
use zephyr_core::config::LogBody;
use zephyr_journal::Entry;
use zephyr_secrets::redact::Redacted;

use super::inspect::Sight;
use super::record::{self, Got};
use super::request_id::RequestId;
use super::traffic::Traffic;
use super::trail::Trail;
use crate::endpoints::remote::Remote;
use crate::engine::live::Live;

pub struct Lifetime {
    traffic: Arc<Traffic>,
    pub trail: Arc<Trail>,
    live: Arc<Live>,
    end: Option<RequestEnd>,
    got: Got,
}

impl Lifetime {
    /// A request whose head has come.
    pub fn begin(
        traffic: &Arc<Traffic>,
        id: RequestId,
        (method, target, headers): (Method, &Uri, HeaderMap),
        live: &Arc<Live>,
    ) -> Self {
        traffic.counters.begin();
        let (request_body, response_body) = if traffic.journal.is_kept() {
            let logging = &live.config.logging;
            (logging.request_body, logging.response_body)
        } else {
            (LogBody::None, LogBody::None)
        };
        let trail = Arc::new(Trail::new(
            id,
            method,
            target,
            headers,
            request_body,
            &traffic.known,
        ));
        traffic.in_flight.begin(&trail);
        Self {
            traffic: Arc::clone(traffic),
            trail,
            live: Arc::clone(live),
            end: None,
            got: Got::nothing(response_body),
        }
    }

    /// Says how the request ends. Only the first call counts.
    pub fn ends(&mut self, end: RequestEnd) {
        self.end.get_or_insert(end);
    }

    /// The client is left with a broken answer. This replaces any end that was noted before.
    pub fn breaks_off(&mut self, fault: Fault) {
        self.end = Some(RequestEnd::Aborted);
        self.got.fault = Some(fault);
    }

    /// Notes what was wrong with the answer. Only the first fault counts.
    pub fn is_faulty(&mut self, fault: Fault) {
        self.got.fault.get_or_insert(fault);
    }

    /// Notes the text of an error of our own.
    pub fn error(&mut self, message: &Redacted) {
        self.got.error = Some(message.to_string());
    }

    pub fn comes_from(&mut self, remote: &Arc<Remote>) {
        self.got.from = Some(Arc::clone(remote));
    }

    /// The head of the answer goes to the client.
    pub fn head<B>(&mut self, response: &Response<B>) {
        self.got.take_head(response.status(), response.headers());
    }

    /// A piece of the answer goes to the client. `output`: the answer's tokens so far.
    pub fn passes(&mut self, piece: &Bytes, output: u64) {
        self.got.take_in(piece);
        self.trail.note_output(output);
    }

    pub fn saw(&mut self, sight: Sight) {
        self.got.sight = sight;
    }
}

impl Drop for Lifetime {
    fn drop(&mut self) {
        let now = Instant::now();
        let (trail, traffic) = (&self.trail, &self.traffic);
        let took = now.saturating_duration_since(trail.begun.instant());
        let end = self.end.unwrap_or(RequestEnd::Abandoned);
        tracing::debug!(request = %trail.id, outcome = end.as_str(), ?took, "request ended");
        traffic.metrics.request(end, took);
        let got = std::mem::replace(&mut self.got, Got::nothing(LogBody::None));
        let account = got.account(trail, &self.live.config);
        if let (Some(account), Some(from)) = (&account, &got.from) {
            let cost = account.bill.map(|bill| bill.cost);
            from.meter.answer(&account.consumption.tokens, cost);
        }
        let is_recorded = traffic.journal.is_kept()
            && traffic.side_calls.is_to_be_recorded(trail, got.status, now);
        {
            let mut notes = trail.notes();
            notes.ended = Some((now, record::end_of(end, got.status)));
            if let Some(account) = &account {
                trail.note_output(account.consumption.tokens.output);
            }
            if !is_recorded {
                notes.headers = HeaderMap::new(); // The trail is still shown for a while, without them.
            }
        }
        if is_recorded {
            let finished = record::finished(trail, end, got, account.as_ref());
            traffic.journal.write(Entry::Request(Box::new(finished)));
        }
        traffic.in_flight.end(trail, now);
        traffic.counters.end();
        traffic.door.touch();
    }
}
