//! What probes look like with `probe_as = "claude-code"`: like the last request of Claude Code that came by.
//!
//! Some relays admit no other program, and know it by some headers, the query, and the line that its system
//! prompt begins with. These are taken over, and nothing else: no credential, no session, nothing that a person
//! has said. Until Claude Code has come by, a sample stands in.

use std::sync::{Arc, Mutex, PoisonError};

use http::header::{HeaderName, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

/// More than these headers of Claude Code's have, in bytes.
const LARGEST: usize = 4 * 1024;

/// What Claude Code's system prompt begins with.
const SYSTEM: &str = "You are Claude Code, Anthropic's official CLI for Claude.";

const BETA: &str = "beta=true";

/// Observed from @anthropic-ai/claude-code 2.1.329.
const SAMPLE: [(&str, &str); 14] = [
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    (
        "anthropic-beta",
        "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,\
         per-turn-control-2026-07-01,mid-conversation-tool-changes-2026-07-01,\
         thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24",
    ),
    ("anthropic-version", "2023-06-01"),
    ("user-agent", "claude-cli/2.1.329 (external, cli)"),
    ("x-app", "cli"),
    ("x-stainless-arch", "x64"),
    ("x-stainless-lang", "js"),
    ("x-stainless-os", "Linux"),
    ("x-stainless-package-version", "0.128.0"),
    ("x-stainless-retry-count", "0"),
    ("x-stainless-runtime", "node"),
    ("x-stainless-runtime-version", "v26.12.1"),
    ("x-stainless-timeout", "600"),
];

/// What a request of Claude Code's looks like, whoever sent it.
#[derive(Debug, PartialEq, Eq)]
pub struct Likeness {
    headers: HeaderMap,
    asks_for_beta: bool,
}

impl Likeness {
    fn sample() -> Self {
        let header = |(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        Self {
            headers: SAMPLE.into_iter().map(header).collect(),
            asks_for_beta: true,
        }
    }

    /// Of a request with these headers; `None`: they are too large to be Claude Code's.
    fn of(headers: &HeaderMap, target: &PathAndQuery) -> Option<Self> {
        let size: usize = telling(headers)
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        (size <= LARGEST).then(|| Self {
            headers: telling(headers)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            asks_for_beta: asks_for_beta(target),
        })
    }

    fn is_of(&self, headers: &HeaderMap, target: &PathAndQuery) -> bool {
        self.asks_for_beta == asks_for_beta(target) && self.headers.iter().eq(telling(headers))
    }

    /// The target of a probe, as Claude Code writes it.
    pub fn target(&self, target: &str) -> String {
        match target.contains('?') {
            false if self.asks_for_beta => format!("{target}?{BETA}"),
            true | false => target.to_owned(),
        }
    }

    /// Puts Claude Code's headers in place of a probe's own.
    pub fn put_on(&self, headers: &mut HeaderMap) {
        for name in self.headers.keys() {
            headers.remove(name);
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
    }

    /// Lets a prompt begin as Claude Code's does.
    pub fn introduce(body: &mut Value) {
        body["system"] = json!([{ "type": "text", "text": SYSTEM }]);
    }
}

/// What Claude Code's last request looked like.
#[derive(Default)]
pub struct LastSeen(Mutex<Option<Arc<Likeness>>>);

impl LastSeen {
    /// A request of Claude Code's comes by.
    pub fn note(&self, headers: &HeaderMap, target: &PathAndQuery) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = seen.as_ref().is_some_and(|it| it.is_of(headers, target));
        if !is_known && let Some(likeness) = Likeness::of(headers, target) {
            *seen = Some(Arc::new(likeness));
        }
    }

    /// What a probe is to look like.
    pub fn likeness(&self) -> Arc<Likeness> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone().unwrap_or_else(|| Arc::new(Likeness::sample()))
    }
}

/// The headers that tell the program.
fn telling(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    headers.iter().filter(|(name, _)| {
        let text = name.as_str();
        *name == USER_AGENT
            || matches!(text, "x-app" | "anthropic-beta" | "anthropic-version")
            || text.starts_with("x-stainless-")
            || text.starts_with("accept")
    })
}

fn asks_for_beta(target: &PathAndQuery) -> bool {
    let query = target.query().unwrap_or_default();
    query.split('&').any(|part| part == BETA)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(headers: &[(&'static str, &'static str)], target: &'static str) -> Arc<Likeness> {
        let last = LastSeen::default();
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        last.note(&headers.collect(), &PathAndQuery::from_static(target));
        last.likeness()
    }

    #[test]
    fn nothing_of_the_client_but_its_program_is_taken_over() {
        let likeness = seen(
            &[
                ("authorization", "Bearer secret"),
                ("x-api-key", "secret"),
                ("cookie", "secret"),
                ("x-claude-code-session-id", "secret"),
                ("x-client-request-id", "secret"),
                ("user-agent", "claude-cli/3.0.0 (external, cli)"),
                ("x-app", "cli"),
                ("anthropic-beta", "one,two"),
                ("x-stainless-os", "MacOS"),
                ("accept-language", "*"),
            ],
            "/v1/messages?beta=true&key=secret",
        );
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("zephyr/1"));

        likeness.put_on(&mut headers);

        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "accept-language",
                "anthropic-beta",
                "user-agent",
                "x-app",
                "x-stainless-os"
            ]
        );
        assert_eq!(headers[USER_AGENT], "claude-cli/3.0.0 (external, cli)");
        assert_eq!(likeness.target("/v1/messages"), "/v1/messages?beta=true");
        assert_eq!(likeness.target("/v1/models?limit=1"), "/v1/models?limit=1");
    }

    #[test]
    fn what_is_too_large_to_be_claude_code_leaves_what_was_seen_before() {
        let huge: &'static str = "x".repeat(LARGEST).leak();

        let likeness = seen(&[("user-agent", huge)], "/v1/messages");

        assert_eq!(*likeness, Likeness::sample());
    }
}
