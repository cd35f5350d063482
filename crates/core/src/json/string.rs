//! Strings: where they end, and what they mean.

use std::borrow::Cow;

use super::cursor::{Broken, Json};

impl<'a> Json<'a> {
    /// A field's name, decoded.
    pub(super) fn name(&mut self) -> Result<Cow<'a, [u8]>, Broken> {
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

    /// The bytes between the quotation marks, and whether there are no escapes.
    pub(super) fn string(&mut self) -> Result<(&'a [u8], bool), Broken> {
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

    /// After a backslash.
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
}

/// The position of the first special byte of a string: a quotation mark, a backslash or a control character.
fn special(text: &[u8]) -> Option<usize> {
    const WORD: usize = size_of::<u64>();
    let words = text.chunks_exact(WORD);
    let rest = words.remainder();
    for (index, word) in words.enumerate() {
        let found = specials(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        if found != 0 {
            return Some(index * WORD + (found.trailing_zeros() / u8::BITS) as usize);
        }
    }
    let is_special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < b' ';
    let found = rest.iter().position(is_special)?;
    Some(text.len() - rest.len() + found)
}

/// Checks eight bytes at once. The high bit of the first special byte is set, and of no byte before it.
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xFF;
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, b' ') | is(b'"') | is(b'\\')) & (ONES * 0x80)
}

pub(super) fn text_of(raw: &[u8], is_plain: bool) -> Cow<'_, str> {
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

/// The character of a surrogate pair whose first half is `first`, if its second half follows.
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
    use super::special;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let is_special = byte < b' ' || byte == b'"' || byte == b'\\';
            for at in 0..20 {
                let mut text = [b'x'; 20];
                text[at..].fill(0x80);
                text[at] = byte;

                assert_eq!(special(&text), is_special.then_some(at), "{byte} at {at}");
            }
        }
    }
}
