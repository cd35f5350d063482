//! What the end of an attempt means: for the endpoint, and for the request.
//!
//! Only this module knows. A fault is what was seen; an [`Outcome`] is what it means. The rules, in order:
//!
//! | seen | outcome | next endpoint? |
//! | --- | --- | --- |
//! | 2xx, proven | `Answered` | – |
//! | 1xx as the final answer | `Failed`: no request asks to upgrade | yes |
//! | 3xx on a messages call | `Failed`: a client would follow it and take the key along | yes |
//! | 401, 403 against our credential | `Refused` | yes |
//! | a listed quota wording in a 400, 403 or 429; 402 | `Exhausted` | yes |
//! | 429; 529, 503 | `Throttled` | yes |
//! | 404, 501 on a messages call; 403 that names the model | `NotServed` | yes |
//! | other 4xx, 401/403 against the client's credential | `ClientFault` | no |
//! | other 5xx, 408, no answer, a false answer | `Failed` | yes |
//!
//! Other paths (models, files, …) say nothing about messages: a 1xx or 5xx there moves the request on if
//! it can be repeated, and counts for nothing.

use std::time::Duration;

use crate::call::CallKind;
use crate::certificate::BadCertificate;

/// What was seen to go wrong in an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An HTTP status.
    Status(u16),
    /// No connection (DNS, TCP, proxy or TLS), in the system's words.
    Connect(String),
    /// No connection, because the endpoint's certificate is not trusted.
    Certificate(Box<BadCertificate>),
    /// The connection broke before an answer, in the system's words.
    Lost(String),
    /// No answer within this time.
    TimedOut(Duration),
    /// A web page.
    Html,
    /// An empty answer.
    Empty,
    /// Not the Messages format: what was expected, what was seen.
    NotMessages(String),
    /// An error inside the answer: its type.
    ErrorEvent(String),
    /// The answer ended before it was complete.
    Cut,
    /// The answer stood still for this long.
    Stalled(Duration),
    /// The Claude CLI, which a probe ran, failed: how it ended.
    ClaudeCli(String),
    /// The time to finish requests was over.
    DrainTimeout,
}

/// What an attempt tells of the network between us and its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// Something was answered.
    Made,
    /// No connection came about.
    NotMade,
    /// A connection that was there broke, or nothing came over it.
    Broken,
    /// Unknown.
    Unknown,
}

impl Fault {
    fn contact(&self) -> Contact {
        match self {
            Self::Status(_)
            | Self::Html
            | Self::Empty
            | Self::NotMessages(_)
            | Self::ErrorEvent(_) => Contact::Made,
            Self::Connect(_) => Contact::NotMade,
            Self::Certificate(bad) if bad.is_of_a_stranger() => Contact::NotMade,
            Self::Lost(_) | Self::TimedOut(_) | Self::Cut | Self::Stalled(_) => Contact::Broken,
            Self::Certificate(_) | Self::ClaudeCli(_) | Self::DrainTimeout => Contact::Unknown,
        }
    }
}

/// What an attempt's end means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered, completely.
    Answered,
    /// The client's mistake; the endpoint is healthy.
    ClientFault(u16),
    /// This model or path is not served there; the endpoint is healthy.
    NotServed(Fault),
    /// Our credential is refused: open until it changes, a person reinstates, or a probe succeeds.
    Refused(Fault),
    /// Quota or credit is used up: open for a long time.
    Exhausted {
        /// What was seen.
        fault: Fault,
        /// How long the endpoint asks for.
        retry_after: Option<Duration>,
    },
    /// Asked to slow down; not broken.
    Throttled {
        /// What was seen.
        fault: Fault,
        /// How long the endpoint asks for.
        retry_after: Option<Duration>,
    },
    /// No usable answer; counts against the endpoint.
    Failed(Fault),
    /// The client left, which says nothing about the endpoint.
    Abandoned,
}

impl Outcome {
    /// What was seen, if something went wrong at the endpoint.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::NotServed(fault) | Self::Refused(fault) | Self::Failed(fault) => Some(fault),
            Self::Exhausted { fault, .. } | Self::Throttled { fault, .. } => Some(fault),
            Self::Answered | Self::ClientFault(_) | Self::Abandoned => None,
        }
    }

    /// What it tells of the network in between.
    pub fn contact(&self) -> Contact {
        match self {
            Self::Answered
            | Self::ClientFault(_)
            | Self::NotServed(_)
            | Self::Refused(_)
            | Self::Exhausted { .. }
            | Self::Throttled { .. } => Contact::Made,
            Self::Failed(fault) => fault.contact(),
            Self::Abandoned => Contact::Unknown,
        }
    }

    /// Whether another endpoint should be asked, if the client has seen nothing yet.
    pub fn moves_on(&self, on_client_errors: bool) -> bool {
        match self {
            Self::NotServed(_)
            | Self::Refused(_)
            | Self::Exhausted { .. }
            | Self::Throttled { .. }
            | Self::Failed(_) => true,
            Self::ClientFault(_) => on_client_errors,
            Self::Answered | Self::Abandoned => false,
        }
    }
}

/// What is known of a request, and of the credential that it was sent with.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Which call.
    pub kind: CallKind,
    /// The model asked for.
    pub model: Option<&'a str>,
    /// Whether the credential was ours.
    pub own_credential: bool,
}

/// An answer that is no success.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// Any status but 2xx.
    pub status: u16,
    /// `Retry-After`, if it was there and readable.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, decoded.
    pub body: &'a [u8],
}

impl Attempt<'_> {
    /// What a status outside of 2xx means.
    pub fn judge_status(&self, refusal: Refusal<'_>) -> Outcome {
        let Refusal {
            status,
            retry_after,
            body,
        } = refusal;
        let fault = Fault::Status(status);
        if !self.kind.is_understood() {
            return match status {
                ..200 | 500.. => Outcome::NotServed(fault),
                _ => Outcome::ClientFault(status),
            };
        }
        match status {
            ..200 | 300..=399 => Outcome::Failed(fault),
            402 => Outcome::Exhausted { fault, retry_after },
            400 | 403 | 429 if says_quota_used_up(body) => {
                Outcome::Exhausted { fault, retry_after }
            }
            403 if self.names_the_model(body) => Outcome::NotServed(fault),
            401 | 403 if self.own_credential => Outcome::Refused(fault),
            404 | 501 => Outcome::NotServed(fault),
            408 => Outcome::Failed(fault),
            429 | 503 | 529 => Outcome::Throttled { fault, retry_after },
            400..=499 => Outcome::ClientFault(status),
            _ => Outcome::Failed(fault),
        }
    }

    /// What a fault before the client's first byte means. An error inside an answer counts by its type.
    pub fn judge_fault(&self, fault: Fault) -> Outcome {
        let Fault::ErrorEvent(kind) = &fault else {
            return Outcome::Failed(fault);
        };
        let retry_after = None;
        match kind.as_str() {
            "overloaded_error" | "rate_limit_error" => Outcome::Throttled { fault, retry_after },
            "billing_error" => Outcome::Exhausted { fault, retry_after },
            "authentication_error" | "permission_error" if self.own_credential => {
                Outcome::Refused(fault)
            }
            "authentication_error" => Outcome::ClientFault(401),
            "permission_error" => Outcome::ClientFault(403),
            "invalid_request_error" => Outcome::ClientFault(400),
            "request_too_large" => Outcome::ClientFault(413),
            "not_found_error" => Outcome::NotServed(fault),
            _ => Outcome::Failed(fault),
        }
    }

    fn names_the_model(&self, body: &[u8]) -> bool {
        self.model
            .is_some_and(|model| !model.is_empty() && contains(body, model.as_bytes()))
    }
}

/// How endpoints say that the quota or the credit is used up. This is the only place where text is matched,
/// because the status does not tell. The first three are Anthropic's, the others those of common relays.
const QUOTA_WORDINGS: [&str; 7] = [
    "You have reached your specified API usage limits",
    "enforced_spend_limit_reached",
    "credit balance is too low",
    "insufficient_quota",
    "insufficient_user_quota",
    "额度不足",
    "余额不足",
];

fn says_quota_used_up(body: &[u8]) -> bool {
    QUOTA_WORDINGS
        .iter()
        .any(|wording| contains(body, wording.as_bytes()))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Attempt<'_> = Attempt {
        kind: CallKind::Messages,
        model: Some("claude-opus-5-5"),
        own_credential: true,
    };

    fn status(attempt: Attempt<'_>, status: u16, body: &str) -> Outcome {
        attempt.judge_status(Refusal {
            status,
            retry_after: None,
            body: body.as_bytes(),
        })
    }

    #[test]
    fn the_table_of_statuses_on_a_messages_call() {
        let failed = |status| Outcome::Failed(Fault::Status(status));
        let throttled = |status| Outcome::Throttled {
            fault: Fault::Status(status),
            retry_after: None,
        };
        let table = [
            (100, failed(100)),
            (101, failed(101)),
            (103, failed(103)),
            (307, failed(307)),
            (400, Outcome::ClientFault(400)),
            (401, Outcome::Refused(Fault::Status(401))),
            (
                402,
                Outcome::Exhausted {
                    fault: Fault::Status(402),
                    retry_after: None,
                },
            ),
            (403, Outcome::Refused(Fault::Status(403))),
            (404, Outcome::NotServed(Fault::Status(404))),
            (405, Outcome::ClientFault(405)),
            (408, failed(408)),
            (413, Outcome::ClientFault(413)),
            (415, Outcome::ClientFault(415)),
            (422, Outcome::ClientFault(422)),
            (429, throttled(429)),
            (500, failed(500)),
            (501, Outcome::NotServed(Fault::Status(501))),
            (502, failed(502)),
            (503, throttled(503)),
            (504, failed(504)),
            (529, throttled(529)),
        ];

        for (code, outcome) in table {
            assert_eq!(status(OURS, code, "{}"), outcome, "{code}");
        }
    }

    #[test]
    fn the_clients_own_credential_is_the_clients_own_business() {
        let passthrough = Attempt {
            own_credential: false,
            ..OURS
        };

        assert_eq!(status(passthrough, 401, ""), Outcome::ClientFault(401));
        assert_eq!(status(passthrough, 403, ""), Outcome::ClientFault(403));
    }

    #[test]
    fn a_quota_wording_makes_a_400_or_429_exhausted() {
        for code in [400, 429] {
            let body =
                r#"{"error":{"message":"You have reached your specified API usage limits. …"}}"#;

            assert!(
                matches!(status(OURS, code, body), Outcome::Exhausted { .. }),
                "{code}"
            );
        }
    }

    #[test]
    fn a_403_about_one_model_does_not_condemn_the_endpoint() {
        let body = r#"{"error":{"message":"no access to claude-opus-5-5"}}"#;

        assert_eq!(
            status(OURS, 403, body),
            Outcome::NotServed(Fault::Status(403))
        );
    }

    #[test]
    fn other_paths_are_not_judged_by_their_4xx() {
        let models = Attempt {
            kind: CallKind::Other,
            ..OURS
        };

        assert_eq!(status(models, 401, ""), Outcome::ClientFault(401));
        assert_eq!(status(models, 302, ""), Outcome::ClientFault(302));
        assert_eq!(
            status(models, 502, ""),
            Outcome::NotServed(Fault::Status(502))
        );
    }

    #[test]
    fn an_upgrade_that_nobody_asked_for_is_a_fault_on_every_path() {
        for kind in [CallKind::Messages, CallKind::CountTokens, CallKind::Other] {
            let outcome = status(Attempt { kind, ..OURS }, 101, "");

            assert_eq!(outcome.fault(), Some(&Fault::Status(101)), "{kind:?}");
            assert!(outcome.moves_on(false), "{kind:?}");
        }
    }

    #[test]
    fn an_error_inside_an_answer_counts_by_its_type() {
        let outcome = |kind: &str| OURS.judge_fault(Fault::ErrorEvent(kind.to_owned()));

        assert!(matches!(
            outcome("overloaded_error"),
            Outcome::Throttled { .. }
        ));
        assert!(matches!(
            outcome("billing_error"),
            Outcome::Exhausted { .. }
        ));
        assert!(matches!(
            outcome("authentication_error"),
            Outcome::Refused(_)
        ));
        assert_eq!(outcome("invalid_request_error"), Outcome::ClientFault(400));
        assert!(matches!(outcome("api_error"), Outcome::Failed(_)));
    }

    #[test]
    fn only_client_faults_depend_on_the_setting() {
        assert!(!Outcome::ClientFault(400).moves_on(false));
        assert!(Outcome::ClientFault(400).moves_on(true));
        assert!(Outcome::Failed(Fault::Cut).moves_on(false));
        assert!(!Outcome::Answered.moves_on(true));
    }
}
