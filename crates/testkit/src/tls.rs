//! A scripted endpoint behind TLS, which speaks HTTP/2 or HTTP/1.1 as ALPN decides.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::act::{Act, Script};
use crate::received::Received;
use crate::record::{Cancelled, Connection, Record};
use crate::server::{Server, free_port, listener};
use crate::{http1, http2};

/// A fake endpoint behind TLS on a loopback port, with a certificate authority of its own. It
/// records what it receives, and stops when dropped.
///
/// Over HTTP/1.1 its acts are those of an [`Endpoint`](crate::Endpoint). Over HTTP/2 they concern
/// a stream, not the connection: [`Step::Cut`](crate::Step::Cut) and
/// [`Step::Reset`](crate::Step::Reset) both reset the stream, after what was sent before; acts that
/// send bytes outside of an answer reset it too; [`Act::close_after`] has no effect; and every act
/// comes after the request's body.
#[derive(Debug)]
pub struct TlsEndpoint {
    addr: SocketAddr,
    authority: Authority,
    record: Arc<Record>,
    server: Server,
}

impl TlsEndpoint {
    /// Starts on a free port of 127.0.0.1, offering HTTP/2 and HTTP/1.1.
    ///
    /// # Panics
    ///
    /// If the system has none.
    pub async fn start(script: impl Into<Script>) -> Self {
        Self::listen(script.into(), &[H2, HTTP11], ALWAYS)
    }

    /// As [`TlsEndpoint::start`], but the certificate is valid from this day until that day only; each is a
    /// year, a month and a day.
    pub async fn start_valid(
        script: impl Into<Script>,
        first_day: (i32, u8, u8),
        last_day: (i32, u8, u8),
    ) -> Self {
        Self::listen(script.into(), &[H2, HTTP11], [first_day, last_day])
    }

    /// As [`TlsEndpoint::start`], but offers HTTP/1.1 only.
    pub async fn start_http1(script: impl Into<Script>) -> Self {
        Self::listen(script.into(), &[HTTP11], ALWAYS)
    }

    /// Where clients find it: `https://localhost:PORT`. The certificate is valid for `localhost`,
    /// `127.0.0.1` and `*.example.test`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.addr.port())
    }

    /// Its socket address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The certificate of the authority that a client has to trust, in DER.
    pub fn ca_der(&self) -> Vec<u8> {
        self.authority.der.clone()
    }

    /// The certificate of the authority that a client has to trust, in PEM.
    pub fn ca_pem(&self) -> String {
        self.authority.pem.clone()
    }

    /// Replaces the script, for the requests that are not yet complete.
    pub fn set(&self, script: impl Into<Script>) {
        self.record.set(script.into());
    }

    /// Lets the next request have this act instead of the script's.
    pub fn push(&self, act: Act) {
        self.record.push(act);
    }

    /// Every request so far, in the order in which they were complete. In HTTP/2 each is a stream.
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

    /// The next time that a client left before its answer was finished, by resetting the stream
    /// or by closing the connection; waits for it if need be.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`](crate::PATIENCE).
    pub async fn cancelled(&self) -> Cancelled {
        self.record.cancelled().await
    }

    /// How many connections were accepted so far, whether or not their handshake succeeded.
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

    fn listen(script: Script, protocols: &[&[u8]], days: [(i32, u8, u8); 2]) -> Self {
        let record = Arc::new(Record::new(script));
        let listener = listener(free_port()).expect("loopback should have a free port");
        let addr = listener.local_addr().expect("a listener has an address");
        let (authority, config) = tls(protocols, days);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = Server::spawn(listener, {
            let record = Arc::clone(&record);
            move |socket| serve(socket, acceptor.clone(), record.connected())
        });
        Self {
            addr,
            authority,
            record,
            server,
        }
    }
}

#[derive(Debug)]
struct Authority {
    der: Vec<u8>,
    pem: String,
}

/// A new authority, and a server configuration with a certificate that it signed, valid between these days.
fn tls(protocols: &[&[u8]], days: [(i32, u8, u8); 2]) -> (Authority, ServerConfig) {
    const FIXED: &str = "fixed parameters make a valid certificate";

    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect(FIXED));
    let issuer = issuer.expect(FIXED);

    let names = ["localhost", "*.example.test"].map(str::to_owned);
    let mut params = CertificateParams::new(names).expect(FIXED);
    let loopback = SanType::IpAddress(Ipv4Addr::LOCALHOST.into());
    params.subject_alt_names.push(loopback);
    [params.not_before, params.not_after] =
        days.map(|(year, month, day)| rcgen::date_time_ymd(year, month, day));
    let key = KeyPair::generate().expect(FIXED);
    let certificate = params.signed_by(&key, &issuer).expect(FIXED);

    let chain = vec![CertificateDer::from(certificate)];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect(FIXED);
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect(FIXED);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();

    let authority = Authority {
        der: issuer.der().to_vec(),
        pem: issuer.pem(),
    };
    (authority, config)
}

async fn serve(socket: TcpStream, acceptor: TlsAcceptor, connection: Connection) {
    let Ok(socket) = acceptor.accept(socket).await else {
        return;
    };
    if socket.get_ref().1.alpn_protocol() == Some(H2) {
        http2::serve(socket, &connection).await;
    } else {
        http1::serve(socket, &connection).await;
    }
}

const ALWAYS: [(i32, u8, u8); 2] = [(1975, 1, 1), (4096, 1, 1)];
const H2: &[u8] = b"h2";
const HTTP11: &[u8] = b"http/1.1";
