//! Who issued a certificate, and until when it is valid: read for people, after it has been verified by
//! those whose business that is.

/// What a person wants to know of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Organization and name of whoever issued it.
    pub(super) issuer: String,
    /// Its last day, as `2027-01-31`.
    pub(super) last_day: String,
}

impl Certificate {
    /// Reads it from DER; `None` if it is written in a way that is not understood here.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (certificate, _) = sequence(der)?;
        let (mut signed, _) = sequence(certificate)?;
        if signed.first() == Some(&VERSION) {
            signed = element(signed)?.rest;
        }
        let serial = element(signed)?;
        let (_, signed) = sequence(serial.rest)?;
        let (issuer, signed) = sequence(signed)?;
        let (validity, _) = sequence(signed)?;
        let not_before = element(validity)?;
        let not_after = element(not_before.rest)?;
        Some(Self {
            issuer: name(issuer),
            last_day: day(&not_after)?,
        })
    }
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Longer names are cut: nobody vouches for them.
const LONGEST_NAME: usize = 64;

struct Element<'d> {
    tag: u8,
    content: &'d [u8],
    rest: &'d [u8],
}

fn element(input: &[u8]) -> Option<Element<'_>> {
    let (&tag, input) = input.split_first()?;
    let (&first, input) = input.split_first()?;
    let (length, input) = if first < 0x80 {
        (usize::from(first), input)
    } else {
        let (bytes, input) = input.split_at_checked(usize::from(first & 0x7f))?;
        if bytes.len() > 3 {
            return None;
        }
        let shift = |length: usize, byte: &u8| (length << 8) | usize::from(*byte);
        (bytes.iter().fold(0, shift), input)
    };
    let (content, rest) = input.split_at_checked(length)?;
    Some(Element { tag, content, rest })
}

fn sequence(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let found = element(input)?;
    (found.tag == SEQUENCE).then_some((found.content, found.rest))
}

fn name(mut parts: &[u8]) -> String {
    let mut organization = None;
    let mut common = None;
    while let Some(part) = element(parts) {
        parts = part.rest;
        let attribute = sequence(part.content).and_then(|(attribute, _)| {
            let kind = element(attribute)?;
            let value = element(kind.rest)?;
            Some((kind.content, shown(value.content)))
        });
        match attribute {
            Some((ORGANIZATION, text)) => organization = Some(text),
            Some((COMMON_NAME, text)) => common = Some(text),
            Some(_) | None => {}
        }
    }
    match (organization, common) {
        (Some(organization), Some(common)) => format!("{organization} ({common})"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => "somebody without a name".to_owned(),
    }
}

fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let visible = text.chars().filter(|letter| !letter.is_control());
    visible.take(LONGEST_NAME).collect()
}

fn day(time: &Element<'_>) -> Option<String> {
    let digits = std::str::from_utf8(time.content).ok()?;
    let (year, rest) = match time.tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            let century = if year < "50" { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let (month, rest) = rest.split_at_checked(2)?;
    let (day, _) = rest.split_at_checked(2)?;
    Some(format!("{year}-{month}-{day}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SEQUENCE`, `SET` and the like around a content.
    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let mut der = vec![tag];
        if length >= 0x80 {
            der.push(0x81);
        }
        der.push(length);
        der.extend(content);
        der
    }

    fn attribute(kind: &[u8], text: &str) -> Vec<u8> {
        let pair = [wrapped(0x06, kind), wrapped(0x0c, text.as_bytes())].concat();
        wrapped(0x31, &wrapped(SEQUENCE, &pair))
    }

    fn certificate(issuer: &[Vec<u8>], not_after: &[u8]) -> Vec<u8> {
        let validity = [wrapped(UTC_TIME, b"250101000000Z"), not_after.to_vec()].concat();
        let signed = [
            wrapped(VERSION, &wrapped(0x02, &[2])),
            wrapped(0x02, &[7]),
            wrapped(SEQUENCE, b""),
            wrapped(SEQUENCE, &issuer.concat()),
            wrapped(SEQUENCE, &validity),
        ];
        wrapped(SEQUENCE, &wrapped(SEQUENCE, &signed.concat()))
    }

    #[test]
    fn issuer_and_last_day_are_read() {
        let both = [
            attribute(ORGANIZATION, "Let's Encrypt"),
            attribute(COMMON_NAME, "R11"),
        ];
        let one = [attribute(COMMON_NAME, "ca\u{7}\n")];

        let utc = Certificate::read(&certificate(&both, &wrapped(UTC_TIME, b"270131235959Z")));
        let late = wrapped(GENERALIZED_TIME, b"20510203000000Z");
        let generalized = Certificate::read(&certificate(&one, &late));

        let utc = utc.unwrap();
        assert_eq!(
            (utc.issuer.as_str(), utc.last_day.as_str()),
            ("Let's Encrypt (R11)", "2027-01-31")
        );
        let generalized = generalized.unwrap();
        assert_eq!(
            (generalized.issuer.as_str(), generalized.last_day.as_str()),
            ("ca", "2051-02-03")
        );
    }

    #[test]
    fn what_is_no_certificate_is_not_understood() {
        let whole = certificate(
            &[attribute(COMMON_NAME, "ca")],
            &wrapped(UTC_TIME, b"270131235959Z"),
        );

        for length in 0..whole.len() {
            assert_eq!(Certificate::read(&whole[..length]), None, "{length}");
        }
        assert_eq!(
            Certificate::read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
            None
        );
    }
}
