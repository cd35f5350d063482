//! Connections to one endpoint: pooled, warm, over TCP or TLS, directly or through a proxy.
//!
//! hyper-util's client does the pooling and speaks HTTP/1.1 or, where TLS negotiated it, HTTP/2. This
//! module adds one time limit over all handshakes, how long each took, and whether a request that got no
//! answer was left unprocessed: then it may be sent once more on a fresh connection.

use std::error::Error as StdError;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Extensions, Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::legacy::{self as client, Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;
use zephyr_core::classify::Fault;
use zephyr_core::config::Endpoint;

use super::errors::{BoxError, root_cause};
use super::network::{Network, no_tls};
use super::route::{Boxed, Route, Way};
use super::socket::{Handshake, Origin};
use super::trust::bad_certificate;
use crate::metrics::EndpointMeter;
use crate::request::upload::AttemptBody;
use crate::wire::burst::Burst;

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

/// The connections to one endpoint.
pub struct Connections {
    /// Replaced where its idle connections may be dead.
    pooled: RwLock<Client<Connector, AttemptBody>>,
    /// Opens a new connection for every request.
    fresh: Client<Connector, AttemptBody>,
    connector: Connector,
}

impl Connections {
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

    /// Where they are counted.
    pub fn meter(&self) -> &Arc<EndpointMeter> {
        &self.connector.meter
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
            .map_err(|error| unconnected(error.as_ref()))
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
    /// Whether the endpoint did nothing with the request, so that it may be sent once more on a fresh
    /// connection, whatever else holds.
    pub unprocessed: bool,
    /// The connection's beginning, if it had not answered before.
    pub handshake: Option<Handshake>,
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
            let has_answered = origin.is_some_and(Origin::has_answered);
            let is_http2 = error
                .connect_info()
                .is_some_and(Connected::is_negotiated_h2);
            // A connection of HTTP/1 that had answered before was merely closed while idle. HTTP/2 says
            // it by itself.
            let unprocessed = if is_http2 {
                is_turned_away(&error)
            } else {
                has_answered
            };
            let handshake = origin.filter(|_| !has_answered).map(Origin::handshake);
            let fault = if error.is_connect() {
                unconnected(&error)
            } else {
                Fault::Lost(root_cause(&error))
            };
            Err(SendError {
                fault,
                unprocessed,
                handshake,
            })
        }
    }
}

/// Why there is no connection.
fn unconnected(error: &(dyn StdError + 'static)) -> Fault {
    match bad_certificate(error) {
        Some(bad) => Fault::Certificate(Box::new(bad)),
        None => Fault::Connect(root_cause(error)),
    }
}

/// Whether an HTTP/2 endpoint did not begin with the request (RFC 9113, 8.7): it refused the stream, or
/// the connection was ending without an error and the stream came too late for it.
fn is_turned_away(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let reason = error.reason();
            return reason == Some(h2::Reason::REFUSED_STREAM)
                || (error.is_go_away() && reason == Some(h2::Reason::NO_ERROR));
        }
        next = error.source();
    }
    false
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
                    if is_https && let Some(origin) = origin(&connected) {
                        origin.secured(took);
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

fn origin(connected: &Stream) -> Option<Origin> {
    let mut extras = Extensions::new();
    connected.connected().get_extras(&mut extras);
    extras.get().cloned()
}
