//! How a character may be spelled: plain, or in an escape of URLs, JSON, HTML or a programming language, or in
//! an escape of an escape.
//!
//! A place in a text has several readings: `%41` is a percent sign, and it is an `A`. Nobody can tell which one
//! is meant, so all of them count. That is why a text is not decoded before it is searched: what is decoded
//! once too often is lost as well.

/// How deep escapes of escapes are read: `%252541` is an `A` in the third one.
const DEPTH: usize = 3;

/// Most readings of one place. Eight backslashes have eight, and an escape of escapes a few more.
const MOST: usize = 16;

/// In bytes. The rest of a text that may be the beginning of an escape is shorter.
const LONGEST_OPEN: usize = 24;

/// The last places whose readings are remembered, for each depth. The escapes of a place are near it.
const REMEMBERED: usize = 32;

/// One reading of a place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    bytes: [u8; 4],
    length: u8,
    /// Where the next character begins.
    pub(crate) end: usize,
}

impl Reading {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    fn byte(byte: u8, end: usize) -> Self {
        Self {
            bytes: [byte, 0, 0, 0],
            length: 1,
            end,
        }
    }

    fn of(scalar: u32, end: usize) -> Option<Self> {
        let mut bytes = [0; 4];
        let length = char::from_u32(scalar)?.encode_utf8(&mut bytes).len();
        Some(Self {
            bytes,
            length: u8::try_from(length).ok()?,
            end,
        })
    }

    fn single(&self) -> Option<u8> {
        (self.length == 1).then_some(self.bytes[0])
    }
}

/// The readings of a place. The plain one comes first, the one of the deepest escape last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Readings {
    list: [Reading; MOST],
    length: usize,
}

impl Readings {
    pub(crate) fn as_slice(&self) -> &[Reading] {
        &self.list[..self.length]
    }

    fn add(&mut self, reading: Reading) {
        if self.length < MOST && !self.as_slice().contains(&reading) {
            self.list[self.length] = reading;
            self.length += 1;
        }
    }
}

/// Whether an escape may begin with this byte.
pub(crate) fn begins_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

/// Whether what begins here with the sign of an escape is none, or one that every JSON text has, of a quote or a line
/// break: most are. If so, what it means besides itself.
#[expect(
    clippy::option_option,
    reason = "whether it is simple, and whether it means something"
)]
pub(crate) fn simple(text: &[u8], at: usize) -> Option<Option<u8>> {
    let (Some(&first), Some(&next)) = (text.get(at), text.get(at + 1)) else {
        return Some(None);
    };
    match (first, next) {
        (b'%' | b'\\' | b'&', b'%' | b'\\' | b'&')
        | (b'%', b'u' | b'U')
        | (b'\\', b'u' | b'x' | b'0'..=b'3')
        | (b'&', b'#' | b'a'..=b'z' | b'A'..=b'Z') => None,
        (b'%', next) if next.is_ascii_hexdigit() => None,
        (b'\\', b'n' | b'r' | b't') => Some(Some(b' ')),
        (b'\\', next) if next.is_ascii_punctuation() => Some(Some(next)),
        _ => Some(None),
    }
}

/// Reads a text. Each place costs a bounded number of steps, whatever the text.
pub(crate) struct Reader<'t> {
    text: &'t [u8],
    /// For each depth, by place. Made when the first escape is met.
    remembered: Vec<Option<(usize, Readings)>>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            remembered: Vec::new(),
        }
    }

    /// Every reading of what begins here. Empty at the end of the text.
    pub(crate) fn readings(&mut self, at: usize) -> Readings {
        self.deep(at, DEPTH)
    }

    fn simple(&self, first: u8, at: usize) -> Option<Readings> {
        let meant = simple(self.text, at)?;
        let mut found = Readings::default();
        found.add(Reading::byte(first, at + 1));
        if let Some(meant) = meant {
            found.add(Reading::byte(meant, at + 2));
        }
        Some(found)
    }

    /// Whether the text may end within an escape that begins here.
    pub(crate) fn is_open(&self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        let may_stand = |byte: &u8| byte.is_ascii_alphanumeric() || b"%\\&#{;".contains(byte);
        rest.len() < LONGEST_OPEN
            && rest.first().is_some_and(|first| begins_escape(*first))
            && rest.iter().all(may_stand)
    }

    fn deep(&mut self, at: usize, depth: usize) -> Readings {
        let mut found = Readings::default();
        let Some(&first) = self.text.get(at) else {
            return found;
        };
        if depth == 0 || !begins_escape(first) {
            found.add(Reading::byte(first, at + 1));
            return found;
        }
        if let Some(readings) = self.simple(first, at) {
            return readings;
        }
        if self.remembered.is_empty() {
            self.remembered.resize(DEPTH * REMEMBERED, None);
        }
        let place = (depth - 1) * REMEMBERED + at % REMEMBERED;
        match self.remembered[place] {
            Some((of, readings)) if of == at => return readings,
            Some(_) | None => {}
        }
        // The sign that an escape begins with may be an escape itself.
        let signs = self.deep(at, depth - 1);
        found = signs;
        for sign in signs.as_slice() {
            let mut escape = Escape {
                reader: self,
                at: sign.end,
                depth: depth - 1,
            };
            match sign.single() {
                Some(b'%') => escape.percent(&mut found),
                Some(b'&') => escape.entity(&mut found),
                Some(b'\\') => escape.backslash(&mut found),
                Some(_) | None => {}
            }
        }
        self.remembered[place] = Some((at, found));
        found
    }
}

/// What follows the sign that an escape begins with.
struct Escape<'r, 't> {
    reader: &'r mut Reader<'t>,
    at: usize,
    depth: usize,
}

impl Escape<'_, '_> {
    fn percent(&mut self, found: &mut Readings) {
        let begun = self.at;
        let byte = self.byte();
        self.at = begun;
        let scalar = if self.takes(b"uU") {
            self.scalar()
        } else {
            None
        };
        let read = byte.into_iter().chain(scalar);
        read.for_each(|read| found.add(read));
    }

    /// What follows a backslash: letters and digits have a meaning of their own, other signs mean themselves.
    fn backslash(&mut self, found: &mut Readings) {
        let signs = self.reader.deep(self.at, self.depth);
        for sign in signs.as_slice() {
            self.at = sign.end;
            let read = match sign.single() {
                Some(b'u') => {
                    if self.takes(b"{") {
                        self.numbered(16, b'}', found);
                        self.at = sign.end;
                    }
                    self.scalar()
                }
                Some(b'x') => self.byte(),
                Some(first @ b'0'..=b'3') => {
                    let rest = self.number(2, 8);
                    rest.and_then(|rest| u8::try_from(u32::from(first - b'0') * 64 + rest).ok())
                        .map(|byte| Reading::byte(byte, self.at))
                }
                Some(b'n' | b'r' | b't') => Some(Reading::byte(b' ', self.at)),
                Some(byte) if byte.is_ascii_punctuation() => Some(Reading::byte(byte, self.at)),
                Some(_) | None => None,
            };
            read.into_iter().for_each(|read| found.add(read));
        }
    }

    fn entity(&mut self, found: &mut Readings) {
        if self.takes(b"#") {
            let begun = self.at;
            self.numbered(10, b';', found);
            self.at = begun;
            if self.takes(b"xX") {
                self.numbered(16, b';', found);
            }
        } else {
            self.named().into_iter().for_each(|read| found.add(read));
        }
    }

    /// A number of any length, up to each sign that closes it. What follows a digit may be read as another one.
    /// Browsers do without the semicolon of an entity.
    fn numbered(&mut self, radix: u32, close: u8, found: &mut Readings) {
        let begun = self.at;
        for count in 1..=MOST_DIGITS {
            self.at = begun;
            let Some(scalar) = self.number(count, radix) else {
                break;
            };
            let is_last = self.next(|byte| char::from(byte).is_digit(radix)).is_none();
            if is_last && close == b';' {
                Reading::of(scalar, self.at)
                    .into_iter()
                    .for_each(|read| found.add(read));
            }
            if self.takes(&[close]) {
                Reading::of(scalar, self.at)
                    .into_iter()
                    .for_each(|read| found.add(read));
            }
            if is_last {
                break;
            }
        }
    }

    fn named(&mut self) -> Option<Reading> {
        let mut name = [0; LONGEST_NAME];
        let mut found = None;
        for length in 1..=LONGEST_NAME {
            let Some((letter, end)) = self.next(|byte| byte.is_ascii_alphabetic()) else {
                break;
            };
            (name[length - 1], self.at) = (letter, end);
            let named = |(entity, _): &&(&str, u8)| entity.as_bytes() == &name[..length];
            if let Some((_, meant)) = ENTITIES.iter().find(named) {
                found = Some((*meant, end));
            }
        }
        let (meant, end) = found?;
        self.at = end;
        self.takes(b";");
        Some(Reading::byte(meant, self.at))
    }

    fn scalar(&mut self) -> Option<Reading> {
        let scalar = self.number(4, 16)?;
        Reading::of(scalar, self.at)
    }

    fn byte(&mut self) -> Option<Reading> {
        let byte = self.number(2, 16)?;
        Some(Reading::byte(u8::try_from(byte).ok()?, self.at))
    }

    /// A number of so many digits.
    fn number(&mut self, count: usize, radix: u32) -> Option<u32> {
        let mut number: u32 = 0;
        for _ in 0..count {
            let (digit, end) = self.next(|byte| char::from(byte).is_digit(radix))?;
            let digit = char::from(digit).to_digit(radix)?;
            number = number.checked_mul(radix)?.checked_add(digit)?;
            self.at = end;
        }
        Some(number)
    }

    /// Takes the next sign if it is one of these.
    fn takes(&mut self, signs: &[u8]) -> bool {
        let taken = self.next(|byte| signs.contains(&byte));
        if let Some((_, end)) = taken {
            self.at = end;
        }
        taken.is_some()
    }

    /// The next sign in the longest reading that fits, and where the one behind it begins.
    fn next(&mut self, fits: impl Fn(u8) -> bool) -> Option<(u8, usize)> {
        let signs = self.reader.deep(self.at, self.depth);
        let signs = signs.as_slice().iter();
        let fitting = signs.filter_map(|sign| Some((sign.single()?, sign.end)));
        fitting
            .filter(|(byte, _)| fits(*byte))
            .max_by_key(|(_, end)| *end)
    }
}

/// The text with each place in its deepest reading, and where each byte of it comes from. The last number is
/// the length of the text.
pub(crate) fn deepest(text: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let mut reader = Reader::new(text);
    let (mut meant, mut origins) = (
        Vec::with_capacity(text.len()),
        Vec::with_capacity(text.len()),
    );
    let mut at = 0;
    while at < text.len() {
        let readings = reader.readings(at);
        let Some(reading) = readings.as_slice().last() else {
            break;
        };
        for byte in reading.bytes() {
            meant.push(*byte);
            origins.push(at);
        }
        at = reading.end;
    }
    origins.push(text.len());
    (meant, origins)
}

/// Digits of the longest number.
const MOST_DIGITS: usize = 8;

/// Letters of the longest name.
const LONGEST_NAME: usize = 6;

/// The named entities of HTML for signs of ASCII.
const ENTITIES: &[(&str, u8)] = &[
    ("AMP", b'&'),
    ("amp", b'&'),
    ("apos", b'\''),
    ("ast", b'*'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("GT", b'>'),
    ("gt", b'>'),
    ("Hat", b'^'),
    ("lbrace", b'{'),
    ("lbrack", b'['),
    ("lcub", b'{'),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("LT", b'<'),
    ("lt", b'<'),
    ("midast", b'*'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("QUOT", b'"'),
    ("quot", b'"'),
    ("rbrace", b'}'),
    ("rbrack", b']'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
    ("verbar", b'|'),
    ("vert", b'|'),
];
