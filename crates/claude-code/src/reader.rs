//! Reads a settings file: finds the members of an object, in a text of any depth.
//!
//! It reads like Claude Code's reader, `JSON.parse`, and is never stricter. It is written by hand, because
//! jsonc-parser refuses a lone surrogate (`"\ud83d"`) and 512 levels, and `JSON.parse` accepts both. Comments
//! and trailing commas are read too, because a file must be restorable after a person added some.
//! [`Settings::is_strict`] says whether there are any.

use std::ops::Range;

const BYTE_ORDER_MARK: &str = "\u{feff}";
const ENV: &str = "env";

/// Why a text is not a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Syntax { line: usize, column: usize },
    RootIsNoObject,
    EnvIsNoObject,
}

/// The positions in a settings file.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) root: Object,
    /// The member of the root that contains `env`, and the content of `env`. If there are two with that name,
    /// the last one counts, as in Claude Code.
    pub(crate) env: Option<(usize, Object)>,
    /// Whether it is plain JSON. Claude Code reads nothing else.
    pub(crate) is_strict: bool,
}

#[derive(Debug)]
pub(crate) struct Object {
    /// Between the braces.
    pub(crate) inner: Range<usize>,
    pub(crate) members: Vec<Member>,
}

#[derive(Debug)]
pub(crate) struct Member {
    /// Without its escapes.
    pub(crate) name: String,
    /// With its quotes.
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
}

/// Reads a whole settings file.
///
/// # Errors
///
/// The text is not JSON, or does not have the form of a settings file.
pub(crate) fn read(text: &str) -> Result<Settings, Malformed> {
    let mut reader = Reader {
        text,
        at: text.len() - without_mark(text).len(),
        is_strict: true,
    };
    let root = reader.file().map_err(|Unexpected| reader.place())?;
    let root = root.ok_or(Malformed::RootIsNoObject)?;
    let is_strict = reader.is_strict;
    let env_at = root.members.iter().rposition(|member| member.name == ENV);
    let env = match env_at {
        None => None,
        Some(at) => {
            reader.at = root.members[at].value.start;
            if reader.peek() != Some(b'{') {
                return Err(Malformed::EnvIsNoObject);
            }
            let env = reader.object().map_err(|Unexpected| reader.place())?;
            Some((at, env))
        }
    };
    Ok(Settings {
        root,
        env,
        is_strict,
    })
}

/// The text without a byte order mark.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// The text at the current position is not allowed there.
#[derive(Debug)]
struct Unexpected;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    is_strict: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Object,
    Array,
}

impl Bracket {
    fn opened_by(byte: u8) -> Option<Self> {
        match byte {
            b'{' => Some(Self::Object),
            b'[' => Some(Self::Array),
            _ => None,
        }
    }

    fn closing(self) -> u8 {
        match self {
            Self::Object => b'}',
            Self::Array => b']',
        }
    }
}

impl Reader<'_> {
    /// The object that the text consists of. `None`: the text is another value, or empty.
    fn file(&mut self) -> Result<Option<Object>, Unexpected> {
        self.space()?;
        let root = match self.peek() {
            Some(b'{') => Some(self.object()?),
            Some(_) => {
                self.value()?;
                None
            }
            None => return Ok(None),
        };
        self.space()?;
        match self.peek() {
            None => Ok(root),
            Some(_) => Err(Unexpected),
        }
    }

    fn object(&mut self) -> Result<Object, Unexpected> {
        self.expect(b'{')?;
        let start = self.at;
        let mut members = Vec::new();
        self.space()?;
        while !self.take(b'}') {
            let key = self.string()?;
            let name = unescaped(&self.text[key.start + 1..key.end - 1]);
            self.colon()?;
            let value = self.value()?;
            members.push(Member { name, key, value });
            self.after_value(Some(&Bracket::Object))?;
        }
        Ok(Object {
            inner: start..self.at - 1,
            members,
        })
    }

    /// Skips a value. The open brackets are in a list and not on the stack, so the depth of a file does not
    /// matter.
    fn value(&mut self) -> Result<Range<usize>, Unexpected> {
        let start = self.at;
        let mut open = Vec::new();
        loop {
            let bracket = self.peek().and_then(Bracket::opened_by);
            if let Some(bracket) = bracket {
                self.at += 1;
                self.space()?;
                open.push(bracket);
            } else {
                self.scalar()?;
                self.after_value(open.last())?;
            }
            while let Some(_closed) = open.pop_if(|bracket| self.take(bracket.closing())) {
                self.after_value(open.last())?;
            }
            match open.last() {
                None => return Ok(start..self.at),
                Some(Bracket::Object) => {
                    self.string()?;
                    self.colon()?;
                }
                Some(Bracket::Array) => {}
            }
        }
    }

    fn scalar(&mut self) -> Result<(), Unexpected> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) | None => self.word(),
        }
    }

    /// Goes to the next item of the open bracket, or to its end.
    fn after_value(&mut self, open: Option<&Bracket>) -> Result<(), Unexpected> {
        let Some(bracket) = open else {
            return Ok(());
        };
        self.space()?;
        let is_last = !self.take(b',');
        if !is_last {
            self.space()?;
        }
        match (is_last, self.peek() == Some(bracket.closing())) {
            (true, true) | (false, false) => Ok(()),
            (true, false) => Err(Unexpected),
            (false, true) => {
                self.is_strict = false;
                Ok(())
            }
        }
    }

    fn string(&mut self) -> Result<Range<usize>, Unexpected> {
        let start = self.at;
        self.expect(b'"')?;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(start..self.at);
                }
                Some(b'\\') => self.escape()?,
                Some(b' '..) => self.at += 1,
                Some(_) | None => return Err(Unexpected),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Unexpected> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    match self.peek() {
                        Some(digit) if digit.is_ascii_hexdigit() => self.at += 1,
                        Some(_) | None => return Err(Unexpected),
                    }
                }
            }
            Some(_) | None => return Err(Unexpected),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Unexpected> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Unexpected> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(Unexpected)
        }
    }

    fn word(&mut self) -> Result<(), Unexpected> {
        let rest = &self.text.as_bytes()[self.at..];
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let word = words.into_iter().find(|word| rest.starts_with(word));
        self.at += word.ok_or(Unexpected)?.len();
        Ok(())
    }

    fn colon(&mut self) -> Result<(), Unexpected> {
        self.space()?;
        self.expect(b':')?;
        self.space()
    }

    /// Skips white space and comments.
    fn space(&mut self) -> Result<(), Unexpected> {
        loop {
            let rest = &self.text[self.at..];
            if rest.starts_with([' ', '\t', '\n', '\r']) {
                self.at += 1;
                continue;
            }
            let comment = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").ok_or(Unexpected)? + 2
            } else {
                return Ok(());
            };
            self.is_strict = false;
            self.at += comment;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unexpected> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(Unexpected)
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The position where reading stopped, counted from 1.
    fn place(&self) -> Malformed {
        let read = self.text.get(..self.at).unwrap_or(self.text);
        let last = read.rsplit('\n').next().unwrap_or_default();
        Malformed::Syntax {
            line: read.matches('\n').count() + 1,
            column: without_mark(last).chars().count() + 1,
        }
    }
}

/// A name without escapes. A lone surrogate becomes U+FFFD, which no name here contains.
pub(crate) fn unescaped(raw: &str) -> String {
    let mut units = Vec::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(char) = chars.next() {
        let meant = match (char, if char == '\\' { chars.next() } else { None }) {
            (_, Some('u')) => {
                let digits: String = chars.by_ref().take(4).collect();
                units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
                continue;
            }
            (_, Some('b')) => '\u{8}',
            (_, Some('f')) => '\u{c}',
            (_, Some('n')) => '\n',
            (_, Some('r')) => '\r',
            (_, Some('t')) => '\t',
            (_, Some(itself)) => itself,
            (char, None) => char,
        };
        units.extend_from_slice(meant.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn a_name_is_read_without_its_escapes() {
        let names = [
            (r"env", "env"),
            (r"\u0065nv", "env"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\uD834\uDD1E", "\u{1d11e}"),
            (r"\ud83d", "\u{fffd}"),
            ("表", "表"),
        ];

        for (raw, name) in names {
            assert_eq!(unescaped(raw), name, "{raw}");
        }
    }

    #[test]
    fn an_error_is_where_reading_stopped() {
        let cases = [
            ("{\n\"a\":", 2, 5),
            ("{\"表\": nul}", 1, 7),
            ("\u{feff}{]", 1, 2),
            ("{\"a\": 1 2}", 1, 9),
            ("{} /* open", 1, 4),
        ];

        for (text, line, column) in cases {
            assert_eq!(
                read(text).unwrap_err(),
                Malformed::Syntax { line, column },
                "{text}"
            );
        }
    }

    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "{}",
        "[]",
        "1",
        "-",
        "0",
        ".5",
        "e3",
        "E+",
        "\"\\ud83d\"",
        "\"\\u00e\"",
        "\"\\x\"",
        "\"\u{1}\"",
        "\"表\"",
        "\"",
        "true",
        "nul",
        "null",
        " ",
        "\t",
        "\n",
        "\u{a0}",
        "\u{b}",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// Compares only the grammar with `serde_json`: no depth limit, and no values.
        #[test]
        fn plain_json_is_what_the_grammar_says(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..8),
        ) {
            let value = pieces.concat();
            let text = format!("{{\"a\":{value}}}");

            let read = read(&text);

            let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            let is_plain = read.as_ref().is_ok_and(|settings| settings.is_strict);
            prop_assert_eq!(is_plain, is_json, "{}: {:?}", text, read);
        }
    }
}
