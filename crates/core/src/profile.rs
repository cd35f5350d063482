//! What a request asks for, read from its headers and the beginning of its body.
//!
//! The body may be cut off anywhere: what comes after the cut is unknown, not absent. Nothing here fails. A
//! body that is not JSON has an empty profile, and the endpoint will say what is wrong with it.

pub use crate::call::CallKind;
use crate::json::{Broken, Field, Json, Kind, Scalar};
pub use crate::session::SessionKey;

/// How many bytes of a body are read.
pub const LOOKED_AT: usize = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What routing needs to know about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The requested model.
    pub model: Option<String>,
    /// Whether a stream is asked for. `None`: not seen yet.
    pub stream: Option<bool>,
    /// The conversation that it belongs to.
    pub session: Option<SessionKey>,
    /// The identifier of that conversation in the body.
    pub session_id: Option<String>,
}

impl Profile {
    /// Reads the body's first bytes. `whole`: nothing follows, so a `stream` that was not seen is absent, and
    /// counts as `false`.
    pub fn read(body: &[u8], whole: bool) -> Self {
        let mut profile = Self::default();
        let complete = profile.take_in(body, Extent::Everything).is_ok();
        if complete && whole && profile.stream.is_none() {
            profile.stream = Some(false);
        }
        profile
    }

    /// Reads the body only up to its model, which Claude Code writes at the beginning. For a request whose
    /// session is known from its header.
    pub fn read_to_model(body: &[u8]) -> Self {
        let mut profile = Self::default();
        // It is not an error to stop in the middle here.
        let _ = profile.take_in(body, Extent::ToModel);
        profile
    }

    /// Reads field by field, so that the fields before a cut stay.
    fn take_in(&mut self, body: &[u8], extent: Extent) -> Result<(), Broken> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        Json::new(body).object(|name, json| {
            match name {
                b"model" => {
                    self.model = text(json)?;
                    if extent == Extent::ToModel {
                        return Ok(Field::Last);
                    }
                }
                b"stream" => self.stream = flag(json)?,
                b"metadata" => {
                    let session = user_id(json)?.as_deref().and_then(session_of_user_id);
                    self.session = session.as_deref().map(SessionKey::of);
                    self.session_id = session;
                }
                _ => return Ok(Field::Unread),
            }
            Ok(Field::Read)
        })
    }

    /// Whether the body with this end asks for a stream, if `stream` is its last field.
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
                // Inside a text, a backslash would be before the quotation mark.
                matches!(key.trim_ascii_end().last(), Some(b',' | b'{')).then_some(wanted)
            })
    }

    /// Whether a whole body asks for a stream. A body that does not contain the word is not parsed.
    pub fn wants_stream(body: &[u8]) -> bool {
        if let Some(wanted) = Self::stream_at_end(body) {
            return wanted;
        }
        let named = memchr::memmem::find(body, br#""stream""#).is_some();
        named && Self::read(body, true).stream.unwrap_or(false)
    }

    /// Uses the session of the header `x-claude-code-session-id`, which takes precedence over the body's.
    #[must_use]
    pub fn with_session_header(mut self, id: Option<&str>) -> Self {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.session = Some(SessionKey::of(id));
        }
        self
    }
}

/// How much of a body is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Everything,
    ToModel,
}

/// A text. `None`: the value has another kind.
fn text(json: &mut Json<'_>) -> Result<Option<String>, Broken> {
    match scalar(json)? {
        Some(Scalar::Text(text)) => Ok(Some(text.into_owned())),
        Some(Scalar::Null | Scalar::Bool(_) | Scalar::Number(_)) | None => Ok(None),
    }
}

fn flag(json: &mut Json<'_>) -> Result<Option<bool>, Broken> {
    match scalar(json)? {
        Some(Scalar::Bool(flag)) => Ok(Some(flag)),
        Some(Scalar::Null | Scalar::Number(_) | Scalar::Text(_)) | None => Ok(None),
    }
}

fn scalar<'a>(json: &mut Json<'a>) -> Result<Option<Scalar<'a>>, Broken> {
    match json.kind()? {
        Kind::Object | Kind::List => json.skip().map(|()| None),
        Kind::Scalar => json.scalar().map(Some),
    }
}

/// The `user_id` of a request's metadata.
fn user_id(json: &mut Json<'_>) -> Result<Option<String>, Broken> {
    let mut user_id = None;
    match json.kind()? {
        Kind::Object => json.object(|name, json| {
            if name != b"user_id" {
                return Ok(Field::Unread);
            }
            user_id = text(json)?;
            Ok(Field::Read)
        })?,
        Kind::List | Kind::Scalar => json.skip()?,
    }
    Ok(user_id)
}

/// The session in `metadata.user_id`, in either form that Claude Code has used: a JSON object with a
/// `session_id` (2.1.329), or `user_HASH_account_UUID_session_UUID` (earlier). Any other identifier names a
/// user, who may have many conversations at once, so it is not a session.
fn session_of_user_id(user_id: &str) -> Option<String> {
    let mut in_json = None;
    let read = Json::new(user_id.as_bytes()).object(|name, json| {
        if name != b"session_id" {
            return Ok(Field::Unread);
        }
        in_json = text(json)?;
        Ok(Field::Read)
    });
    let in_json = in_json.filter(|_| read.is_ok());
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
    fn what_an_endpoint_reads_is_read() {
        let deep = "[".repeat(2_000) + &"]".repeat(2_000);
        for value in [
            r#""half an emoji: \ud83d""#,
            "1e400",
            "12345678901234567890123",
            deep.as_str(),
            r#"{"stream":7,"stream":"\udc00"}"#,
        ] {
            let body = format!(
                r#"{{"x":{value},"model":"m\ud83d","metadata":{{"x":{value},"user_id":"user_session_s"}},"stream":true}} "#
            );

            let profile = Profile::read(body.as_bytes(), true);

            let shown = &value[..value.len().min(20)];
            assert_eq!(profile.model.as_deref(), Some("m\u{fffd}"), "{shown}");
            assert_eq!(profile.session, Some(SessionKey::of("s")), "{shown}");
            assert_eq!(profile.stream, Some(true), "{shown}");
        }
        let not_utf8 = b"{\"model\":\"m\",\"stream\":true,\"x\":\"\xff\"}";
        assert!(Profile::wants_stream(not_utf8));
        let last = br#"{"stream":true,"stream":false,"model":"a","model":"b"}"#;
        let profile = Profile::read(last, true);
        assert_eq!(
            (profile.model.as_deref(), profile.stream),
            (Some("b"), Some(false))
        );
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
