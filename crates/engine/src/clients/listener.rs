//! The proxy's listener. The number of connections is limited. A client above the limit, and a program of another
//! user, is told the reason.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zephyr_secrets::redact::Redacted;

use super::connection::connection;
use super::guard::Refused;
use super::neighbour;
use super::places::Places;
use super::reply::{self, Code};
use crate::engine::shared::Shared;

/// The most connections at once. A further one takes the place of an idle one; without one it gets an error.
pub const MAX_CONNECTIONS: usize = 4096;
/// How many connections at once may be on the way to a place. It takes a moment to find out whose they are.
const ARRIVING_AT_A_TIME: usize = 256;
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
    let door = Arc::new(Door {
        places: Places::new(limits.connections),
        refusals: Arc::new(Semaphore::new(REFUSED_AT_A_TIME)),
        told: neighbour::Told::default(),
        head_timeout: limits.head_timeout,
        shared,
        stop,
    });
    let arrivals = Arc::new(Semaphore::new(ARRIVING_AT_A_TIME));
    loop {
        let accepted = tokio::select! {
            biased;
            () = door.stop.cancelled() => break,
            accepted = accept(&listener, &arrivals) => accepted,
        };
        match accepted {
            Ok((stream, peer, arrival)) => {
                let door = Arc::clone(&door);
                connections.spawn(async move { door.receive(stream, peer, arrival).await });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(
    listener: &TcpListener,
    arrivals: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let arrival = Arc::clone(arrivals).acquire_owned().await;
    let arrival = arrival.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, arrival))
}

/// What every connection comes through.
struct Door {
    places: Arc<Places>,
    refusals: Arc<Semaphore>,
    told: neighbour::Told,
    head_timeout: Duration,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

impl Door {
    /// Serves the connection, or says why not.
    async fn receive(&self, stream: TcpStream, peer: SocketAddr, arrival: OwnedSemaphorePermit) {
        // If this fails, only the latency is worse.
        let _ = stream.set_nodelay(true);
        let meter = &self.shared.metrics.clients;
        let peer = zephyr_peer::whose(&stream, peer).await;
        let allow_other_users = self.shared.live().config.server.allow_other_users;
        let admitted = neighbour::admit(peer, allow_other_users);
        self.told.note(peer, admitted.is_err());
        let admitted = admitted.and_then(|standing| {
            let place = self.places.take().ok_or_else(too_many)?;
            Ok((standing, place))
        });
        drop(arrival);
        match admitted {
            Ok((standing, place)) => {
                meter.accepted.add(1);
                let place = Arc::new(place);
                let stop = self.stop.clone();
                let serving = connection(
                    stream,
                    &self.shared,
                    (standing, &place),
                    self.head_timeout,
                    stop,
                );
                tokio::select! {
                    () = serving => {}
                    () = place.given_away() => {}
                }
                meter.ended.add(1);
            }
            Err(refused) => {
                meter.refused.add(1);
                if let Ok(turn) = Arc::clone(&self.refusals).try_acquire_owned() {
                    let refusing = refuse(stream, &refused);
                    let _ = tokio::time::timeout(REFUSAL_TIME, refusing).await;
                    drop(turn);
                }
            }
        }
    }
}

fn too_many() -> Refused {
    Refused {
        code: Code::TooManyConnections,
        message: "Zephyr has as many connections as it takes; close some, or try again later"
            .to_owned(),
    }
}

/// Says why the connection is refused, and waits until the client has read it. Closing before the client's
/// bytes are read would destroy the message.
async fn refuse(mut stream: TcpStream, refused: &Refused) -> io::Result<()> {
    let refusal = reply::error(refused.code, Redacted::by_shape(&refused.message));
    let mut bytes = format!("HTTP/1.1 {}\r\n", refusal.status()).into_bytes();
    for (name, value) in refusal.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let length = refusal.body().len();
    bytes.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
    if refused.code == Code::TooManyConnections {
        bytes.extend_from_slice(b"retry-after: 1\r\n");
    }
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
