//! What takes the credentials out of a text.

use std::borrow::Cow;
use std::rc::Rc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::names::is_harmless;
use crate::own::{Own, in_headers, in_query};
use crate::patterns::{End, Patterns, SHORTEST};
use crate::redacted::{GONE, Redacted, Span};
use crate::{pieces, shapes};

/// Most redactors of requests that are remembered.
const REMEMBERED: usize = 32;

/// Knows secrets. It takes them out of a text in every spelling, and everything that looks like a credential.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    secrets: Vec<Hidden>,
    patterns: Patterns,
    /// The secrets of the request alone.
    own: Patterns,
}

/// A secret that nothing shows.
#[derive(Clone, PartialEq, Eq)]
struct Hidden(Box<str>);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// The redactors of requests. Each request has credentials of its own, but many have the same.
#[derive(Default)]
pub struct Redactors {
    common: Rc<Redactor>,
    /// By the credentials of the requests.
    of_requests: Vec<(Vec<String>, Rc<Redactor>)>,
}

impl Redactors {
    /// Takes out these secrets too. Earlier ones stay.
    pub fn learn<'s>(&mut self, secrets: impl IntoIterator<Item = &'s str>) {
        self.common = Rc::new(self.common.and(secrets));
        self.of_requests.clear();
    }

    /// For text that belongs to no request.
    pub fn common(&self) -> Rc<Redactor> {
        Rc::clone(&self.common)
    }

    /// For the record of a request with these headers and this query.
    pub fn of(&mut self, headers: &HeaderMap, query: Option<&str>) -> Rc<Redactor> {
        let credentials = || in_headers(headers).chain(in_query(query));
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
        let redactor = Rc::new(self.common.knowing(&Own::of(headers, query)));
        self.of_requests.push((secrets, Rc::clone(&redactor)));
        redactor
    }
}

impl Redactor {
    /// One that knows these secrets.
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut known: Vec<Hidden> = Vec::new();
        for secret in secrets {
            if !known.iter().any(|known| *known.0 == *secret) {
                known.push(Hidden(secret.into()));
            }
        }
        Self {
            patterns: Patterns::of(known.iter().map(|secret| &*secret.0)),
            secrets: known,
            own: Patterns::default(),
        }
    }

    /// One that knows these secrets as well.
    #[must_use]
    pub fn and<'s>(&self, secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let known = self.secrets.iter().map(|secret| secret.0.clone());
        let all: Vec<Box<str>> = known.chain(secrets.into_iter().map(Box::from)).collect();
        Self::of(all.iter().map(|secret| &**secret))
    }

    /// One that also knows the secrets of a request.
    pub fn knowing(&self, own: &Own) -> Self {
        let is_new = |secret: &&str| !self.knows(secret);
        Self {
            own: Patterns::of(own.secrets().filter(is_new)),
            ..self.clone()
        }
    }

    pub(crate) fn knows(&self, secret: &str) -> bool {
        secret.len() < SHORTEST || self.secrets.iter().any(|known| *known.0 == *secret)
    }

    /// Whether the text has a secret of the request alone.
    pub fn has_own_in(&self, text: &str) -> bool {
        !self.own.spans(text.as_bytes(), End::Whole).is_empty()
    }

    /// The text without secrets. Its end may be the beginning of one.
    pub fn text(&self, text: &str) -> Redacted {
        self.without_secrets(text, End::Whole)
    }

    /// For text that was cut off. It may end with the beginning of a secret, which goes without a trace.
    pub fn cut_text(&self, text: &str) -> Redacted {
        self.without_secrets(text, End::Cut)
    }

    /// Every header, with its value if the value is harmless.
    pub fn headers(&self, headers: &HeaderMap) -> Vec<(Redacted, Redacted)> {
        let kept = |name: &HeaderName, value: &HeaderValue| match value.to_str() {
            Ok(value) if is_harmless(name.as_str(), value) => self.text(value),
            Ok(_) | Err(_) => GONE.into(),
        };
        headers
            .iter()
            .map(|(name, value)| (self.text(name.as_str()), kept(name, value)))
            .collect()
    }

    fn without_secrets(&self, text: &str, end: End) -> Redacted {
        let bytes = text.as_bytes();
        let mut spans: Vec<Span> = Vec::new();
        for patterns in [&self.patterns, &self.own] {
            spans.extend(patterns.spans(bytes, end).into_iter().map(Span::new));
            for pieces in pieces::spans(bytes, patterns) {
                let mut pieces = pieces.into_iter();
                spans.extend(pieces.next().map(Span::new));
                spans.extend(pieces.map(Span::rest));
            }
        }
        // Of a text that was cut off, the last secret may be a part of one.
        let is_part = |span: &Span| end == End::Cut && span.range.end == text.len();
        spans
            .iter_mut()
            .for_each(|span| span.is_rest |= is_part(span));
        spans.extend(shapes::spans(text).into_iter().map(Span::new));
        Redacted::without(text, spans)
    }
}

/// Whether a query may have credentials.
pub fn may_have_credentials(query: &str) -> bool {
    in_query(Some(query)).next().is_some()
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    const KEY: &str = "sk-ant-api03-PLANTED_key-0123456789";

    fn knowing(secret: &str) -> Redactor {
        Redactor::of([secret])
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
            "GET /?AccessToken=[redacted] no [redacted], [redacted]; true, 20261121103000"
        );
        assert!(may_have_credentials(query) && !may_have_credentials("beta=true"));
    }

    #[test]
    fn a_secret_that_is_learnt_later_goes_from_records_of_known_credentials_too() {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, "Bearer my-own".parse().unwrap())]);
        let mut redactors = Redactors::default();
        redactors.of(&headers, None);

        redactors.learn(["learnt-later"]);

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
