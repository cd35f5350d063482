//! Whether an answer lists models, or describes one. Relays have forms of their own for the items (often
//! OpenAI's). So only the fields that every client reads are required: `data`, and an `id` in each item.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::classify::Fault;
use crate::messages::looks_like_html;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The list.
    List,
    /// One model.
    One,
}

/// What an answer contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The list or model that was asked for.
    Models,
    /// A list without any model.
    Nothing,
}

impl Asked {
    /// From the path, without its query.
    pub fn of(path: &str) -> Self {
        if path.trim_end_matches('/').ends_with("/v1/models") {
            Self::List
        } else {
            Self::One
        }
    }

    /// Judges a whole answer.
    ///
    /// # Errors
    ///
    /// What is wrong with it. Only the kind of what was seen is named, never the content.
    pub fn judge(self, body: &[u8]) -> Result<Listed, Fault> {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        if body.trim_ascii().is_empty() {
            return Err(Fault::Empty);
        }
        if looks_like_html(body) {
            return Err(Fault::Html);
        }
        let Ok(Seen::Object(answer)) = serde_json::from_slice::<Seen>(body) else {
            return Err(self.missed("something else"));
        };
        if let Some(error) = answer.error {
            return Err(Fault::ErrorEvent(error));
        }
        match (self, answer.data) {
            (Self::List, Some((0, _))) => Ok(Listed::Nothing),
            (Self::List, Some((items, named))) if items == named => Ok(Listed::Models),
            (Self::List, Some(_)) => Err(self.missed("items without an id")),
            (Self::One, _) if answer.has_id => Ok(Listed::Models),
            (Self::List, None) | (Self::One, _) => Err(self.missed("other JSON")),
        }
    }

    fn missed(self, seen: &str) -> Fault {
        let expected = match self {
            Self::List => "a list of models",
            Self::One => "a model",
        };
        Fault::NotMessages(format!("expected {expected}, seen {seen}"))
    }
}

/// The needed part of a piece of JSON.
enum Seen {
    Null,
    Text(String),
    /// The number of items, and how many of them have an id.
    List(usize, usize),
    Object(Object),
    Other,
}

#[derive(Default)]
struct Object {
    has_id: bool,
    data: Option<(usize, usize)>,
    kind: Option<String>,
    /// The type of the error.
    error: Option<String>,
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Seen, E> {
        Ok(Seen::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Seen, A::Error> {
        let (mut items, mut named) = (0, 0);
        while let Some(item) = list.next_element::<Seen>()? {
            items += 1;
            named += usize::from(matches!(item, Seen::Object(Object { has_id: true, .. })));
        }
        Ok(Seen::List(items, named))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
        let mut object = Object::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "id" => {
                    let id = map.next_value::<Seen>()?;
                    object.has_id = matches!(id, Seen::Text(id) if !id.is_empty());
                }
                "type" => {
                    if let Seen::Text(kind) = map.next_value()? {
                        object.kind = Some(kind);
                    }
                }
                "data" => {
                    if let Seen::List(items, named) = map.next_value()? {
                        object.data = Some((items, named));
                    }
                }
                "error" => {
                    object.error = match map.next_value()? {
                        Seen::Null => None,
                        Seen::Object(error) => Some(error.kind),
                        Seen::Text(_) | Seen::List(..) | Seen::Other => Some(None),
                    }
                    .map(|kind| kind.filter(|kind| is_word(kind)))
                    .map(|kind| kind.unwrap_or_else(|| "error".to_owned()));
                }
                // Skipped, so that its content is not read more strictly than by its reader.
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Seen::Object(object))
    }
}

/// Whether it is a word such as `not_found_error`. An endpoint could return anything else.
fn is_word(kind: &str) -> bool {
    let mut letters = kind.bytes();
    (1..=64).contains(&kind.len()) && letters.all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not(seen: &str) -> Fault {
        Fault::NotMessages(format!("expected a list of models, seen {seen}"))
    }

    #[test]
    fn a_list_of_models_is_one_however_its_items_are_written() {
        for body in [
            r#"{"data":[{"type":"model","id":"claude-opus-5-5","display_name":"Opus"}],"has_more":false}"#,
            r#"{"object":"list","data":[{"id":"claude","object":"model","owned_by":"中转"}]}"#,
            r#"{"data":[{"id":"a","display_name":"cut \ud83d"}],"note":"\udc00"}"#,
            "\u{feff} {\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"error\":null}",
        ] {
            assert_eq!(
                Asked::List.judge(body.as_bytes()),
                Ok(Listed::Models),
                "{body}"
            );
        }
        let none = r#"{"data":[],"has_more":false}"#;
        assert_eq!(Asked::List.judge(none.as_bytes()), Ok(Listed::Nothing));
    }

    #[test]
    fn what_is_no_list_is_named() {
        let cases = [
            ("", Fault::Empty),
            (" \n", Fault::Empty),
            ("<!DOCTYPE html><title>登录</title>", Fault::Html),
            ("ok", not("something else")),
            ("[]", not("something else")),
            (r#"{"data":[{"id":"a"}"#, not("something else")),
            ("{}", not("other JSON")),
            (r#"{"models":[{"id":"a"}]}"#, not("other JSON")),
            (r#"{"data":{"id":"a"}}"#, not("other JSON")),
            (r#"{"data":["a"]}"#, not("items without an id")),
            (
                r#"{"data":[{"id":"a"},{"name":"b"}]}"#,
                not("items without an id"),
            ),
            (r#"{"data":[{"id":7}]}"#, not("items without an id")),
            (
                r#"{"type":"error","error":{"type":"not_found_error","message":"无此路径"}}"#,
                Fault::ErrorEvent("not_found_error".to_owned()),
            ),
            (
                r#"{"error":{"type":"sk-secret Key"},"data":[{"id":"a"}]}"#,
                Fault::ErrorEvent("error".to_owned()),
            ),
            (
                r#"{"error":"无效的令牌"}"#,
                Fault::ErrorEvent("error".to_owned()),
            ),
        ];
        for (body, fault) in cases {
            assert_eq!(Asked::List.judge(body.as_bytes()), Err(fault), "{body}");
        }
    }

    #[test]
    fn one_model_has_an_id() {
        let asked = Asked::of("/relay/v1/models/claude-opus-5-5");
        assert_eq!(asked, Asked::One);

        assert_eq!(
            asked.judge(br#"{"type":"model","id":"x"}"#),
            Ok(Listed::Models)
        );
        for body in [r#"{"data":[{"id":"x"}]}"#, "{}", r#"{"id":null}"#] {
            let expected = "expected a model, seen other JSON".to_owned();
            assert_eq!(
                asked.judge(body.as_bytes()),
                Err(Fault::NotMessages(expected)),
                "{body}"
            );
        }
    }
}
