//! What stands at a port in place of an endpoint, for clients that get no further than its connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::server::{Server, listener};

/// How a port treats connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PortFault {
    /// Refuses them.
    Refuses,
    /// Accepts them and resets them at once.
    Resets,
    /// Accepts them and closes them at once.
    Closes,
    /// Accepts them, reads nothing and says nothing.
    Silent,
    /// Does not answer attempts to connect, as behind a firewall that drops them. Only on Linux; elsewhere
    /// as [`PortFault::Refuses`], or [`PortFault::Silent`].
    Unanswered,
}

/// A port of loopback without an endpoint behind it, until it is dropped.
#[derive(Debug)]
pub struct FaultyPort {
    _held: Held,
}

#[derive(Debug)]
enum Held {
    /// Bound, so that nobody else gets the port, and not listening.
    Bound {
        _socket: TcpSocket,
    },
    Serving {
        _server: Server,
    },
    Full {
        _listener: TcpListener,
        _waiting: Vec<TcpStream>,
    },
}

impl FaultyPort {
    /// Takes this address, for instance that of an endpoint that was stopped.
    ///
    /// # Errors
    ///
    /// The address is taken.
    pub async fn at(addr: SocketAddr, fault: PortFault) -> io::Result<Self> {
        let held = match fault {
            PortFault::Refuses => {
                let socket = TcpSocket::new_v4()?;
                #[cfg(unix)]
                socket.set_reuseaddr(true)?;
                socket.bind(addr)?;
                Held::Bound { _socket: socket }
            }
            PortFault::Resets => Held::serving(addr, |socket| async move {
                // Fails only on a socket that is gone already.
                let _ = socket.set_zero_linger();
            })?,
            PortFault::Closes => Held::serving(addr, |socket| async move { drop(socket) })?,
            PortFault::Silent => Held::serving(addr, |socket| async move {
                std::future::pending::<()>().await;
                drop(socket);
            })?,
            PortFault::Unanswered => Held::full(addr).await?,
        };
        Ok(Self { _held: held })
    }
}

impl Held {
    fn serving<F>(
        addr: SocketAddr,
        treat: impl FnMut(TcpStream) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let server = Server::spawn(listener(addr)?, treat);
        Ok(Self::Serving { _server: server })
    }

    /// Fills the queue of connections that wait to be accepted. Linux drops what comes then.
    async fn full(addr: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        let listener = socket.listen(1)?;
        let mut waiting = Vec::new();
        while waiting.len() < MOST_WAITING
            && let Ok(connected) = timeout(TO_CONNECT, TcpStream::connect(addr)).await
        {
            waiting.push(connected?);
        }
        Ok(Self::Full {
            _listener: listener,
            _waiting: waiting,
        })
    }
}

/// More than the shortest queue of any system takes.
const MOST_WAITING: usize = 32;

/// Longer than a connection on loopback needs.
const TO_CONNECT: Duration = Duration::from_millis(300);
