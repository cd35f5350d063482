//! The message catalogues: one flat JSON file per language, from `kind.code` to template.
//!
//! A template names the parameters of its code in braces. Nested values with a `code` of their own are put
//! into words first, so `{why}` works. TypeScript reads the same files.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value};

/// A language that every front-end speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// 简体中文.
    Zh,
}

/// The field that holds a code, and how the keys of such codes begin.
const TAGS: [(&str, &str); 12] = [
    ("code", "reason"),
    ("event", "event"),
    ("status", "status"),
    ("headline", "headline"),
    ("menu", "menu"),
    ("notice", "notice"),
    ("subject", "subject"),
    ("ground", "ground"),
    ("effect", "effect"),
    ("goes", "goes"),
    ("source", "source"),
    ("danger", "danger"),
];

type Catalogue = BTreeMap<String, String>;

static EN: LazyLock<Catalogue> = LazyLock::new(|| parse(include_str!("../messages/en.json")));
static ZH: LazyLock<Catalogue> = LazyLock::new(|| parse(include_str!("../messages/zh.json")));

/// Puts a [`Reason`](crate::Reason), an [`EventKind`](crate::EventKind), a [`Headline`](crate::Headline), an
/// [`Overall`](crate::Overall) or an [`EndpointState`](crate::EndpointState) into words.
///
/// A view's own phrases are types of the same kind, tagged `status`, `menu` or `notice`; their keys begin
/// with that.
///
/// A code without a message is shown as it is: a newer instance may know more codes than this program.
pub fn text(language: Language, coded: &impl Serialize) -> String {
    serde_json::to_value(coded).map_or_else(|_| String::new(), |value| words(language, &value))
}

fn words(language: Language, value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let coded = |tag: &str| fields.get(tag)?.as_str();
            TAGS.iter()
                .find_map(|(tag, kind)| Some(fill(language, kind, coded(tag)?, fields)))
                .unwrap_or_default()
        }
        Value::String(code) => fill(language, "state", code, &Map::new()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

fn fill(language: Language, kind: &str, code: &str, fields: &Map<String, Value>) -> String {
    let Some(template) = catalogue(language).get(&format!("{kind}.{code}")) else {
        return code.to_owned();
    };
    let mut text = String::with_capacity(template.len());
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(&parameter(language, name, fields));
        rest = after;
    }
    text.push_str(rest);
    text
}

fn parameter(language: Language, name: &str, fields: &Map<String, Value>) -> String {
    match fields.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(nested))
            if nested.contains_key("why") && !nested.contains_key("code") =>
        {
            parameter(language, "why", nested)
        }
        Some(Value::Null) | None => "–".to_owned(),
        Some(other) => words(language, other),
    }
}

fn catalogue(language: Language) -> &'static Catalogue {
    match language {
        Language::En => &EN,
        Language::Zh => &ZH,
    }
}

fn parse(json: &str) -> Catalogue {
    serde_json::from_str(json)
        .expect("the catalogues are tested to be flat JSON objects of strings")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decision, EndpointState, EventKind, Reason};

    #[test]
    fn a_reason_reads_as_a_sentence_in_both_languages() {
        let why = Reason::Faster {
            to_ms: 80,
            from_ms: 240,
            threshold_ms: 50,
        };

        let en = text(Language::En, &why);
        let zh = text(Language::Zh, &why);

        assert!(en.contains("80") && en.contains("240"), "{en}");
        assert!(zh.contains("80") && zh.contains("240"), "{zh}");
        assert_ne!(en, zh);
    }

    #[test]
    fn a_model_without_a_name_leaves_no_hole() {
        let why = Reason::RequestedModelNotServed;

        let en = text(Language::En, &why);
        let zh = text(Language::Zh, &why);

        assert_eq!(en, "does not serve the model asked for");
        assert_eq!(zh, "不提供所请求的模型");
    }

    #[test]
    fn a_nested_reason_is_put_into_words_inside_its_event() {
        let event = EventKind::Switched {
            from: "HK".to_owned(),
            to: "Tokyo".to_owned(),
            decision: Decision {
                why: Reason::Pinned,
                others: Vec::new(),
            },
        };

        let en = text(Language::En, &event);

        assert!(en.contains("HK") && en.contains("Tokyo"), "{en}");
        assert!(en.contains(&text(Language::En, &Reason::Pinned)), "{en}");
    }

    #[test]
    fn both_catalogues_have_the_same_codes_with_the_same_parameters() {
        let parameters = |template: &String| {
            let mut names: Vec<_> = template
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split_once('}'))
                .map(|(name, _)| name.to_owned())
                .collect();
            names.sort();
            names
        };
        let shape = |catalogue: &Catalogue| -> Vec<_> {
            let entries = catalogue.iter();
            entries
                .map(|(code, template)| (code.clone(), parameters(template)))
                .collect()
        };

        assert_eq!(shape(&EN), shape(&ZH));
    }

    #[test]
    fn every_code_in_the_source_has_a_message() {
        let codes = codes_of("reason", "pub enum Reason", include_str!("reason.rs"))
            .chain(codes_of(
                "event",
                "pub enum EventKind",
                include_str!("snapshot/event.rs"),
            ))
            .chain(codes_of(
                "state",
                "pub enum EndpointState",
                include_str!("snapshot/endpoint_state.rs"),
            ))
            .chain(codes_of(
                "state",
                "pub enum Overall ",
                include_str!("snapshot/status.rs"),
            ))
            .chain(codes_of(
                "headline",
                "pub enum Headline",
                include_str!("snapshot/status.rs"),
            ))
            .chain(codes_of(
                "effect",
                "pub enum Effect",
                include_str!("privilege/confirmation.rs"),
            ))
            .chain(codes_of(
                "goes",
                "pub enum Goes",
                include_str!("privilege/confirmation.rs"),
            ))
            .chain(codes_of(
                "source",
                "pub enum Source",
                include_str!("privilege/flow.rs"),
            ))
            .chain(codes_of(
                "danger",
                "pub enum Danger",
                include_str!("privilege/class.rs"),
            ));

        let missing: Vec<_> = codes.filter(|code| !EN.contains_key(code)).collect();

        assert!(missing.is_empty(), "no message for {missing:?}");
        assert_eq!(
            text(Language::En, &EndpointState::NoCredential),
            EN["state.no_credential"]
        );
    }

    /// The variants' names of the enum that `head` begins, as the catalogues spell them.
    fn codes_of<'a>(
        kind: &'a str,
        head: &str,
        source: &'a str,
    ) -> impl Iterator<Item = String> + 'a {
        let start = source.find(head).unwrap();
        let body = &source[start..][..source[start..].find("\n}").unwrap()];
        body.lines()
            .filter(|line| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase())
            .map(move |line| {
                let name = line.trim().trim_end_matches([',', '{', ' ']);
                format!("{kind}.{}", snake_case(name))
            })
    }

    fn snake_case(name: &str) -> String {
        let mut snake = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
        }
        snake
    }
}
