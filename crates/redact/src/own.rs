//! The credentials that a request carries in its headers and its query.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION};
use percent_encoding::percent_decode_str;

use crate::names::{is_credential, is_secret};
use crate::patterns::SHORTEST;

/// Bytes of the shortest credential that only its name gives away. `x-token-count` has none.
const UNMISTAKABLE: usize = 8;
/// Most credentials of a request that are looked for. More than these are no request of a client.
const MOST: usize = 32;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credentials of one request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Own(Vec<Box<str>>);

impl Own {
    /// Those of a request with these headers and this query.
    pub fn of(headers: &HeaderMap, query: Option<&str>) -> Self {
        let of_query = in_query(query).map(|secret| Box::from(&*secret));
        let of_headers = in_headers(headers).map(|secret| Box::from(&*secret));
        Self(of_headers.chain(of_query).take(MOST).collect())
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|secret| &**secret)
    }

    /// Those that may be taken out of the texts of other requests too: too long and too odd for a word.
    pub(crate) fn unmistakable(&self) -> impl Iterator<Item = &str> {
        self.secrets().filter(|secret| {
            secret.len() >= UNMISTAKABLE && !secret.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Own({})", self.0.len())
    }
}

/// The credentials in a request's headers.
pub(crate) fn in_headers(headers: &HeaderMap) -> impl Iterator<Item = Cow<'_, str>> {
    let carriers = headers.iter().filter(|(name, _)| is_credential(name));
    carriers.flat_map(|(name, value)| {
        let value = value.to_str().unwrap_or_default();
        let (separator, least) = match name {
            &AUTHORIZATION | &PROXY_AUTHORIZATION => (None, SHORTEST),
            name if *name == X_API_KEY => (None, SHORTEST),
            &COOKIE => (Some(';'), UNMISTAKABLE),
            _ => (None, UNMISTAKABLE),
        };
        let parts = value.split(move |c| Some(c) == separator);
        let secrets = parts.flat_map(move |part| {
            let secret = match separator {
                Some(_) => part.split_once('=').map_or(part, |(_, value)| value).trim(),
                None => part.rsplit(' ').next().unwrap_or(part),
            };
            [Some(Cow::Borrowed(secret)), password(part).map(Cow::Owned)]
                .into_iter()
                .flatten()
        });
        secrets.filter(move |secret| {
            secret.len() >= least
                && (least == SHORTEST || secret.bytes().any(|byte| !byte.is_ascii_digit()))
        })
    })
}

/// The password of `Basic`.
fn password(value: &str) -> Option<String> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(from_base64(encoded.trim().as_bytes())?).ok()?;
    pair.split_once(':')
        .map(|(_, password)| password.to_owned())
}

fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for character in text.iter().filter(|byte| **byte != b'=') {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The credentials in a query, as written and decoded.
pub(crate) fn in_query(query: Option<&str>) -> impl Iterator<Item = Cow<'_, str>> {
    let pairs = query.unwrap_or_default().split('&');
    let secrets = pairs.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let name = percent_decode_str(name).decode_utf8_lossy();
        (is_secret(&name.to_ascii_lowercase()) && value.len() >= UNMISTAKABLE).then_some(value)
    });
    secrets.flat_map(|value| {
        let meant = percent_decode_str(value).decode_utf8_lossy();
        let other = (meant != value).then_some(meant);
        [Some(Cow::Borrowed(value)), other].into_iter().flatten()
    })
}
