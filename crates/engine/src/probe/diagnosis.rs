//! Tests an endpoint step by step, the same way that a request goes: name, connection, certificate, token,
//! model, first token. It ends at the first step that fails, and says what to do about it.
//!
//! The last three steps are one streamed call for one token. It names the model of the checks, or a cheap one
//! if that is not served. Only an answered call costs anything. Every step may take as long as a check.
//! Connections are new, so the result holds for the next request and not for an old connection. The report
//! never repeats what the endpoint wrote, because that may contain the token.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Response;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use zephyr_control::{Diagnosis, DiagnosisStage, DiagnosisStep};
use zephyr_core::EndpointId;
use zephyr_core::certificate::Distrust;
use zephyr_core::classify::{Attempt, Fault, Gateway, Outcome, Rule, Subject};
use zephyr_core::config::{Config, Endpoint, ProbeMode, Validation};
use zephyr_core::price::{self, Cost};
use zephyr_core::profile::CallKind;
use zephyr_core::proof::Stage;
use zephyr_core::spend;

use super::likeness::Likeness;
use super::{models, prober};
use crate::endpoints::certificate::Certificate;
use crate::endpoints::connections::Connections;
use crate::endpoints::network::Network;
use crate::endpoints::remote::Remote;
use crate::endpoints::steps::Steps;
use crate::endpoints::trust::bad_certificate;
use crate::request::inspect::{self, Inspector};
use crate::view;
use zephyr_secrets::Secret;
use zephyr_secrets::redact::Redactor;

/// A refusal is shorter than this, in bytes.
const REFUSAL_LIMIT: usize = 64 * 1024;
/// The most addresses of a host that are shown.
const ADDRESSES: usize = 4;

/// The token that the endpoint is sent.
pub enum Token {
    /// The clients' own. A test does not have it.
    OfClients,
    /// The configured one.
    Ours(Secret),
    /// The configured one was not found: the reason, and what to do.
    Missing(Wrong),
}

/// Why a step failed.
pub struct Wrong {
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

impl Wrong {
    pub fn new(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            remedy: remedy.into(),
        }
    }
}

/// Tests an endpoint of `config`, or one that could be. `claude_code`: what tests of some endpoints look like.
pub async fn diagnose(
    spec: &Endpoint,
    token: Token,
    config: &Config,
    network: &Network,
    claude_code: &Likeness,
    known: &Redactor,
) -> (Diagnosis, Cost) {
    // A test does not count as traffic.
    let mut network = network.clone();
    network.metrics = std::sync::Arc::default();
    let mut walk = Walk {
        limit: spec.health_check.timeout,
        steps: Vec::new(),
        cost: Cost::ZERO,
        claude_code,
        redactor: match &token {
            Token::Ours(secret) => known.and([secret.expose()]),
            Token::OfClients | Token::Missing(_) => known.clone(),
        },
    };
    // An error means that the walk ended at the step that failed.
    let _ = walk.take(spec, token, config, &network).await;
    let diagnosis = Diagnosis {
        steps: walk.steps,
        cost_usd: walk.cost.usd(),
    };
    (diagnosis, walk.cost)
}

/// A step failed, and the report says why.
struct Ended;

struct Walk<'a> {
    /// For each step.
    limit: Duration,
    steps: Vec<DiagnosisStep>,
    cost: Cost,
    claude_code: &'a Likeness,
    /// What the report says loses its secrets, also one that is not saved yet.
    redactor: Redactor,
}

impl Walk<'_> {
    async fn take(
        &mut self,
        spec: &Endpoint,
        token: Token,
        config: &Config,
        network: &Network,
    ) -> Result<(), Ended> {
        let started = Instant::now();
        let steps = Steps::new(network, spec).map_err(|error| {
            let remedy = "look at the endpoint's url and proxy";
            self.fail(
                DiagnosisStage::Dns,
                started,
                Wrong::new(error.to_string(), remedy),
            )
        })?;
        let hop = steps.hop();
        let found = resolve(&hop.host, hop.port, self.limit).await;
        let found = found.map(|addresses| match hop.is_proxy {
            true => format!("the proxy {}: {addresses}", hop.host),
            false => addresses,
        });
        self.write(DiagnosisStage::Dns, started, found)?;

        let started = Instant::now();
        let reached = in_time(self.limit, steps.reach()).await;
        let reached =
            reached.unwrap_or_else(|| Err(format!("no connection within {}", seconds(self.limit))));
        let reached = match reached {
            Ok((reached, peer)) => {
                let way = if hop.is_proxy {
                    ", a proxy that leads on"
                } else {
                    ""
                };
                self.pass(
                    DiagnosisStage::Tcp,
                    started,
                    &format!("connected to {peer}{way}"),
                );
                reached
            }
            Err(detail) => {
                let remedy = remedy_for_connection(&detail, hop.is_proxy);
                return Err(self.fail(DiagnosisStage::Tcp, started, Wrong::new(detail, remedy)));
            }
        };

        if steps.has_tls() {
            let started = Instant::now();
            let secured = in_time(self.limit, steps.secure(reached)).await.flatten();
            let found = match secured {
                Some(Ok(stream)) => Ok(certificate_of(stream.get_ref().1)),
                Some(Err(error)) => Err(untrusted(&error)),
                None => Err(Wrong::new(
                    format!("no answer to the handshake within {}", seconds(self.limit)),
                    "check that the port in url is one for https",
                )),
            };
            self.write(DiagnosisStage::Tls, started, found)?;
        }

        let started = Instant::now();
        let secret = match token {
            Token::Ours(secret) => secret,
            Token::OfClients => {
                let detail = "clients' own credential is passed on, so that it, the model and the first \
                              token cannot be tested from here";
                self.pass(DiagnosisStage::Auth, started, detail);
                return Ok(());
            }
            Token::Missing(wrong) => return Err(self.fail(DiagnosisStage::Auth, started, wrong)),
        };
        let timeout = config.failover.connect_timeout;
        let remote = Connections::new(network, spec, timeout).and_then(|connections| {
            Remote::new(
                EndpointId::NONE,
                0,
                spec.clone(),
                config.validation.format(),
                Some(&secret),
                Arc::new(connections),
            )
        });
        let remote = remote.map_err(|error| {
            let remedy = "look at the endpoint's url and proxy";
            self.fail(
                DiagnosisStage::Auth,
                started,
                Wrong::new(error.to_string(), remedy),
            )
        })?;
        self.ask(&remote, config).await
    }

    /// Asks for one token, from the first model that is served.
    async fn ask(&mut self, remote: &Remote, config: &Config) -> Result<(), Ended> {
        let (validation, pricing) = (&config.validation, &config.pricing);
        let wanted = &remote.spec.health_check.model;
        let mut tried = Vec::new();
        for model in models::candidates(wanted) {
            let started = Instant::now();
            let call = Call {
                remote,
                model,
                rules: &config.failover.rules,
                limit: self.limit,
                claude_code: self.claude_code,
            };
            let answer = call.head().await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(Refused::NoModel) => {
                    self.pass_once(DiagnosisStage::Auth, started, TAKEN);
                    tried.push(model);
                    continue;
                }
                Err(Refused::Token(wrong)) => {
                    return Err(self.fail(DiagnosisStage::Auth, started, wrong));
                }
                Err(Refused::Call(wrong)) => {
                    self.pass_once(DiagnosisStage::Auth, started, TAKEN);
                    return Err(self.fail(DiagnosisStage::Model, started, wrong));
                }
            };
            let own_price = |usage: &_| price::cost(model, usage, pricing, remote.spec.price);
            let bound = spend::bound(model, ProbeMode::Message, pricing, remote.spec.price);
            let headed = started.elapsed();
            let mut stream = Streamed::new(answer, validation, self.limit);
            let begun = stream.until(Stage::Started).await;
            if let Err(Broken::Page) = begun {
                return Err(self.fail(DiagnosisStage::Auth, started, page()));
            }
            self.pass_once(DiagnosisStage::Auth, started, TAKEN);
            self.set_time(headed);
            let named = if model == wanted {
                model.to_owned()
            } else {
                format!("{model}, since {wanted} is not served")
            };
            let begun = begun.map_err(|broken| broken.in_words(&call));
            let begun = begun.map_err(|refused| match refused {
                Refused::NoModel => unserved(&[model]),
                Refused::Token(wrong) | Refused::Call(wrong) => wrong,
            });
            // From here on there is an answer, so it is billed.
            self.cost = bound;
            self.write(DiagnosisStage::Model, started, begun.map(|()| named))?;
            let content = stream.until(Stage::Content).await;
            let first = started.elapsed();
            let wrong = |broken: Broken| match broken.in_words(&call) {
                Refused::NoModel => unserved(&[model]),
                Refused::Token(wrong) | Refused::Call(wrong) => wrong,
            };
            let found = content.map_err(wrong);
            let found = found.map(|()| format!("after {} ms", first.as_millis()));
            let passed = self.write(DiagnosisStage::FirstToken, started, found);
            if passed.is_ok() {
                // The rest says nothing new, but a call that is cut off may be billed differently.
                let _ = stream.until(Stage::Complete).await;
            }
            self.cost = stream.usage().map_or(bound, |usage| own_price(&usage));
            return passed;
        }
        let started = Instant::now();
        Err(self.fail(DiagnosisStage::Model, started, unserved(&tried)))
    }

    fn write(
        &mut self,
        stage: DiagnosisStage,
        started: Instant,
        found: Result<String, Wrong>,
    ) -> Result<(), Ended> {
        match found {
            Ok(detail) => {
                self.pass(stage, started, &detail);
                Ok(())
            }
            Err(wrong) => Err(self.fail(stage, started, wrong)),
        }
    }

    fn pass(&mut self, stage: DiagnosisStage, started: Instant, detail: &str) {
        self.steps.push(DiagnosisStep {
            stage,
            passed: true,
            took_ms: millis(started.elapsed()),
            detail: self.redactor.text(detail),
            remedy: None,
        });
    }

    /// Notes a step once, with what was found first.
    fn pass_once(&mut self, stage: DiagnosisStage, started: Instant, detail: &str) {
        if !self.steps.iter().any(|step| step.stage == stage) {
            self.pass(stage, started, detail);
        }
    }

    /// Sets the time of the last step, which is known only now.
    fn set_time(&mut self, took: Duration) {
        if let Some(step) = self.steps.last_mut() {
            step.took_ms = millis(took);
        }
    }

    fn fail(&mut self, stage: DiagnosisStage, started: Instant, wrong: Wrong) -> Ended {
        let Wrong { detail, remedy } = wrong;
        self.steps.push(DiagnosisStep {
            stage,
            passed: false,
            took_ms: millis(started.elapsed()),
            detail: self.redactor.text(&detail),
            remedy: Some(self.redactor.text(&remedy)),
        });
        Ended
    }
}

/// Why a call was not answered.
enum Refused {
    NoModel,
    /// It failed before it was known whether the token is accepted.
    Token(Wrong),
    /// The token is accepted, and something else is wrong.
    Call(Wrong),
}

struct Call<'a> {
    remote: &'a Remote,
    model: &'a str,
    rules: &'a [Rule],
    limit: Duration,
    claude_code: &'a Likeness,
}

impl Call<'_> {
    /// Sends it, and waits for the head of an answer.
    async fn head(&self) -> Result<Response<Incoming>, Refused> {
        let body = serde_json::json!({
            "model": self.model,
            "max_tokens": 1,
            "stream": true,
            "messages": [{ "role": "user", "content": "." }],
        });
        let request = prober::request(self.remote, self.claude_code, "/v1/messages", Some(body));
        let request = request.map_err(|error| {
            let remedy = "look at url and path_prefix";
            Refused::Token(Wrong::new(error.to_string(), remedy))
        })?;
        let answer = match in_time(self.limit, prober::send(self.remote, request)).await {
            Some(Ok(answer)) => answer,
            Some(Err(fault)) => return Err(self.judge(Outcome::Failed(fault))),
            None => return Err(self.judge(Outcome::Failed(Fault::TimedOut(self.limit)))),
        };
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let body = in_time(self.limit, Limited::new(body, REFUSAL_LIMIT).collect()).await;
        let body = body.and_then(Result::ok).map(|body| body.to_bytes());
        let body = inspect::plain(&head.headers, &[body.unwrap_or_default()], REFUSAL_LIMIT);
        let body = body.ok().flatten().unwrap_or_default();
        let is_json = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
        let status = head.status.as_u16();
        let outcome = self.attempt().judge(prober::refusal(&head, &body)).outcome;
        if let Outcome::ClientFault(400 | 403 | 422) = outcome
            && models::names(&body, self.model)
        {
            return Err(Refused::NoModel);
        }
        if let Outcome::NotServed {
            subject: Subject::Model,
            ..
        } = outcome
            && !is_json
        {
            return Err(Refused::Token(Wrong::new(
                format!("there is no /v1/messages below this URL (status {status})"),
                "check url and path_prefix: together they are what stands before /v1",
            )));
        }
        Err(self.judge(outcome))
    }

    fn attempt(&self) -> Attempt<'_> {
        Attempt {
            kind: CallKind::Messages,
            model: Some(self.model),
            own_credential: true,
            endpoint: &self.remote.spec.name,
            rules: self.rules,
        }
    }

    fn judge(&self, outcome: Outcome) -> Refused {
        let later = |retry_after: Option<Duration>| match retry_after {
            Some(wait) => format!("try again in {}", seconds(wait)),
            None => "try again later".to_owned(),
        };
        match outcome {
            Outcome::Refused(fault) => Refused::Token(Wrong::new(
                in_words(&fault),
                "check the token, and with auth_type whether it is sent as Authorization: Bearer \
                 (auth_token) or as x-api-key (api_key)",
            )),
            Outcome::Exhausted { fault, retry_after } => Refused::Call(Wrong::new(
                format!("the quota or the credit is used up: {}", in_words(&fault)),
                format!(
                    "top it up at the endpoint's operator, or {}",
                    later(retry_after)
                ),
            )),
            Outcome::Throttled { fault, retry_after } => Refused::Call(Wrong::new(
                format!("it asks to slow down: {}", in_words(&fault)),
                later(retry_after),
            )),
            Outcome::NotServed {
                subject: Subject::ClientKind,
                ..
            } => Refused::Call(Wrong::new(
                "it lets only certain client programs in, and this test is none of them",
                "send one real request; with probe_as = \"claude-code\" checks look like Claude Code's",
            )),
            Outcome::NotServed {
                subject: Subject::Model | Subject::Family(_),
                ..
            } => Refused::NoModel,
            Outcome::NotServed { fault, .. } => Refused::Call(Wrong::new(
                format!("it refuses the request: {}", in_words(&fault)),
                "check that url leads to an endpoint of the Messages API, and ask its operator",
            )),
            Outcome::ClientFault(status) => Refused::Call(Wrong::new(
                format!("it refuses the request (status {status})"),
                "check that url leads to an endpoint of the Messages API, and ask its operator",
            )),
            Outcome::Failed(fault) | Outcome::Away { fault, .. } => Refused::Token(failed(&fault)),
            Outcome::Answered | Outcome::Abandoned => {
                Refused::Call(Wrong::new("nothing came of it", "try again"))
            }
        }
    }
}

/// An answer that is still coming.
struct Streamed {
    body: Incoming,
    inspector: Option<Inspector>,
    stage: Stage,
    limit: Duration,
}

/// An answer stopped.
enum Broken {
    Page,
    Fault(Fault),
}

impl Broken {
    fn in_words(self, call: &Call<'_>) -> Refused {
        match self {
            Self::Page => Refused::Call(page()),
            Self::Fault(fault) => {
                let outcome = call.attempt().judge_fault(fault, b"").outcome;
                if let Outcome::Failed(fault) = &outcome {
                    Refused::Call(failed(fault))
                } else {
                    call.judge(outcome)
                }
            }
        }
    }
}

impl Streamed {
    fn new(answer: Response<Incoming>, validation: &Validation, limit: Duration) -> Self {
        let (head, body) = answer.into_parts();
        let strictly = Validation {
            streaming: true,
            ..validation.clone()
        };
        Self {
            body,
            inspector: Inspector::of(&head.headers, &strictly),
            stage: Stage::Silent,
            limit,
        }
    }

    /// Reads until the answer has come to this stage.
    async fn until(&mut self, stage: Stage) -> Result<(), Broken> {
        let limit = self.limit;
        let read = in_time(limit, self.read_until(stage)).await;
        let read = read.unwrap_or(Err(Fault::Stalled(limit)));
        read.map_err(|fault| {
            if fault == Fault::Html {
                Broken::Page
            } else {
                Broken::Fault(fault)
            }
        })
    }

    async fn read_until(&mut self, stage: Stage) -> Result<(), Fault> {
        let Some(inspector) = &mut self.inspector else {
            return Err(Fault::NotMessages(
                "an encoding that nobody asked for".to_owned(),
            ));
        };
        while self.stage < stage {
            let Some(frame) = self.body.frame().await else {
                inspector.finish()?;
                return Ok(()); // The answer is whole, if this is an allowed end.
            };
            let frame = frame.map_err(|error| Fault::Lost(error.to_string()))?;
            if let Some(bytes) = frame.data_ref() {
                self.stage = inspector.look(bytes)?;
            }
        }
        Ok(())
    }

    fn usage(&self) -> Option<price::Usage> {
        let told = self.inspector.as_ref()?.tally().consumption()?;
        Some(told.tokens)
    }
}

async fn resolve(host: &str, port: u16, limit: Duration) -> Result<String, Wrong> {
    if host.parse::<IpAddr>().is_ok() {
        return Ok(format!("{host} is an address itself"));
    }
    let remedy = "check the spelling of the host, and this machine's network and DNS";
    match in_time(limit, tokio::net::lookup_host((host, port))).await {
        Some(Ok(found)) => {
            let mut addresses: Vec<IpAddr> = Vec::new();
            for found in found {
                if !addresses.contains(&found.ip()) {
                    addresses.push(found.ip());
                }
            }
            if addresses.is_empty() {
                return Err(Wrong::new(format!("{host} has no address"), remedy));
            }
            let shown: Vec<_> = addresses
                .iter()
                .take(ADDRESSES)
                .map(IpAddr::to_string)
                .collect();
            let more = match addresses.len().saturating_sub(ADDRESSES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Ok(format!("{}{more}", shown.join(", ")))
        }
        Some(Err(error)) => Err(Wrong::new(
            format!("{host} has no address: {error}"),
            remedy,
        )),
        None => Err(Wrong::new(
            format!("no answer for {host} within {}", seconds(limit)),
            remedy,
        )),
    }
}

fn certificate_of(connection: &rustls::ClientConnection) -> String {
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(_) | None => "TLS 1.2",
    };
    let protocol = match connection.alpn_protocol() {
        Some(b"h2") => "HTTP/2",
        Some(_) | None => "HTTP/1.1",
    };
    let own = connection.peer_certificates().and_then(<[_]>::first);
    match own.and_then(|own| Certificate::read(own)) {
        Some(Certificate {
            issuer, last_day, ..
        }) => {
            format!("{version}, {protocol}; certificate of {issuer}, valid until {last_day}")
        }
        None => format!("{version}, {protocol}"),
    }
}

fn untrusted(error: &io::Error) -> Wrong {
    let Some(bad) = bad_certificate(error) else {
        let remedy =
            "check that the port in url is one for https; for a server without TLS write http://";
        return Wrong::new(error.to_string(), remedy);
    };
    let remedy = remedy_for_certificate(&bad.why);
    Wrong::new(in_words(&Fault::Certificate(Box::new(bad))), remedy)
}

fn remedy_for_certificate(why: &Distrust) -> &'static str {
    match why {
        Distrust::Expired | Distrust::NotYetValid { .. } => {
            "check this machine's clock; else only the endpoint's operator can renew the certificate"
        }
        Distrust::OtherNames { .. } => "write the host in url for which the certificate was issued",
        Distrust::UnknownIssuer => {
            "if a company's proxy or antivirus stands in between, add its root certificate to the system's; \
             else do not trust this endpoint"
        }
        Distrust::Other(_) => "do not trust this endpoint, and tell its operator",
    }
}

fn remedy_for_connection(detail: &str, is_proxy: bool) -> &'static str {
    if is_proxy {
        "check that the proxy runs and lets you through; with proxy = \"direct\" there is none"
    } else if detail.contains("refused") {
        "nothing listens there: check the port in url, and whether the endpoint is down"
    } else {
        "check this machine's network and firewall; if the endpoint is reached only through a proxy, name \
         that with proxy"
    }
}

fn failed(fault: &Fault) -> Wrong {
    let remedy = match fault {
        Fault::Html => return page(),
        Fault::Gateway { said, .. } => match said {
            Gateway::OriginDown => {
                "the server behind the gateway fails: try again later, or ask its operator"
            }
            Gateway::Challenge => {
                "ask the endpoint's operator to let programs in without a challenge"
            }
            Gateway::Page => {
                "ask the endpoint's operator why the gateway in front of it refuses this machine"
            }
        },
        Fault::Status(300..=399) => "write the URL that it leads to",
        Fault::Status(500..) => "the endpoint itself fails: try again later, or ask its operator",
        Fault::TimedOut(_) | Fault::Stalled(_) => {
            "the endpoint is silent: try again later, or ask its operator"
        }
        Fault::Empty | Fault::NotMessages(_) => {
            "check url and path_prefix: this is not an endpoint of the Messages API"
        }
        Fault::Certificate(bad) => remedy_for_certificate(&bad.why),
        Fault::ClearText => {
            "write https:// in url, or allow_insecure = true to use it all the same"
        }
        Fault::Connect(_)
        | Fault::Lost(_)
        | Fault::Cut
        | Fault::Status(_)
        | Fault::ErrorEvent(_)
        | Fault::ClaudeCli(_)
        | Fault::DrainTimeout => "try again; if it stays so, ask the endpoint's operator",
    };
    Wrong::new(in_words(fault), remedy)
}

/// The walk takes out what else is secret.
fn in_words(fault: &Fault) -> String {
    view::words(fault, &Redactor::default()).into_string()
}

fn page() -> Wrong {
    Wrong::new(
        "a web page answered, no API",
        "check url and path_prefix: they lead to a web site, a login page or a firewall's notice",
    )
}

fn unserved(models: &[&str]) -> Wrong {
    Wrong::new(
        format!("not served here: {}", models.join(", ")),
        "write a model that this endpoint serves as health_check.model; requests for others may be fine",
    )
}

const TAKEN: &str = "the token is taken";

async fn in_time<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64().ceil())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
