//! Decodes an answer for a client that did not accept its encoding.
//!
//! This is the one exception to the rule that bytes pass as they came. A client that names no encoding, or
//! not this one, could not read them. Each piece is decoded when it comes, so nothing waits. Memory depends
//! on one piece, not on the whole answer. An answer that does not have the announced encoding, or that ends
//! inside it, fails: half an answer must not look like a whole one. These answers pass as they came: an
//! unknown encoding, two encodings at once, a part of a body (206), and an answer to a client that refuses
//! plain text too.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, HeaderValue,
};
use http::{Response, StatusCode, response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use zephyr_core::classify::Fault;

use crate::request::inspect::undecodable;
use zephyr_encoding::Decoder;

/// Bytes that are decoded at once.
const PIECE: usize = 16 * 1024;

/// An endpoint's body on its way to a client.
pub enum Passing {
    AsItCame(Incoming),
    Decoded(Box<Decoding>),
}

/// A body that is decoded as it comes.
pub struct Decoding {
    body: Incoming,
    decoder: Decoder,
    /// What has come and is not decoded yet.
    ahead: Bytes,
    has_ended: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The connection broke.
    #[error(transparent)]
    Lost(#[from] hyper::Error),
    /// The body does not have the announced encoding.
    #[error(transparent)]
    Undecodable(#[from] std::io::Error),
}

/// An answer whose body the client can read. `asked`: the headers that the client sent.
pub fn passing(
    response: Response<Incoming>,
    asked: impl FnOnce() -> HeaderMap,
) -> (response::Parts, Passing) {
    let (mut head, body) = response.into_parts();
    if !head.headers.contains_key(CONTENT_ENCODING)
        || body.is_end_stream()
        || head.status == StatusCode::PARTIAL_CONTENT
        || is_readable(&head.headers, &asked())
    {
        return (head, Passing::AsItCame(body));
    }
    let Some(decoder) = Decoder::of(&head.headers) else {
        return (head, Passing::AsItCame(body));
    };
    describe_decoded(&mut head.headers);
    let decoding = Decoding {
        body,
        decoder,
        ahead: Bytes::new(),
        has_ended: false,
    };
    (head, Passing::Decoded(Box::new(decoding)))
}

/// The headers for the decoded content: it has another length, and it is another representation.
fn describe_decoded(headers: &mut HeaderMap) {
    headers.remove(CONTENT_ENCODING);
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    let etag = headers.get(ETAG).map(HeaderValue::as_bytes);
    let weak = etag
        .filter(|etag| etag.starts_with(b"\""))
        .and_then(|etag| HeaderValue::from_bytes(&[b"W/", etag].concat()).ok());
    if let Some(weak) = weak {
        headers.insert(ETAG, weak);
    }
}

/// Whether a client that sent the headers `asked` can read the encoding, or refuses plain text too.
pub(crate) fn is_readable(answer: &HeaderMap, asked: &HeaderMap) -> bool {
    let encoding = answer.get(CONTENT_ENCODING).map(HeaderValue::to_str);
    let Some(Ok(encoding)) = encoding else {
        return true;
    };
    let encoding = canonical(encoding);
    encoding == "identity" || accepts(asked, encoding) || refuses_identity(asked)
}

/// Whether `Accept-Encoding` lists it. If the header is missing, the client is not expected to decode
/// anything.
fn accepts(asked: &HeaderMap, encoding: &str) -> bool {
    weight(asked, encoding)
        .or_else(|| weight(asked, "*"))
        .is_some_and(|weight| weight > 0.0)
}

fn refuses_identity(asked: &HeaderMap) -> bool {
    weight(asked, "identity").or_else(|| weight(asked, "*")) == Some(0.0)
}

/// The weight (`q`) that a client gives a coding by name.
fn weight(asked: &HeaderMap, coding: &str) -> Option<f32> {
    let lines = asked.get_all(ACCEPT_ENCODING).iter();
    let listed = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    for item in listed {
        let mut parameters = item.split(';');
        let name = parameters.next().unwrap_or_default();
        if canonical(name).eq_ignore_ascii_case(coding) {
            let weight = parameters.find_map(|parameter| {
                let (name, value) = parameter.split_once('=')?;
                name.trim().eq_ignore_ascii_case("q").then_some(value)
            });
            let weight = weight.and_then(|value| value.trim().parse().ok());
            return Some(weight.unwrap_or(1.0));
        }
    }
    None
}

/// A coding's name. `x-gzip` is an old name of gzip.
fn canonical(name: &str) -> &str {
    let name = name.trim();
    if name.eq_ignore_ascii_case("x-gzip") {
        return "gzip";
    }
    for known in ["gzip", "deflate", "br", "zstd", "identity"] {
        if name.eq_ignore_ascii_case(known) {
            return known;
        }
    }
    if name.is_empty() { "identity" } else { name }
}

impl Broken {
    /// What this says about the endpoint.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Lost(_) => Fault::Cut,
            Self::Undecodable(error) => undecodable(error),
        }
    }
}

impl Decoding {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        while !self.has_ended {
            if !self.ahead.is_empty() {
                let piece = self.ahead.split_to(self.ahead.len().min(PIECE));
                let decoded = self.decoder.decode(&piece, Bytes::copy_from_slice)?;
                if decoded.is_empty() {
                    continue;
                }
                return Poll::Ready(Some(Ok(Frame::data(decoded))));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)?) {
                Some(frame) => match frame.into_data() {
                    Ok(data) => self.ahead = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                None => {
                    self.has_ended = true;
                    self.decoder.finish()?;
                }
            }
        }
        Poll::Ready(None)
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut *self {
            Self::AsItCame(body) => Pin::new(body).poll_frame(cx).map_err(Broken::Lost),
            Self::Decoded(decoding) => {
                let polled = decoding.poll(cx);
                if let Poll::Ready(Some(Err(_))) = polled {
                    decoding.has_ended = true;
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::AsItCame(body) => body.is_end_stream(),
            Self::Decoded(decoding) => decoding.has_ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &http::HeaderName, values: &[&'static str]) -> HeaderMap {
        let value = |value: &&'static str| (name.clone(), HeaderValue::from_static(value));
        values.iter().map(value).collect()
    }

    #[test]
    fn a_client_reads_what_it_lists() {
        let cases: [(&[&'static str], &str, bool); 17] = [
            (&[], "gzip", false),
            (&[""], "gzip", false),
            (&["identity"], "gzip", false),
            (&["br"], "gzip", false),
            (&["br, GZip"], "gzip", true),
            (&["x-gzip"], "gzip", true),
            (&["gzip"], "X-Gzip", true),
            (&["br", "gzip;q=0.1"], "gzip", true),
            (&["gzip;q=0"], "gzip", false),
            (&["gzip; Q=0.000, *"], "gzip", false),
            (&["*"], "zstd", true),
            (&["*;q=0.5, identity"], "zstd", true),
            (&["br, *;q=0"], "br", true),
            // The client refuses both, so the answer passes as it came.
            (&["br, *;q=0"], "gzip", true),
            (&["br, identity;q=0"], "gzip", true),
            (&["br, identity;q=0.5, *;q=0"], "gzip", false),
            (&["gzip;q=broken"], "gzip", true),
        ];

        for (listed, encoding, readable) in cases {
            let answer = HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().unwrap())]);
            let asked = headers(&ACCEPT_ENCODING, listed);

            assert_eq!(
                is_readable(&answer, &asked),
                readable,
                "{listed:?}: {encoding}"
            );
        }
    }

    #[test]
    fn the_headers_say_that_it_is_plain() {
        let mut answer = HeaderMap::from_iter(
            [
                (CONTENT_ENCODING, "gzip"),
                (CONTENT_LENGTH, "7"),
                (ETAG, "\"a\""),
                (http::header::VARY, "accept-encoding"),
            ]
            .map(|(name, value)| (name, HeaderValue::from_static(value))),
        );

        describe_decoded(&mut answer);

        assert_eq!(answer.len(), 2);
        assert_eq!(answer[ETAG], "W/\"a\"");
        assert_eq!(answer[http::header::VARY], "accept-encoding");
    }
}
