//! What is written into the journal: handed over by whoever saw it happen, finished by the writer.
//!
//! Handing over copies nothing that is large. Decoding, redacting and compressing are the
//! writer's, off the request path.

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
    /// What is known of it; the number is the writer's to give.
    pub record: RequestRecord,
    /// The query that it came with. It is not kept, but whatever it has of credentials is left out.
    pub query: Option<String>,
    /// The client's headers, as they came; without a body to be kept, only those that are looked into.
    pub request_headers: HeaderMap,
    /// The answer's headers, as the client got them; none without a body to be kept.
    pub response_headers: HeaderMap,
    /// The request's body, if it is to be kept.
    pub request_body: Option<Captured>,
    /// The answer's body, if it is to be kept.
    pub response_body: Option<Captured>,
}

/// A body, as it passed; its `content-encoding` is in the headers beside it.
#[derive(Debug, Default)]
pub struct Captured {
    /// Its beginning.
    pub pieces: Vec<Bytes>,
    /// Whether there was more.
    pub truncated: bool,
}

/// How an endpoint was at a moment.
#[derive(Debug)]
pub struct Sighting {
    /// Its name.
    pub endpoint: String,
    /// When.
    pub at_ms: u64,
    /// Its state then.
    pub state: EndpointState,
    /// The latency of the probe that showed it, if it was one that succeeded.
    pub latency_ms: Option<f64>,
    /// What that probe cost, in USD.
    pub cost_usd: f64,
}

/// Bytes of bodies that an entry holds.
pub(crate) fn weight(entry: &Entry) -> usize {
    match entry {
        Entry::Request(finished) => {
            let bodies = [&finished.request_body, &finished.response_body];
            let pieces = bodies.into_iter().flatten().flat_map(|body| &body.pieces);
            pieces.map(Bytes::len).sum()
        }
        Entry::Sighting(_) => 0,
    }
}

pub(crate) fn without_bodies(entry: &mut Entry) {
    match entry {
        Entry::Request(finished) => {
            finished.request_body = None;
            finished.response_body = None;
        }
        Entry::Sighting(_) => {}
    }
}
