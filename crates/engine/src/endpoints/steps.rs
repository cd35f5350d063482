//! Goes the way to an endpoint one step at a time, for a test that shows where the way ends. It is the same
//! way as for a request: direct or through a proxy, with the same trust. Nothing is pooled.

use std::sync::Arc;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;
use zephyr_core::config::Endpoint;

use super::errors::{BoxError, root_cause};
use super::network::Network;
use super::route::{Route, Way};
use super::socket::Socket;

pub struct Steps {
    route: Route,
    tls: Option<Arc<ClientConfig>>,
    url: Uri,
}

/// The host that the first connection goes to.
pub struct Hop {
    /// A name or an address.
    pub host: String,
    pub port: u16,
    /// Whether it is a proxy with the endpoint behind it.
    pub is_proxy: bool,
}

/// A connection without TLS.
pub struct Reached(Socket);

impl Steps {
    /// The steps that the endpoint's configuration asks for.
    ///
    /// # Errors
    ///
    /// The system's certificates cannot be read, or the URL cannot be used.
    pub fn new(network: &Network, endpoint: &Endpoint) -> Result<Self, BoxError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let tls = if endpoint.url.is_https() {
            let mut tls = network.tls()?;
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Some(Arc::new(tls))
        } else {
            None
        };
        Ok(Self {
            route: Route {
                way: Way::of(&endpoint.proxy)?,
                allow_insecure: endpoint.allow_insecure,
                tcp,
                network: network.clone(),
                meter: network.metrics.endpoint(&endpoint.name),
            },
            tls,
            url: Uri::builder()
                .scheme(endpoint.url.scheme())
                .authority(endpoint.url.authority())
                .path_and_query("/")
                .build()?,
        })
    }

    /// Whether the endpoint is reached over TLS.
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The host that the first connection goes to.
    pub fn hop(&self) -> Hop {
        let intercept = self.route.intercept(&self.url);
        let uri = intercept.as_ref().map_or(&self.url, |proxy| proxy.uri());
        let usual = match uri.scheme_str() {
            Some("https") => 443,
            Some("socks5" | "socks5h") => 1080,
            Some(_) | None => 80,
        };
        let host = uri.host().unwrap_or_default();
        Hop {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(usual),
            is_proxy: intercept.is_some(),
        }
    }

    /// Connects, through the proxy if there is one. Returns the connection and the address that it goes to.
    ///
    /// # Errors
    ///
    /// The reason in words.
    pub async fn reach(&self) -> Result<(Reached, String), String> {
        let reached = self.route.clone().call(self.url.clone()).await;
        let socket = reached.map_err(|error| root_cause(error.as_ref()))?;
        let peer = socket.io.inner().stream().peer_addr();
        let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
        Ok((Reached(socket), peer))
    }

    /// Does the TLS handshake. `None`: the endpoint is reached without TLS.
    ///
    /// # Errors
    ///
    /// The reason in words.
    pub async fn secure(
        &self,
        reached: Reached,
    ) -> Option<std::io::Result<TlsStream<TokioIo<Socket>>>> {
        let config = Arc::clone(self.tls.as_ref()?);
        let host = self.url.host().unwrap_or_default();
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
        let name = match name {
            Ok(name) => name,
            Err(error) => return Some(Err(std::io::Error::other(error))),
        };
        let shaken = TlsConnector::from(config).connect(name, TokioIo::new(reached.0));
        Some(shaken.await)
    }
}
