//! What the body of a refusal says: whether it is the API's own error, its texts, and when to come back.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, SERVER};
use serde_json::Value;

use super::text::Text;

/// The types of errors of the Messages API (platform.claude.com/docs, "Errors").
const API_ERRORS: [&str; 11] = [
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "conflict_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "timeout_error",
    "overloaded_error",
];

/// Fields of a request (platform.claude.com/docs/en/api/messages).
const FIELDS: [&str; 16] = [
    "messages",
    "tools",
    "tool_choice",
    "system",
    "max_tokens",
    "thinking",
    "metadata",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "stream",
    "context_management",
    "container",
    "mcp_servers",
    "output_config",
];

/// Most of a body that is searched for words, in bytes: what endpoints say of an error is short.
const SEARCHED: usize = 16 * 1024;
/// The deepest level of a JSON body that is searched.
const DEEPEST: usize = 6;
/// Fields in which a body may say how many seconds to wait.
const SECONDS: [&str; 5] = [
    "retry_after",
    "retry_after_seconds",
    "retryafter",
    "retry-after",
    "reset_after",
];
/// The same in milliseconds.
const MILLIS: [&str; 2] = ["retry_after_ms", "retryafterms"];
/// A longer wait is not believed. In seconds.
const LONGEST: f64 = 30.0 * 24.0 * 3600.0;

/// What the body of a refusal says.
pub(super) struct Told {
    /// Whether it has the form of the API's own errors, so that clients can read it.
    pub(super) is_own: bool,
    /// Whether these are the API's words about a field of the request, such as `messages.3: …`.
    pub(super) is_about_field: bool,
    /// Whether it is JSON, of whatever shape.
    pub(super) is_json: bool,
    /// Whether it is a web page.
    pub(super) is_page: bool,
    /// Whether only a browser could pass it.
    pub(super) is_challenge: bool,
    /// The texts in it.
    pub(super) text: Text,
    /// The body as it came, in lower case.
    pub(super) raw: String,
    /// How long to wait.
    pub(super) retry_after: Option<Duration>,
}

impl Told {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let searched = &body[..body.len().min(SEARCHED)];
        let raw = String::from_utf8_lossy(searched).to_lowercase();
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let is_page = json.is_none() && is_page(headers, &raw);
        let text = match &json {
            Some(json) => {
                let mut pieces = Vec::new();
                strings(json, DEEPEST, &mut pieces);
                Text::of(pieces)
            }
            None if is_page => Text::of(visible(&raw).iter().map(String::as_str)),
            // It is not valid JSON, or is plain text. Quotes and braces separate texts that do not belong
            // together.
            None => Text::of(raw.split(['"', '{', '}', '[', ']'])),
        };
        Self {
            is_own: json.as_ref().is_some_and(is_own),
            is_about_field: json.as_ref().is_some_and(is_about_field),
            is_json: json.is_some(),
            is_challenge: is_challenge(headers, is_page, &raw),
            is_page,
            text,
            raw,
            retry_after: json.as_ref().and_then(|json| retry_after(json, DEEPEST)),
        }
    }

    /// Whether the body has this name exactly as it is, such as the name of a model.
    pub(super) fn names(&self, name: &str) -> bool {
        !name.is_empty() && self.raw.contains(&name.to_lowercase())
    }
}

/// `{"type":"error","error":{"type":…,"message":…}}` with a type that the API has.
fn is_own(json: &Value) -> bool {
    let error = &json["error"];
    json["type"] == "error"
        && error["message"].is_string()
        && error["type"]
            .as_str()
            .is_some_and(|kind| API_ERRORS.contains(&kind))
}

/// The API names the field that it does not like before it says why.
fn is_about_field(json: &Value) -> bool {
    let message = json["error"]["message"].as_str().unwrap_or_default();
    let field = message.split(['.', ':', '[']).next().unwrap_or_default();
    is_own(json) && field.len() < message.len() && FIELDS.contains(&field)
}

/// Every text in it, but for names of fields.
fn strings<'j>(json: &'j Value, depth: usize, pieces: &mut Vec<&'j str>) {
    match json {
        // The type of an error is not what it says; relays call much a limit of a rate.
        Value::String(text)
            if API_ERRORS.contains(&text.as_str()) || text.starts_with("rate_limit") => {}
        Value::String(text) => pieces.push(text),
        Value::Array(items) if depth > 0 => {
            for item in items {
                strings(item, depth - 1, pieces);
            }
        }
        Value::Object(fields) if depth > 0 => {
            for value in fields.values() {
                strings(value, depth - 1, pieces);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

fn retry_after(json: &Value, depth: usize) -> Option<Duration> {
    let fields = json.as_object()?;
    for (name, value) in fields {
        let name = name.to_ascii_lowercase();
        let number = value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok());
        let seconds = if SECONDS.contains(&name.as_str()) {
            number
        } else if MILLIS.contains(&name.as_str()) {
            number.map(|millis| millis / 1000.0)
        } else {
            None
        };
        if let Some(seconds) = seconds.filter(|seconds| (0.0..=LONGEST).contains(seconds)) {
            return Some(Duration::from_secs_f64(seconds));
        }
    }
    let deeper = depth.checked_sub(1)?;
    fields.values().find_map(|value| retry_after(value, deeper))
}

fn is_page(headers: &HeaderMap, raw: &str) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let text = raw.trim_start_matches('\u{feff}').trim_start();
    content_type.is_some_and(|it| it.to_ascii_lowercase().starts_with("text/html"))
        || text.starts_with("<!doctype html")
        || text.starts_with("<html")
}

fn is_challenge(headers: &HeaderMap, is_page: bool, raw: &str) -> bool {
    let is_said = headers
        .get("cf-mitigated")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"challenge"));
    let signs = [
        "challenge-platform",
        "cf-chl",
        "cf_chl",
        "just a moment",
        "checking your browser",
        "captcha",
        "verify you are human",
        "人机验证",
    ];
    is_said || (is_page && signs.iter().any(|sign| raw.contains(sign)))
}

/// Whether the headers come from Cloudflare.
pub(super) fn is_cloudflare(headers: &HeaderMap) -> bool {
    let server = headers.get(SERVER).map(http::HeaderValue::as_bytes);
    server.is_some_and(|server| server.eq_ignore_ascii_case(b"cloudflare"))
        || headers.contains_key("cf-ray")
}

/// The text that a page shows, without tags.
fn visible(page: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('>') {
        rest = &rest[at + 1..];
        let end = rest.find('<').unwrap_or(rest.len());
        let text = rest[..end].trim();
        if !text.is_empty() {
            texts.push(text.to_owned());
        }
        rest = &rest[end..];
    }
    texts
}
