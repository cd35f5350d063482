//! Forward proxies, as a company or a tunnel has them: HTTP `CONNECT` and SOCKS5.
//!
//! Both only open tunnels. A target that exists nowhere can be given an address with `route`, so
//! that a test sees whether names are left to the proxy.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::http::{Head, Wire};
use crate::server::{Server, free_port, listener};

/// An HTTP proxy that serves `CONNECT`. It stops when dropped.
#[derive(Debug)]
pub struct HttpProxy {
    addr: SocketAddr,
    desk: Arc<Desk>,
    _server: Server,
}

impl HttpProxy {
    /// Starts a proxy for everybody.
    pub async fn start() -> Self {
        Self::listen(None)
    }

    /// Starts a proxy that demands these credentials (Basic) and answers 407 without them.
    pub async fn start_with_credentials(user: &str, password: &str) -> Self {
        Self::listen(Some(Credentials::new(user, password)))
    }

    /// Where it is, without credentials: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Its socket address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Leads tunnels to `target` (`host:port`) to this address.
    pub fn route(&self, target: &str, addr: SocketAddr) {
        self.desk.route(target, addr);
    }

    /// Every target (`host:port`) that was asked for with the right credentials, in order.
    pub fn targets(&self) -> Vec<String> {
        self.desk.targets()
    }

    /// How many tunnels were refused for want of the right credentials.
    pub fn refused(&self) -> usize {
        self.desk.refused()
    }

    fn listen(credentials: Option<Credentials>) -> Self {
        let (addr, desk, server) = open(credentials, |socket, desk| async move {
            // An error is a tunnel's end, whichever side caused it.
            let _ = serve_http(socket, &desk).await;
        });
        Self {
            addr,
            desk,
            _server: server,
        }
    }
}

/// A SOCKS5 proxy that serves CONNECT. It stops when dropped.
#[derive(Debug)]
pub struct SocksProxy {
    addr: SocketAddr,
    desk: Arc<Desk>,
    _server: Server,
}

impl SocksProxy {
    /// Starts a proxy for everybody.
    pub async fn start() -> Self {
        Self::listen(None)
    }

    /// Starts a proxy that demands this username and password.
    pub async fn start_with_credentials(user: &str, password: &str) -> Self {
        Self::listen(Some(Credentials::new(user, password)))
    }

    /// Where it is, without credentials: `socks5://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("socks5://{}", self.addr)
    }

    /// Its socket address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Leads tunnels to `target` (`host:port`) to this address.
    pub fn route(&self, target: &str, addr: SocketAddr) {
        self.desk.route(target, addr);
    }

    /// Every target (`host:port`) that was asked for with the right credentials, in order. The
    /// host is a name only if the client left it to the proxy.
    pub fn targets(&self) -> Vec<String> {
        self.desk.targets()
    }

    /// How many tunnels were refused for want of the right credentials.
    pub fn refused(&self) -> usize {
        self.desk.refused()
    }

    fn listen(credentials: Option<Credentials>) -> Self {
        let (addr, desk, server) = open(credentials, |socket, desk| async move {
            // An error is a tunnel's end, whichever side caused it.
            let _ = serve_socks(socket, &desk).await;
        });
        Self {
            addr,
            desk,
            _server: server,
        }
    }
}

/// Starts a proxy.
///
/// # Panics
///
/// If loopback has no free port.
fn open<F>(
    credentials: Option<Credentials>,
    serve: impl Fn(TcpStream, Arc<Desk>) -> F + Send + 'static,
) -> (SocketAddr, Arc<Desk>, Server)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = listener(free_port()).expect("loopback should have a free port");
    let addr = listener.local_addr().expect("a listener has an address");
    let desk = Arc::new(Desk {
        credentials,
        book: Mutex::default(),
    });
    let server = Server::spawn(listener, {
        let desk = Arc::clone(&desk);
        move |socket| serve(socket, Arc::clone(&desk))
    });
    (addr, desk, server)
}

async fn serve_http(socket: TcpStream, desk: &Desk) -> io::Result<()> {
    let mut wire = Wire::new(socket);
    while let Some(head) = wire.head().await? {
        wire.body(head.request_framing()?).await?;
        let Some(target) = connect_target(&head) else {
            answer(&mut wire, "405 Method Not Allowed\r\nallow: CONNECT").await?;
            continue;
        };
        if !desk.admits_basic(head.header("proxy-authorization")) {
            answer(
                &mut wire,
                "407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"test\"",
            )
            .await?;
            continue;
        }
        let Ok(upstream) = desk.connect(target).await else {
            answer(&mut wire, "502 Bad Gateway").await?;
            continue;
        };
        wire.socket
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
        return tunnel(wire, upstream).await;
    }
    Ok(())
}

fn connect_target(head: &Head) -> Option<&str> {
    head.start.strip_prefix("CONNECT ")?.split(' ').next()
}

async fn answer(wire: &mut Wire<TcpStream>, status: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    wire.socket.write_all(head.as_bytes()).await
}

/// The protocol's numbers: RFC 1928, and RFC 1929 for the password.
async fn serve_socks(socket: TcpStream, desk: &Desk) -> io::Result<()> {
    let mut wire = Wire::new(socket);
    let offer = wire.exactly(2).await?;
    let methods = wire.exactly(usize::from(offer[1])).await?;
    let method = if desk.credentials.is_some() { 2 } else { 0 };
    if offer[0] != 5 || !methods.contains(&method) {
        desk.refuse();
        return wire.socket.write_all(&[5, 0xff]).await;
    }
    wire.socket.write_all(&[5, method]).await?;
    if method == 2 {
        let version = wire.exactly(1).await?[0];
        let user = counted(&mut wire).await?;
        let password = counted(&mut wire).await?;
        if version != 1 || !desk.admits(&user, &password) {
            desk.refuse();
            return wire.socket.write_all(&[1, 1]).await;
        }
        wire.socket.write_all(&[1, 0]).await?;
    }
    let request = wire.exactly(4).await?;
    let host = match request[3] {
        1 => {
            let address: [u8; 4] = octets(&mut wire).await?;
            Ipv4Addr::from(address).to_string()
        }
        3 => counted(&mut wire).await?,
        4 => {
            let address: [u8; 16] = octets(&mut wire).await?;
            format!("[{}]", Ipv6Addr::from(address))
        }
        _ => return reply(&mut wire, 8).await,
    };
    let port = u16::from_be_bytes(octets(&mut wire).await?);
    if request[1] != 1 {
        return reply(&mut wire, 7).await;
    }
    let Ok(upstream) = desk.connect(&format!("{host}:{port}")).await else {
        return reply(&mut wire, 5).await;
    };
    reply(&mut wire, 0).await?;
    tunnel(wire, upstream).await
}

/// A text with its length in front.
async fn counted(wire: &mut Wire<TcpStream>) -> io::Result<String> {
    let length = wire.exactly(1).await?[0];
    let text = wire.exactly(usize::from(length)).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

async fn octets<const N: usize>(wire: &mut Wire<TcpStream>) -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    octets.copy_from_slice(&wire.exactly(N).await?);
    Ok(octets)
}

async fn reply(wire: &mut Wire<TcpStream>, code: u8) -> io::Result<()> {
    wire.socket
        .write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0])
        .await
}

async fn tunnel(wire: Wire<TcpStream>, mut upstream: TcpStream) -> io::Result<()> {
    let Wire { mut socket, ahead } = wire;
    upstream.write_all(&ahead).await?;
    copy_bidirectional(&mut socket, &mut upstream).await?;
    Ok(())
}

/// Who may open tunnels, where they lead, and which were opened.
#[derive(Debug)]
struct Desk {
    credentials: Option<Credentials>,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    targets: Vec<String>,
    routes: HashMap<String, SocketAddr>,
    refused: usize,
}

#[derive(Debug)]
struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    fn basic(&self) -> String {
        let Self { user, password } = self;
        format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
    }
}

impl Desk {
    fn admits(&self, user: &str, password: &str) -> bool {
        self.credentials
            .as_ref()
            .is_none_or(|wanted| wanted.user == user && wanted.password == password)
    }

    fn admits_basic(&self, given: Option<&str>) -> bool {
        let admits = match &self.credentials {
            None => true,
            Some(wanted) => given == Some(&wanted.basic()),
        };
        if !admits {
            self.refuse();
        }
        admits
    }

    fn refuse(&self) {
        self.book().refused += 1;
    }

    async fn connect(&self, target: &str) -> io::Result<TcpStream> {
        let route = {
            let mut book = self.book();
            book.targets.push(target.to_owned());
            book.routes.get(target).copied()
        };
        let socket = match route {
            Some(addr) => TcpStream::connect(addr).await?,
            None => TcpStream::connect(target).await?,
        };
        socket.set_nodelay(true)?;
        Ok(socket)
    }

    fn route(&self, target: &str, addr: SocketAddr) {
        self.book().routes.insert(target.to_owned(), addr);
    }

    fn targets(&self) -> Vec<String> {
        self.book().targets.clone()
    }

    fn refused(&self) -> usize {
        self.book().refused
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let octet = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for digit in 0..4 {
            if digit <= group.len() {
                let index = (bits >> (18 - 6 * digit)) & 63;
                text.push(char::from(ALPHABET[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_padded_as_the_standard_shows() {
        assert_eq!(
            base64(b"Aladdin:open sesame"),
            "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(base64(b"abc"), "YWJj");
    }
}
