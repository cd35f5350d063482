//! The user's own rules: what an answer of a given status or wording means.

use std::time::Duration;

use regex::bytes::{Regex, RegexBuilder};

/// A compiled pattern takes at most so much memory, in bytes.
const PATTERN_BYTES: usize = 1024 * 1024;

/// One of `[[failover.rules]]`. An answer meets it if it meets everything that the rule names.
#[derive(Clone, Debug)]
pub struct Rule {
    /// One of these statuses; any, if there is none.
    pub status: Vec<u16>,
    /// A text in the body, in small letters; the body's ASCII letters count as small ones.
    pub contains: Option<String>,
    /// A pattern that a part of the body matches.
    pub matches: Option<Regex>,
    /// The endpoint's name.
    pub endpoint: Option<String>,
    /// The model asked for.
    pub model: Option<String>,
    /// What it means.
    pub then: Then,
    /// For how long.
    pub cooldown: Option<Duration>,
}

/// What an answer that meets a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The client gets it.
    Stop,
    /// Another endpoint is asked; with a cooldown, this one is left alone for so long.
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
    /// It is no pattern, or one that takes too much memory.
    pub fn pattern(text: &str) -> Result<Regex, regex::Error> {
        RegexBuilder::new(text).size_limit(PATTERN_BYTES).build()
    }

    /// Whether an answer meets it.
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
