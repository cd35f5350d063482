//! The proxy's listener. The number of connections is limited. A client above the limit is told the reason.

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

/// The most connections at once. Further clients get an error and are disconnected.
pub const MAX_CONNECTIONS: usize = 4096;
/// How many refused connections may wait at once until their client has read the refusal. Further ones are
/// reset.
const REFUSED_AT_A_TIME: usize = 64;
/// How long a refused connection waits.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
/// The time for a request's head, and the time that an idle connection stays open.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// The pause after an error of `accept`, such as too many open files.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// The limits for the connections of clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time for a request's head, and the time that an idle connection stays open.
    pub head_timeout: Duration,
    /// The most connections at once.
    pub connections: usize,
}

/// Serves connections until `stop`, and counts them in `connections`. Returns when none is left.
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
        // If this fails, only the latency is worse.
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

/// Says that there are too many connections, and waits until the client has read it. Closing before the
/// client's bytes are read would destroy the message.
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
/// The error of the system.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
