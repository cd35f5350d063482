//! A settings file as text. It is edited by cutting and inserting, so that everything else stays the same,
//! byte for byte.
//!
//! Not a JSON value: parsing and writing it again would lose the order of keys, large numbers, escapes and
//! white space.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::reader::{self, Malformed, Object, Settings, without_mark};

const ENV: &str = "env";

/// The text that was added before and after a value, because the key was missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wrapping {
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Whether a text is empty, so that a whole file may be written in its place.
pub(crate) fn is_blank(text: &str) -> bool {
    without_mark(text).trim_ascii().is_empty()
}

/// A whole file around its first key.
pub(crate) fn new_file() -> Wrapping {
    let key = Key::BaseUrl.name();
    Wrapping {
        before: format!("{{\n  \"{ENV}\": {{\n    \"{key}\": "),
        after: "\n  }\n}\n".to_owned(),
    }
}

/// A text that may contain secrets, and the positions in it.
pub(crate) struct Document<'a> {
    text: &'a str,
    settings: Settings,
}

impl<'a> Document<'a> {
    /// # Errors
    ///
    /// The text is not JSON, or does not have the form of a settings file.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let settings = reader::read(text)?;
        Ok(Self { text, settings })
    }

    /// Whether it is plain JSON. Claude Code reads nothing else.
    pub(crate) fn is_strict(&self) -> bool {
        self.settings.is_strict
    }

    /// Whether nothing is between the outermost braces.
    pub(crate) fn is_empty(&self) -> bool {
        self.text[self.settings.root.inner.clone()]
            .trim_ascii()
            .is_empty()
    }

    pub(crate) fn has_env(&self) -> bool {
        self.settings.env.is_some()
    }

    /// The value of that key, as written in the file.
    pub(crate) fn value(&self, key: Key) -> Option<&'a str> {
        self.raw(key.name())
    }

    /// The value of that variable, as written in the file.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.member(name)
            .map(|(env, at)| &self.text[env.members[at].value.clone()])
    }

    /// The text with that value. If the key was missing: also what was added around the value.
    pub(crate) fn set(&self, key: Key, value: &str) -> (String, Option<Wrapping>) {
        if let Some((env, at)) = self.member(key.name()) {
            return (self.splice(&env.members[at].value, value), None);
        }
        let (place, wrapping) = self.room_for(key);
        let inserted = format!("{}{value}{}", wrapping.before, wrapping.after);
        (self.splice(&(place..place), &inserted), Some(wrapping))
    }

    /// The text without that key, and without the parts of `wrapping` that are still there.
    pub(crate) fn unset(&self, key: Key, wrapping: &Wrapping) -> String {
        let Some((env, at)) = self.member(key.name()) else {
            return self.text.to_owned();
        };
        self.unwrap_exactly(&env.members[at].value, wrapping)
            .unwrap_or_else(|| env.without(at, self.text))
    }

    /// The text without `env`, if that is empty.
    pub(crate) fn without_empty_env(&self) -> String {
        match &self.settings.env {
            Some((at, env)) if self.text[env.inner.clone()].trim_ascii().is_empty() => {
                self.settings.root.without(*at, self.text)
            }
            Some(_) | None => self.text.to_owned(),
        }
    }

    fn member(&self, name: &str) -> Option<(&Object, usize)> {
        let (_, env) = self.settings.env.as_ref()?;
        let at = env.members.iter().rposition(|member| member.name == name)?;
        Some((env, at))
    }

    /// Cuts exactly what was inserted. `None`: the text next to it has changed, so that this would not fit.
    fn unwrap_exactly(&self, value: &Range<usize>, wrapping: &Wrapping) -> Option<String> {
        let start = self.text[..value.start]
            .strip_suffix(&wrapping.before)?
            .len();
        let after = self.text[value.end..].strip_prefix(&wrapping.after)?;
        let end = self.text.len() - after.len();
        let cut = self.splice(&(start..end), "");
        if is_blank(&cut) {
            return Some(cut);
        }
        let fits =
            Document::parse(&cut).is_ok_and(|document| document.is_strict() || !self.is_strict());
        fits.then_some(cut)
    }

    /// The position for a missing key, and what must be around its value. After the last member the position
    /// is before a trailing comma, so that the comma stays a trailing one.
    fn room_for(&self, key: Key) -> (usize, Wrapping) {
        let name = key.name();
        let line_end = if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        if let Some((at, env)) = &self.settings.env {
            if let Some(style) = env.style(self.text) {
                let before = format!(",{}\"{name}\"{}", style.separator, style.colon);
                return (style.end, Wrapping::around(before, ""));
            }
            let outer = self.settings.root.style_of(*at, self.text);
            let closing = self.closing(env, outer.separator);
            let inner = outer.deeper();
            let before = format!("{inner}\"{name}\"{}", outer.colon);
            return (env.inner.start, Wrapping::around(before, closing));
        }
        if let Some(style) = self.settings.root.style(self.text) {
            let Style {
                separator, colon, ..
            } = style;
            let inner = style.deeper();
            let before = format!(",{separator}\"{ENV}\"{colon}{{{inner}\"{name}\"{colon}");
            let closing = if style.is_on_lines() { separator } else { "" };
            let after = format!("{closing}}}");
            return (style.end, Wrapping::around(before, after));
        }
        let before = format!("{line_end}  \"{ENV}\": {{{line_end}    \"{name}\": ");
        let after = format!(
            "{line_end}  }}{}",
            self.closing(&self.settings.root, line_end)
        );
        (
            self.settings.root.inner.start,
            Wrapping::around(before, after),
        )
    }

    /// The text that puts the closing brace of an empty object on a line of its own, if that is needed.
    fn closing<'s>(&self, object: &Object, line: &'s str) -> &'s str {
        let has_line_end = self.text[object.inner.clone()].contains('\n');
        if has_line_end || !line.contains('\n') {
            ""
        } else {
            line
        }
    }

    fn splice(&self, range: &Range<usize>, with: &str) -> String {
        splice(self.text, range, with)
    }
}

impl Wrapping {
    fn around(before: String, after: impl Into<String>) -> Self {
        Self {
            before,
            after: after.into(),
        }
    }
}

/// How the members of an object are formatted.
struct Style<'a> {
    /// The white space before a member, from its last line end if it has one.
    separator: &'a str,
    /// The text between a name and its value.
    colon: &'a str,
    /// Where the last value ends.
    end: usize,
}

impl Style<'_> {
    fn is_on_lines(&self) -> bool {
        self.separator.contains('\n')
    }

    /// The white space before a member one level deeper. It follows the indentation of this member, which is
    /// on the first level.
    fn deeper(&self) -> String {
        if !self.is_on_lines() {
            return String::new();
        }
        let unit = self.separator.trim_start_matches(['\r', '\n']);
        format!("{}{unit}", self.separator)
    }
}

impl Object {
    fn style<'a>(&self, text: &'a str) -> Option<Style<'a>> {
        let last = self.members.len().checked_sub(1)?;
        Some(self.style_of(last, text))
    }

    fn style_of<'a>(&self, at: usize, text: &'a str) -> Style<'a> {
        let member = &self.members[at];
        let gap = &text[self.end_before(at)..member.key.start];
        let solid = gap.trim_ascii_end().len();
        let space = &gap[solid..];
        let line = match space.rfind('\n') {
            Some(at) if space[..at].ends_with('\r') => at - 1,
            Some(at) => at,
            None => 0,
        };
        let colon = &text[member.key.end..member.value.start];
        let is_plain = colon.trim_ascii() == ":" && !colon.contains('\n');
        Style {
            separator: &space[line..],
            colon: if is_plain { colon } else { ": " },
            end: member.value.end,
        }
    }

    /// The end of what comes before that member: the previous value, or the opening brace.
    fn end_before(&self, at: usize) -> usize {
        match at.checked_sub(1) {
            Some(before) => self.members[before].value.end,
            None => self.inner.start,
        }
    }

    /// The text without that member and one of its commas. Comments stay.
    fn without(&self, at: usize, text: &str) -> String {
        let member = &self.members[at];
        let whole = member.key.start..member.value.end;
        let next = self.members.get(at + 1);
        let after = member.value.end..next.map_or(self.inner.end, |next| next.key.start);
        let before = self.end_before(at)..member.key.start;
        let is_plain = |gap: &Range<usize>| {
            let is_space = |byte: u8| byte.is_ascii_whitespace() || byte == b',';
            text[gap.clone()].bytes().all(is_space)
        };
        if at > 0 && is_plain(&before) {
            return splice(text, &(before.start..whole.end), "");
        }
        if at == 0 && is_plain(&after) && is_plain(&before) {
            let start = if next.is_some() {
                whole.start
            } else {
                before.start
            };
            return splice(text, &(start..after.end), "");
        }
        let comma_after = comma(&text[after.clone()]).map(|comma| after.start + comma);
        let comma_before = comma(&text[before.clone()]).map(|comma| before.start + comma);
        // The later cut comes first, so that the earlier positions stay valid.
        match (comma_after, comma_before) {
            (Some(comma), _) => {
                let text = splice(text, &(comma..comma + 1), "");
                splice(&text, &whole, "")
            }
            (None, Some(comma)) => {
                let text = splice(text, &whole, "");
                splice(&text, &(comma..comma + 1), "")
            }
            (None, None) => splice(text, &whole, ""),
        }
    }
}

fn splice(text: &str, range: &Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..range.start], &text[range.end..])
}

/// The first comma between two members that is not in a comment.
fn comma(gap: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(rest) = gap.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(',') {
            return Some(at);
        }
        let skipped = if rest.starts_with("//") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else {
            rest.chars().next().map(char::len_utf8)
        };
        at += skipped?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "\"V\"";

    fn set(text: &str) -> (String, Option<Wrapping>) {
        Document::parse(text).unwrap().set(Key::BaseUrl, VALUE)
    }

    fn unset(text: &str, wrapping: &Wrapping) -> String {
        Document::parse(text).unwrap().unset(Key::BaseUrl, wrapping)
    }

    #[test]
    fn a_key_goes_where_a_person_would_put_it() {
        let cases = [
            (
                "{}",
                "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"V\"\n  }\n}",
            ),
            (
                "{\r\n}",
                "{\r\n  \"env\": {\r\n    \"ANTHROPIC_BASE_URL\": \"V\"\r\n  }\r\n}",
            ),
            (r#"{"a":1}"#, r#"{"a":1,"env":{"ANTHROPIC_BASE_URL":"V"}}"#),
            (
                r#"{ "a": 1 }"#,
                r#"{ "a": 1, "env": {"ANTHROPIC_BASE_URL": "V"} }"#,
            ),
            (
                "{\n\t\"a\": 1\n}\n",
                "{\n\t\"a\": 1,\n\t\"env\": {\n\t\t\"ANTHROPIC_BASE_URL\": \"V\"\n\t}\n}\n",
            ),
            (
                "{\n  \"env\": {},\n  \"a\": 1\n}",
                "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"V\"\n  },\n  \"a\": 1\n}",
            ),
            (
                "{\n  \"env\": {\n    \"B\": \"b\"\n  }\n}",
                "{\n  \"env\": {\n    \"B\": \"b\",\n    \"ANTHROPIC_BASE_URL\": \"V\"\n  }\n}",
            ),
            (
                r#"{"env":{"ANTHROPIC_BASE_URL":{"odd":[1]}}}"#,
                r#"{"env":{"ANTHROPIC_BASE_URL":"V"}}"#,
            ),
            (
                "{\"env\":{\"B\":1, // why\n}}",
                "{\"env\":{\"B\":1,\"ANTHROPIC_BASE_URL\":\"V\", // why\n}}",
            ),
        ];

        for (text, expected) in cases {
            let (edited, wrapping) = set(text);

            assert_eq!(edited, expected);
            if let Some(wrapping) = wrapping {
                assert_eq!(unset(&edited, &wrapping), text);
            }
        }
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        let text = r#"{"env":{"ANTHROPIC_BASE_URL":1},"env":{"ANTHROPIC_BASE_URL":2,"ANTHROPIC_BASE_URL":3}}"#;

        let document = Document::parse(text).unwrap();

        assert_eq!(document.value(Key::BaseUrl), Some("3"));
        assert_eq!(set(text).0, text.replace('3', VALUE));
    }

    #[test]
    fn a_key_is_found_and_removed_after_somebody_wrote_the_file_anew() {
        let wrapping = Wrapping::around("unlike".to_owned(), "");
        let cases = [
            (r#"{"env":{"ANTHROPIC_BASE_URL":"V"}}"#, r#"{"env":{}}"#),
            (r#"{"env":{ "ANTHROPIC_BASE_URL":"V" , }}"#, r#"{"env":{}}"#),
            (
                "{\"env\":{\n  \"ANTHROPIC_BASE_URL\":\"V\",\n  \"B\":1\n}}",
                "{\"env\":{\n  \"B\":1\n}}",
            ),
            (
                "{\"env\":{\n  \"B\":1,\n  \"ANTHROPIC_BASE_URL\":\"V\"\n}}",
                "{\"env\":{\n  \"B\":1\n}}",
            ),
            (
                "{\"env\":{\"B\":1, /* , */ \"ANTHROPIC_BASE_URL\":\"V\" // ,\n}}",
                "{\"env\":{\"B\":1 /* , */  // ,\n}}",
            ),
            (
                "{\"env\":{ // ,\n\"ANTHROPIC_BASE_URL\":\"V\" /* , */, \"B\":1}}",
                "{\"env\":{ // ,\n /* , */ \"B\":1}}",
            ),
        ];

        for (text, expected) in cases {
            let removed = unset(text, &wrapping);

            assert_eq!(removed, expected);
            assert!(Document::parse(&removed).is_ok(), "{removed}");
        }
    }

    #[test]
    fn what_was_inserted_is_not_cut_so_that_a_comma_is_left_alone() {
        let (_, wrapping) = set(r#"{"env":{}}"#);

        let removed = unset(
            r#"{"env":{"ANTHROPIC_BASE_URL":"V","B":1}}"#,
            &wrapping.unwrap(),
        );

        assert_eq!(removed, r#"{"env":{"B":1}}"#);
    }

    #[test]
    fn what_is_no_settings_file_is_refused() {
        let cases = [
            ("{\n\"a\":", Malformed::Syntax { line: 2, column: 4 }),
            ("[]", Malformed::RootIsNoObject),
            ("// nothing", Malformed::RootIsNoObject),
            (r#"{"env":null}"#, Malformed::EnvIsNoObject),
            (r#"{"env":{},"env":[]}"#, Malformed::EnvIsNoObject),
        ];

        for (text, why) in cases {
            let error = Document::parse(text).map(|_| ()).unwrap_err();
            match (error, why) {
                (Malformed::Syntax { line, .. }, Malformed::Syntax { line: expected, .. }) => {
                    assert_eq!(line, expected, "{text}");
                }
                (error, why) => assert_eq!(error, why, "{text}"),
            }
        }
    }

    #[test]
    fn only_plain_json_is_strict() {
        for text in ["{}", "\u{feff}{}", " {\"a\": 1e400} "] {
            assert!(Document::parse(text).unwrap().is_strict(), "{text}");
        }
        for text in ["{} // no", "{\"a\": 1,}"] {
            assert!(!Document::parse(text).unwrap().is_strict(), "{text}");
        }
    }
}
