//! The entries that are handed to the journal.
//!
//! Handing over copies nothing large. The writer decodes, redacts and compresses, off the request path.

use bytes::Bytes;
use http::HeaderMap;
use zephyr_control::{EndpointState, RequestRecord};

/// Something that happened.
#[derive(Debug)]
pub enum Entry {
    /// A request ended.
    Request(Box<Finished>),
    /// An endpoint was probed, or its state changed.
    Sighting(Sighting),
}

/// A request that ended.
#[derive(Debug)]
pub struct Finished {
    /// Its record. The writer gives it its number.
    pub record: RequestRecord,
    /// Its query. It is not kept: credentials in it are redacted wherever else they occur.
    pub query: Option<String>,
    /// The client's headers. If no body is kept, only those that are needed for redaction.
    pub request_headers: HeaderMap,
    /// The answer's headers, as the client got them. None if no body is kept.
    pub response_headers: HeaderMap,
    /// The request's body, if it is to be kept.
    pub request_body: Option<Captured>,
    /// The answer's body, if it is to be kept.
    pub response_body: Option<Captured>,
}

/// A body, as it passed. Its `content-encoding` is in the headers beside it.
#[derive(Debug, Default)]
pub struct Captured {
    /// Its start.
    pub pieces: Vec<Bytes>,
    /// Whether there was more.
    pub truncated: bool,
}

/// The state of an endpoint at a moment.
#[derive(Debug)]
pub struct Sighting {
    /// The endpoint's name.
    pub endpoint: String,
    /// The time, in milliseconds since 1970.
    pub at_ms: u64,
    /// Its state then.
    pub state: EndpointState,
    /// The latency of the probe that saw it, if a probe did and succeeded.
    pub latency_ms: Option<f64>,
    /// The cost of that probe, in USD.
    pub cost_usd: f64,
}

impl Entry {
    pub(crate) fn bytes_of_bodies(&self) -> usize {
        match self {
            Self::Request(finished) => {
                let bodies = [&finished.request_body, &finished.response_body];
                let pieces = bodies.into_iter().flatten().flat_map(|body| &body.pieces);
                pieces.map(Bytes::len).sum()
            }
            Self::Sighting(_) => 0,
        }
    }

    pub(crate) fn drop_bodies(&mut self) {
        match self {
            Self::Request(finished) => {
                finished.request_body = None;
                finished.response_body = None;
            }
            Self::Sighting(_) => {}
        }
    }
}
