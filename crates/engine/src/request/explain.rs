//! Explains what Zephyr makes of a recorded answer. It uses the same table as for a live answer, so one file
//! is enough to report a wrong verdict.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use zephyr_control::{AttemptOutcome, Reason, Verdict};
use zephyr_core::classify::{Attempt, Fault, Outcome, Refusal};
use zephyr_core::config::Config;
use zephyr_core::profile::CallKind;
use zephyr_core::proof::{self, Stage};
use zephyr_secrets::redact::Redactor;

use super::inspect::{self, Inspector};
use crate::clock::Clock;
use crate::endpoints::headers;
use crate::view::{self, Phase};

/// The most bytes of a body that are looked at.
const BODY_BYTES: usize = 1024 * 1024;

/// An answer as `curl -i` prints it (a status line, headers, an empty line, the body), or as a JSON object
/// with `status`, `headers` and `body`.
#[derive(Clone, Debug)]
pub struct Recorded {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Deserialize)]
struct Written {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

/// Why a file is not a recorded answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordedError {
    /// The first line is not a status line of HTTP.
    #[error(
        "it begins neither with a status line such as HTTP/1.1 403 Forbidden nor as JSON with a status"
    )]
    NoStatus,
    /// A line before the empty one is not a header. Its number.
    #[error("line {0} is no header such as content-type: application/json")]
    NoHeader(usize),
    /// The file begins like JSON, but it is not valid JSON or does not describe an answer.
    #[error("as JSON it needs a status, headers as an object of texts, and a body: {0}")]
    NoJson(String),
}

/// The request that a recorded answer belongs to.
#[derive(Clone, Copy, Debug)]
pub struct AskedOf<'a> {
    pub endpoint: &'a str,
    pub model: Option<&'a str>,
    /// Whether the credential was ours, not the client's.
    pub own_credential: bool,
}

/// What Zephyr makes of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub outcome: AttemptOutcome,
    /// The reason in words. `None`: it is a real answer.
    pub reason: Option<Reason>,
    /// What the outcome is about, and what shows it.
    pub verdict: Option<Verdict>,
    /// How long it lasts, if the answer says so.
    pub lasts: Option<Duration>,
    /// Whether another endpoint is asked.
    pub moves_on: bool,
}

impl Recorded {
    /// Reads an answer. It skips answers that only announce another one, such as a proxy's `200 Connection
    /// established`.
    ///
    /// # Errors
    ///
    /// The text is not an answer.
    pub fn read(text: &[u8]) -> Result<Self, RecordedError> {
        if text.trim_ascii_start().starts_with(b"{") {
            return Self::read_json(text);
        }
        let mut rest = text;
        let mut line_number = 0;
        loop {
            let mut line = || {
                line_number += 1;
                next_line(&mut rest).map(|line| (line_number, line))
            };
            let status = line().and_then(|(_, line)| status_of(line));
            let status = status.ok_or(RecordedError::NoStatus)?;
            let mut headers = HeaderMap::new();
            while let Some((number, line)) = line() {
                if line.is_empty() {
                    break;
                }
                let (name, value) = header(line).ok_or(RecordedError::NoHeader(number))?;
                headers.append(name, value);
            }
            if !rest.starts_with(b"HTTP/") {
                return Ok(Self {
                    status,
                    headers,
                    body: Bytes::copy_from_slice(rest),
                });
            }
        }
    }

    fn read_json(text: &[u8]) -> Result<Self, RecordedError> {
        let written: Written = serde_json::from_slice(text)
            .map_err(|error| RecordedError::NoJson(error.to_string()))?;
        let named = |(name, value): (String, String)| {
            let wrong = || RecordedError::NoJson(format!("{name} is no header"));
            let value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
            Ok((
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?,
                value,
            ))
        };
        let body = match written.body {
            Value::String(text) => text,
            Value::Null => String::new(),
            json @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                json.to_string()
            }
        };
        Ok(Self {
            status: written.status,
            headers: written
                .headers
                .into_iter()
                .map(named)
                .collect::<Result<_, _>>()?,
            body: body.into(),
        })
    }

    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body, decoded if that is possible.
    pub fn plain(&self) -> Bytes {
        // `curl --compressed` prints the decoded body, but its headers still name the encoding.
        let plain = inspect::plain(&self.headers, std::slice::from_ref(&self.body), BODY_BYTES);
        plain
            .ok()
            .flatten()
            .map_or_else(|| self.body.clone(), Bytes::from)
    }

    /// The first fault in an answer whose status says success.
    fn fault(&self, config: &Config, plain: &Bytes) -> Option<Fault> {
        let validation = &config.validation;
        if !headers::is_event_stream(&self.headers) {
            return proof::judge_json(validation.format(), CallKind::Messages, plain).err();
        }
        let mut inspector = Inspector::of(&HeaderMap::new(), validation)?;
        match inspector.look(plain) {
            Err(fault) => Some(fault),
            Ok(Stage::Complete) => None,
            Ok(Stage::Silent | Stage::Started | Stage::Content) => inspector.finish().err(),
        }
    }
}

/// Explains an answer under this configuration.
pub fn explain(recorded: &Recorded, asked: AskedOf<'_>, config: &Config) -> Explanation {
    let attempt = Attempt {
        kind: CallKind::Messages,
        model: asked.model,
        own_credential: asked.own_credential,
        endpoint: asked.endpoint,
        rules: &config.failover.rules,
    };
    let plain = recorded.plain();
    let verdict = if (200..300).contains(&recorded.status) {
        match recorded.fault(config, &plain) {
            Some(fault) => attempt.judge_fault(fault, &plain),
            None => Outcome::Answered.into(),
        }
    } else {
        attempt.judge(Refusal {
            status: recorded.status,
            headers: &recorded.headers,
            retry_after: headers::retry_after(&recorded.headers, SystemTime::now()),
            body: &plain,
            since_epoch: Clock::now().since_epoch(),
        })
    };
    Explanation {
        outcome: view::outcome(&verdict.outcome),
        reason: view::why_not_answered(&verdict.outcome, Phase::Before, &Redactor::default()),
        verdict: view::verdict(&verdict.outcome, verdict.ground, None),
        lasts: verdict.outcome.lasts(),
        moves_on: verdict.outcome.moves_on(config.failover.on_client_errors),
    }
}

/// The next line without its LF or CRLF.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', rest);
    let (line, behind) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = behind.get(1..).unwrap_or_default();
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// The status in `HTTP/1.1 403 Forbidden`, or `HTTP/2 403`.
fn status_of(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?;
    let (_, status) = line.strip_prefix("HTTP/")?.split_once(' ')?;
    let status = status.split_whitespace().next()?.parse().ok()?;
    (100..1000).contains(&status).then_some(status)
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at(colon);
    let value = value[1..].trim_ascii();
    Some((
        HeaderName::from_bytes(name.trim_ascii()).ok()?,
        HeaderValue::from_bytes(value).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(text: &str) -> Explanation {
        let recorded = Recorded::read(text.as_bytes()).unwrap();
        let asked = AskedOf {
            endpoint: "relay",
            model: Some("claude-opus-5-5"),
            own_credential: true,
        };
        explain(&recorded, asked, &Config::default())
    }

    #[test]
    fn a_refusal_is_judged_as_a_live_one() {
        let used_up = explained(
            "HTTP/2 403\r\ncontent-type: application/json\r\nretry-after: 90\r\n\r\n{\"error\":{\"message\":\"余额不足\"}}",
        );

        assert_eq!(used_up.outcome, AttemptOutcome::Exhausted);
        assert_eq!(used_up.lasts, Some(Duration::from_secs(90)));
        assert!(used_up.moves_on);
    }

    #[test]
    fn an_answer_may_be_written_as_json() {
        let by_text = explained(
            r#"{"status": 403, "headers": {"retry-after": "90"}, "body": "{\"error\":\"余额不足\"}"}"#,
        );
        let by_value = explained(r#"{"status": 403, "body": {"error": "余额不足"}}"#);

        assert_eq!(by_text.outcome, AttemptOutcome::Exhausted);
        assert_eq!(by_text.lasts, Some(Duration::from_secs(90)));
        assert_eq!(by_value.outcome, AttemptOutcome::Exhausted);
    }

    #[test]
    fn what_a_proxy_announces_is_not_the_answer() {
        let recorded = Recorded::read(
            b"HTTP/1.1 200 Connection established\n\nHTTP/1.1 503 Busy\nserver: x\n\nlater",
        )
        .unwrap();

        assert_eq!(recorded.status(), 503);
        assert_eq!(recorded.plain(), "later");
    }

    #[test]
    fn an_error_within_a_stream_is_found() {
        let overloaded = explained(
            "HTTP/1.1 200 OK\ncontent-type: text/event-stream\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
        );

        assert_eq!(overloaded.outcome, AttemptOutcome::Throttled);
    }

    #[test]
    fn a_whole_answer_needs_no_verdict() {
        let answer = explained(
            "HTTP/1.1 200 OK\ncontent-type: application/json\n\n{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5-5\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}",
        );

        assert_eq!(answer.outcome, AttemptOutcome::Answered);
        assert_eq!((answer.verdict, answer.moves_on), (None, false));
    }

    #[test]
    fn what_is_no_recorded_answer_is_named() {
        let error = |text: &str| Recorded::read(text.as_bytes()).unwrap_err();

        assert!(matches!(error("{\"error\":{}}"), RecordedError::NoJson(_)));
        assert_eq!(error("<html>"), RecordedError::NoStatus);
        assert_eq!(error(""), RecordedError::NoStatus);
        assert_eq!(
            error("HTTP/1.1 403 Forbidden\n{\"error\"}"),
            RecordedError::NoHeader(2)
        );
    }
}
