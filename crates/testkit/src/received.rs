//! A request as an endpoint received it.

use std::time::Instant;

use bytes::Bytes;
use serde_json::Value;

use crate::http::{Headers, header};

/// A request as it arrived, before anything was answered.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its position among the requests of its endpoint, from 0.
    pub number: usize,
    /// The connection it came on, from 0 in the order of acceptance.
    pub connection: usize,
    /// When it was complete.
    pub at: Instant,
    /// Its method.
    pub method: String,
    /// Its target: path and query, as sent.
    pub target: String,
    /// The protocol it came by.
    pub version: HttpVersion,
    /// Its headers; over HTTP/1.1 in the order and case in which they were sent.
    pub headers: Headers,
    /// Its body, with the chunks joined; empty if the act answers before reading it.
    pub body: Bytes,
    /// What came after the last chunk.
    pub trailers: Headers,
}

impl Received {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// All values of a header, in order.
    pub fn headers_named(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the request's body should be JSON")
    }
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HttpVersion {
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    H2,
}
