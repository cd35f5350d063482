//! The way to an endpoint: directly, through the system's proxy, or through a proxy of its own.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tower_service::Service;
use zephyr_core::config::{Place, ProxyRoute};

use super::errors::{BoxError, root_cause};
use super::network::Network;
use super::socket::Socket;
use super::system_proxy::SystemProxy;
use crate::metrics::EndpointMeter;

pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// TCP to the endpoint, or a tunnel to it through a proxy.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) way: Way,
    /// Whether a token may cross the internet in clear text.
    pub(super) allow_insecure: bool,
    pub(super) tcp: HttpConnector,
    pub(super) network: Network,
    pub(super) meter: Arc<EndpointMeter>,
}

#[derive(Clone)]
pub(super) enum Way {
    Direct,
    System,
    Via(Arc<Matcher>),
}

impl Way {
    pub(super) fn of(proxy: &ProxyRoute) -> Result<Self, BoxError> {
        match proxy {
            ProxyRoute::System => Ok(Self::System),
            ProxyRoute::Direct => Ok(Self::Direct),
            ProxyRoute::Via(url) => Ok(Self::Via(Arc::new(
                Matcher::builder().all(url.as_str()).build(),
            ))),
        }
    }
}

impl Service<Uri> for Route {
    type Response = Socket;
    type Error = BoxError;
    type Future = Boxed<Socket>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let (route, started) = (self.clone(), Instant::now());
        Box::pin(async move {
            let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
            let place = Place::of_host(host);
            if place == Place::Public && route.is_unsafe(&url) {
                return Err(ClearText.into());
            }
            match route.intercept(&url) {
                None => route.direct(url, started).await,
                // Only the proxy knows which address the name stands for.
                Some(_) if place == Place::Named && route.is_unsafe(&url) => Err(ClearText.into()),
                Some(proxy) => route.through(proxy, url, started).await,
            }
        })
    }
}

impl Route {
    /// The proxy for this URL.
    pub(super) fn intercept(&self, url: &Uri) -> Option<Intercept> {
        match &self.way {
            Way::Direct => None,
            Way::System => self
                .network
                .system_proxy
                .get_or_init(SystemProxy::now)
                .intercept(url),
            Way::Via(matcher) => matcher.intercept(url),
        }
    }

    /// Whether what is sent to this URL must not cross the internet.
    fn is_unsafe(&self, url: &Uri) -> bool {
        !self.allow_insecure && url.scheme() == Some(&Scheme::HTTP)
    }

    async fn direct(mut self, url: Uri, started: Instant) -> Result<Socket, BoxError> {
        let is_unsafe = self.is_unsafe(&url);
        let io = self.tcp.call(url).await?;
        let peer = io.inner().peer_addr();
        if peer
            .as_ref()
            .is_ok_and(|peer| self.network.is_ourselves(*peer))
        {
            return Err("this URL leads back to Zephyr itself; change the endpoint's url".into());
        }
        // A name stands for an address that may change at any time.
        let place = peer.map_or(Place::Public, |peer| Place::of(peer.ip()));
        if place == Place::Public && is_unsafe {
            return Err(ClearText.into());
        }
        Ok(Socket::new(io, &self.meter, started))
    }

    async fn through(
        self,
        proxy: Intercept,
        url: Uri,
        started: Instant,
    ) -> Result<Socket, BoxError> {
        let address = proxy.uri().clone();
        let tunnel = self.tunnel(&proxy, url, started).await;
        // Turned into text here, because only the innermost error is shown. The address contains no
        // credentials.
        tunnel.map_err(|error| {
            let why = root_cause(error.as_ref());
            let host = address
                .authority()
                .map_or("", |authority| authority.as_str());
            format!("no way through the proxy {host}: {why}").into()
        })
    }

    async fn tunnel(
        self,
        proxy: &Intercept,
        url: Uri,
        started: Instant,
    ) -> Result<Socket, BoxError> {
        let address = proxy.uri().clone();
        let meter = self.meter;
        let io = match address.scheme_str() {
            Some("socks5" | "socks5h") => {
                let local_dns = address.scheme_str() == Some("socks5");
                let mut socks = SocksV5::new(address, self.tcp).local_dns(local_dns);
                if let Some((user, password)) = proxy.raw_auth() {
                    socks = socks.with_auth(user.to_owned(), password.to_owned());
                }
                socks.call(url).await?
            }
            Some("https") => {
                return Err(
                    "proxies that are themselves reached over TLS are not supported".into(),
                );
            }
            Some(_) | None => {
                let mut tunnel = Tunnel::new(address, self.tcp);
                if let Some(credentials) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(credentials.clone());
                }
                tunnel.call(with_port(url)?).await?
            }
        };
        Ok(Socket::new(io, &meter, started))
    }
}

/// Everybody on the way could read what is sent.
#[derive(Debug, thiserror::Error)]
#[error(
    "everybody on the way could read the token; write https:// in its url, or allow_insecure = true"
)]
pub(super) struct ClearText;

impl ClearText {
    pub(super) fn is_cause_of(error: &(dyn StdError + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            if error.is::<Self>() {
                return true;
            }
            next = error.source();
        }
        false
    }
}

/// A CONNECT always names the port, even the default one.
fn with_port(url: Uri) -> Result<Uri, BoxError> {
    if url.port().is_some() {
        return Ok(url);
    }
    let port = if url.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    let host = url.host().unwrap_or_default().to_owned();
    let mut parts = url.into_parts();
    parts.authority = Some(format!("{host}:{port}").parse()?);
    Ok(Uri::from_parts(parts)?)
}
