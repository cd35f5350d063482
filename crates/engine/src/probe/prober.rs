//! Probes: requests of our own that tell how an endpoint is.
//!
//! Probes use the same pooled connections as the traffic, and do not go through our own port. So they keep
//! the connections warm and measure what a request would meet. A probe ends after
//! `health_check.timeout_seconds`, whatever it is doing. The fleet decides when a probe is made, and of which
//! kind.
//!
//! | kind | does | costs |
//! | --- | --- | --- |
//! | `message` | one real call, one token of output | about ten tokens in, one out |
//! | `count_tokens` | counts the tokens of the same call | nothing |
//! | `models` | lists one model | nothing |
//! | `connect` | opens a connection, with TLS for `https` | nothing |
//! | `claude_cli` | runs the Claude CLI once: [`claude_cli`] | its whole prompt |
//!
//! If an endpoint does not serve a model, that is no fault of the endpoint. The next of a few cheap models is
//! tried at once. The model that works is remembered until the endpoint's configuration changes: [`models`].
//! If an endpoint does not offer a kind of free check, the next simpler kind in the table replaces it.
//!
//! What the answer to a real call says about the endpoint's quota counts as if a request had got it. Free
//! checks have limits of their own, which say nothing about the quota of requests.
//!
//! With `probe_as = "claude-code"` they look like Claude Code's requests: [`likeness`](super::likeness).
//!
//! What a probe cost is read from the `usage` of its answer. Where an answer to a call that costs something
//! did not come, or does not say, it is taken for as dear as it can be; a refusal costs nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use zephyr_core::classify::{Attempt, Fault, Outcome, Refusal, Rule, Subject};
use zephyr_core::config::{Config, Price, ProbeAs, ProbeMode};
use zephyr_core::fleet::{ProbeResult, Probed};
use zephyr_core::price::{self, Cost, Usage};
use zephyr_core::profile::CallKind;
use zephyr_core::quota::Quota;
use zephyr_core::{proof, spend};

use super::likeness::{LastSeen, Likeness};
use super::{claude_cli, models};
use crate::clock::Clock;
use crate::endpoints::headers;
use crate::endpoints::remote::Remote;
use crate::request::inspect;
use crate::request::upload::Upload;

/// Any answer to a probe is shorter than this, in bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// The longest time to end a program that did not end in time, and to find out why it failed.
const CLEANING_UP: Duration = Duration::from_secs(10);

/// What a probe needs from the configuration.
pub struct Terms {
    pricing: BTreeMap<String, Price>,
    rules: Vec<Rule>,
    claude_code: Arc<Likeness>,
}

impl Terms {
    /// Of this configuration, with what was last seen of Claude Code.
    pub fn of(config: &Config, seen: &LastSeen) -> Self {
        Self {
            pricing: config.pricing.clone(),
            rules: config.failover.rules.clone(),
            claude_code: seen.likeness(),
        }
    }
}

/// Probes an endpoint with this kind of probe.
pub async fn probe(remote: &Remote, mode: ProbeMode, terms: &Terms) -> Probed {
    let limit = remote.spec.health_check.timeout;
    let mut probe = Probe {
        remote,
        terms,
        mode,
        started: Instant::now(),
        cost: Cost::ZERO,
        at_risk: Cost::ZERO,
        quota: None,
    };
    let patience = match mode {
        ProbeMode::ClaudeCli => limit + CLEANING_UP,
        ProbeMode::Message
        | ProbeMode::CountTokens
        | ProbeMode::Models
        | ProbeMode::Connect
        | ProbeMode::Off => limit,
    };
    let made = tokio::time::timeout(patience, probe.make()).await;
    let took = probe.started.elapsed();
    let outcome = made.unwrap_or(Outcome::Failed(Fault::TimedOut(limit)));
    let result = match outcome {
        Outcome::Answered => ProbeResult::Answered(took),
        Outcome::ClientFault(_) | Outcome::NotServed { .. } => ProbeResult::Reached(took),
        failed @ (Outcome::Refused(_)
        | Outcome::Exhausted { .. }
        | Outcome::Throttled { .. }
        | Outcome::Away { .. }
        | Outcome::Failed(_)
        | Outcome::Abandoned) => ProbeResult::Failed(failed),
    };
    Probed {
        result,
        mode: Some(probe.mode),
        cost: probe.cost + probe.at_risk,
        quota: probe.quota,
    }
}

struct Probe<'a> {
    remote: &'a Remote,
    terms: &'a Terms,
    /// The kind of probe, after any replacement by a simpler one.
    mode: ProbeMode,
    /// When the call began whose time counts.
    started: Instant,
    cost: Cost,
    /// What the current call may cost.
    at_risk: Cost,
    /// What the last answer said about it.
    quota: Option<Quota>,
}

impl Probe<'_> {
    async fn make(&mut self) -> Outcome {
        loop {
            let (outcome, simpler) = match self.mode {
                ProbeMode::Message => return self.call_models(CallKind::Messages).await,
                ProbeMode::CountTokens => (
                    self.call_models(CallKind::CountTokens).await,
                    ProbeMode::Models,
                ),
                ProbeMode::Models => (self.list_models().await, ProbeMode::Connect),
                ProbeMode::Connect | ProbeMode::Off => return self.connect().await,
                ProbeMode::ClaudeCli => match self.run_claude_cli().await {
                    Some(outcome) => return outcome,
                    None => {
                        self.mode = ProbeMode::CountTokens;
                        continue;
                    }
                },
            };
            match outcome {
                Outcome::NotServed { .. } | Outcome::ClientFault(404 | 405) => self.mode = simpler,
                Outcome::Answered
                | Outcome::ClientFault(_)
                | Outcome::Refused(_)
                | Outcome::Exhausted { .. }
                | Outcome::Throttled { .. }
                | Outcome::Away { .. }
                | Outcome::Failed(_)
                | Outcome::Abandoned => return outcome,
            }
        }
    }

    /// One call with the model that is known to work, or else with the cheap ones until one works.
    async fn call_models(&mut self, kind: CallKind) -> Outcome {
        let remote = self.remote;
        let candidates = models::candidates(&remote.spec.health_check.model);
        let mut last = None;
        for at in remote.probe_models.turns(candidates.len()) {
            let outcome = self.call(kind, candidates[at]).await;
            match outcome {
                Outcome::NotServed {
                    subject: Subject::Model | Subject::Family(_),
                    ..
                } => last = Some(outcome),
                Outcome::Answered => {
                    remote.probe_models.works(at);
                    return outcome;
                }
                Outcome::ClientFault(_)
                | Outcome::NotServed { .. }
                | Outcome::Refused(_)
                | Outcome::Exhausted { .. }
                | Outcome::Throttled { .. }
                | Outcome::Away { .. }
                | Outcome::Failed(_)
                | Outcome::Abandoned => return outcome,
            }
        }
        remote.probe_models.none_works(candidates.len());
        last.unwrap_or(Outcome::Abandoned)
    }

    async fn call(&mut self, kind: CallKind, model: &str) -> Outcome {
        let mut body = serde_json::json!({
            "model": model,
            "messages": [{ "role": "user", "content": "." }],
        });
        let target = match kind {
            CallKind::CountTokens => "/v1/messages/count_tokens",
            CallKind::Messages | CallKind::Models | CallKind::Other => {
                body["max_tokens"] = 1.into();
                self.at_risk = self.bound(model);
                "/v1/messages"
            }
        };
        self.exchange(kind, target, Some(body), model).await
    }

    async fn list_models(&mut self) -> Outcome {
        let target = "/v1/models?limit=1";
        self.exchange(CallKind::Other, target, None, "").await
    }

    async fn connect(&mut self) -> Outcome {
        self.started = Instant::now();
        let root = http::uri::PathAndQuery::from_static("/");
        let opened = match self.remote.url(&root) {
            Ok(url) => self.remote.connections.connect(url).await,
            Err(error) => Err(Fault::Connect(error.to_string())),
        };
        opened.map_or_else(Outcome::Failed, |()| Outcome::Answered)
    }

    /// `None`: the program cannot be started. The endpoint is not to blame.
    async fn run_claude_cli(&mut self) -> Option<Outcome> {
        let model = &self.remote.spec.health_check.model;
        self.at_risk = self.bound(model);
        self.started = Instant::now();
        let limit = self.remote.spec.health_check.timeout;
        let ended = match claude_cli::run(self.remote, limit).await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::warn!(
                    endpoint = self.remote.spec.name,
                    "{error}; the endpoint is checked for free instead"
                );
                self.at_risk = Cost::ZERO;
                return None;
            }
        };
        if let Some(usage) = ended.usage {
            self.at_risk = Cost::ZERO;
            self.cost += self.price(model, &usage);
        }
        Some(match ended.result {
            claude_cli::Result::Answered => Outcome::Answered,
            claude_cli::Result::Status(status) => {
                self.at_risk = Cost::ZERO;
                let refusal = Refusal {
                    status,
                    headers: &HeaderMap::new(),
                    retry_after: None,
                    body: b"",
                    since_epoch: Duration::ZERO,
                };
                self.attempt(model).judge(refusal).outcome
            }
            claude_cli::Result::Failed(detail) => {
                self.unless_unreachable(Fault::ClaudeCli(detail)).await
            }
            claude_cli::Result::TimedOut => self.unless_unreachable(Fault::TimedOut(limit)).await,
        })
    }

    /// The program does not tell a lost network from an endpoint that fails. A connection does.
    async fn unless_unreachable(&mut self, fault: Fault) -> Outcome {
        match self.connect().await {
            Outcome::Failed(unreachable) => Outcome::Failed(unreachable),
            Outcome::Answered
            | Outcome::ClientFault(_)
            | Outcome::NotServed { .. }
            | Outcome::Refused(_)
            | Outcome::Exhausted { .. }
            | Outcome::Throttled { .. }
            | Outcome::Away { .. }
            | Outcome::Abandoned => Outcome::Failed(fault),
        }
    }

    async fn exchange(
        &mut self,
        kind: CallKind,
        target: &'static str,
        body: Option<Value>,
        model: &str,
    ) -> Outcome {
        self.started = Instant::now();
        let sent = match request(self.remote, &self.terms.claude_code, target, body) {
            Ok(request) => send(self.remote, request).await,
            Err(error) => Err(Fault::Connect(error.to_string())),
        };
        match sent {
            Ok(response) => self.judge(kind, model, response).await,
            Err(fault) => {
                if let Fault::Connect(_) | Fault::Certificate(_) | Fault::ClearText = fault {
                    self.at_risk = Cost::ZERO;
                }
                Outcome::Failed(fault)
            }
        }
    }

    async fn judge(&mut self, kind: CallKind, model: &str, answer: Response<Incoming>) -> Outcome {
        let (head, body) = answer.into_parts();
        if kind == CallKind::Messages {
            self.quota = headers::quota(&head.headers).or(self.quota.take());
        }
        if !head.status.is_success() {
            self.at_risk = Cost::ZERO; // Only an answered call is billed.
        }
        let body = match Limited::new(body, ANSWER_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Outcome::Failed(Fault::Lost(error.to_string())),
        };
        let plain = match inspect::plain(&head.headers, &[body], ANSWER_LIMIT) {
            Ok(plain) => plain.unwrap_or_default(),
            Err(fault) => return Outcome::Failed(fault),
        };
        if !head.status.is_success() {
            let outcome = self.attempt(model).judge(refusal(&head, &plain)).outcome;
            if let Outcome::ClientFault(status @ (400 | 403 | 422)) = outcome
                && models::names(&plain, model)
            {
                return Outcome::model_not_served(Fault::Status(status));
            }
            return outcome;
        }
        if kind == CallKind::Messages {
            self.settle_cost(model, &plain);
        }
        match proof::judge_json(self.remote.format, kind, &plain) {
            Ok(()) => Outcome::Answered,
            Err(fault) => self.attempt(model).judge_fault(fault, &plain).outcome,
        }
    }

    fn settle_cost(&mut self, model: &str, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        if let Some(usage) = Usage::read(&answer["usage"]) {
            self.at_risk = Cost::ZERO;
            self.cost += self.price(model, &usage);
        }
    }

    fn attempt<'a>(&'a self, model: &'a str) -> Attempt<'a> {
        Attempt {
            kind: CallKind::Messages,
            model: Some(model),
            own_credential: self.remote.credential.is_ours(),
            endpoint: &self.remote.spec.name,
            rules: &self.terms.rules,
        }
    }

    fn price(&self, model: &str, usage: &Usage) -> Cost {
        price::cost(model, usage, &self.terms.pricing, self.remote.spec.price)
    }

    fn bound(&self, model: &str) -> Cost {
        spend::bound(
            model,
            self.mode,
            &self.terms.pricing,
            self.remote.spec.price,
        )
    }
}

/// A request of our own, with the endpoint's credential; without a body it is a GET.
///
/// # Errors
///
/// The endpoint's URL and the target together are not a valid URL.
pub fn request(
    remote: &Remote,
    claude_code: &Likeness,
    target: &'static str,
    body: Option<Value>,
) -> Result<Request<Upload>, http::Error> {
    let likeness = match remote.spec.probe_as {
        ProbeAs::ClaudeCode => Some(claude_code),
        ProbeAs::Zephyr => None,
    };
    let target = likeness.map_or(target.to_owned(), |it| it.target(target));
    let url = remote.url(&http::uri::PathAndQuery::try_from(target)?)?;
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("zephyr/", env!("CARGO_PKG_VERSION"))),
    );
    if body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(likeness) = likeness {
        likeness.put_on(&mut headers);
    }
    remote.authorize(&mut headers);
    let method = match &body {
        Some(_) => Method::POST,
        None => Method::GET,
    };
    let body = body.map(|mut body| {
        if likeness.is_some() {
            Likeness::introduce(&mut body);
        }
        Bytes::from(body.to_string())
    });
    let mut request = Request::new(Upload::whole(body.unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = url;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Sends the request, and once more if the endpoint did not process it.
///
/// # Errors
///
/// The head of the answer did not come.
pub async fn send(remote: &Remote, request: Request<Upload>) -> Result<Response<Incoming>, Fault> {
    let (parts, upload) = request.into_parts();
    let once = || Request::from_parts(parts.clone(), upload.attempt());
    match remote.connections.send(once()).await {
        Err(error) if error.unprocessed => remote.connections.send_fresh(once()).await,
        result => result,
    }
    .map_err(|error| error.fault)
}

/// An answer to a request of our own whose status is not success.
pub fn refusal<'a>(head: &'a response::Parts, body: &'a [u8]) -> Refusal<'a> {
    Refusal {
        status: head.status.as_u16(),
        headers: &head.headers,
        retry_after: headers::retry_after(&head.headers, SystemTime::now()),
        body,
        since_epoch: Clock::now().since_epoch(),
    }
}
