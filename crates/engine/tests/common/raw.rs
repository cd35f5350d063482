//! An upstream that a test plays by hand, byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zephyr_testkit::PATIENCE;

/// A peer that has not moved for this long stands still.
const STANDSTILL: Duration = Duration::from_millis(500);

pub struct RawUpstream {
    listener: TcpListener,
    pub addr: SocketAddr,
}

/// One connection that was accepted.
pub struct RawPeer {
    pub socket: TcpStream,
    ahead: BytesMut,
}

impl RawUpstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        Self { listener, addr }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The next connection, its request's head, and whatever came with it.
    pub async fn accept(&self) -> (RawPeer, String) {
        let (socket, _) = patiently(self.listener.accept()).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let mut peer = RawPeer {
            socket,
            ahead: BytesMut::new(),
        };
        let head = peer.read_past("\r\n\r\n").await;
        (peer, head)
    }
}

impl RawPeer {
    /// Everything up to and with `end`.
    pub async fn read_past(&mut self, end: &str) -> String {
        loop {
            let found = self
                .ahead
                .windows(end.len())
                .position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let text = self.ahead.split_to(at + end.len());
                return String::from_utf8_lossy(&text).into_owned();
            }
            assert_ne!(self.more().await, 0, "closed before {end:?}");
        }
    }

    /// Waits until `bytes` more have come.
    pub async fn read_exactly(&mut self, bytes: usize) -> BytesMut {
        while self.ahead.len() < bytes {
            assert_ne!(self.more().await, 0, "closed early");
        }
        self.ahead.split_to(bytes)
    }

    /// Waits until the other side closes or resets the connection.
    pub async fn closed(&mut self) {
        let mut sink = vec![0; 64 * 1024];
        while matches!(patiently(self.socket.read(&mut sink)).await, Ok(1..)) {}
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        patiently(self.socket.write_all(bytes.as_ref()))
            .await
            .unwrap();
    }

    async fn more(&mut self) -> usize {
        patiently(self.socket.read_buf(&mut self.ahead))
            .await
            .unwrap()
    }
}

/// Writes up to `limit` bytes until the other side takes no more; returns how many it took.
pub async fn write_until_stuck(socket: &TcpStream, limit: usize) -> usize {
    let line = format!(": {}\n", "x".repeat(1021)); // Of a stream of events, a comment.
    let piece = line.repeat(64).into_bytes();
    let mut taken = 0;
    while taken < limit {
        match socket.try_write(&piece) {
            Ok(written) => taken += written,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                match tokio::time::timeout(STANDSTILL, socket.writable()).await {
                    Ok(ready) => ready.unwrap(),
                    Err(_) => return taken,
                }
            }
            Err(error) => panic!("after {taken} bytes: {error}"),
        }
    }
    taken
}

pub async fn patiently<T>(event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(seen) => seen,
        Err(_) => panic!("waited {PATIENCE:?} in vain"),
    }
}
