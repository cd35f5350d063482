//! The user's own rules: what an answer with a given status or text means.

use std::time::Duration;

use regex::bytes::{Regex, RegexBuilder};

/// The most memory that a compiled pattern takes, in bytes.
const PATTERN_BYTES: usize = 1024 * 1024;

/// One of `[[failover.rules]]`. An answer meets the rule if it meets every condition in it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// One of these statuses. Empty: any status.
    pub status: Vec<u16>,
    /// A text in the body, in lower case. ASCII letters of the body are compared in lower case too.
    pub contains: Option<String>,
    /// A pattern that matches a part of the body.
    pub matches: Option<Regex>,
    /// The endpoint's name.
    pub endpoint: Option<String>,
    /// The requested model.
    pub model: Option<String>,
    /// What the answer means.
    pub then: Then,
    /// How long it lasts.
    pub cooldown: Option<Duration>,
}

/// What an answer that meets a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The client gets it.
    Stop,
    /// Another endpoint is asked. With a cooldown, this endpoint gets no requests for so long.
    Next,
    /// The account's quota is used up.
    Exhausted,
    /// The credential is refused.
    Refused,
    /// The model is not served here.
    NotServed,
}

impl Rule {
    /// Reads a pattern, in the syntax of RE2.
    ///
    /// # Errors
    ///
    /// The pattern is not valid, or takes too much memory.
    pub fn pattern(text: &str) -> Result<Regex, regex::Error> {
        RegexBuilder::new(text).size_limit(PATTERN_BYTES).build()
    }

    /// Whether an answer meets the rule.
    pub fn meets(&self, status: u16, body: &[u8], endpoint: &str, model: Option<&str>) -> bool {
        let has = |text: &String| {
            memchr::memmem::find(&body.to_ascii_lowercase(), text.as_bytes()).is_some()
        };
        (self.status.is_empty() || self.status.contains(&status))
            && self.endpoint.as_deref().is_none_or(|name| name == endpoint)
            && self.model.as_deref().is_none_or(|name| model == Some(name))
            && self.contains.as_ref().is_none_or(has)
            && self
                .matches
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(body))
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        let pattern = |rule: &Self| rule.matches.as_ref().map(|it| it.as_str().to_owned());
        self.status == other.status
            && self.contains == other.contains
            && pattern(self) == pattern(other)
            && self.endpoint == other.endpoint
            && self.model == other.model
            && self.then == other.then
            && self.cooldown == other.cooldown
    }
}
