//! The connections of the admin port: how long one may take to send its request, and how they end. How many
//! there are, and whose, is in [`places`](super::places).
//!
//! `axum::serve` bounds neither, so a program that opens connections and sends a byte a minute could use
//! up the descriptors that the proxy needs.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zephyr_peer::Peer;

use super::places::{Place, Places};

const HEAD_TIMEOUT: Duration = Duration::from_secs(3);
/// For a connection of which nobody knows whose it is, its answer included.
const NOBODYS_TIME: Duration = Duration::from_secs(30);
/// For requests in flight at the end. To hyper, a connection without one counts as one.
const GRACE: Duration = Duration::from_secs(1);
const MAX_HEAD: usize = 16 * 1024;
/// Before accepting again, when the system has no descriptors left.
const BREATHER: Duration = Duration::from_millis(200);

/// Every connection that is open.
pub(super) struct Connections {
    tasks: TaskTracker,
}

impl Connections {
    /// Accepts connections until `shutdown` is cancelled.
    pub(super) fn accept(
        listener: TcpListener,
        router: Router,
        allow_other_users: bool,
        shutdown: CancellationToken,
    ) -> Self {
        let tasks = TaskTracker::new();
        let door = Door {
            places: Places::default(),
            allow_other_users,
            router,
            shutdown,
        };
        tasks.spawn(accept(listener, door, tasks.clone()));
        tasks.close();
        Self { tasks }
    }

    /// Waits until all are closed and no more are accepted.
    pub(super) async fn ended(self) {
        self.tasks.wait().await;
    }
}

/// What every connection comes through.
#[derive(Clone)]
struct Door {
    places: Places,
    allow_other_users: bool,
    router: Router,
    shutdown: CancellationToken,
}

async fn accept(listener: TcpListener, door: Door, tasks: TaskTracker) {
    let next = async || {
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    tracing::debug!(%error, "the admin port could not accept a connection");
                    sleep(BREATHER).await;
                }
            }
        }
    };
    while let Some((socket, peer)) = door.shutdown.run_until_cancelled(next()).await {
        tasks.spawn(door.clone().answer(socket, peer));
    }
}

impl Door {
    async fn answer(self, socket: TcpStream, peer: SocketAddr) {
        let peer = zephyr_peer::whose(&socket, peer).await;
        let is_foreign = matches!(peer, Peer::Other { .. } | Peer::Nobody);
        let place = self.places.enter(is_foreign && !self.allow_other_users);
        answer(socket, place, self.router, self.shutdown).await;
    }
}

async fn answer(socket: TcpStream, place: Place, router: Router, shutdown: CancellationToken) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(place.clone());
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        // One request each, so that a client that never reads its answers holds nothing.
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = &mut connection => {}
        () = place.given_up() => {}
        () = overdue(&place) => {}
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(GRACE, connection).await;
        }
    }
}

/// Waits until a connection that is nobody's has been there for too long.
async fn overdue(place: &Place) {
    sleep(NOBODYS_TIME).await;
    if !place.is_nobodys() {
        std::future::pending::<()>().await;
    }
}
