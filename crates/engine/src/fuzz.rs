//! What must hold for any bytes in heads, headers and encoded bodies.
//!
//! Not for plain answers and bodies of requests, which `core` tests.
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use std::time::{Duration, SystemTime};

use http::header::{CONNECTION, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Uri};
use zephyr_corpus::{Corpus, Random};
use zephyr_encoding::Decoder;
use zephyr_testkit::Encoding;

use crate::clients::guard::Guard;
use crate::endpoints::credentials::Credential;
use crate::endpoints::headers;
use crate::request::transcode;

const ROUNDS: usize = 2_000;
const LONG: Duration = Duration::from_secs(60);
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");

#[test]
fn a_head_leaves_without_what_belongs_to_its_connection_and_its_client() {
    heads().each(ROUNDS, head);
}

#[test]
fn header_values_are_read_or_ignored() {
    values().each(ROUNDS, value);
}

#[test]
fn an_encoded_body_decodes_the_same_however_it_is_cut() {
    bodies().each(ROUNDS, body);
}

#[test]
#[ignore = "long"]
fn long_fuzz_of_heads_headers_and_bodies() {
    let inputs = [
        heads().for_long(LONG, head),
        values().for_long(LONG, value),
        bodies().for_long(LONG, body),
    ];
    println!("measured: inputs as head, header value, encoded body: {inputs:?}");
}

fn head(input: &[u8], _: &mut Random) {
    let (target, client) = parsed(input);
    let guard = Guard::new(&zephyr_core::config::Server::default(), None);
    let authority = target.as_ref().and_then(Uri::authority);
    let _ = (guard.check(&client, authority), guard.check_client(&client));

    let mut upstream = headers::for_upstream(client);

    for name in [CONNECTION, TRANSFER_ENCODING] {
        assert!(!upstream.contains_key(name));
    }
    let ours = HeaderValue::from_static("Bearer ours");
    Credential::Bearer(ours).apply(&mut upstream);
    let tokens: Vec<&[u8]> = headers::client_tokens(&upstream).collect();
    assert_eq!(tokens, [b"ours"]);
}

fn value(input: &[u8], random: &mut Random) {
    let Ok(value) = HeaderValue::from_bytes(input) else {
        return;
    };
    let names = [
        "retry-after",
        "retry-after-ms",
        "content-encoding",
        "accept-encoding",
        "connection",
    ];
    let headers: HeaderMap = names
        .iter()
        .map(|name| (HeaderName::from_static(name), value.clone()))
        .collect();

    let _ = headers::retry_after(&headers, SystemTime::now());
    let _ = Decoder::of(&headers);
    let _ = headers::for_upstream(headers.clone());
    let encoding = *random.of(&["gzip", "br", "identity", "rot13"]);
    let answer = HeaderMap::from_iter([(
        http::header::CONTENT_ENCODING,
        HeaderValue::from_static(encoding),
    )]);
    let readable = transcode::is_readable(&answer, &headers);
    assert!(readable || encoding != "identity");
}

/// The first byte chooses the encoding of the rest.
fn body(input: &[u8], random: &mut Random) {
    let Some((first, body)) = input.split_first() else {
        return;
    };
    let encoding = Encoding::ALL[usize::from(*first) % Encoding::ALL.len()];
    let whole = decoded(encoding, &[body]);
    let in_pieces = decoded(encoding, &random.pieces(body));

    if let (Ok(whole), Ok(in_pieces)) = (&whole, &in_pieces) {
        assert!(whole == in_pieces, "{encoding:?}");
    }
}

fn decoded(encoding: Encoding, pieces: &[&[u8]]) -> std::io::Result<Vec<u8>> {
    let name = HeaderValue::from_static(encoding.name());
    let headers = HeaderMap::from_iter([(http::header::CONTENT_ENCODING, name)]);
    let mut decoder = Decoder::of(&headers).unwrap();
    let mut plain = Vec::new();
    for piece in pieces {
        decoder.decode(piece, |decoded| plain.extend_from_slice(decoded))?;
    }
    decoder.finish()?;
    Ok(plain)
}

/// The target and the headers of a head, as far as they can be read.
fn parsed(head: &[u8]) -> (Option<Uri>, HeaderMap) {
    let mut lines = head.split(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let target = first.split(|&byte| byte == b' ').nth(1);
    let headers = lines.filter_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        Some((
            name,
            HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?,
        ))
    });
    (
        target.and_then(|target| Uri::try_from(target).ok()),
        headers.collect(),
    )
}

fn heads() -> Corpus {
    let words = [
        "\r\n",
        "Host: ",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "Origin: null",
        "Authorization: Bearer ",
        "x-api-key: ",
        "Connection: ",
        "Transfer-Encoding: chunked",
        "content-length",
        "@",
        "xn--",
        "%00",
    ];
    Corpus::read(CORPUS, &["heads"], &words)
}

fn values() -> Corpus {
    let words = [
        "gzip",
        "br",
        "*",
        ";q=",
        "q=0",
        "identity",
        ",",
        "GMT",
        "Sun, 06 Nov 1994",
        "inf",
        "nan",
        "charset=",
    ];
    Corpus::read(CORPUS, &["values"], &words)
}

fn bodies() -> Corpus {
    let plain = b"event: message_start\ndata: {\"type\":\"message_start\"}\n\n".repeat(20);
    let examples = Encoding::ALL.iter().enumerate().map(|(first, encoding)| {
        [
            &[u8::try_from(first).unwrap()][..],
            &encoding.compress(&plain),
        ]
        .concat()
    });
    Corpus::new(examples.collect(), &["\x1f", "\0\0\0", "(\u{b5}/\u{fd}"])
}
