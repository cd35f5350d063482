//! An endpoint's answer that is held until it can be judged.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, Version, response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use zephyr_core::classify::Fault;

use super::budget::{Budget, Reserved};
use super::inspect;
use super::transcode::{self, Passing};
use crate::clients::browser;
use crate::endpoints::headers::{self, strip_hop_by_hop};
use crate::endpoints::remote::Remote;

/// Bytes. A JSON answer up to this size is judged as a whole; a longer one is judged by its beginning.
pub const JSON_ANSWER: usize = 1024 * 1024;

/// Bytes. So much of an answer is held however little memory is left. Nearly every answer proves real within it.
const ALWAYS_HELD: usize = 64 * 1024;

const USED_ENDPOINT: HeaderName = HeaderName::from_static("x-used-endpoint");
const ENDPOINT_INDEX: HeaderName = HeaderName::from_static("x-endpoint-index");

pub struct Held {
    pub head: response::Parts,
    pieces: VecDeque<Bytes>,
    /// The sum of the lengths of `pieces`.
    bytes: usize,
    /// The room in memory that `pieces` has.
    reserved: Reserved,
    /// There was no room for the last piece.
    is_out_of_room: bool,
    rest: Rest,
    /// The endpoint that sent it.
    pub from: Arc<Remote>,
}

/// The part of an endpoint's answer that has not come yet.
pub enum Rest {
    /// It is still to come.
    Flowing(Passing),
    /// The answer has ended.
    Ended,
    /// The answer broke off.
    Broken(Fault),
}

pub enum Next {
    Piece(Bytes),
    End,
    /// The answer broke off.
    Broken(Fault),
}

impl Held {
    /// An answer whose head has come, and nothing else yet. `asked` gives the headers of the request.
    pub fn of(
        response: Response<Incoming>,
        (from, budget): (Arc<Remote>, &Arc<Budget>),
        asked: impl FnOnce() -> HeaderMap,
    ) -> Self {
        let (mut head, body) = transcode::passing(response, asked);
        browser::forget_ours(&mut head.headers);
        Self {
            head,
            pieces: VecDeque::new(),
            bytes: 0,
            reserved: Reserved::nothing(budget),
            is_out_of_room: false,
            rest: Rest::Flowing(body),
            from,
        }
    }

    /// Whether it must not be held any longer: more than `limit` bytes are here, or no memory is left for more.
    pub fn is_over(&self, limit: usize) -> bool {
        self.bytes > limit || (self.is_out_of_room && self.bytes > ALWAYS_HELD)
    }

    /// Takes in the next piece of data. Trailers count as the end.
    pub async fn next(&mut self) -> Next {
        loop {
            let body = match &mut self.rest {
                Rest::Flowing(body) => body,
                Rest::Ended => return Next::End,
                Rest::Broken(fault) => return Next::Broken(fault.clone()),
            };
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        self.bytes += piece.len();
                        self.is_out_of_room |= !self.reserved.grow(piece.len());
                        self.pieces.push_back(piece.clone());
                        return Next::Piece(piece);
                    }
                }
                Some(Err(broken)) => self.rest = Rest::Broken(broken.fault()),
                None => self.rest = Rest::Ended,
            }
        }
    }

    /// Takes in up to `limit` bytes.
    pub async fn fill(&mut self, limit: usize) {
        while self.bytes < limit && !self.is_over(limit) {
            match self.next().await {
                Next::Piece(_) => {}
                Next::End | Next::Broken(_) => return,
            }
        }
    }

    /// The held bytes, decoded. `None`: the encoding cannot be read.
    pub fn plain(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        inspect::plain(
            &self.head.headers,
            self.pieces.make_contiguous(),
            JSON_ANSWER,
        )
    }

    /// Whether the `Content-Type` is a stream of events.
    pub fn is_event_stream(&self) -> bool {
        headers::is_event_stream(&self.head.headers)
    }

    /// Whether the `Content-Type` says that it is not a stream.
    pub fn is_json_or_page(&self) -> bool {
        let content_type = self
            .head
            .headers
            .get(CONTENT_TYPE)
            .map(HeaderValue::as_bytes);
        content_type.is_some_and(|value| {
            value.starts_with(b"application/json") || value.starts_with(b"text/html")
        })
    }

    /// The head for the client, and the body: the part that is here, and the rest.
    /// `for_page`: an allowed web page asked.
    pub fn into_parts(self, for_page: bool) -> (response::Parts, (VecDeque<Bytes>, Rest)) {
        let mut head = self.head;
        head.version = Version::HTTP_11;
        head.extensions.clear();
        strip_hop_by_hop(&mut head.headers);
        self.from.credential.keep_out_of(&mut head.headers);
        browser::say_nothing_to_browsers(&mut head.headers, for_page);
        head.headers
            .insert(USED_ENDPOINT, self.from.name_header.clone());
        head.headers
            .insert(ENDPOINT_INDEX, self.from.index_header.clone());
        (head, (self.pieces, self.rest))
    }
}
