//! A simulated endpoint: an HTTP/1.1 server on loopback.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::answer::{Answer, Asked, End, Length, PACE, Piece, Sent, answer, request_id};
use crate::profile::Profile;

/// No request of a client is larger.
const MOST_BODY: usize = 64 * 1024 * 1024;

/// A simulated endpoint on a loopback port. It stops when dropped.
#[derive(Debug)]
pub struct Sim {
    profile: Profile,
    address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

impl Sim {
    /// Starts one endpoint.
    ///
    /// # Errors
    ///
    /// The system has no port left.
    pub async fn start(profile: Profile) -> io::Result<Self> {
        Self::start_since(profile, Instant::now()).await
    }

    /// Starts the endpoints of the demo, with the timetables of [`Profile::fleet`] side by side.
    ///
    /// # Errors
    ///
    /// The system has no ports left.
    pub async fn fleet() -> io::Result<Vec<Self>> {
        let started = Instant::now();
        let mut fleet = Vec::new();
        for profile in Profile::fleet() {
            fleet.push(Self::start_since(profile, started).await?);
        }
        Ok(fleet)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.profile.name
    }

    /// Where clients find it: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn start_since(profile: Profile, started: Instant) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let simulated = Simulated {
            profile: profile.clone(),
            started,
            requests: AtomicU64::new(0),
        };
        let serving = tokio::spawn(accept(listener, Arc::new(simulated)));
        Ok(Self {
            profile,
            address,
            _serving: AbortOnDropHandle::new(serving),
        })
    }
}

struct Simulated {
    profile: Profile,
    started: Instant,
    requests: AtomicU64,
}

/// The connections end with this task.
async fn accept(listener: TcpListener, simulated: Arc<Simulated>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => drop(connections.spawn(serve(socket, Arc::clone(&simulated)))),
                Err(error) => {
                    tracing::debug!(%error, "a simulated endpoint could not accept a connection");
                    sleep(PACE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(socket: TcpStream, simulated: Arc<Simulated>) {
    // Without it, an event may wait 40 ms for the one before to be acknowledged.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request| {
        let simulated = Arc::clone(&simulated);
        let answering: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { simulated.respond(request).await });
        answering
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let was_reset = ended.is_err_and(|error| is_reset(&error));
    if was_reset {
        let socket = connection.into_parts().io.into_inner();
        // The system sends an RST when the socket is closed.
        let _ = socket.set_zero_linger();
    }
}

type Body = UnsyncBoxBody<Bytes, Broken>;

/// How a connection ends that is not closed in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Broken {
    #[error("the connection is to be reset")]
    Reset,
    #[error("the answer is to be cut off")]
    Cut,
}

fn is_reset(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    source.and_then(|source| source.downcast_ref()) == Some(&Broken::Reset)
}

impl Simulated {
    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Body>, Broken> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MOST_BODY).collect().await;
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let Ok(body) = body.map(|body| body.to_bytes()) else {
            return Ok(too_large());
        };
        let asked = Asked {
            method: &head.method,
            path: head.uri.path(),
            body: &body,
            number,
        };
        match answer(&self.profile, &asked, self.started.elapsed()) {
            Answer::Reset => Err(Broken::Reset),
            Answer::Sent(sent) => {
                sleep(sent.after).await;
                Ok(response(sent, number))
            }
        }
    }
}

fn response(sent: Sent, number: u64) -> Response<Body> {
    let mut response = Response::builder()
        .status(sent.status)
        .header(CONTENT_TYPE, sent.content_type)
        .header("request-id", request_id(number));
    if let Length::Declared(length) = sent.length {
        response = response.header(CONTENT_LENGTH, length);
    }
    response
        .body(body(sent.pieces, sent.end))
        .expect("every part is well-formed")
}

fn body(pieces: Vec<Piece>, end: End) -> Body {
    let state = (pieces.into_iter(), Some(end));
    let frames = stream::unfold(state, async |(mut pieces, mut end)| {
        if let Some(piece) = pieces.next() {
            if !piece.after.is_zero() {
                sleep(piece.after).await;
            }
            return Some((Ok(Frame::data(piece.bytes)), (pieces, end)));
        }
        match end.take()? {
            End::Whole => None,
            End::Cut => {
                // By then everything before is on its way.
                sleep(PACE).await;
                Some((Err(Broken::Cut), (pieces, end)))
            }
        }
    });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

fn too_large() -> Response<Body> {
    let nothing = Full::default().map_err(|never: Infallible| match never {});
    let mut response = Response::new(nothing.boxed_unsync());
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}
