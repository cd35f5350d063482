//! What a request asks for, read from its headers and the beginning of its body.
//!
//! The body may be cut off anywhere: what comes after the cut is unknown, not absent. Nothing here fails; a body
//! that is not JSON has an empty profile, and the endpoint will say what is wrong with it.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

pub use crate::call::CallKind;
pub use crate::session::SessionKey;

/// How many bytes of a body are read.
pub const LOOKED_AT: usize = 64 * 1024;

/// What routing wants to know of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The model asked for.
    pub model: Option<String>,
    /// Whether the answer is to be streamed; `None`: not seen yet.
    pub stream: Option<bool>,
    /// The conversation that it belongs to.
    pub session: Option<SessionKey>,
    /// The identifier of that conversation in the body.
    pub session_id: Option<String>,
}

impl Profile {
    /// Reads the body's first bytes. `whole`: nothing follows, so a `stream` that was not seen is
    /// absent, which means `false`.
    pub fn read(body: &[u8], whole: bool) -> Self {
        let mut profile = Self::default();
        let mut json = serde_json::Deserializer::from_slice(body);
        let top_level = TopLevel {
            profile: &mut profile,
            extent: Extent::Everything,
        };
        let complete = top_level.deserialize(&mut json).is_ok();
        if complete && whole && profile.stream.is_none() {
            profile.stream = Some(false);
        }
        profile
    }

    /// Reads the body only up to its model, which Claude Code writes at the beginning: for a request whose
    /// session is known from its header.
    pub fn read_to_model(body: &[u8]) -> Self {
        let mut profile = Self::default();
        let mut json = serde_json::Deserializer::from_slice(body);
        let top_level = TopLevel {
            profile: &mut profile,
            extent: Extent::ToModel,
        };
        // Stopping in the middle is no error here.
        let _ = top_level.deserialize(&mut json);
        profile
    }

    /// Whether a body with this end asks for a stream, if its last field is `stream`.
    pub fn stream_at_end(end: &[u8]) -> Option<bool> {
        // Only the end of the top level follows the last value, so its key is on the top level too.
        let end = end.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end();
        [(&b"true"[..], true), (b"false", false)]
            .into_iter()
            .find_map(|(word, wanted)| {
                let before = end
                    .strip_suffix(word)?
                    .trim_ascii_end()
                    .strip_suffix(b":")?;
                let key = before.trim_ascii_end().strip_suffix(br#""stream""#)?;
                // Inside a text, a backslash would precede the quotation mark.
                matches!(key.trim_ascii_end().last(), Some(b',' | b'{')).then_some(wanted)
            })
    }

    /// Whether a whole body asks for a stream. A body that does not contain the word is not parsed.
    pub fn wants_stream(body: &[u8]) -> bool {
        if let Some(wanted) = Self::stream_at_end(body) {
            return wanted;
        }
        let named = std::str::from_utf8(body).is_ok_and(|body| body.contains(r#""stream""#));
        named && Self::read(body, true).stream.unwrap_or(false)
    }

    /// Takes the session of the header `x-claude-code-session-id`, which wins over the body's.
    #[must_use]
    pub fn with_session_header(mut self, id: Option<&str>) -> Self {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.session = Some(SessionKey::of(id));
        }
        self
    }
}

/// Fills a profile key by key, so that what was read before a cut stays.
struct TopLevel<'a> {
    profile: &'a mut Profile,
    extent: Extent,
}

/// How much of a body is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Everything,
    ToModel,
}

impl<'de> DeserializeSeed<'de> for TopLevel<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TopLevel<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Messages request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Model => {
                    self.profile.model = map.next_value::<Lenient<String>>()?.0;
                    if self.extent == Extent::ToModel {
                        return Ok(());
                    }
                }
                Key::Stream => self.profile.stream = map.next_value::<Lenient<bool>>()?.0,
                Key::Metadata => {
                    let metadata = map.next_value::<Lenient<Metadata>>()?.0;
                    let user_id = metadata.and_then(|metadata| metadata.user_id);
                    let session = user_id.as_deref().and_then(session_of_user_id);
                    self.profile.session = session.as_deref().map(SessionKey::of);
                    self.profile.session_id = session;
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Model,
    Stream,
    Metadata,
    #[serde(other)]
    Other,
}

/// The value if it is of the type, nothing if it is of another.
#[derive(Deserialize)]
#[serde(from = "Either<T>", bound = "T: Deserialize<'de>")]
struct Lenient<T>(Option<T>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Either<T> {
    Right(T),
    Wrong(IgnoredAny),
}

impl<T> From<Either<T>> for Lenient<T> {
    fn from(either: Either<T>) -> Self {
        match either {
            Either::Right(value) => Self(Some(value)),
            Either::Wrong(IgnoredAny) => Self(None),
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    user_id: Option<String>,
}

/// The session in `metadata.user_id`, in either of the forms that Claude Code has used: a JSON object
/// with a `session_id` (2.1.329), or `user_HASH_account_UUID_session_UUID` (earlier). Any other
/// identifier names a user, who may hold many conversations at once: no session.
fn session_of_user_id(user_id: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Ids {
        session_id: String,
    }

    let in_json = serde_json::from_str::<Ids>(user_id)
        .ok()
        .map(|ids| ids.session_id);
    let in_text = || {
        user_id
            .rsplit_once("_session_")
            .map(|(_, id)| id.to_owned())
    };
    in_json.or_else(in_text).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_body_tells_model_stream_and_session() {
        let body = br#"{"model":"claude-opus-5-5","messages":[{"role":"user","content":"hi"}],
            "metadata":{"user_id":"{\"device_id\":\"ab\",\"session_id\":\"s-1\"}"},"stream":true}"#;

        let profile = Profile::read(body, true);

        assert_eq!(profile.model.as_deref(), Some("claude-opus-5-5"));
        assert_eq!(profile.stream, Some(true));
        assert_eq!(profile.session, Some(SessionKey::of("s-1")));
    }

    #[test]
    fn both_forms_of_the_user_id_name_the_same_session() {
        let old = br#"{"metadata":{"user_id":"user_0f_account_1b_session_s-1"}}"#;
        let new = br#"{"metadata":{"user_id":"{\"session_id\":\"s-1\"}"}}"#;

        assert_eq!(
            Profile::read(old, true).session,
            Profile::read(new, true).session
        );
    }

    #[test]
    fn a_user_id_that_names_only_a_user_is_no_session() {
        let body = br#"{"metadata":{"user_id":"alice"}}"#;

        assert_eq!(Profile::read(body, true).session, None);
    }

    #[test]
    fn what_stands_before_a_cut_is_kept_and_what_stands_behind_is_unknown() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"a long te"#;

        let profile = Profile::read(body, false);

        assert_eq!(profile.model.as_deref(), Some("m"));
        assert_eq!(profile.stream, None);
    }

    #[test]
    fn a_whole_body_without_stream_is_not_streamed() {
        assert_eq!(Profile::read(br#"{"model":"m"}"#, true).stream, Some(false));
    }

    #[test]
    fn wrong_types_and_no_json_at_all_leave_it_empty() {
        for body in [
            &br#"{"model":7,"stream":"yes","metadata":[]}"#[..],
            b"not json",
            b"[]",
            b"",
        ] {
            let profile = Profile::read(body, true);

            assert_eq!((profile.model, profile.session), (None, None));
        }
    }

    #[test]
    fn reading_to_the_model_leaves_the_rest_alone() {
        let body = br#"{"max_tokens":5,"model":"m","stream":true,"metadata":"#;

        let profile = Profile::read_to_model(body);

        assert_eq!(profile.model.as_deref(), Some("m"));
        assert_eq!(profile.stream, None);
        assert_eq!(Profile::read_to_model(br#"{"mod"#), Profile::default());
    }

    #[test]
    fn a_stream_is_wanted_where_the_top_level_says_so() {
        let bodies = [
            (&br#"{"model":"m","stream":true}"#[..], true),
            (br#"{"model":"m","stream" : true } "#, true),
            (br#"{"stream":true,"model":"m"}"#, true),
            (br#"{"stream":false,"x":true}"#, false),
            (br#"{"model":"m","stream":false}"#, false),
            (br#"{"model":"m"}"#, false),
            (br#"{"tools":[{"stream":true}],"model":"m"}"#, false),
            (br#"{"tools":{"stream":true}}"#, false),
            (br#"{"model":"\"stream\":true}"}"#, false),
            (br#"{"stream":"yes"}"#, false),
            (b"not json", false),
            (b"", false),
        ];

        for (body, wanted) in bodies {
            let text = String::from_utf8_lossy(body);
            assert_eq!(Profile::wants_stream(body), wanted, "{text}");
        }
    }

    #[test]
    fn a_nested_model_is_not_the_requests() {
        let body = br#"{"messages":[{"model":"inner"}],"model":"outer"}"#;

        assert_eq!(Profile::read(body, true).model.as_deref(), Some("outer"));
    }

    #[test]
    fn the_session_header_wins() {
        let body = br#"{"metadata":{"user_id":"user_0_account_1_session_inner"}}"#;

        let profile = Profile::read(body, true).with_session_header(Some("outer"));

        assert_eq!(profile.session, Some(SessionKey::of("outer")));
    }

    #[test]
    fn a_call_is_known_by_method_and_path() {
        let cases = [
            ("POST", "/v1/messages", CallKind::Messages),
            ("POST", "/anthropic/v1/messages/", CallKind::Messages),
            ("POST", "/v1/messages/count_tokens", CallKind::CountTokens),
            ("POST", "/v1/messages/batches", CallKind::Other),
            ("GET", "/v1/messages", CallKind::Other),
            ("GET", "/v1/models", CallKind::Models),
            ("GET", "/anthropic/v1/models/", CallKind::Models),
            ("HEAD", "/v1/models/claude-haiku-4-5", CallKind::Models),
            ("POST", "/v1/models", CallKind::Other),
            ("GET", "/v1/models/a/b", CallKind::Other),
            ("HEAD", "/api/hello", CallKind::Other),
        ];

        for (method, path, kind) in cases {
            assert_eq!(CallKind::of(method, path), kind, "{method} {path}");
        }
    }
}
