//! Connections to one endpoint: pooled, warm, over TCP or TLS, directly or through a proxy.
//!
//! hyper-util's client does the pooling and speaks HTTP/1.1 or, where TLS negotiated it, HTTP/2. This
//! module adds the way there (system proxy, direct, a proxy of the endpoint's own), one time limit over
//! all handshakes and how long each took, the refusal to connect to ourselves, and the knowledge whether a connection that
//! broke had answered before: then it had merely grown stale, and one fresh connection is tried.

mod steps;

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Extensions, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::legacy::{self as client, Client, Error as ClientError};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;
use zephyr_core::classify::Fault;
use zephyr_core::config::{Endpoint, ProxyRoute};

use crate::burst::Burst;
use crate::metered::Metered;
use crate::metrics::{EndpointMeter, Metrics};
use crate::upload::AttemptBody;

pub use steps::Steps;

/// Idle connections are kept longer than a probe's default interval, so that probes keep them warm.
const IDLE_CONNECTION: Duration = Duration::from_secs(90);
/// A silent HTTP/2 connection is asked whether it is still there.
const H2_PING_INTERVAL: Duration = Duration::from_secs(20);
/// What one HTTP/2 stream, and all of a connection, may send before it is read. The connection has room
/// for as many streams as are ever parallel, so that a client that reads slowly holds up nobody else; and
/// h2 takes half of it as its limit for small frames not yet read, which token streams mostly are: with
/// a window that starts small and adapts it would end the connection in the middle of 64 streams.
const H2_STREAM_WINDOW: u32 = 512 * 1024;
const H2_CONNECTION_WINDOW: u32 = 256 * H2_STREAM_WINDOW;
/// TCP keep-alive, which Anthropic recommends for long calls.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

type BoxError = Box<dyn StdError + Send + Sync>;
type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Everything about connections that endpoints share.
#[derive(Clone)]
pub struct Network {
    tls: Arc<OnceLock<ClientConfig>>,
    extra_roots: Arc<Vec<rustls::pki_types::CertificateDer<'static>>>,
    system_proxy: Arc<OnceLock<Matcher>>,
    ourselves: Arc<OnceLock<SocketAddr>>,
    /// Where endpoints are counted.
    pub metrics: Arc<Metrics>,
}

impl Network {
    /// The system's certificates and, for tests, these as well.
    pub fn new(extra_roots: Vec<rustls::pki_types::CertificateDer<'static>>) -> Self {
        Self {
            tls: Arc::default(),
            extra_roots: Arc::new(extra_roots),
            system_proxy: Arc::default(),
            ourselves: Arc::default(),
            metrics: Arc::default(),
        }
    }

    /// Says where our own listener is, so that no endpoint can lead back to it.
    pub fn set_ourselves(&self, listener: SocketAddr) {
        // A second start in one process keeps the first address; there is none.
        let _ = self.ourselves.set(listener);
    }

    fn is_ourselves(&self, peer: SocketAddr) -> bool {
        let same = |own: &SocketAddr| {
            own.port() == peer.port()
                && (own.ip() == peer.ip() || own.ip().is_unspecified() && peer.ip().is_loopback())
        };
        self.ourselves.get().is_some_and(same)
    }

    /// Built on first use: reading the system's certificates takes milliseconds.
    fn tls(&self) -> Result<ClientConfig, BoxError> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
            self.extra_roots.iter().cloned(),
            provider.clone(),
        )?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| config).clone())
    }
}

/// The connections to one endpoint.
pub struct Upstream {
    /// Replaced where its idle connections may be dead.
    pooled: RwLock<Client<Connector, AttemptBody>>,
    /// Opens a new connection for every request.
    fresh: Client<Connector, AttemptBody>,
    connector: Connector,
}

impl Upstream {
    /// Connections as the endpoint's configuration says.
    ///
    /// # Errors
    ///
    /// The system's certificates cannot be read.
    pub fn new(
        network: &Network,
        endpoint: &Endpoint,
        connect_timeout: Duration,
    ) -> Result<Self, BoxError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        let route = Route {
            way: Way::of(&endpoint.proxy)?,
            tcp,
            network: network.clone(),
            meter: network.metrics.endpoint(&endpoint.name),
        };
        let tls = if endpoint.url.is_https() {
            network.tls()?
        } else {
            no_tls()
        };
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions();
        let connector = Connector {
            meter: Arc::clone(&route.meter),
            inner: https.wrap_connector(route),
            limit: connect_timeout,
        };
        let fresh = client_builder()
            .pool_max_idle_per_host(0)
            .build(connector.clone());
        Ok(Self {
            pooled: RwLock::new(client_builder().build(connector.clone())),
            fresh,
            connector,
        })
    }

    /// Sends a request on a pooled connection, or a new one.
    ///
    /// # Errors
    ///
    /// No answer's head came.
    pub async fn send(
        &self,
        request: Request<AttemptBody>,
    ) -> Result<Response<Incoming>, SendError> {
        let answering = self
            .pooled
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .request(request);
        settle_use(answering.await)
    }

    /// Sends a request on a connection that nothing has used.
    ///
    /// # Errors
    ///
    /// No answer's head came.
    pub async fn send_fresh(
        &self,
        request: Request<AttemptBody>,
    ) -> Result<Response<Incoming>, SendError> {
        settle_use(self.fresh.request(request).await)
    }

    /// Uses none of the idle connections again; requests on their way keep theirs.
    pub fn forget_idle(&self) {
        let empty = client_builder().build(self.connector.clone());
        let mut pooled = self.pooled.write().unwrap_or_else(PoisonError::into_inner);
        *pooled = empty;
    }

    /// Opens a connection, with TLS where the URL says so, and closes it again.
    ///
    /// # Errors
    ///
    /// It does not open.
    pub async fn connect(&self, url: Uri) -> Result<(), Fault> {
        let mut connector = self.connector.clone();
        let opened = connector.call(url).await;
        opened
            .map(drop)
            .map_err(|error| Fault::Connect(root_cause(error.as_ref())))
    }
}

fn client_builder() -> client::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_CONNECTION)
        .http2_keep_alive_interval(H2_PING_INTERVAL)
        .http2_initial_stream_window_size(H2_STREAM_WINDOW)
        .http2_initial_connection_window_size(H2_CONNECTION_WINDOW);
    builder
}

/// A request got no answer's head.
#[derive(Debug)]
pub struct SendError {
    /// What happened.
    pub fault: Fault,
    /// Whether the connection had answered before: it may merely have been closed while idle.
    pub stale: bool,
    /// Its beginning, if it had not answered before.
    pub handshake: Option<Handshake>,
}

/// How long a new connection took to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Name resolution, TCP, and the way through a proxy.
    pub connect: Duration,
    /// TLS, if there is any.
    pub tls: Option<Duration>,
}

/// The beginning of the connection that an answer came on, if it is the first there.
pub fn handshake<B>(response: &Response<B>) -> Option<Handshake> {
    response.extensions().get::<Handshake>().copied()
}

fn settle_use(
    result: Result<Response<Incoming>, ClientError>,
) -> Result<Response<Incoming>, SendError> {
    match result {
        Ok(mut response) => {
            let origin = response.extensions().get::<Origin>();
            if let Some(first) = origin.and_then(Origin::answers) {
                response.extensions_mut().insert(first);
            }
            Ok(response)
        }
        Err(error) => {
            let mut extras = Extensions::new();
            if let Some(connection) = error.connect_info() {
                connection.get_extras(&mut extras);
            }
            let origin = extras.get::<Origin>();
            let stale = origin.is_some_and(Origin::has_answered);
            let handshake = origin.filter(|_| !stale).map(Origin::handshake);
            // A broken stream of HTTP/2 says nothing about its connection's age.
            let http2 = error
                .connect_info()
                .is_some_and(Connected::is_negotiated_h2);
            let detail = root_cause(&error);
            let fault = if error.is_connect() {
                Fault::Connect(detail)
            } else {
                Fault::Lost(detail)
            };
            Err(SendError {
                fault,
                stale: stale && !http2,
                handshake,
            })
        }
    }
}

/// The innermost errors in words; the outer ones only say that a client had an error.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut chain: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if chain.last().is_none_or(|last| !last.contains(&text)) {
            chain.push(text);
        }
        next = error.source();
    }
    let telling = chain.len().saturating_sub(2);
    chain[telling..].join(": ")
}

/// How a connection began, and whether it has carried an answer.
#[derive(Clone)]
struct Origin(Arc<Beginning>);

struct Beginning {
    answered: AtomicBool,
    connect: Duration,
    /// Set once TLS is there.
    tls: OnceLock<Duration>,
}

impl Origin {
    fn new(connect: Duration) -> Self {
        Self(Arc::new(Beginning {
            answered: AtomicBool::new(false),
            connect,
            tls: OnceLock::new(),
        }))
    }

    /// Notes an answer. Gives its beginning, if it is the first.
    fn answers(&self) -> Option<Handshake> {
        // Looked at first: writing disturbs other processors.
        let is_first = !self.has_answered() && !self.0.answered.swap(true, Ordering::Relaxed);
        is_first.then(|| self.handshake())
    }

    fn has_answered(&self) -> bool {
        self.0.answered.load(Ordering::Relaxed)
    }

    fn handshake(&self) -> Handshake {
        Handshake {
            connect: self.0.connect,
            tls: self.0.tls.get().copied(),
        }
    }
}

/// All handshakes under one time limit.
#[derive(Clone)]
struct Connector {
    inner: HttpsConnector<Route>,
    limit: Duration,
    meter: Arc<EndpointMeter>,
}

type Stream = <HttpsConnector<Route> as Service<Uri>>::Response;

impl Service<Uri> for Connector {
    type Response = Burst<Stream>;
    type Error = BoxError;
    type Future = Boxed<Burst<Stream>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let is_https = url.scheme() == Some(&http::uri::Scheme::HTTPS);
        let connecting = self.inner.call(url);
        let limit = self.limit;
        let (meter, started) = (Arc::clone(&self.meter), Instant::now());
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(Ok(connected)) => {
                    let took = started.elapsed();
                    meter.connect.observe(took);
                    if is_https {
                        note_tls(&connected, took);
                    }
                    Ok(if connected.connected().is_negotiated_h2() {
                        Burst::off(connected)
                    } else {
                        Burst::new(connected)
                    })
                }
                Ok(Err(error)) => Err(error),
                Err(_) => Err(format!("no connection within {} s", limit.as_secs_f32()).into()),
            }
        })
    }
}

/// Notes how long TLS took, of a connection that took so long in all.
fn note_tls(connected: &Stream, took: Duration) {
    let mut extras = Extensions::new();
    connected.connected().get_extras(&mut extras);
    if let Some(Origin(beginning)) = extras.get() {
        let _ = beginning.tls.set(took.saturating_sub(beginning.connect));
    }
}

/// TCP to the endpoint, or a tunnel to it.
#[derive(Clone)]
struct Route {
    way: Way,
    tcp: HttpConnector,
    network: Network,
    meter: Arc<EndpointMeter>,
}

#[derive(Clone)]
enum Way {
    Direct,
    System,
    Via(Arc<Matcher>),
}

impl Way {
    fn of(proxy: &ProxyRoute) -> Result<Self, BoxError> {
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
            match route.intercept(&url) {
                None => route.direct(url, started).await,
                Some(proxy) => route.through(proxy, url, started).await,
            }
        })
    }
}

impl Route {
    /// The proxy that the way to this URL leads through.
    fn intercept(&self, url: &Uri) -> Option<Intercept> {
        match &self.way {
            Way::Direct => None,
            Way::System => self
                .network
                .system_proxy
                .get_or_init(Matcher::from_system)
                .intercept(url),
            Way::Via(matcher) => matcher.intercept(url),
        }
    }

    async fn direct(mut self, url: Uri, started: Instant) -> Result<Socket, BoxError> {
        let io = self.tcp.call(url).await?;
        if io
            .inner()
            .peer_addr()
            .is_ok_and(|peer| self.network.is_ourselves(peer))
        {
            return Err("this URL leads back to Zephyr itself; change the endpoint's url".into());
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
        // In words at once, since only the innermost errors are told. The address has no credentials.
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

/// A CONNECT names the port, also the default one.
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

/// A TCP connection that remembers how it began.
pub struct Socket {
    io: TokioIo<Metered>,
    origin: Origin,
}

impl Socket {
    /// A connection that was begun to be made at `started`.
    fn new(io: TokioIo<TcpStream>, meter: &EndpointMeter, started: Instant) -> Self {
        let counted = Metered::new(io.into_inner(), Arc::clone(&meter.traffic));
        Self {
            io: TokioIo::new(counted),
            origin: Origin::new(started.elapsed()),
        }
    }
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.origin.clone())
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
}

/// For endpoints without TLS: a configuration that trusts nobody, so that no certificates are read.
fn no_tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the default provider supports the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
