//! What is written into the journal: handed over by whoever saw it happen, finished by the writer.
//!
//! Handing over copies nothing that is large. Decoding, redacting and compressing are the
//! writer's, off the request path.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use zephyr_control::{EndpointState, RequestRecord};

use super::redact::is_credential;

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
    /// The client's headers, as they came.
    pub request_headers: HeaderMap,
    /// The answer's headers, as the client got them.
    pub response_headers: HeaderMap,
    /// The request's body, if it is to be kept.
    pub request_body: Option<Captured>,
    /// The answer's body, if it is to be kept.
    pub response_body: Option<Captured>,
}

impl Finished {
    /// Lets go of headers that are not to be kept: they hold on to what they were read from. Credentials
    /// stay, as copies, for the redaction.
    pub(super) fn forget_headers(&mut self, kept: Recorded) {
        if !kept.requests && self.request_body.is_none() {
            let headers = std::mem::take(&mut self.request_headers);
            let credentials = headers.iter().filter(|(name, _)| is_credential(name));
            self.request_headers = credentials
                .filter_map(|(name, value)| Some((name.clone(), copy(value)?)))
                .collect();
        }
        if !kept.responses && self.response_body.is_none() {
            self.response_headers = HeaderMap::new();
        }
    }
}

/// Of what headers and bodies are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) requests: bool,
    pub(super) responses: bool,
}

fn copy(value: &HeaderValue) -> Option<HeaderValue> {
    let mut copy = HeaderValue::from_bytes(value.as_bytes()).ok()?;
    copy.set_sensitive(value.is_sensitive());
    Some(copy)
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
