//! Is this answer real? The judge between a 200 and the client.
//!
//! A 200 says little: relays answer with login pages, empty bodies, errors inside the body, another
//! vendor's format. So an answer is held until it has proven itself. A stream is real from its first
//! content block, or from its end; a JSON answer when its whole, or its head if it is long, is a
//! message. Until then a fault moves the request on; afterwards the same reader only watches how the
//! stream ends.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use crate::classify::Fault;
use crate::profile::CallKind;
use crate::sse::{Event, Oversized, Reader};

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing but pings and comments.
    Silent,
    /// `message_start` was seen: somebody who speaks the protocol is there.
    Started,
    /// A content block began: this is an answer.
    Content,
    /// `message_stop` was seen: complete.
    Complete,
}

/// Watches a stream of the Messages API.
#[derive(Debug, Default)]
pub struct StreamJudge {
    reader: Reader,
    progress: Progress,
}

#[derive(Debug)]
struct Progress {
    stage: Stage,
    fault: Option<Fault>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            stage: Stage::Silent,
            fault: None,
        }
    }
}

impl StreamJudge {
    /// Takes in decoded bytes.
    ///
    /// # Errors
    ///
    /// The first fault: an `error` event, or something that is no stream of the Messages API. Further
    /// bytes give the same fault again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Stage, Fault> {
        if let Some(fault) = &self.progress.fault {
            return Err(fault.clone());
        }
        let progress = &mut self.progress;
        let outcome = self.reader.push(bytes, |event| progress.take_in(event));
        if outcome == Err(Oversized) && progress.fault.is_none() {
            progress.fault = Some(wrong(
                "an event of the Messages API",
                "an event without end",
            ));
        }
        match &self.progress.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(self.progress.stage),
        }
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        self.progress.stage
    }

    /// The stream ended; was it whole?
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn finish(&self) -> Result<(), Fault> {
        if let Some(fault) = &self.progress.fault {
            return Err(fault.clone());
        }
        match self.progress.stage {
            Stage::Complete => Ok(()),
            Stage::Started | Stage::Content => Err(Fault::Cut),
            Stage::Silent if self.reader.is_midway() => Err(not_a_stream(self.reader.rest())),
            Stage::Silent => Err(Fault::Empty),
        }
    }
}

impl Progress {
    fn take_in(&mut self, event: Event<'_>) {
        if self.fault.is_some() {
            return;
        }
        match self.judge(event) {
            Ok(stage) => self.stage = self.stage.max(stage),
            Err(fault) => self.fault = Some(fault),
        }
    }

    fn judge(&self, event: Event<'_>) -> Result<Stage, Fault> {
        match event.name {
            "error" => Err(error_in(&event.data())),
            "message_start" => message_start(&event.data()),
            "message_stop" if self.stage >= Stage::Started => Ok(Stage::Complete),
            "content_block_start" if self.stage >= Stage::Started => Ok(Stage::Content),
            "content_block_start"
            | "content_block_delta"
            | "content_block_stop"
            | "message_delta"
            | "message_stop"
                if self.stage < Stage::Started =>
            {
                Err(wrong("message_start first", event.name))
            }
            "" if self.stage < Stage::Content
                && (event.has_data() || event.has_foreign_lines()) =>
            {
                Err(not_a_stream(event.raw()))
            }
            // Pings, comments, and whatever the API learns to say later.
            _ => Ok(self.stage),
        }
    }
}

/// Judges a whole JSON answer.
///
/// # Errors
///
/// What is wrong with it.
pub fn judge_json(kind: CallKind, body: &[u8]) -> Result<(), Fault> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "type")]
        kind: Option<String>,
        error: Option<ApiError>,
        role: Option<IgnoredAny>,
        content: Option<Vec<IgnoredAny>>,
        input_tokens: Option<u64>,
    }

    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::Empty);
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|error| not_json(body, &error))?;
    if let Some(error) = answer.error {
        return Err(Fault::ErrorEvent(error.kind()));
    }
    let is_message = answer.kind.as_deref() == Some("message")
        && answer.role.is_some()
        && answer.content.is_some();
    match kind {
        CallKind::Messages if !is_message => Err(wrong("a message", "another JSON object")),
        CallKind::CountTokens if answer.input_tokens.is_none() => {
            Err(wrong("input_tokens", "another JSON object"))
        }
        CallKind::Messages | CallKind::CountTokens | CallKind::Other => Ok(()),
    }
}

/// Judges the head of a JSON answer that is too long to be held: an object, and no web page.
///
/// # Errors
///
/// What is wrong with it.
pub fn judge_json_head(head: &[u8]) -> Result<(), Fault> {
    let text = head.trim_ascii_start();
    if text.is_empty() {
        Err(Fault::Empty)
    } else if looks_like_html(text) {
        Err(Fault::Html)
    } else if !text.starts_with(b"{") {
        Err(wrong("a JSON object", "something else"))
    } else {
        Ok(())
    }
}

/// Whether a body begins as a web page does.
pub fn looks_like_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    [
        &b"<!doctype"[..],
        b"<html",
        b"<head",
        b"<body",
        b"<?xml",
        b"<!--",
    ]
    .iter()
    .any(|tag| start.len() >= tag.len() && start[..tag.len()].eq_ignore_ascii_case(tag))
}

fn message_start(data: &[u8]) -> Result<Stage, Fault> {
    #[derive(Deserialize)]
    struct Start {
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        #[expect(dead_code, reason = "its presence is what is checked")]
        id: String,
    }

    match serde_json::from_slice::<Start>(data) {
        Ok(Start {
            message: Message { .. },
        }) => Ok(Stage::Started),
        Err(error) => Err(wrong("a message_start with a message", &place_of(&error))),
    }
}

/// The error object of the Messages API, also as relays abridge it.
#[derive(Deserialize)]
#[serde(untagged)]
enum ApiError {
    Whole {
        #[serde(rename = "type")]
        kind: Option<String>,
    },
    Text(#[expect(dead_code, reason = "only that there is an error matters")] String),
}

impl ApiError {
    fn kind(self) -> String {
        match self {
            Self::Whole { kind: Some(kind) } if is_error_type(&kind) => kind,
            Self::Whole { .. } | Self::Text(_) => "error".to_owned(),
        }
    }
}

fn error_in(data: &[u8]) -> Fault {
    #[derive(Deserialize)]
    struct ErrorEvent {
        error: ApiError,
    }

    let parsed = serde_json::from_slice::<ErrorEvent>(data);
    Fault::ErrorEvent(parsed.map_or_else(|_| "error".to_owned(), |event| event.error.kind()))
}

fn not_a_stream(bytes: &[u8]) -> Fault {
    if looks_like_html(bytes) {
        return Fault::Html;
    }
    match judge_json(CallKind::Other, bytes) {
        Err(fault @ Fault::ErrorEvent(_)) => fault,
        Ok(()) | Err(_) => wrong("events of the Messages API", "a stream of another format"),
    }
}

fn not_json(body: &[u8], error: &serde_json::Error) -> Fault {
    if looks_like_html(body) {
        Fault::Html
    } else {
        wrong("JSON", &place_of(error))
    }
}

/// Whether it is a word such as `overloaded_error`. Anything else could be what an endpoint echoes, a key
/// for instance, and faults are shown and logged.
fn is_error_type(kind: &str) -> bool {
    kind.len() <= 64
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Where JSON goes wrong, without what stands there.
fn place_of(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Io | Category::Syntax => "something that is no JSON",
        Category::Data => "a value of another kind",
        Category::Eof => "an early end",
    };
    format!("{what} at line {}, column {}", error.line(), error.column())
}

fn wrong(expected: &str, seen: &str) -> Fault {
    Fault::NotMessages(format!("expected {expected}, seen {seen}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\"}}\n\n";
    const PING: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";
    const BLOCK: &[u8] =
        b"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0}\n\n";
    const STOP: &[u8] = b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    const OVERLOADED: &[u8] =
        b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";

    fn after(chunks: &[&[u8]]) -> (Result<Stage, Fault>, Result<(), Fault>) {
        let mut judge = StreamJudge::default();
        let mut last = Ok(Stage::Silent);
        for chunk in chunks {
            last = judge.push(chunk);
        }
        (last, judge.finish())
    }

    #[test]
    fn a_stream_is_real_from_its_first_content_block() {
        assert_eq!(after(&[PING]).0, Ok(Stage::Silent));
        assert_eq!(after(&[PING, START, PING]).0, Ok(Stage::Started));
        assert_eq!(after(&[START, BLOCK]).0, Ok(Stage::Content));
    }

    #[test]
    fn a_stream_without_content_is_real_at_its_end() {
        assert_eq!(after(&[START, STOP]), (Ok(Stage::Complete), Ok(())));
    }

    #[test]
    fn a_stream_that_ends_early_is_cut_and_one_that_says_nothing_is_empty() {
        assert_eq!(after(&[START, BLOCK]).1, Err(Fault::Cut));
        assert_eq!(after(&[START]).1, Err(Fault::Cut));
        assert_eq!(after(&[]).1, Err(Fault::Empty));
        assert_eq!(after(&[PING]).1, Err(Fault::Empty));
    }

    #[test]
    fn an_error_event_carries_its_type() {
        let fault = Err(Fault::ErrorEvent("overloaded_error".to_owned()));

        assert_eq!(after(&[OVERLOADED]).0, fault);
        assert_eq!(after(&[START, BLOCK, OVERLOADED]).0, fault);
    }

    #[test]
    fn another_vendors_stream_is_refused() {
        let openai =
            b"data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[]}\n\n";

        assert!(matches!(after(&[openai]).0, Err(Fault::NotMessages(_))));
    }

    #[test]
    fn a_page_and_an_error_object_instead_of_a_stream_are_told_apart() {
        let page = b"<!DOCTYPE html><html><body>Bad gateway</body></html>";
        let error = br#"{"type":"error","error":{"type":"api_error","message":"x"}}"#;

        assert_eq!(after(&[page]).1, Err(Fault::Html));
        assert_eq!(
            after(&[error]).1,
            Err(Fault::ErrorEvent("api_error".to_owned()))
        );
    }

    #[test]
    fn content_before_message_start_is_refused() {
        assert!(matches!(after(&[BLOCK]).0, Err(Fault::NotMessages(_))));
    }

    #[test]
    fn unknown_events_pass() {
        let news = b"event: something_new\ndata: {}\n\n";

        assert_eq!(after(&[news, START, news]).0, Ok(Stage::Started));
    }

    #[test]
    fn a_json_answer_is_a_message_or_it_says_why_not() {
        let message = br#"{"type":"message","role":"assistant","content":[]}"#;
        assert_eq!(judge_json(CallKind::Messages, message), Ok(()));
        assert_eq!(judge_json(CallKind::Messages, b""), Err(Fault::Empty));
        assert_eq!(
            judge_json(CallKind::Messages, b"<html></html>"),
            Err(Fault::Html)
        );
        let error = br#"{"type":"error","error":{"type":"overloaded_error"}}"#;
        assert_eq!(
            judge_json(CallKind::Messages, error),
            Err(Fault::ErrorEvent("overloaded_error".to_owned()))
        );
        for other in [
            &br#"{"object":"chat.completion"}"#[..],
            br#"{"type":"message","ro"#,
        ] {
            assert!(matches!(
                judge_json(CallKind::Messages, other),
                Err(Fault::NotMessages(_))
            ));
        }
    }

    #[test]
    fn a_fault_never_repeats_what_the_endpoint_wrote() {
        let echoes = [
            &br#""invalid key sk-secret""#[..],
            br#"{"type":"error","error":{"type":"invalid key sk-secret"}}"#,
            br#"{"type":"sk-secret","role":{},"content":"sk-secret"}"#,
        ];

        for echo in echoes {
            let fault = judge_json(CallKind::Messages, echo).unwrap_err();
            assert!(!format!("{fault:?}").contains("sk-secret"), "{fault:?}");
        }
    }

    #[test]
    fn a_token_count_needs_its_number() {
        assert_eq!(
            judge_json(CallKind::CountTokens, br#"{"input_tokens":7}"#),
            Ok(())
        );
        assert!(judge_json(CallKind::CountTokens, br#"{"tokens":7}"#).is_err());
    }
}
