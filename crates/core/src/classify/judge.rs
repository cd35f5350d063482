//! The table of what an answer means that is not a success.
//!
//! The rules, in the order in which they are checked. `docs/guide.md` has the same table for users.
//!
//! | seen | outcome | subject |
//! | --- | --- | --- |
//! | a rule of the user | as it says | as it says |
//! | 1xx, 3xx | `Failed`: a client would follow a redirection and send the key along | endpoint |
//! | a challenge; Cloudflare's 52x and 530; a page with 401 or 403 | `Failed`, or `Away` if it says until when | endpoint |
//! | 429 with a rejected window of a subscription | `Exhausted` until its reset; `NotServed` if it is of one family | account; family |
//! | words about signed thinking, 400 | `NotServed` | signature |
//! | words about the length, not the API's own 400 or 413 | `NotServed` | size |
//! | words about content, not the API's own 4xx | `NotServed` | conversation |
//! | words about rate | `Throttled`; if they name the model, `NotServed` | endpoint; model |
//! | a remainder, or a reservation that failed | `Throttled` | endpoint |
//! | words about the model; 404, 501; a 403 that names it | `NotServed` | model |
//! | words about a quota; 402 | `Exhausted` | account |
//! | words about a disabled account | `Refused` | account |
//! | words about the client program | `NotServed` | client kind |
//! | 401, 403 | `Refused` | account |
//! | 429; 503, 529 | `Throttled` | endpoint |
//! | 408, other 5xx | `Failed`, or `Away` if the body says until when | endpoint |
//! | 409, which clients repeat unchanged | `NotServed`, and nothing is marked | endpoint |
//! | other 4xx, in the API's own shape | `ClientFault` | client |
//! | other 4xx, in JSON of any other shape | `NotServed`, once | request |
//! | other 4xx, no JSON at all: some gateway's | `NotServed`, and nothing is marked | endpoint |
//!
//! With the client's own credential, a verdict about the account is about the client's login there. The
//! client gets a 401 itself, because it can renew its login. Other paths (models, files, …) say nothing about
//! messages. A 5xx there moves the request on if it can be repeated, and does not count against the endpoint.

use std::time::Duration;

use http::HeaderMap;

use super::fault::{Fault, Gateway};
use super::outcome::Outcome;
use super::rule::{Rule, Then};
use super::subject::{Family, Subject};
use super::told::{Told, is_cloudflare};
use super::verdict::{Ground, Verdict};
use crate::call::CallKind;

/// How long a model gets no requests after too many, if the answer does not say.
const MODEL_PAUSE: Duration = Duration::from_secs(30);

/// What is known about a request, and about the credential that it was sent with.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The kind of call.
    pub kind: CallKind,
    /// The requested model.
    pub model: Option<&'a str>,
    /// Whether the credential was ours.
    pub own_credential: bool,
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The user's own rules.
    pub rules: &'a [Rule],
}

/// An answer that is not a success.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The status: below 200, or 300 or more.
    pub status: u16,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// `Retry-After`, if it was there and readable.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, decoded.
    pub body: &'a [u8],
    /// The current time since 1970, because limits name the moment of their reset.
    pub since_epoch: Duration,
}

impl Attempt<'_> {
    /// What an answer that is not a success means, and what shows it.
    pub fn judge(&self, refusal: Refusal<'_>) -> Verdict {
        let Refusal {
            status,
            headers,
            body,
            ..
        } = refusal;
        let fault = Fault::Status(status);
        if !self.kind.is_understood() {
            return Verdict::new(other_path(status, fault), Ground::Status);
        }
        let told = Told::read(headers, body);
        let retry_after = refusal.retry_after.or(told.retry_after);
        if let Some((number, rule)) = self.rule_for(status, body) {
            let outcome = by_rule(rule, status, fault, retry_after);
            return Verdict::new(outcome, Ground::Rule(number));
        }
        if matches!(status, ..200 | 300..=399) {
            return Verdict::new(Outcome::Failed(fault), Ground::Status);
        }
        if let Some(said) = gateway(status, headers, &told) {
            let fault = Fault::Gateway { status, said };
            return Verdict::new(failed_until(fault, retry_after), Ground::Gateway);
        }
        if status == 429
            && let Some(outcome) = self.rejected_window(&refusal, &fault, retry_after)
        {
            return Verdict::new(outcome, Ground::Headers);
        }
        if let Some(outcome) = self.by_words(status, &told, &fault, retry_after) {
            return Verdict::new(outcome, Ground::Words);
        }
        let outcome = self.by_status(status, &told, fault, retry_after);
        Verdict::new(outcome, Ground::Status)
    }

    /// What a fault means that came before the client's first byte, in an answer whose status said success.
    /// An error inside the answer counts like the status of its type. `body`: the beginning of the answer,
    /// decoded.
    pub fn judge_fault(&self, fault: Fault, body: &[u8]) -> Verdict {
        let status = match &fault {
            Fault::ErrorEvent(kind) => status_of_error(kind),
            Fault::Status(_)
            | Fault::Gateway { .. }
            | Fault::Connect(_)
            | Fault::Certificate(_)
            | Fault::ClearText
            | Fault::Lost(_)
            | Fault::TimedOut(_)
            | Fault::Html
            | Fault::Empty
            | Fault::NotMessages(_)
            | Fault::Cut
            | Fault::Stalled(_)
            | Fault::ClaudeCli(_)
            | Fault::DrainTimeout => None,
        };
        if !body.is_empty()
            && let Some((number, rule)) = self.rule_for(status.unwrap_or(200), body)
        {
            let outcome = by_rule(rule, status.unwrap_or(400), fault, None);
            return Verdict::new(outcome, Ground::Rule(number));
        }
        let Some(status) = status else {
            return Verdict::new(Outcome::Failed(fault), Ground::Status);
        };
        let mut told = Told::read(&HeaderMap::new(), error_in(body));
        told.is_own = true; // The type of the event is known, so clients can read it.
        if let Some(outcome) = self.by_words(status, &told, &fault, told.retry_after) {
            return Verdict::new(outcome, Ground::Words);
        }
        let retry_after = told.retry_after;
        let outcome = self.by_status(status, &told, fault, retry_after);
        Verdict::new(outcome, Ground::Status)
    }

    fn rule_for(&self, status: u16, body: &[u8]) -> Option<(usize, &Rule)> {
        let meets = |rule: &Rule| rule.meets(status, body, self.endpoint, self.model);
        let found = self.rules.iter().position(meets)?;
        Some((found, &self.rules[found]))
    }

    /// A subscription has windows of five hours and of seven days. Some of them limit one family of models
    /// only.
    fn rejected_window(
        &self,
        refusal: &Refusal<'_>,
        fault: &Fault,
        retry_after: Option<Duration>,
    ) -> Option<Outcome> {
        let header = |name: &str| {
            let name = format!("anthropic-ratelimit-unified-{name}");
            refusal.headers.get(name)?.to_str().ok()
        };
        if header("status")? != "rejected" {
            return None;
        }
        let reset = header("reset").and_then(|reset| reset.parse().ok());
        let until_reset =
            reset.and_then(|reset| Duration::from_secs(reset).checked_sub(refusal.since_epoch));
        let lasts = until_reset.or(retry_after);
        let fault = fault.clone();
        let family = header("representative-claim").and_then(Family::named_in);
        Some(match family {
            Some(family) => Outcome::NotServed {
                fault,
                subject: Subject::Family(family),
                lasts,
            },
            None => self.exhausted(fault, lasts),
        })
    }

    fn by_words(
        &self,
        status: u16,
        told: &Told,
        fault: &Fault,
        retry_after: Option<Duration>,
    ) -> Option<Outcome> {
        let not_served = |subject, lasts| {
            Some(Outcome::NotServed {
                fault: fault.clone(),
                subject,
                lasts,
            })
        };
        let throttled = || {
            Some(Outcome::Throttled {
                fault: fault.clone(),
                retry_after,
            })
        };
        if !matches!(status, 400..=404 | 413 | 422 | 429 | 451 | 500..) {
            return None;
        }
        let is_own_mistake = told.is_own && matches!(status, 400 | 413 | 422);
        if status == 400 && is_own_mistake && told.is_about_signature() {
            return not_served(Subject::Signature, None);
        }
        if is_own_mistake && told.is_about_field {
            return None;
        }
        if status < 500 && !is_own_mistake && told.is_about_length() {
            return not_served(Subject::Size, retry_after);
        }
        if (status >= 500 || !told.is_own) && told.is_about_content() {
            return not_served(Subject::Conversation, None);
        }
        if (!told.is_own || matches!(status, 403 | 429 | 503 | 529)) && told.is_about_rate() {
            let names_model = self.model.is_some_and(|model| told.names(model));
            if status == 429 && names_model {
                return not_served(Subject::Model, retry_after.or(Some(MODEL_PAUSE)));
            }
            return throttled();
        }
        if told.says_something_is_left() {
            return throttled();
        }
        if told.says_model_is_not_served(self.model) {
            return not_served(Subject::Model, None);
        }
        if told.says_quota_used_up() {
            return Some(self.exhausted(fault.clone(), retry_after));
        }
        if status < 500 && told.says_account_is_disabled() {
            return Some(self.refused(fault.clone()));
        }
        if matches!(status, 400 | 401 | 403 | 404 | 503) && told.is_about_client() {
            return not_served(Subject::ClientKind, None);
        }
        None
    }

    fn by_status(
        &self,
        status: u16,
        told: &Told,
        fault: Fault,
        retry_after: Option<Duration>,
    ) -> Outcome {
        let not_served = |fault, subject| Outcome::NotServed {
            fault,
            subject,
            lasts: None,
        };
        match status {
            402 => self.exhausted(fault, retry_after),
            403 if self.model.is_some_and(|model| told.names(model)) => {
                Outcome::model_not_served(fault)
            }
            401 if !self.own_credential => Outcome::ClientFault(status),
            401 | 403 => self.refused(fault),
            404 | 501 => Outcome::model_not_served(fault),
            408 => Outcome::Failed(fault),
            // Clients repeat it unchanged, so it is no mistake of theirs.
            409 => not_served(fault, Subject::Endpoint),
            429 | 503 | 529 => Outcome::Throttled { fault, retry_after },
            413 if !told.is_own => not_served(fault, Subject::Size),
            400..=499 if told.is_own => Outcome::ClientFault(status),
            400..=499 if told.is_json => not_served(fault, Subject::Request),
            400..=499 => not_served(fault, Subject::Endpoint),
            _ => failed_until(fault, told.retry_after),
        }
    }

    fn refused(&self, fault: Fault) -> Outcome {
        if self.own_credential {
            Outcome::Refused(fault)
        } else {
            login(fault, None)
        }
    }

    fn exhausted(&self, fault: Fault, retry_after: Option<Duration>) -> Outcome {
        if self.own_credential {
            Outcome::Exhausted { fault, retry_after }
        } else {
            login(fault, retry_after)
        }
    }
}

fn other_path(status: u16, fault: Fault) -> Outcome {
    match status {
        ..200 | 500.. => Outcome::request_not_served(fault),
        200.. => Outcome::ClientFault(status),
    }
}

fn login(fault: Fault, lasts: Option<Duration>) -> Outcome {
    Outcome::NotServed {
        fault,
        subject: Subject::Login,
        lasts,
    }
}

fn failed_until(fault: Fault, retry_after: Option<Duration>) -> Outcome {
    match retry_after {
        Some(returns_in) => Outcome::Away { fault, returns_in },
        None => Outcome::Failed(fault),
    }
}

fn gateway(status: u16, headers: &HeaderMap, told: &Told) -> Option<Gateway> {
    if told.is_challenge {
        return Some(Gateway::Challenge);
    }
    match status {
        // developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors
        520..=527 | 530 => Some(Gateway::OriginDown),
        502 | 504 if told.is_page && is_cloudflare(headers) => Some(Gateway::OriginDown),
        401 | 403 if told.is_page => Some(Gateway::Page),
        _ => None,
    }
}

fn by_rule(rule: &Rule, status: u16, fault: Fault, retry_after: Option<Duration>) -> Outcome {
    let lasts = rule.cooldown.or(retry_after);
    let not_served = |fault, subject, lasts| Outcome::NotServed {
        fault,
        subject,
        lasts,
    };
    match rule.then {
        Then::Stop => Outcome::ClientFault(status),
        Then::Next => match rule.cooldown {
            Some(returns_in) => Outcome::Away { fault, returns_in },
            None => not_served(fault, Subject::Endpoint, None),
        },
        Then::Exhausted => Outcome::Exhausted {
            fault,
            retry_after: lasts,
        },
        Then::Refused => Outcome::Refused(fault),
        Then::NotServed => not_served(fault, Subject::Model, lasts),
    }
}

/// The status of an error of this type when it is not inside an answer.
fn status_of_error(kind: &str) -> Option<u16> {
    Some(match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "overloaded_error" => 529,
        _ => return None,
    })
}

/// The error in a body: the data of its last event, or the whole body.
fn error_in(body: &[u8]) -> &[u8] {
    let data = b"data:";
    let last = body.windows(data.len()).rposition(|window| window == data);
    last.map_or(body, |at| body[at + data.len()..].trim_ascii())
}
