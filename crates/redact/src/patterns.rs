//! What is looked for: each secret as it is, in hex and in base64, in every spelling of each character.

use std::fmt;
use std::ops::Range;

use crate::spelling::{Reader, begins_escape, simple};

/// Bytes of the shortest secret. A shorter one would occur by chance.
pub(crate) const SHORTEST: usize = 4;

/// Bytes of the shortest secret that is looked for in base64. Less of it would occur by chance.
const SHORTEST_ENCODED: usize = 6;

/// Secrets, compiled for a search. Capital and small letters are the same, because names of headers and hosts
/// have small ones only.
#[derive(Clone, Default)]
pub(crate) struct Patterns {
    list: Vec<Pattern>,
    /// The numbers of the patterns that begin with a byte.
    by_first: Vec<Vec<u32>>,
    /// Bit `a * 256 + b`: a pattern begins with `a` and `b`.
    pairs: Vec<u64>,
}

#[derive(Clone)]
struct Pattern {
    /// Small letters only.
    bytes: Box<[u8]>,
    is_base64: bool,
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patterns({})", self.list.len())
    }
}

/// Where a search looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The text is whole.
    Whole,
    /// The text was cut off, maybe within a secret.
    Cut,
}

/// Bytes of a secret's beginning that are taken for it at the end of a text that nobody has said was cut off. Names
/// and paths are, in many places.
const TELLING: usize = 10;

impl End {
    /// How much of a secret at the end of a text is taken for a part of it.
    fn least(self) -> usize {
        match self {
            Self::Whole => TELLING,
            Self::Cut => SHORTEST,
        }
    }
}

impl Patterns {
    pub(crate) fn of<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut patterns = Self::default();
        for secret in secrets {
            if secret.len() < SHORTEST {
                continue;
            }
            patterns.add(secret.as_bytes().to_ascii_lowercase(), false);
            patterns.add(hex(secret.as_bytes()), false);
            if secret.len() >= SHORTEST_ENCODED {
                for alphabet in [STANDARD, URL] {
                    for offset in 0..3 {
                        let mut bytes = base64_core(secret.as_bytes(), offset, alphabet);
                        bytes.make_ascii_lowercase();
                        patterns.add(bytes, true);
                    }
                }
            }
        }
        patterns
    }

    fn add(&mut self, bytes: Vec<u8>, is_base64: bool) {
        if self.list.iter().any(|known| *known.bytes == bytes[..]) {
            return;
        }
        let &[first, second, ..] = &bytes[..] else {
            return;
        };
        if self.list.is_empty() {
            self.by_first = vec![Vec::new(); 256];
            self.pairs = vec![0; 65536 / 64];
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.by_first[usize::from(first)].push(number);
        let pair = pair(first, second);
        self.pairs[pair / 64] |= 1 << (pair % 64);
        let bytes = bytes.into();
        self.list.push(Pattern { bytes, is_base64 });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Where the secrets are, in the order of their beginnings. Ranges may overlap.
    pub(crate) fn spans(&self, text: &[u8], end: End) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        if self.is_empty() {
            return spans;
        }
        let mut reader = Reader::new(text);
        let mut firsts: Vec<u8> = Vec::new();
        for at in 0..text.len() {
            if !self.may_begin(text, at) {
                continue;
            }
            // The readings of this place may begin with the same byte.
            firsts.clear();
            if begins_escape(text[at]) {
                let readings = reader.readings(at);
                let readings = readings.as_slice().iter();
                firsts.extend(readings.filter_map(|reading| reading.bytes().first()));
                firsts.sort_unstable();
                firsts.dedup();
            } else {
                firsts.push(text[at]);
            }
            let beginning = firsts
                .iter()
                .flat_map(|first| &self.by_first[usize::from(first.to_ascii_lowercase())]);
            for number in beginning {
                let pattern = &self.list[*number as usize];
                let Some(until) = pattern.ends(text, &mut reader, at, end) else {
                    continue;
                };
                if pattern.is_base64 {
                    spans.push(around(text, at..until));
                } else {
                    spans.push(at..until);
                }
            }
        }
        spans
    }

    /// Whether a secret may begin here, by its first two bytes.
    fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let first = text[at];
        let begins = |byte: u8| !self.by_first[usize::from(byte.to_ascii_lowercase())].is_empty();
        if begins_escape(first) {
            return match simple(text, at) {
                Some(meant) => begins(first) || meant.is_some_and(begins),
                None => true,
            };
        }
        match text.get(at + 1) {
            Some(second) if !begins_escape(*second) => {
                let pair = pair(first.to_ascii_lowercase(), second.to_ascii_lowercase());
                self.pairs[pair / 64] & (1 << (pair % 64)) != 0
            }
            Some(_) | None => begins(first),
        }
    }
}

impl Pattern {
    /// Whether the first two bytes are there, as far as they stand there plainly.
    fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let plain = text[at..].iter().zip(&self.bytes).take(2);
        let mut plain = plain.take_while(|(byte, _)| !begins_escape(**byte));
        plain.all(|(byte, wanted)| byte.eq_ignore_ascii_case(wanted))
    }

    /// Where the pattern ends that begins here, in the reading that takes most.
    fn ends(&self, text: &[u8], reader: &mut Reader<'_>, at: usize, end: End) -> Option<usize> {
        if !self.may_begin(text, at) {
            return None;
        }
        // Each place that has been reached: where the text goes on, and how much of the pattern is there.
        let mut reached = vec![(at, 0)];
        let mut longest = None;
        let mut next = Vec::new();
        while !reached.is_empty() {
            for &(at, had) in &reached {
                if had == self.bytes.len() {
                    longest = longest.max(Some(at));
                    continue;
                }
                if had >= end.least() && (at == text.len() || reader.is_open(at)) {
                    return Some(text.len());
                }
                let mut go_on = |bytes: &[u8], end: usize| {
                    let is_next = self.bytes[had..]
                        .get(..bytes.len())
                        .is_some_and(|wanted| wanted.eq_ignore_ascii_case(bytes));
                    let place = (end, had + bytes.len());
                    if is_next && !next.contains(&place) {
                        next.push(place);
                    }
                };
                match text.get(at) {
                    Some(byte) if begins_escape(*byte) => {
                        let readings = reader.readings(at);
                        let readings = readings.as_slice().iter();
                        readings.for_each(|reading| go_on(reading.bytes(), reading.end));
                    }
                    Some(byte) => go_on(&[*byte], at + 1),
                    None => {}
                }
            }
            reached.clear();
            std::mem::swap(&mut reached, &mut next);
        }
        longest
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) * 256 + usize::from(second)
}

/// All of the base64 text that this is a part of. Its other characters may hold bits of the secret.
fn around(text: &[u8], span: Range<usize>) -> Range<usize> {
    let is_inside = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    let before = text[..span.start].iter().rev().take_while(is_inside);
    let behind = text[span.end..].iter().take_while(is_inside);
    span.start - before.count()..span.end + behind.count()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| {
        [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]
    };
    bytes.iter().flat_map(digits).collect()
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters of a base64 text that these bytes alone decide, if so many bytes stand before them.
fn base64_core(bytes: &[u8], offset: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let first = (offset * 8).div_ceil(6);
    let last = (offset + bytes.len()) * 8 / 6;
    let bit = |at: usize| {
        let (byte, within) = (at / 8 - offset, at % 8);
        bytes[byte] >> (7 - within) & 1
    };
    let character = |number: usize| {
        let bits = (number * 6..number * 6 + 6).map(bit);
        let value = bits.fold(0, |value, bit| value << 1 | bit);
        alphabet[usize::from(value)]
    };
    (first..last).map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_of_base64_is_what_no_neighbour_changes() {
        // "sesame" behind none, one and two bytes: c2VzYW1l, eHNlc2FtZQ==, eHhzZXNhbWU=.
        let core = |offset| String::from_utf8(base64_core(b"sesame", offset, STANDARD)).unwrap();

        assert_eq!(core(0), "c2VzYW1l");
        assert_eq!(core(1), "Nlc2FtZ");
        assert_eq!(core(2), "zZXNhbW");
    }

    #[test]
    fn a_search_of_nothing_but_escapes_ends_soon() {
        let patterns = Patterns::of(["%%%%%%%%%%%%%%%%%%%%%%%%\\\\\\\\\\\\\\\\\\\\\\&"]);

        for sign in ["\\", "%", "%25", "&#", "&amp;", "\\u005c"] {
            let text = sign.repeat(20_000);
            // At the end there may be the beginning of one.
            assert!(patterns.spans(text.as_bytes(), End::Whole).len() < 100);
        }
    }
}
