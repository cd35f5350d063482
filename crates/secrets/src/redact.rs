//! Text without credentials.
//!
//! The journal's tables take only [`Redacted`] text, and only this module makes it. A list of names says
//! which headers are harmless. The values of all other headers are left out. All other text loses the
//! secrets of the configuration, the credentials of the request, and everything that looks like a
//! credential. It may lose too much, since it is only a record.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::LazyLock;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::{Captures, Regex};

use crate::secret::Secret;

/// Takes the place of a secret. JSON and URLs can have it without escapes.
const GONE: &str = "[redacted]";

/// Bytes of the shortest secret. A shorter one would occur by chance.
const SHORTEST: usize = 4;
/// Bytes of the shortest credential that only its header's name gives away. `x-token-count` has none.
const UNMISTAKABLE: usize = 8;

/// Text without secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redacted(String);

impl Redacted {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// At most this many bytes from the beginning, and whether the rest was cut off.
    pub fn beginning(mut self, most: usize) -> (Self, bool) {
        if self.0.len() <= most {
            return (self, false);
        }
        self.0.truncate(self.0.floor_char_boundary(most));
        (self, true)
    }
}

/// The redactors of requests. Each request has credentials of its own, but many have the same.
#[derive(Default)]
pub struct Redactors {
    common: Rc<Redactor>,
    /// By the credentials of the requests.
    of_requests: Vec<(Vec<String>, Rc<Redactor>)>,
}

/// Knows the secrets of the configuration, and those of a request.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<String>,
    /// The secrets of the request alone.
    own: Vec<String>,
}

impl Redactors {
    /// See [`Redactor::learn`].
    pub fn learn<'a>(&mut self, secrets: impl IntoIterator<Item = &'a Secret>) {
        Rc::make_mut(&mut self.common).learn(secrets);
        self.of_requests.clear();
    }

    /// For text that belongs to no request.
    pub fn common(&self) -> Rc<Redactor> {
        Rc::clone(&self.common)
    }

    /// For the record of a request with these headers and this query.
    pub fn of(&mut self, headers: &HeaderMap, query: Option<&str>) -> Rc<Redactor> {
        let credentials = || {
            credentials(headers)
                .map(Cow::Borrowed)
                .chain(in_query(query))
        };
        let same = |(secrets, _): &&(Vec<String>, _)| {
            let secrets = secrets.iter().map(String::as_str);
            secrets.eq(credentials())
        };
        if let Some((_, redactor)) = self.of_requests.iter().find(same) {
            return Rc::clone(redactor);
        }
        if self.of_requests.len() == REMEMBERED {
            self.of_requests.clear();
        }
        let secrets: Vec<String> = credentials().map(Cow::into_owned).collect();
        let redactor = Rc::new(self.common.knowing(&secrets));
        self.of_requests.push((secrets, Rc::clone(&redactor)));
        redactor
    }
}

impl Redactor {
    /// Replaces these secrets too, in every form in which a text may have them. Earlier secrets stay.
    pub fn learn<'a>(&mut self, secrets: impl IntoIterator<Item = &'a Secret>) {
        for secret in secrets {
            self.add(secret.expose());
        }
    }

    /// A redactor that also knows these secrets of a request.
    fn knowing(&self, secrets: &[String]) -> Self {
        let mut redactor = self.clone();
        for secret in secrets {
            if !redactor.secrets.contains(secret) {
                redactor.add_own(secret);
            }
        }
        redactor
    }

    /// Whether the text has a secret of the request alone.
    pub fn has_own_in(&self, text: &str) -> bool {
        self.own.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// Text without secrets.
    pub fn text(&self, text: &str) -> Redacted {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), GONE));
            }
        }
        if is_plain(&text) {
            return Redacted(text.into_owned());
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

    /// For text that was cut off. It may end with the beginning of a secret.
    pub fn cut_text(&self, text: &str) -> Redacted {
        let longest = |secret: &String| {
            let ends = (SHORTEST..secret.len()).rev();
            ends.filter(|end| secret.is_char_boundary(*end))
                .find(|end| text.ends_with(&secret[..*end]))
        };
        let open = self.secrets.iter().filter_map(longest).max().unwrap_or(0);
        self.text(&text[..text.len() - open])
    }

    /// Every header, with its value if the value is harmless.
    pub fn headers(&self, headers: &HeaderMap) -> Vec<(Redacted, Redacted)> {
        let kept = |name: &HeaderName, value: &HeaderValue| match value.to_str() {
            Ok(value) if is_harmless(name.as_str()) => self.text(value),
            Ok(_) | Err(_) => Redacted(GONE.to_owned()),
        };
        headers
            .iter()
            .map(|(name, value)| (self.text(name.as_str()), kept(name, value)))
            .collect()
    }

    fn add_own(&mut self, secret: &str) {
        let before = self.secrets.clone();
        self.add(secret);
        let new = self
            .secrets
            .iter()
            .filter(|secret| !before.contains(secret));
        self.own.extend(new.cloned());
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
        // The longest comes first, since a secret may be the beginning of another.
        self.secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }
}

/// Most redactors that are remembered.
const REMEMBERED: usize = 32;

/// The credentials in a request's headers.
fn credentials(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let carriers = headers.iter().filter(|(name, _)| is_credential(name));
    carriers.flat_map(|(name, value)| {
        let value = value.to_str().unwrap_or_default();
        let (separator, least) = match name {
            &AUTHORIZATION | &PROXY_AUTHORIZATION => (None, SHORTEST),
            name if *name == X_API_KEY => (None, SHORTEST),
            &COOKIE => (Some(';'), UNMISTAKABLE),
            _ => (None, UNMISTAKABLE),
        };
        let parts = value.split(move |c| Some(c) == separator);
        let secrets = parts.map(move |part| match separator {
            Some(_) => part.split_once('=').map_or(part, |(_, value)| value).trim(),
            None => part.rsplit(' ').next().unwrap_or(part),
        });
        secrets.filter(move |secret| {
            secret.len() >= least
                && (least == SHORTEST || secret.bytes().any(|byte| !byte.is_ascii_digit()))
        })
    })
}

/// The credentials in a query, as written and decoded.
fn in_query(query: Option<&str>) -> impl Iterator<Item = Cow<'_, str>> {
    let pairs = query.unwrap_or_default().split('&');
    let secrets = pairs.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (is_secret(&name.to_ascii_lowercase()) && value.len() >= UNMISTAKABLE).then_some(value)
    });
    secrets.flat_map(|value| {
        let meant = percent_decode_str(value).decode_utf8_lossy();
        let other = (meant != value).then_some(meant);
        [Some(Cow::Borrowed(value)), other].into_iter().flatten()
    })
}

pub fn may_have_credentials(query: &str) -> bool {
    in_query(Some(query)).next().is_some()
}

/// Whether the name of a header says that its value is a credential.
pub fn is_credential(name: &HeaderName) -> bool {
    let name = name.as_str();
    !is_harmless(name) && is_secret(name)
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|part| name.contains(part))
}

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Parts of the names of credentials.
const SECRET: &[&str] = &[
    "auth",
    "cookie",
    "credential",
    "key",
    "passw",
    "secret",
    "token",
];

/// Whether the values of a header may be kept, since they are known to hold no credential. This is asked for
/// every header of every request. So it is code, which compares lengths first, and not a list.
fn is_harmless(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-encoding"
            | "accept-language"
            | "age"
            | "anthropic-beta"
            | "anthropic-dangerous-direct-browser-access"
            | "anthropic-version"
            | "cache-control"
            | "cf-cache-status"
            | "cf-ray"
            | "connection"
            | "content-encoding"
            | "content-language"
            | "content-length"
            | "content-type"
            | "date"
            | "expect"
            | "expires"
            | "host"
            | "idempotency-key"
            | "keep-alive"
            | "last-modified"
            | "origin"
            | "pragma"
            | "request-id"
            | "retry-after"
            | "retry-after-ms"
            | "server"
            | "server-timing"
            | "strict-transport-security"
            | "trailer"
            | "transfer-encoding"
            | "user-agent"
            | "vary"
            | "via"
            | "x-app"
            | "x-content-type-options"
            | "x-endpoint-index"
            | "x-request-id"
            | "x-should-retry"
            | "x-used-endpoint"
    ) || name.starts_with("anthropic-ratelimit-")
        || name.starts_with("x-claude-code-")
        || name.starts_with("x-ratelimit-")
        || name.starts_with("x-stainless-")
        || name.starts_with("x-zephyr-")
}

/// A credential behind its name, in headers, JSON, JSON within JSON, queries or shell commands.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r#"(?i-u:(?P<label>(?:authorization|api[_-]?key|(?:auth|access|refresh|session|bearer|id)[_-]?token"#,
        r#"|client[_-]?secret|secret[_-]?(?:access[_-]?)?key|passw(?:or)?d|cookie)"#,
        r#"\\*["'`]?[ \t]*(?::|=|%3[ad])[ \t]*\\*["'`]?(?:(?:bearer|basic|token)(?:[ +]|%20)+)?)"#,
        r#"[!#-&*-+./0-:<-@A-Z^_a-z|~-]{4,})"#
    ))
});

/// A credential behind the name of the scheme, in any place.
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

/// Whether the text can have none of these credentials. All have two letters side by side. A short one has
/// something other than small letters, digits and underscores.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_word = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let are_letters = |two: &[u8]| two.iter().all(u8::is_ascii_alphabetic);
    (bytes.len() < SHORTEST_SHAPED && bytes.iter().all(is_word))
        || !bytes.windows(2).any(are_letters)
}

/// Bytes of the shortest credential with an underscore, which begins with `hf_`.
const SHORTEST_SHAPED: usize = 19;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test uses it")
}

/// Whether the text behind "bearer" is probably a word of prose and no credential.
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
        let redactor = Redactors::default().of(&headers, None);

        let redacted = redactor.text("you sent my-own");

        assert_eq!(redacted.as_str(), "you sent [redacted]");
    }

    #[test]
    fn whatever_a_header_is_called_that_says_so_its_value_is_a_secret_of_the_request() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-goog-api-key", "planted-1"),
            ("x-corporate-token", "planted-2"),
            ("x-client-secret", "Custom planted-3"),
            ("cookie", "lang=en; sid=planted-4; b=planted-5"),
            ("ocp-apim-subscription-key", "planted-6"),
            ("x-max-tokens", "4096"),
            ("x-token-digits", "20261121103000"),
            ("anthropic-ratelimit-tokens-limit", "harmless-1"),
            ("idempotency-key", "harmless-2"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let mut redactors = Redactors::default();

        let redactor = redactors.of(&headers, None);

        let said = "planted-1 planted-2 planted-3 planted-4 planted-5 planted-6 en 4096 20261121103000 harmless-1 harmless-2";
        assert_eq!(
            redactor.text(said).as_str(),
            format!(
                "{} en 4096 20261121103000 harmless-1 harmless-2",
                [GONE; 6].join(" ")
            )
        );
        assert!(redactor.has_own_in("/v1/planted-2") && !redactor.has_own_in("/v1/other"));
        assert!(Rc::ptr_eq(&redactor, &redactors.of(&headers, None)));
        let nobodys = redactors.of(&HeaderMap::new(), None);
        assert_eq!(nobodys.text("it is planted-1").as_str(), "it is planted-1");
    }

    #[test]
    fn the_credential_in_a_query_goes_as_it_stands_there_and_as_it_is_meant() {
        let query = "beta=true&AccessToken=pl%2Fan%2Bted&limit=20261121103000&key=sesame-7";

        let redactor = Redactors::default().of(&HeaderMap::new(), Some(query));

        let said = "GET /?AccessToken=pl%2Fan%2Bted: no pl/an+ted, sesame-7; true, 20261121103000";
        assert_eq!(
            redactor.text(said).as_str(),
            "GET /?AccessToken=[redacted]: no [redacted], [redacted]; true, 20261121103000"
        );
        assert!(may_have_credentials(query) && !may_have_credentials("beta=true"));
    }

    #[test]
    fn a_secret_that_is_learnt_later_goes_from_records_of_known_credentials_too() {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, "Bearer my-own".parse().unwrap())]);
        let mut redactors = Redactors::default();
        redactors.of(&headers, None);

        redactors.learn(&[Secret::new("learnt-later").unwrap()]);

        let redacted = redactors.of(&headers, None).text("my-own and learnt-later");
        assert_eq!(redacted.as_str(), "[redacted] and [redacted]");
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
}
