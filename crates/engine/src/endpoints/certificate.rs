//! Who issued a certificate, for whom, and when it is valid. This is only for people to read; other code
//! decides whether a certificate is trusted.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What a person wants to know about a certificate.
#[derive(Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The organization and name of the issuer.
    pub issuer: String,
    /// The first day on which it is valid, as `2027-01-31`.
    pub first_day: String,
    /// The last day on which it is valid.
    pub last_day: String,
    /// Some of the hosts that it was issued for.
    pub names: String,
}

impl Certificate {
    /// Reads it from DER. `None`: this code does not understand its form.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (certificate, _) = sequence(der)?;
        let (mut signed, _) = sequence(certificate)?;
        if signed.first() == Some(&VERSION) {
            signed = element(signed)?.rest;
        }
        let serial = element(signed)?;
        let (_, signed) = sequence(serial.rest)?;
        let (issuer, signed) = sequence(signed)?;
        let (validity, signed) = sequence(signed)?;
        let not_before = element(validity)?;
        let not_after = element(not_before.rest)?;
        let (subject, signed) = sequence(signed)?;
        let public_key = element(signed)?;
        Some(Self {
            issuer: name(issuer),
            first_day: day(&not_before)?,
            last_day: day(&not_after)?,
            names: hosts(public_key.rest).unwrap_or_else(|| name(subject)),
        })
    }
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const OCTETS: u8 = 0x04;
const DNS_NAME: u8 = 0x82;
const ADDRESS: u8 = 0x87;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// Longer names are cut: nobody has verified them.
const LONGEST_NAME: usize = 64;
/// The most hosts that are named.
const HOSTS: usize = 4;

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

/// The hosts, if the extensions after the public key name any.
fn hosts(mut rest: &[u8]) -> Option<String> {
    let mut extensions = loop {
        let part = element(rest)?;
        if part.tag == EXTENSIONS {
            break sequence(part.content)?.0;
        }
        rest = part.rest;
    };
    loop {
        let (extension, others) = sequence(extensions)?;
        let kind = element(extension)?;
        if kind.content == ALTERNATIVE_NAMES {
            return alternatives(kind.rest);
        }
        extensions = others;
    }
}

/// The hosts in the value of an extension. A flag may come before the value.
fn alternatives(mut value: &[u8]) -> Option<String> {
    let octets = loop {
        let part = element(value)?;
        if part.tag == OCTETS {
            break part.content;
        }
        value = part.rest;
    };
    let (mut rest, _) = sequence(octets)?;
    let mut hosts = Vec::new();
    while let Some(part) = element(rest) {
        rest = part.rest;
        match part.tag {
            DNS_NAME => hosts.push(shown(part.content)),
            ADDRESS => hosts.extend(address(part.content)),
            _ => {}
        }
    }
    let more = if hosts.len() > HOSTS { ", …" } else { "" };
    hosts.truncate(HOSTS);
    (!hosts.is_empty()).then(|| format!("{}{more}", hosts.join(", ")))
}

fn address(octets: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).to_string());
    let v6 = <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).to_string());
    v4.or(v6).ok()
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

    /// Wraps a content in `SEQUENCE`, `SET` and the like.
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

    fn certificate(issuer: &[Vec<u8>], not_after: &[u8], names: &[Vec<u8>]) -> Vec<u8> {
        let validity = [wrapped(UTC_TIME, b"250101000000Z"), not_after.to_vec()].concat();
        let is_critical = wrapped(0x01, &[0xff]);
        let alternatives = wrapped(OCTETS, &wrapped(SEQUENCE, &names.concat()));
        let extensions = [
            wrapped(
                SEQUENCE,
                &[wrapped(0x06, &[0x55, 0x1d, 0x0f]), wrapped(OCTETS, b"")].concat(),
            ),
            wrapped(
                SEQUENCE,
                &[wrapped(0x06, ALTERNATIVE_NAMES), is_critical, alternatives].concat(),
            ),
        ];
        let signed = [
            wrapped(VERSION, &wrapped(0x02, &[2])),
            wrapped(0x02, &[7]),
            wrapped(SEQUENCE, b""),
            wrapped(SEQUENCE, &issuer.concat()),
            wrapped(SEQUENCE, &validity),
            wrapped(SEQUENCE, &attribute(COMMON_NAME, "host.example")),
            wrapped(SEQUENCE, b"key"),
            wrapped(EXTENSIONS, &wrapped(SEQUENCE, &extensions.concat())),
        ];
        wrapped(SEQUENCE, &wrapped(SEQUENCE, &signed.concat()))
    }

    fn in_2027() -> Vec<u8> {
        wrapped(UTC_TIME, b"270131235959Z")
    }

    #[test]
    fn issuer_and_days_are_read() {
        let both = [
            attribute(ORGANIZATION, "Let's Encrypt"),
            attribute(COMMON_NAME, "R11"),
        ];
        let one = [attribute(COMMON_NAME, "ca\u{7}\n")];

        let utc = Certificate::read(&certificate(&both, &in_2027(), &[]));
        let late = wrapped(GENERALIZED_TIME, b"20510203000000Z");
        let generalized = Certificate::read(&certificate(&one, &late, &[]));

        let utc = utc.unwrap();
        assert_eq!(utc.issuer, "Let's Encrypt (R11)");
        assert_eq!(
            (utc.first_day.as_str(), utc.last_day.as_str()),
            ("2025-01-01", "2027-01-31")
        );
        let generalized = generalized.unwrap();
        assert_eq!(
            (generalized.issuer.as_str(), generalized.last_day.as_str()),
            ("ca", "2051-02-03")
        );
    }

    #[test]
    fn the_hosts_are_read() {
        let dns = |name: &str| wrapped(DNS_NAME, name.as_bytes());
        let v6 = Ipv6Addr::LOCALHOST.octets();
        for (names, expected) in [
            (vec![], "host.example"),
            (vec![dns("a.example")], "a.example"),
            (
                vec![dns("a.example"), dns("*.b.example")],
                "a.example, *.b.example",
            ),
            (vec![wrapped(ADDRESS, &[10, 0, 0, 1])], "10.0.0.1"),
            (vec![wrapped(ADDRESS, &v6)], "::1"),
            (
                vec![wrapped(0x81, b"me@example"), dns("a.example")],
                "a.example",
            ),
            (vec![wrapped(0x81, b"me@example")], "host.example"),
            (["a", "b", "c", "d"].map(dns).to_vec(), "a, b, c, d"),
            (["a", "b", "c", "d", "e"].map(dns).to_vec(), "a, b, c, d, …"),
            (vec![dns("a\u{1b}[31m")], "a[31m"),
        ] {
            let issuer = [attribute(COMMON_NAME, "ca")];
            let read = Certificate::read(&certificate(&issuer, &in_2027(), &names));

            assert_eq!(read.unwrap().names, expected);
        }
    }

    #[test]
    fn what_is_no_certificate_is_not_understood() {
        let issuer = [attribute(COMMON_NAME, "ca")];
        let whole = certificate(&issuer, &in_2027(), &[]);

        for length in 0..whole.len() {
            assert_eq!(Certificate::read(&whole[..length]), None, "{length}");
        }
        assert_eq!(
            Certificate::read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
            None
        );
    }
}
