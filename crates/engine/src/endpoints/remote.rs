//! One endpoint, seen from outside: its URL, its credential, its connections.

use std::sync::Arc;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use zephyr_core::EndpointId;
use zephyr_core::config::{self, BaseUrl};
use zephyr_core::messages::Format;
use zephyr_secrets::Secret;

use super::connections::Connections;
use super::credentials::Credential;
use crate::metrics::EndpointMeter;
use crate::probe::models::ProbeModels;

/// The characters that are escaped in a header: controls, the percent sign, and everything that is not ASCII.
const HEADER_TEXT: &AsciiSet = &CONTROLS.add(b'%');

/// An endpoint that attempts can be sent to.
pub struct Remote {
    /// Its identity in the fleet.
    pub id: EndpointId,
    pub spec: config::Endpoint,
    /// Its place in the configuration.
    pub index: usize,
    /// What counts as its answer.
    pub format: Format,
    /// The credential that it gets.
    pub credential: Credential,
    pub connections: Arc<Connections>,
    pub meter: Arc<EndpointMeter>,
    /// Which models its probes may name.
    pub probe_models: ProbeModels,
    /// Its name as a header value.
    pub name_header: HeaderValue,
    /// Its place as a header value.
    pub index_header: HeaderValue,
    scheme: Scheme,
    authority: Authority,
    /// The value of `Host`. Without it, hyper would write the value again for every attempt.
    host_header: Option<HeaderValue>,
}

impl Remote {
    /// The endpoint. `secret`: found through its reference.
    ///
    /// # Errors
    ///
    /// The URL cannot be used.
    pub fn new(
        id: EndpointId,
        index: usize,
        spec: config::Endpoint,
        format: Format,
        secret: Option<&Secret>,
        connections: Arc<Connections>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let name = utf8_percent_encode(&spec.name, HEADER_TEXT).to_string();
        Ok(Self {
            id,
            index,
            format,
            credential: Credential::of(&spec.auth, secret),
            meter: Arc::clone(connections.meter()),
            connections,
            probe_models: ProbeModels::default(),
            name_header: HeaderValue::from_str(&name).unwrap_or_else(|_| HeaderValue::from(index)),
            index_header: HeaderValue::from(index),
            scheme: spec.url.scheme().parse()?,
            authority: spec.url.authority().parse()?,
            host_header: host(&spec.url),
            spec,
        })
    }

    /// The endpoint's URL for a client's path and query.
    ///
    /// # Errors
    ///
    /// Together they are not a valid URL.
    pub fn url(&self, target: &PathAndQuery) -> Result<Uri, http::Error> {
        let prefix = self.spec.url.path();
        let url = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone());
        if prefix.is_empty() {
            url.path_and_query(target.clone()).build()
        } else {
            url.path_and_query(format!("{prefix}{target}")).build()
        }
    }

    /// Puts the credential in. If it is ours, the client's credential is removed.
    pub fn authorize(&self, headers: &mut HeaderMap) {
        self.credential.apply(headers);
    }

    /// Writes the `Host` header.
    pub fn address(&self, headers: &mut HeaderMap) {
        if let Some(host) = &self.host_header {
            headers.insert(HOST, host.clone());
        }
    }
}

/// For HTTP/1, the only protocol without TLS. HTTP/2 does not use this header.
fn host(url: &BaseUrl) -> Option<HeaderValue> {
    let authority = url.authority();
    let host = authority.strip_suffix(":80").unwrap_or(authority);
    (url.scheme() == "http").then(|| HeaderValue::from_str(host).ok())?
}
