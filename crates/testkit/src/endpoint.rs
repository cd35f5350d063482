//! A scripted endpoint: an HTTP/1.1 server on loopback that does what its script says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::act::{Act, Script};
use crate::http1;
use crate::received::Received;
use crate::record::{Cancelled, Record};
use crate::server::{Server, free_port, listener};

/// A fake endpoint on a loopback port. It records what it receives, and stops when dropped.
#[derive(Debug)]
pub struct Endpoint {
    addr: SocketAddr,
    record: Arc<Record>,
    server: Server,
}

impl Endpoint {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If the system has none.
    pub async fn start(script: impl Into<Script>) -> Self {
        Self::start_at(free_port(), script)
            .await
            .expect("loopback should have a free port")
    }

    /// Starts on this address, for instance that of an endpoint that was stopped.
    pub async fn start_at(addr: SocketAddr, script: impl Into<Script>) -> io::Result<Self> {
        Self::listen(addr, Record::new(script.into()))
    }

    /// Where clients find it: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Its socket address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Replaces the script, for the requests that are not yet complete.
    pub fn set(&self, script: impl Into<Script>) {
        self.record.set(script.into());
    }

    /// Lets the next request have this act instead of the script's. Pushed acts are used up in
    /// the order in which they were pushed.
    pub fn push(&self, act: Act) {
        self.record.push(act);
    }

    /// Every request so far, in the order in which they were complete.
    pub fn requests(&self) -> Vec<Received> {
        self.record.requests()
    }

    /// The next request that no earlier call has returned; waits for it if need be.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`](crate::PATIENCE).
    pub async fn next_request(&self) -> Received {
        self.record.next_request().await
    }

    /// The next time that a client left before its answer was finished, if no earlier call has
    /// returned it; waits for it if need be.
    ///
    /// A client leaves when it closes the connection, or its sending half. Leaving in the middle
    /// of a request is not counted: there is no answer yet.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`](crate::PATIENCE).
    pub async fn cancelled(&self) -> Cancelled {
        self.record.cancelled().await
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.record.connections()
    }

    /// How many connections are open now.
    pub fn open_connections(&self) -> usize {
        self.record.open_connections()
    }

    /// Waits until `count` connections are open, no more and no fewer.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`](crate::PATIENCE).
    pub async fn until_open_connections(&self, count: usize) {
        self.record.until_open_connections(count).await;
    }

    /// Closes the port and all connections; returns when this is done.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// As [`Endpoint::start`], but forgets each request as soon as it is answered, for tests of
    /// millions of requests.
    ///
    /// # Errors
    ///
    /// The system has no port left.
    pub fn start_forgetful(script: impl Into<Script>) -> io::Result<Self> {
        Self::listen(free_port(), Record::forgetful(script.into()))
    }

    fn listen(addr: SocketAddr, record: Record) -> io::Result<Self> {
        let record = Arc::new(record);
        let listener = listener(addr)?;
        let addr = listener.local_addr()?;
        let server = Server::spawn(listener, {
            let record = Arc::clone(&record);
            move |socket| {
                let connection = record.connected();
                async move { http1::serve(socket, &connection).await }
            }
        });
        Ok(Self {
            addr,
            record,
            server,
        })
    }
}
