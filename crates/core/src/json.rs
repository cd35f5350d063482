//! A lenient reader of JSON: it refuses only what no client can read.
//!
//! Zephyr reads answers and requests on behalf of other readers: JavaScript's `JSON.parse`, Python's
//! `json.loads`, and whatever an endpoint uses. What any of them takes must pass here. So half a surrogate
//! pair becomes U+FFFD, as do bytes that are not UTF-8; of a field that is there twice the last counts; a
//! number may have any size, and `NaN` and `Infinity`, which Python writes, are numbers; nesting has no limit.
//!
//! Nothing is built up: a value is read in place or skipped. Only fields that somebody asks for are looked at.
//! Skipping does not recurse, and allocates only below 128 levels.

use std::borrow::Cow;

/// Reads one text from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The offset of the byte that does not fit; the text's length if it ends too early.
    pub(crate) at: usize,
    /// Whether only the text's end is wrong: what follows could make it right.
    pub(crate) is_early_end: bool,
}

/// A value, read only to know what kind it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// Its value, if it is a natural number, however it is written.
    Number(Option<u64>),
    Text(Cow<'a, str>),
}

/// What the next value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    List,
    Scalar,
}

/// Whether a field was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Read,
    /// Of no interest: it is skipped.
    Unread,
    /// Read, and nothing that follows is of interest.
    Last,
}

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// What kind of value follows.
    pub(crate) fn kind(&mut self) -> Result<Kind, Broken> {
        Ok(match self.next()? {
            b'{' => Kind::Object,
            b'[' => Kind::List,
            _ => Kind::Scalar,
        })
    }

    /// Reads an object field by field; returns early after [`Field::Last`].
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&[u8], &mut Self) -> Result<Field, Broken>,
    ) -> Result<(), Broken> {
        self.expect(b'{')?;
        if self.next()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            let name = self.name()?;
            self.expect(b':')?;
            match field(&name, self)? {
                Field::Read => {}
                Field::Unread => self.skip()?,
                Field::Last => return Ok(()),
            }
            match self.next()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.broken()),
            }
        }
    }

    /// Reads a list element by element; each must be read or skipped.
    pub(crate) fn list(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        self.expect(b'[')?;
        if self.next()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            match self.next()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.broken()),
            }
        }
    }

    /// Reads a value that is neither an object nor a list.
    pub(crate) fn scalar(&mut self) -> Result<Scalar<'a>, Broken> {
        match self.next()? {
            b'"' => {
                let (raw, is_plain) = self.string()?;
                Ok(Scalar::Text(text_of(raw, is_plain)))
            }
            b'n' => self.word(b"null").map(|()| Scalar::Null),
            b't' => self.word(b"true").map(|()| Scalar::Bool(true)),
            b'f' => self.word(b"false").map(|()| Scalar::Bool(false)),
            _ => self.number().map(|number| Scalar::Number(natural(number))),
        }
    }

    /// Skips a value.
    pub(crate) fn skip(&mut self) -> Result<(), Broken> {
        let mut open = Brackets::default();
        loop {
            // At the beginning of a value.
            match self.next()? {
                b'{' => {
                    self.at += 1;
                    if self.next()? != b'}' {
                        open.push(Kind::Object);
                        self.skip_name()?;
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.at += 1;
                    if self.next()? != b']' {
                        open.push(Kind::List);
                        continue;
                    }
                    self.at += 1;
                }
                b'"' => drop(self.string()?),
                b'n' => self.word(b"null")?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                _ => drop(self.number()?),
            }
            // Behind a value.
            loop {
                let Some(kind) = open.last() else {
                    return Ok(());
                };
                match (self.next()?, kind) {
                    (b',', Kind::Object) => {
                        self.at += 1;
                        self.skip_name()?;
                        break;
                    }
                    (b',', _) => {
                        self.at += 1;
                        break;
                    }
                    (b'}', Kind::Object) | (b']', Kind::List) => {
                        self.at += 1;
                        open.pop();
                    }
                    _ => return Err(self.broken()),
                }
            }
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        match self.next() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.broken()),
        }
    }

    /// The next byte that is not white space.
    fn next(&mut self) -> Result<u8, Broken> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(self.early_end()),
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.next()? != byte {
            return Err(self.broken());
        }
        self.at += 1;
        Ok(())
    }

    /// A field's name, decoded.
    fn name(&mut self) -> Result<Cow<'a, [u8]>, Broken> {
        if self.next()? != b'"' {
            return Err(self.broken());
        }
        let (raw, is_plain) = self.string()?;
        Ok(if is_plain {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(unescaped(raw).into_bytes())
        })
    }

    fn skip_name(&mut self) -> Result<(), Broken> {
        if self.next()? != b'"' {
            return Err(self.broken());
        }
        self.string()?;
        self.expect(b':')
    }

    /// What stands between the quotation marks, and whether it has no escapes.
    fn string(&mut self) -> Result<(&'a [u8], bool), Broken> {
        let start = self.at + 1;
        self.at = start;
        let mut is_plain = true;
        loop {
            let Some(found) = special(&self.text[self.at..]) else {
                self.at = self.text.len();
                return Err(self.early_end());
            };
            self.at += found;
            match self.text[self.at] {
                b'"' => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok((raw, is_plain));
                }
                b'\\' => {
                    is_plain = false;
                    self.at += 1;
                    self.escape()?;
                }
                _ => return Err(self.broken()), // A control character.
            }
        }
    }

    /// Behind a backslash.
    fn escape(&mut self) -> Result<(), Broken> {
        match self.text.get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    match self.text.get(self.at) {
                        Some(digit) if digit.is_ascii_hexdigit() => self.at += 1,
                        Some(_) => return Err(self.broken()),
                        None => return Err(self.early_end()),
                    }
                }
            }
            Some(_) => return Err(self.broken()),
            None => return Err(self.early_end()),
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Broken> {
        for byte in word {
            match self.text.get(self.at) {
                Some(seen) if seen == byte => self.at += 1,
                Some(_) => return Err(self.broken()),
                None => return Err(self.early_end()),
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<&'a [u8], Broken> {
        let start = self.at;
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            Some(b'I') => self.word(b"Infinity")?,
            Some(b'N') if self.at == start => self.word(b"NaN")?,
            Some(_) => return Err(self.broken()),
            None => return Err(self.early_end()),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<(), Broken> {
        match self.text.get(self.at) {
            Some(digit) if digit.is_ascii_digit() => {}
            Some(_) => return Err(self.broken()),
            None => return Err(self.early_end()),
        }
        let digits = self.text[self.at..].iter();
        self.at += digits.take_while(|byte| byte.is_ascii_digit()).count();
        Ok(())
    }

    fn broken(&self) -> Broken {
        Broken {
            at: self.at,
            is_early_end: false,
        }
    }

    fn early_end(&self) -> Broken {
        Broken {
            at: self.text.len(),
            is_early_end: true,
        }
    }
}

/// The brackets that are open while a value is skipped: a bit for each, on the heap only from the 129th on.
#[derive(Default)]
struct Brackets {
    bits: u128,
    depth: u32,
    deeper: Vec<Kind>,
}

impl Brackets {
    fn push(&mut self, kind: Kind) {
        if self.depth < u128::BITS {
            self.bits = self.bits << 1 | u128::from(kind == Kind::Object);
            self.depth += 1;
        } else {
            self.deeper.push(kind);
        }
    }

    fn pop(&mut self) {
        if self.deeper.pop().is_none() {
            self.bits >>= 1;
            self.depth -= 1;
        }
    }

    fn last(&self) -> Option<Kind> {
        if let Some(kind) = self.deeper.last() {
            return Some(*kind);
        }
        let kind = if self.bits & 1 == 1 {
            Kind::Object
        } else {
            Kind::List
        };
        (self.depth > 0).then_some(kind)
    }
}

/// Where the first byte is that ends a run of a string's plain bytes.
fn special(text: &[u8]) -> Option<usize> {
    const LANE: usize = 16;
    let is_special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < b' ';
    // Lanes of a fixed size become vector instructions.
    let plain = text
        .chunks_exact(LANE)
        .take_while(|lane| !lane.iter().fold(false, |any, byte| any | is_special(byte)))
        .count();
    let from = plain * LANE;
    let found = text[from..].iter().position(is_special)?;
    Some(from + found)
}

fn natural(number: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(number).ok()?;
    if let Ok(natural) = text.parse() {
        return Some(natural);
    }
    /// Larger floating-point numbers skip some of the natural ones.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: f64 = text.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a whole number within these bounds"
    )]
    let natural =
        ((0.0..=EXACT).contains(&number) && number.fract() == 0.0).then_some(number as u64);
    natural
}

fn text_of(raw: &[u8], is_plain: bool) -> Cow<'_, str> {
    if is_plain {
        String::from_utf8_lossy(raw)
    } else {
        Cow::Owned(unescaped(raw))
    }
}

/// The text of a string whose escapes have been checked.
fn unescaped(mut raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    while let Some(at) = memchr::memchr(b'\\', raw) {
        text.push_str(&String::from_utf8_lossy(&raw[..at]));
        let escape = raw.get(at + 1).copied().unwrap_or_default();
        raw = raw.get(at + 2..).unwrap_or_default();
        text.push(match escape {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = unit(raw).unwrap_or_default();
                raw = raw.get(4..).unwrap_or_default();
                match second_half(unit, raw) {
                    Some(pair) => {
                        raw = &raw[6..];
                        pair
                    }
                    None => char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            other => char::from(other),
        });
    }
    text.push_str(&String::from_utf8_lossy(raw));
    text
}

/// The character of a surrogate pair whose first half is `unit`, if its second half follows.
fn second_half(first: u32, rest: &[u8]) -> Option<char> {
    let second = unit(rest.strip_prefix(b"\\u")?)?;
    let is_pair = (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(&second);
    is_pair.then(|| char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)))?
}

fn unit(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits.get(..4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn skipped(text: &[u8]) -> Result<(), Broken> {
        let mut json = Json::new(text);
        json.skip()?;
        json.end()
    }

    fn scalar(text: &str) -> Scalar<'_> {
        Json::new(text.as_bytes()).scalar().unwrap()
    }

    #[test]
    fn what_any_client_reads_passes() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let deep_objects = r#"{"a":"#.repeat(300) + "1" + &"}".repeat(300);
        for text in [
            &br#"{"a":"\ud83d"}"#[..],
            br#"{"\udc00":1}"#,
            br#"{"a":1,"a":2}"#,
            b"1e400",
            b"-1e-400",
            b"123456789012345678901234567890",
            b"[NaN, Infinity, -Infinity]",
            b"\"\\u0000 \xff\xfe \x7f\"",
            b" \t\r\n{ \"a\" : [ ] , \"b\" : { } } \r\n",
            deep.as_bytes(),
            deep_objects.as_bytes(),
        ] {
            let shown = String::from_utf8_lossy(&text[..text.len().min(40)]);
            assert_eq!(skipped(text), Ok(()), "{shown}");
        }
    }

    #[test]
    fn what_no_client_reads_is_refused_where_it_goes_wrong() {
        let cases: [(&[u8], usize); 14] = [
            (b"oops", 0),
            (b"{}{}", 2),
            (b"{'a':1}", 1),
            (br#"{"a":1,}"#, 7),
            (b"[1,]", 3),
            (b"[1 2]", 3),
            (b"01", 1),
            (b"+1", 0),
            (b"1.e5", 2),
            (b"\"\x00\"", 1),
            (br#""\x""#, 2),
            (br#""\u12g4""#, 5),
            (b"[1}", 2),
            (b"nulx", 3),
        ];
        for (text, at) in cases {
            let shown = String::from_utf8_lossy(text);
            let expected = Broken {
                at,
                is_early_end: false,
            };
            assert_eq!(skipped(text), Err(expected), "{shown}");
        }
    }

    #[test]
    fn a_text_that_breaks_off_is_told_from_one_that_goes_wrong() {
        let whole = br#"{"a":[1.5e3,"\u00e9\n",null,true,false,{}],"b":-7}"#;
        for end in 0..whole.len() {
            let broken = skipped(&whole[..end]).unwrap_err();
            assert!(broken.is_early_end, "up to {end}");
            assert_eq!(broken.at, end);
        }
    }

    #[test]
    fn half_a_surrogate_pair_becomes_a_replacement_character() {
        let text = |text: &str| match scalar(text) {
            Scalar::Text(text) => text.into_owned(),
            other => panic!("{other:?}"),
        };

        assert_eq!(text(r#""a\ud83d""#), "a\u{fffd}");
        assert_eq!(text(r#""\ud83d\ude00!""#), "\u{1f600}!");
        assert_eq!(text(r#""\ude00\ud83d""#), "\u{fffd}\u{fffd}");
        assert_eq!(text(r#""\ud83dA""#), "\u{fffd}A");
    }

    #[test]
    fn a_natural_number_is_one_however_it_is_written() {
        for (text, number) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("7.0", Some(7)),
            ("1e2", Some(100)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("0.5", None),
            ("-1", None),
            ("1e400", None),
            ("NaN", None),
        ] {
            assert_eq!(scalar(text), Scalar::Number(number), "{text}");
        }
    }

    #[test]
    fn names_are_compared_as_they_are_meant() {
        let mut seen = Vec::new();
        let mut json = Json::new(br#"{"\u0074ype":1,"a\/b":2}"#);

        let read = json.object(|name, _| {
            seen.push(String::from_utf8_lossy(name).into_owned());
            Ok(Field::Unread)
        });

        assert_eq!((read, seen), (Ok(()), vec!["type".into(), "a/b".into()]));
    }

    /// Reads everything, by recursion.
    fn rebuilt(json: &mut Json<'_>) -> Result<Value, Broken> {
        Ok(match json.kind()? {
            Kind::Object => {
                let mut fields = serde_json::Map::new();
                json.object(|name, json| {
                    let name = String::from_utf8_lossy(name).into_owned();
                    fields.insert(name, rebuilt(json)?);
                    Ok(Field::Read)
                })?;
                Value::Object(fields)
            }
            Kind::List => {
                let mut elements = Vec::new();
                json.list(|json| {
                    elements.push(rebuilt(json)?);
                    Ok(())
                })?;
                Value::Array(elements)
            }
            Kind::Scalar => match json.scalar()? {
                Scalar::Null => Value::Null,
                Scalar::Bool(value) => Value::Bool(value),
                Scalar::Number(Some(number)) => number.into(),
                Scalar::Number(None) => "a number".into(),
                Scalar::Text(text) => text.into_owned().into(),
            },
        })
    }

    /// The same, where the only difference is how a number is kept.
    fn simplified(value: Value) -> Value {
        match value {
            Value::Number(number) => match number.as_u64() {
                Some(natural) => natural.into(),
                None => match number.as_f64() {
                    Some(float) if float >= 0.0 && float.fract() == 0.0 && float < 9e15 => {
                        format!("{float:.0}").parse::<u64>().unwrap().into()
                    }
                    _ => "a number".into(),
                },
            },
            Value::Array(elements) => elements.into_iter().map(simplified).collect(),
            Value::Object(fields) => {
                let fields = fields.into_iter();
                Value::Object(
                    fields
                        .map(|(name, value)| (name, simplified(value)))
                        .collect(),
                )
            }
            other => other,
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_json_reads(
            text in r#"([\[\]{},:]|"(a|\\n|\\u00e9|\\ud83d\\ude00|é){0,20}"|-?[0-9]{1,3}(\.[0-9])?(e1)?|null|true| ){0,12}"#,
        ) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let mut json = Json::new(text.as_bytes());
                let read = rebuilt(&mut json).and_then(|value| json.end().map(|()| value));
                prop_assert_eq!(read, Ok(simplified(value)));
                prop_assert_eq!(skipped(text.as_bytes()), Ok(()));
            } else {
                prop_assert!(skipped(text.as_bytes()).is_err());
            }
        }

        #[test]
        fn reading_and_skipping_agree(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut json = Json::new(&bytes);
            let read = rebuilt(&mut json).and_then(|_| json.end());

            prop_assert_eq!(read, skipped(&bytes));
        }
    }
}
