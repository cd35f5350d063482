//! The way of one request: from endpoint to endpoint until an answer has proven real.
//!
//! Nothing reaches the client before that. A refusal, an error inside a 200, a page, silence: each moves
//! the request, byte for byte (but for [`Outgoing::repair_thinking`]), to the next endpoint that the fleet
//! grants. Where none is up, the request
//! waits for one to return. From the answer's first content on the way is settled; a fault then aborts
//! the client's connection.
//!
//! Failover is this loop over [`Attempt`](super::attempt::Attempt)s, each perhaps with a second one beside it
//! ([`race`](super::race)). [`zephyr_core::classify`] says what the
//! end of an attempt means. [`zephyr_core::fleet`] says where the next one goes. [`failure`](super::failure)
//! says what the client gets when every attempt has failed.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response};
use hyper::body::Incoming;
use zephyr_control::{EventKind, RequestEnd};
use zephyr_core::fleet::{Denied, Journey, Why};
use zephyr_core::profile::CallKind;

use super::answer::{Answer, own};
use super::attempt::{Attempt, Attempted, Miss};
use super::failure::{self, Spent};
use super::held::Held;
use super::inspect::Sight;
use super::lifetime::Lifetime;
use super::outgoing::{Outgoing, upload_error};
use super::race;
use super::relay::{Abort, Relay};
use super::request_id::RequestId;
use super::traffic::Traffic;
use super::upload::UploadError;
use super::waiting::Waiter;
use super::why;
use crate::clients::reply;
use crate::engine::fleet_door::Turn;
use crate::engine::live::Live;

const ATTEMPTS: HeaderName = HeaderName::from_static("x-zephyr-attempts");
const REPAIRED: HeaderName = HeaderName::from_static("x-zephyr-repaired");

/// Forwards a request and returns what its client gets.
pub async fn forward(
    traffic: &Arc<Traffic>,
    live: &Arc<Live>,
    request: Request<Incoming>,
    id: RequestId,
    abort: Abort,
) -> Response<Answer> {
    let (head, body) = request.into_parts();
    let asked = (head.method, &head.uri, head.headers);
    let mut lifetime = Lifetime::begin(traffic, id, asked, live);
    let target = head.uri.path_and_query().cloned();
    let target = target.unwrap_or(PathAndQuery::from_static("/"));
    match Outgoing::prepare(traffic, live, &lifetime.trail, target, body).await {
        Ok((outgoing, journey)) => {
            let exchange = Exchange {
                outgoing,
                journey,
                abort,
                lifetime,
            };
            exchange.run().await
        }
        Err((code, message)) => {
            lifetime.ends(RequestEnd::Refused);
            let message = lifetime.trail.redactor.text(&message);
            lifetime.error(&message);
            answer(own(reply::error(code, message)), lifetime)
        }
    }
}

struct Exchange {
    outgoing: Outgoing,
    /// Where the request has been, for the fleet.
    journey: Journey,
    abort: Abort,
    lifetime: Lifetime,
}

impl Exchange {
    async fn run(mut self) -> Response<Answer> {
        let mut misses: Vec<Miss> = Vec::new();
        // The misses before the last wait. The client is told of them only if nothing was tried after it.
        let mut before_waiting: Vec<Miss> = Vec::new();
        loop {
            let attempt = match Attempt::admit(&self.outgoing, &mut self.journey) {
                Ok(attempt) => attempt,
                Err(_) if self.outgoing.repair_thinking(&mut self.journey) => continue,
                Err(denied) => {
                    if !misses.is_empty() {
                        before_waiting = std::mem::take(&mut misses);
                    }
                    match self.wait_for_return().await {
                        Ok(Turn::Go) => continue,
                        Ok(Turn::InVain) => return self.give_up(before_waiting, Some(&denied)),
                        Err(error) => return self.refuse(error),
                    }
                }
            };
            tracing::debug!(
                number = self.journey.attempts(),
                endpoint = %attempt.remote.spec.name,
                why = ?attempt.why,
                model = self.lifetime.trail.model().as_deref(),
                "attempt begins",
            );
            let first = attempt.remote.spec.name.clone();
            if let Some(miss) = misses.last().filter(|miss| miss.endpoint != first) {
                self.tell_failover(miss);
            }
            let headers = self.outgoing.headers.take();
            let raced = race::run(&self.outgoing, &mut self.journey, attempt, headers).await;
            misses.extend(raced.others);
            match raced.end {
                Attempted::Answered(answered) => {
                    let (held, attempt, sight) = *answered;
                    let from = &attempt.remote.spec.name;
                    let first = misses.first().map_or(&first, |miss| &miss.endpoint);
                    if first != from {
                        self.outgoing.traffic.counters.add_failed_over();
                    }
                    return self.commit(held, attempt, sight);
                }
                // The client knows what to do about the refusal of what it sent.
                Attempted::PassedOn(_) if self.outgoing.is_repaired => {
                    before_waiting.append(&mut misses);
                    return self.give_up(before_waiting, None);
                }
                Attempted::PassedOn(held) => return self.pass(*held, None),
                Attempted::Missed(miss) => {
                    let moves_on = miss.moves_on;
                    self.journey.note_miss(miss.id, &miss.outcome);
                    misses.push(*miss);
                    if !moves_on {
                        return self.give_up(misses, None);
                    }
                }
                Attempted::Upload(error) => return self.refuse(error),
            }
        }
    }

    /// Waits until an endpoint returns, if the request may wait and waiting can help.
    async fn wait_for_return(&mut self) -> Result<Turn, UploadError> {
        let weight = self.outgoing.upload.weight();
        let Some(mut waiter) = Waiter::begin(&self.outgoing.traffic, &mut self.journey, weight)
        else {
            return Ok(Turn::InVain);
        };
        tracing::debug!(
            model = self.lifetime.trail.model().as_deref(),
            "waits for an endpoint to return"
        );
        tokio::select! {
            biased;
            turn = waiter.turn() => Ok(turn),
            error = self.outgoing.upload.broken() => Err(error),
        }
    }

    fn commit(self, mut held: Held, attempt: Attempt, sight: Sight) -> Response<Answer> {
        self.outgoing.upload.stop_keeping();
        attempt.bounds.upload.stop_keeping(); // A twin, if it was the second of two attempts.
        if self.outgoing.is_repaired {
            let what = HeaderValue::from_static("thinking");
            held.head.headers.insert(REPAIRED, what);
        }
        if sight.judges() {
            // A stream can have its full length and still lack its last event. Without the header, the client
            // notices when such a stream is aborted.
            held.head.headers.remove(CONTENT_LENGTH);
        }
        let weighed = attempt.weighed();
        if let (Why::StaysForCache(_), Some(why)) = (attempt.why, &weighed) {
            tracing::info!(endpoint = %attempt.remote.spec.name, "a conversation: {why}");
        }
        let raced = why::raced(&self.outgoing, attempt.bounds.leg);
        why::sign(&mut held.head.headers, raced.or(weighed));
        self.pass(held, Some((attempt, sight)))
    }

    /// Passes on an endpoint's answer. `settling`: the attempt that the answer's end settles, and what was
    /// seen of the answer so far.
    fn pass(mut self, held: Held, settling: Option<(Attempt, Sight)>) -> Response<Answer> {
        let attempts = self.journey.attempts();
        self.lifetime.comes_from(&held.from);
        let (head, body) = held.into_parts(self.outgoing.for_page);
        let mut response = Response::from_parts(head, ());
        sign(response.headers_mut(), attempts);
        self.lifetime.head(&response);
        let (attempt, sight) = match settling {
            Some((attempt, sight)) => (Some(attempt), sight),
            None => (None, Sight::Nothing),
        };
        let idle = self.outgoing.live.config.failover.idle_timeout;
        let relay = Relay::new(body, idle, self.abort, self.lifetime, (attempt, sight));
        response.map(|()| Answer::Relayed(Box::new(relay)))
    }

    /// Refuses a body that broke off, or is too large.
    fn refuse(mut self, error: UploadError) -> Response<Answer> {
        let (code, message) = upload_error(error, self.outgoing.live.config.server.max_body);
        self.lifetime.ends(RequestEnd::Refused);
        let message = self.lifetime.trail.redactor.text(&message);
        self.lifetime.error(&message);
        answer(own(reply::error(code, message)), self.lifetime)
    }

    /// Every attempt has failed. `denied`: the fleet's reason why there is no further attempt, if it gave
    /// one.
    fn give_up(mut self, misses: Vec<Miss>, denied: Option<&Denied>) -> Response<Answer> {
        self.outgoing.traffic.counters.add_failed();
        self.lifetime.ends(RequestEnd::Failed);
        if self.outgoing.trail.kind == CallKind::Messages {
            self.outgoing.patience.wants_stream(); // For the record.
        }
        let id = self.outgoing.trail.id;
        let attempts = self.journey.attempts();
        let spent = failure::of(&self.outgoing, misses, denied);
        let mut response = match spent.answer {
            Spent::Theirs(held) => self.pass(*held, None),
            Spent::Ours(code, message) => {
                let message = self.lifetime.trail.redactor.text(&message);
                self.lifetime.error(&message);
                let mut response = own(reply::error(code, message));
                sign(response.headers_mut(), attempts);
                answer(response, self.lifetime)
            }
        };
        if let Some(wait) = spent.retry_after
            && matches!(response.status().as_u16(), 429 | 503 | 529)
        {
            let (name, value) = reply::retry_after(wait);
            response.headers_mut().insert(name, value);
            response.headers_mut().remove("retry-after-ms"); // The SDKs would prefer it to `retry-after`.
        }
        tracing::info!(
            request = %id,
            status = response.status().as_u16(),
            attempts,
            "a request got no answer but an error",
        );
        response
    }

    fn tell_failover(&self, miss: &Miss) {
        let event = EventKind::FailedOver {
            from: miss.endpoint.clone(),
            why: miss.reason.clone(),
        };
        self.outgoing
            .traffic
            .door
            .note_of(self.outgoing.trail.id, event);
    }
}

/// Says how many attempts the answer took.
fn sign(headers: &mut HeaderMap, attempts: usize) {
    let attempts = match attempts {
        1 => HeaderValue::from_static("1"),
        attempts => HeaderValue::from(attempts),
    };
    headers.insert(ATTEMPTS, attempts);
}

/// Answers the request with an answer of our own. The lifetime ends with it.
fn answer(mut response: Response<Answer>, mut lifetime: Lifetime) -> Response<Answer> {
    lifetime.head(&response);
    response.body_mut().name(lifetime.trail.id);
    if let Answer::Whole(Some(body)) = response.body() {
        lifetime.passes(body, 0);
    }
    response
}
