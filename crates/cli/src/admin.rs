//! The admin HTTP server: a [`Control`] for every program on this machine that knows the token.
//!
//! | path | answers |
//! | --- | --- |
//! | `GET /` | the interface, for people with a browser |
//! | `GET /api/v1/snapshot` | the state |
//! | `GET /api/v1/events` | the state now and after every change, as server-sent events |
//! | `POST /api/v1/commands` | carries out a command |
//! | `POST /api/v1/check` | what would be wrong if a command were carried out |
//! | `POST /api/v1/diagnose` | tests an endpoint step by step |
//! | `GET /api/v1/configuration` | what stands in the configuration file |
//! | `GET /api/v1/requests` | the journal: a page of the requests that match |
//! | `GET /api/v1/requests/export` | all of those, as a file: `format=csv` or `format=jsonl` |
//! | `GET /api/v1/requests/ID` | one of them in full |
//! | `GET /api/v1/usage` | sums over the journal |
//! | `GET /api/v1/history` | how endpoints were over time |
//! | `GET /api/v1/proof` | shows that it knows the token, to whoever is about to send it |
//! | `GET /metrics` | what is counted, for Prometheus |
//!
//! Who signs in with a browser, and how, is told in `sign_in`.
//!
//! It is not for other machines and not for web pages of other origins: it binds loopback addresses
//! only, answers no preflight, and asks the guard before anything else. A client that is slow on
//! purpose holds one of a bounded number of connections for a bounded time.

mod commands;
mod connections;
mod failure;
mod guard;
mod journal;
mod page;
pub(crate) mod sign_in;
mod visitors;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt};
use http::header::{self, HeaderMap, HeaderName};
use http::{HeaderValue, Method, Uri};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zephyr_control::{Control, METRICS_TYPE, Snapshot, Snapshots};
use zephyr_core::config::WebAdmin;

use self::connections::Connections;
use self::failure::Failure;
use self::visitors::Visitors;
use crate::token::Token;

/// Comments on a quiet event stream are this far apart; a client that hears nothing for much longer
/// may take the instance for dead.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

const EVENTS: &str = "/api/v1/events";
const EXPORT: &str = "/api/v1/requests/export";

/// Where an instance proves that it knows the token, to a client that does not want to tell it to just
/// anybody who listens here.
pub(crate) const PROOF: &str = "/api/v1/proof";

/// A running admin server. It ends when its shutdown token is cancelled.
#[must_use]
pub struct Admin {
    address: SocketAddr,
    connections: Connections,
}

impl Admin {
    /// Where it listens; not the configured port if that was busy.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has stopped and the requests under way are answered.
    pub async fn stopped(self) {
        self.connections.ended().await;
    }
}

/// Serves `control` on the admin port, or on a free one if that is busy, until `shutdown` is
/// cancelled.
///
/// # Errors
///
/// If the address is not a loopback one, or nothing can be bound there.
pub async fn serve(
    control: Arc<dyn Control>,
    config: &WebAdmin,
    token: Token,
    shutdown: CancellationToken,
) -> io::Result<Admin> {
    let listener = bind(config).await?;
    let address = listener.local_addr()?;
    let api = Api {
        control,
        token,
        visitors: Visitors::default(),
        has_page: config.enabled,
        port: address.port(),
        shutdown: shutdown.clone(),
    };
    let connections = Connections::accept(listener, router(Arc::new(api)), shutdown);
    Ok(Admin {
        address,
        connections,
    })
}

async fn bind(config: &WebAdmin) -> io::Result<TcpListener> {
    if !config.host.is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "web_admin.host has to be a loopback address, for instance 127.0.0.1",
        ));
    }
    match TcpListener::bind((config.host, config.port)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let listener = TcpListener::bind((config.host, 0)).await?;
            tracing::warn!(
                busy = config.port,
                instead = listener.local_addr()?.port(),
                "the admin port is busy; took a free one"
            );
            Ok(listener)
        }
        bound => bound,
    }
}

struct Api {
    control: Arc<dyn Control>,
    token: Token,
    visitors: Visitors,
    has_page: bool,
    port: u16,
    shutdown: CancellationToken,
}

fn router(api: Arc<Api>) -> Router {
    let router = Router::new()
        .route("/api/v1/snapshot", get(snapshot))
        .route(EVENTS, get(events))
        .route("/api/v1/commands", post(commands::execute))
        .route("/api/v1/check", post(commands::check))
        .route("/api/v1/diagnose", post(commands::diagnose))
        .route("/api/v1/configuration", get(commands::configuration))
        .route("/api/v1/requests", get(journal::requests))
        .route(EXPORT, get(journal::export))
        .route("/api/v1/requests/{id}", get(journal::request))
        .route("/api/v1/usage", get(journal::usage))
        .route("/api/v1/history", get(journal::history))
        .route(sign_in::CODES, post(sign_in::code))
        .route(
            sign_in::SESSION,
            get(sign_in::session)
                .post(sign_in::exchange)
                .delete(sign_in::end),
        )
        .route(PROOF, get(proof))
        .route("/metrics", get(metrics));
    let router = if api.has_page {
        router.route("/", get(page::index)).fallback(page::other)
    } else {
        router.fallback(unknown_path)
    };
    router
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), require_token))
        .layer(middleware::from_fn_with_state(api.clone(), require_source))
        .layer(middleware::map_response(harden))
        .with_state(api)
}

async fn require_source(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    match guard::admit_source(request.uri(), request.headers(), api.port) {
        Ok(()) => next.run(request).await,
        Err(rejection) => rejection.into_response(),
    }
}

/// By the path, so that a route nobody thought of is closed. A program sends the token. A browser sends
/// a session, and that has to come from our own page.
async fn require_token(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let (path, headers) = (request.uri().path(), request.headers());
    let is_open = match path {
        PROOF => true,
        sign_in::SESSION => request.method() == Method::POST,
        _ => !(path.starts_with("/api") || path.starts_with("/metrics")),
    };
    let admitted = match guard::admit_bearer(headers, &api.token) {
        Err(_) if sign_in::admit(&api, request.uri(), headers) => guard::admit_same_origin(headers),
        admitted => admitted,
    };
    match admitted {
        Err(rejection) if !is_open => rejection.into_response(),
        Ok(()) | Err(_) => next.run(request).await,
    }
}

async fn snapshot(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let snapshot = api.control.snapshot().await?;
    Ok(axum::Json(&*snapshot).into_response())
}

async fn events(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let snapshots = api.control.snapshots().await?;
    let events = event_stream(snapshots, api.shutdown.clone());
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

fn event_stream(
    snapshots: Snapshots,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    snapshots
        .map(|snapshot| Ok(event(&snapshot)))
        .take_until(shutdown.cancelled_owned())
}

fn event(snapshot: &Snapshot) -> sse::Event {
    let event = sse::Event::default().event("snapshot");
    event.json_data(snapshot).unwrap_or_else(|error| {
        tracing::error!(%error, "a snapshot could not be written as JSON");
        sse::Event::default().comment("a snapshot could not be written")
    })
}

async fn metrics(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    let text = api.control.metrics().await?;
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response())
}

/// The challenge is the query, whatever it says; the answer is worth nothing at another port.
async fn proof(State(api): State<Arc<Api>>, uri: Uri) -> String {
    let challenge = uri.query().unwrap_or_default();
    api.token.proof(api.port, challenge)
}

async fn wrong_method() -> Failure {
    Failure::WrongMethod
}

async fn unknown_path() -> Failure {
    Failure::UnknownPath
}

async fn harden(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in HARDENING {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let cached = headers.entry(header::CACHE_CONTROL);
    cached.or_insert(HeaderValue::from_static("no-store"));
    response
}

const HARDENING: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
