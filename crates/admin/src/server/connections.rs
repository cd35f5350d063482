//! The connections of the admin port: how many at a time, and how long one may take to send its request.
//!
//! `axum::serve` bounds neither, so a program that opens connections and sends a byte a minute could use
//! up the descriptors that the proxy needs.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const AT_A_TIME: usize = 64;
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
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
        shutdown: CancellationToken,
    ) -> Self {
        let tasks = TaskTracker::new();
        tasks.spawn(accept(listener, router, shutdown, tasks.clone()));
        tasks.close();
        Self { tasks }
    }

    /// Waits until all are closed and no more are accepted.
    pub(super) async fn ended(self) {
        self.tasks.wait().await;
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    tasks: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    let next = async || {
        let place = places.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((socket, _)) => return Some((socket, place)),
                Err(error) => {
                    tracing::debug!(%error, "the admin port could not accept a connection");
                    sleep(BREATHER).await;
                }
            }
        }
    };
    while let Some(Some((socket, place))) = shutdown.run_until_cancelled(next()).await {
        let answering = answer(socket, router.clone(), shutdown.clone());
        tasks.spawn(async move {
            answering.await;
            drop(place);
        });
    }
}

async fn answer(socket: TcpStream, router: Router, shutdown: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        // One request each, so that a client that never reads its answers holds nothing.
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        _ = &mut connection => {}
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(GRACE, connection).await;
        }
    }
}
