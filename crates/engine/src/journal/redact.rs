//! What must not be written down: credentials, wherever they stand.
//!
//! The journal's tables take text only as [`Redacted`], and only this module makes that. Values of headers
//! are kept by a list of names that are known to be harmless; every other one is left out. In all other
//! text, the secrets of the configuration and of the request's own headers are replaced, and so is whatever
//! has the look of a credential. That errs on the side of too much: this is a record, not what was sent.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::{Captures, Regex};

use crate::secret::Secret;

/// Stands in the place of a secret. Fits into JSON and URLs as they are.
const GONE: &str = "[redacted]";

/// Shorter ones would be found everywhere by chance.
const SHORTEST: usize = 4;

/// Text without secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Redacted(String);

impl Redacted {
    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its beginning, of at most so many bytes.
    pub(super) fn beginning(mut self, most: usize) -> (Self, bool) {
        if self.0.len() <= most {
            return (self, false);
        }
        self.0.truncate(self.0.floor_char_boundary(most));
        (self, true)
    }
}

/// Knows the secrets of the configuration.
#[derive(Clone, Default)]
pub(super) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// Replaces these secrets too, in every form in which they may stand in a text. What was a secret
    /// stays one.
    pub(super) fn learn<'a>(&mut self, secrets: impl IntoIterator<Item = &'a Secret>) {
        for secret in secrets {
            self.add(secret.expose());
        }
    }

    /// Besides, the credentials that a request was sent with.
    pub(super) fn with_those_in(&self, headers: &HeaderMap) -> Cow<'_, Self> {
        let carriers = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, X_API_KEY];
        let values = carriers.iter().flat_map(|name| headers.get_all(name));
        let mut redactor = Cow::Borrowed(self);
        for value in values.filter_map(|value| value.to_str().ok()) {
            let secret = value.rsplit(' ').next().unwrap_or(value);
            if !self.secrets.iter().any(|known| known == secret) {
                redactor.to_mut().add(secret);
            }
        }
        redactor
    }

    /// Text without secrets.
    pub(super) fn text(&self, text: &str) -> Redacted {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), GONE));
            }
        }
        let text = LABELLED.replace_all(&text, |found: &Captures<'_>| {
            format!("{}{GONE}", &found["label"])
        });
        let text = BEARER.replace_all(&text, |found: &Captures<'_>| {
            if is_a_word(&found["token"]) {
                found[0].to_owned()
            } else {
                format!("{}{GONE}", &found["label"])
            }
        });
        Redacted(SHAPED.replace_all(&text, GONE).into_owned())
    }

    /// Text that was cut off somewhere: the beginning of a secret may be its end.
    pub(super) fn cut_text(&self, text: &str) -> Redacted {
        let longest = |secret: &String| {
            let ends = (SHORTEST..secret.len()).rev();
            ends.filter(|end| secret.is_char_boundary(*end))
                .find(|end| text.ends_with(&secret[..*end]))
        };
        let open = self.secrets.iter().filter_map(longest).max().unwrap_or(0);
        self.text(&text[..text.len() - open])
    }

    /// Every header, with its value where that is harmless.
    pub(super) fn headers(&self, headers: &HeaderMap) -> Vec<(Redacted, Redacted)> {
        let kept = |name: &HeaderName, value: &HeaderValue| match value.to_str() {
            Ok(value) if is_harmless(name.as_str()) => self.text(value),
            Ok(_) | Err(_) => Redacted(GONE.to_owned()),
        };
        headers
            .iter()
            .map(|(name, value)| (self.text(name.as_str()), kept(name, value)))
            .collect()
    }

    fn add(&mut self, secret: &str) {
        let escaped = serde_json::Value::from(secret).to_string();
        let forms = [
            secret.to_owned(),
            escaped.trim_matches('"').to_owned(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        ];
        for form in forms {
            if form.len() >= SHORTEST && !self.secrets.contains(&form) {
                self.secrets.push(form);
            }
        }
        // One may be the beginning of another.
        self.secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }
}

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Headers whose values may be kept: what they say is known, and is no credential.
const HARMLESS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "age",
    "anthropic-beta",
    "anthropic-dangerous-direct-browser-access",
    "anthropic-version",
    "cache-control",
    "cf-cache-status",
    "cf-ray",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "expect",
    "expires",
    "host",
    "keep-alive",
    "last-modified",
    "origin",
    "pragma",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "server",
    "server-timing",
    "strict-transport-security",
    "trailer",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "x-app",
    "x-content-type-options",
    "x-endpoint-index",
    "x-request-id",
    "x-should-retry",
    "x-used-endpoint",
];

/// The same, by how their names begin.
const HARMLESS_BEGINNINGS: &[&str] = &[
    "anthropic-ratelimit-",
    "x-claude-code-",
    "x-ratelimit-",
    "x-stainless-",
    "x-zephyr-",
];

fn is_harmless(name: &str) -> bool {
    HARMLESS.binary_search(&name).is_ok()
        || HARMLESS_BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
}

/// What follows a name that credentials go by: in headers, JSON, JSON within JSON, queries, shell commands.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r#"(?i-u:(?P<label>(?:authorization|api[_-]?key|(?:auth|access|refresh|session|bearer|id)[_-]?token"#,
        r#"|client[_-]?secret|secret[_-]?(?:access[_-]?)?key|passw(?:or)?d|cookie)"#,
        r#"\\*["'`]?[ \t]*(?::|=|%3[ad])[ \t]*\\*["'`]?(?:(?:bearer|basic|token)(?:[ +]|%20)+)?)"#,
        r#"[!#-&*-+./0-:<-@A-Z^_a-z|~-]{4,})"#
    ))
});

/// What follows the name of the scheme, wherever that stands.
static BEARER: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i-u:(?P<label>\bbearer(?:[ +]|%20)+)(?P<token>[A-Z0-9._~+/=%-]{6,}))")
});

/// Credentials that have a shape of their own.
static SHAPED: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?-u:sk-ant-[A-Za-z0-9_%-]+",
        r"|\bsk-[A-Za-z0-9_-]{16,}",
        r"|\b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|hf|npm|pypi)[_-][A-Za-z0-9_-]{16,}",
        r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"|\bA(?:KIA|SIA)[A-Z0-9]{16}\b",
        r"|\bAIza[A-Za-z0-9_-]{30,}",
        r"|\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"
    ))
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test uses it")
}

/// Whether what follows "bearer" is likelier to be a word of prose than a credential.
fn is_a_word(token: &str) -> bool {
    let token = token.trim_end_matches('.');
    token.len() < 20 && token.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-ant-api03-PLANTED_key-0123456789";

    fn knowing(secret: &str) -> Redactor {
        let mut redactor = Redactor::default();
        redactor.learn(&[Secret::new(secret).unwrap()]);
        redactor
    }

    #[test]
    fn what_looks_like_a_credential_goes_from_every_kind_of_text() {
        let planted = [
            format!("x-api-key: {KEY}"),
            format!("/v1/messages/{KEY}"),
            format!("/v1%2F{KEY}"),
            "Authorization: Bearer PLANTEDtoken".to_owned(),
            "curl -H 'x-api-key: PLANTED'".to_owned(),
            r#"{"x-api-key":"PLANTED"}"#.to_owned(),
            r#""{\"api_key\": \"PLANTED\"}""#.to_owned(),
            "?api_key=PLANTED&beta=true".to_owned(),
            "ANTHROPIC_AUTH_TOKEN=PLANTED".to_owned(),
            "proxy-authorization: Basic UExBTlRFRA==PLANTED".to_owned(),
            "it said: bearer PLANTED-token-1".to_owned(),
            "sk-proj-PLANTED0123456789".to_owned(),
            "ghp_PLANTED0123456789abcd".to_owned(),
            "eyJhbGciOi.PLANTEDPLANTED.PLANTEDPLANTED".to_owned(),
            "cookie: session=PLANTED".to_owned(),
            "password = PLANTED".to_owned(),
        ];

        for text in planted {
            let redacted = Redactor::default().text(&text);

            assert!(!redacted.as_str().contains("PLANTED"), "{redacted:?}");
            assert!(redacted.as_str().contains(GONE), "{redacted:?}");
        }
    }

    #[test]
    fn prose_and_numbers_stay() {
        let text = "The bearer understands max_tokens: 4096; tasks-to-do, a basic responsibility, \
            密码错误, \"input_tokens\":25, task-force-management-review-meeting";

        assert_eq!(Redactor::default().text(text).as_str(), text);
    }

    #[test]
    fn a_known_secret_goes_in_every_form() {
        let redactor = knowing(r#"pass/"word"+1"#);

        for form in [
            r#"so pass/"word"+1 it is"#,
            r#"{"said":"pass/\"word\"+1"}"#,
            "/x?q=pass%2F%22word%22%2B1",
        ] {
            let redacted = redactor.text(form);
            assert!(!redacted.as_str().contains("word"), "{redacted:?}");
        }
    }

    #[test]
    fn the_credential_of_the_request_itself_goes() {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, "Bearer my-own".parse().unwrap())]);
        let redactor = Redactor::default();

        let redacted = redactor.with_those_in(&headers).text("you sent my-own");

        assert_eq!(redacted.as_str(), "you sent [redacted]");
    }

    #[test]
    fn the_beginning_of_a_secret_goes_from_the_end_of_what_was_cut_off() {
        let redacted = knowing("correct-horse").cut_text("and it is correct-ho");

        assert_eq!(redacted.as_str(), "and it is ");
    }

    #[test]
    fn only_headers_that_are_known_keep_their_value() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("user-agent", format!("x/1 {KEY}").parse().unwrap());
        headers.insert("x-corporate-pass", "PLANTED".parse().unwrap());
        headers.insert("authorization", "Bearer PLANTED".parse().unwrap());

        let kept = Redactor::default().headers(&headers);

        let kept: Vec<(&str, &str)> = kept
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            kept,
            [
                ("content-type", "application/json"),
                ("user-agent", "x/1 [redacted]"),
                ("x-corporate-pass", GONE),
                ("authorization", GONE),
            ]
        );
    }

    #[test]
    fn the_list_of_harmless_headers_is_in_order() {
        assert!(HARMLESS.is_sorted());
    }
}
