//! The bare forwarder: what any proxy made of hyper must cost, and the bar for Zephyr.
//!
//! It streams the request body on, keeps its pieces as if for another try, and passes the answer as it
//! comes. It chooses nothing, checks nothing and reads nothing.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{Either, Empty};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

type Outgoing = Either<Incoming, Empty<Bytes>>;

/// Forwards to `upstream` (an address) until it is killed; prints its own port.
pub(crate) fn run(upstream: &str) -> Result<()> {
    let upstream: Authority = upstream.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async { tokio::spawn(serve(upstream)).await? })
}

async fn serve(upstream: Authority) -> Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Kept> = Client::builder(TokioExecutor::new()).build(connector);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, upstream) = (client.clone(), upstream.clone());
        tokio::spawn(async move {
            let service =
                service_fn(move |request| forward(client.clone(), upstream.clone(), request));
            // A client that leaves is its own affair.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn forward(
    client: Client<HttpConnector, Kept>,
    upstream: Authority,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, Infallible> {
    let (mut head, body) = request.into_parts();
    let mut uri = std::mem::take(&mut head.uri).into_parts();
    uri.scheme = Some(hyper::http::uri::Scheme::HTTP);
    uri.authority = Some(upstream);
    head.uri = Uri::from_parts(uri).unwrap_or_default();
    head.headers.remove(header::HOST);
    let pieces = Vec::new();
    let answer = client
        .request(Request::from_parts(head, Kept { body, pieces }))
        .await;
    Ok(match answer {
        Ok(answer) => answer.map(Either::Left),
        Err(_) => {
            let mut bad_gateway = Response::new(Either::Right(Empty::new()));
            *bad_gateway.status_mut() = StatusCode::BAD_GATEWAY;
            bad_gateway
        }
    })
}

/// A body on its way whose pieces are kept.
struct Kept {
    body: Incoming,
    pieces: Vec<Bytes>,
}

impl Body for Kept {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(piece) = frame.data_ref()
        {
            self.pieces.push(piece.clone());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
