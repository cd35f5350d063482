//! Connections to one endpoint: pooled, warm, over TCP or TLS, directly or through a proxy.
//!
//! hyper-util's client does the pooling. It speaks HTTP/1.1, or HTTP/2 if TLS negotiated it. This module adds
//! one time limit over all handshakes, and how long each of them took. For a request without an answer it
//! also finds out whether the endpoint did not process it: such a request may be sent once more on a fresh
//! connection.

use std::error::Error as StdError;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
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
use super::route::{Boxed, ClearText, Route, Way};
use super::socket::{Handshake, Origin};
use super::trust::bad_certificate;
use crate::clients::head::is_chunked_alone;
use crate::metrics::EndpointMeter;
use crate::request::upload::AttemptBody;
use crate::wire::burst::Burst;

/// Longer than the default interval of probes, so that probes keep idle connections warm.
const IDLE_CONNECTION: Duration = Duration::from_secs(90);
/// A silent HTTP/2 connection gets a ping after this time, to find out whether it is still there.
const H2_PING_INTERVAL: Duration = Duration::from_secs(20);
/// How much one HTTP/2 stream, and a whole connection, may send before it is read, in bytes. The connection
/// has room for as many streams as ever run in parallel, so that one slow client does not delay the others.
/// h2 also uses half of the connection's window as its limit for small unread frames, and token streams are
/// mostly such frames. With a window that starts small and adapts, h2 would end the connection in the middle
/// of 64 streams.
const H2_STREAM_WINDOW: u32 = 512 * 1024;
const H2_CONNECTION_WINDOW: u32 = 256 * H2_STREAM_WINDOW;
/// TCP keep-alive. Anthropic recommends it for long calls.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

pub struct Connections {
    /// Replaced when its idle connections may be dead.
    pooled: RwLock<Client<Connector, AttemptBody>>,
    /// Opens a new connection for every request.
    fresh: Client<Connector, AttemptBody>,
    connector: Connector,
}

impl Connections {
    /// Connections as the endpoint's configuration asks.
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
            allow_insecure: endpoint.allow_insecure,
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

    /// Sends a request on a pooled connection or on a new one.
    ///
    /// # Errors
    ///
    /// The head of the answer did not come.
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

    /// Sends a request on a connection that was never used before.
    ///
    /// # Errors
    ///
    /// The head of the answer did not come.
    pub async fn send_fresh(
        &self,
        request: Request<AttemptBody>,
    ) -> Result<Response<Incoming>, SendError> {
        settle_use(self.fresh.request(request).await)
    }

    /// Counts the traffic of these connections.
    pub fn meter(&self) -> &Arc<EndpointMeter> {
        &self.connector.meter
    }

    /// Stops using the idle connections. Requests that are in flight keep theirs.
    pub fn forget_idle(&self) {
        let empty = client_builder().build(self.connector.clone());
        let mut pooled = self.pooled.write().unwrap_or_else(PoisonError::into_inner);
        *pooled = empty;
    }

    /// Opens a connection, with TLS if the URL says so, and closes it again.
    ///
    /// # Errors
    ///
    /// The connection does not open.
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

/// The head of a request's answer did not come.
#[derive(Debug)]
pub struct SendError {
    pub fault: Fault,
    /// Whether the endpoint did not process the request. If so, it may always be sent once more on a fresh
    /// connection.
    pub unprocessed: bool,
    /// The handshake of the connection, if the connection had not carried an answer before.
    pub handshake: Option<Handshake>,
}

/// The handshake of the connection that the answer came on, if this is its first answer.
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
            match ambiguity(response.headers()) {
                None => Ok(response),
                Some(ambiguity) => Err(SendError {
                    fault: Fault::NotMessages(ambiguity.to_owned()),
                    unprocessed: false,
                    handshake: handshake(&response),
                }),
            }
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
            // An HTTP/1 connection that had answered before was only closed while it was idle. HTTP/2 says
            // this itself.
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

/// Why the end of the answer cannot be known for sure: two readers could understand its head differently (RFC 9112,
/// 6.1 and 6.3). hyper takes such heads.
fn ambiguity(headers: &HeaderMap) -> Option<&'static str> {
    if headers.get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        return Some("it says more than once how long it is");
    }
    let is_coded = headers.contains_key(TRANSFER_ENCODING) && !is_chunked_alone(headers);
    is_coded.then_some("it has a transfer coding besides chunked")
}

/// Why the connection did not open.
fn unconnected(error: &(dyn StdError + 'static)) -> Fault {
    if ClearText::is_cause_of(error) {
        return Fault::ClearText;
    }
    match bad_certificate(error) {
        Some(bad) => Fault::Certificate(Box::new(bad)),
        None => Fault::Connect(root_cause(error)),
    }
}

/// Whether an HTTP/2 endpoint did not process the request (RFC 9113, 8.7): it refused the stream, or the
/// connection was closing without an error and the stream came too late.
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
