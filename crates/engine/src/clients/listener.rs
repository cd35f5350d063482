//! The proxy's listener. The number of connections is bounded; further ones are told so.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::connection;
use super::reply::{self, Code};
use crate::engine::shared::Shared;

/// Most connections at once; further ones are told so and closed.
pub const MAX_CONNECTIONS: usize = 4096;
/// Refused connections that may at once wait for their client to take the refusal; others are reset.
const REFUSED_AT_A_TIME: usize = 64;
/// How long they wait.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
/// Time for a request's head, and for an idle connection to be used again.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// After an error of `accept` (too many open files, for instance) the listener rests this long.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// What bounds the connections of clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for a request's head, and for an idle connection to be used again.
    pub head_timeout: Duration,
    /// Most connections at once.
    pub connections: usize,
}

/// Serves connections until `stop`, counted in `connections`; returns when none is left.
pub async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    limits: Limits,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let refusals = Arc::new(Semaphore::new(REFUSED_AT_A_TIME));
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, _) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        // Without it only the latency is worse.
        let _ = stream.set_nodelay(true);
        let meter = &shared.metrics.clients;
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            meter.refused.add(1);
            if let Ok(turn) = Arc::clone(&refusals).try_acquire_owned() {
                connections.spawn(async move {
                    let _ = tokio::time::timeout(REFUSAL_TIME, refuse(stream)).await;
                    drop(turn);
                });
            }
            continue;
        };
        meter.accepted.add(1);
        let shared = Arc::clone(&shared);
        let stop = stop.clone();
        connections.spawn(async move {
            connection(stream, &shared, limits.head_timeout, stop).await;
            shared.metrics.clients.ended.add(1);
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Says that there are too many connections, and waits until the client has taken that: closing on what
/// it has sent would destroy it.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let message = "Zephyr has as many connections as it takes; close some, or try again later";
    let refusal = reply::error(Code::TooManyConnections, message);
    let mut bytes = format!("HTTP/1.1 {}\r\n", refusal.status()).into_bytes();
    for (name, value) in refusal.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let length = refusal.body().len();
    bytes.extend_from_slice(format!("content-length: {length}\r\nretry-after: 1\r\n").as_bytes());
    bytes.extend_from_slice(b"connection: close\r\n\r\n");
    bytes.extend_from_slice(refusal.body());
    stream.write_all(&bytes).await?;
    stream.shutdown().await?;
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

/// Binds the proxy's port.
///
/// # Errors
///
/// What the system says.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
