//! Endpoints behind TLS, over HTTP/2 and HTTP/1.1.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, crypto};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zephyr_testkit::{Act, Gate, HttpVersion, Phase, TlsEndpoint};

use crate::{STREAMED, WHOLE};

#[tokio::test]
async fn http2_is_spoken_and_recorded() {
    let endpoint = TlsEndpoint::start(Act::message("spoken over two")).await;
    let mut client = h2(&endpoint).await;

    for body in [WHOLE, STREAMED] {
        let answer = client.send_request(post(body)).await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("two"));
    }

    let requests = endpoint.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|request| request.version == HttpVersion::H2)
    );
    assert_eq!(requests[0].json()["model"], "claude-haiku-5-5");
    assert_eq!(requests[0].target, "/v1/messages");
    assert_eq!(endpoint.connections(), 1);
}

#[tokio::test]
async fn a_client_may_settle_for_http1() {
    let endpoint = TlsEndpoint::start_http1(Act::message("over one")).await;
    let socket = connect(&endpoint).await;
    assert_eq!(socket.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let (mut client, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);

    let answer = client.send_request(post(WHOLE)).await.unwrap();

    assert!(answer.headers().contains_key("content-length"));
    assert_eq!(endpoint.next_request().await.version, HttpVersion::Http11);
}

#[tokio::test]
async fn streams_share_a_connection_and_wait_for_their_own_gates() {
    let gate = Gate::new();
    let endpoint = TlsEndpoint::start(Act::message("quick")).await;
    endpoint.push(Act::gate_at(Phase::AfterFirstDelta, gate.clone()));
    let mut client = h2(&endpoint).await;

    let mut held = client
        .send_request(post(STREAMED))
        .await
        .unwrap()
        .into_body();
    assert!(held.frame().await.unwrap().is_ok());
    let quick = client.send_request(post(WHOLE)).await.unwrap();
    quick.into_body().collect().await.unwrap();
    gate.open();
    let rest = held.collect().await.unwrap().to_bytes();

    assert!(String::from_utf8_lossy(&rest).contains("message_stop"));
    assert_eq!(endpoint.connections(), 1);
}

#[tokio::test]
async fn a_stream_is_reset_after_what_was_sent_and_the_connection_lives_on() {
    let endpoint = TlsEndpoint::start(Act::message("x")).await;
    let mut client = h2(&endpoint).await;
    for phase in Phase::ALL {
        endpoint.push(Act::reset_at(phase));
        let Ok(answer) = client.send_request(post(STREAMED)).await else {
            assert_eq!(phase, Phase::BeforeHeaders);
            continue;
        };
        let mut body = answer.into_body();
        let mut received = Vec::new();
        while let Ok(frame) = body.frame().await.expect("no proper end") {
            received.extend_from_slice(&frame.into_data().expect("data"));
        }
        let seen = String::from_utf8_lossy(&received).contains("content_block_start");
        assert_eq!(seen, phase.client_sees_content(), "{phase:?}");
        assert_eq!(
            received.is_empty(),
            !phase.client_may_see_head() || phase == Phase::AfterHeaders
        );
    }
    let answer = client.send_request(post(WHOLE)).await.unwrap();
    assert_eq!((answer.status().as_u16(), endpoint.connections()), (200, 1));
}

#[tokio::test]
async fn a_large_answer_obeys_flow_control() {
    let text = "wind ".repeat(100_000);
    let endpoint = TlsEndpoint::start(Act::message(&text)).await;
    let mut client = h2(&endpoint).await;
    let answer = client.send_request(post(WHOLE)).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(body.len() > text.len());
}

#[tokio::test]
async fn a_client_that_drops_a_stream_is_noticed() {
    let endpoint = TlsEndpoint::start(Act::stall_at(Phase::AfterPing)).await;
    let mut client = h2(&endpoint).await;
    let mut body = client
        .send_request(post(STREAMED))
        .await
        .unwrap()
        .into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(endpoint.cancelled().await.request, 0);
}

#[tokio::test]
async fn a_client_that_closes_the_connection_is_noticed_for_each_stream() {
    let endpoint = TlsEndpoint::start(Act::hang()).await;
    let socket = connect(&endpoint).await;
    // hyper would keep the connection for as long as a stream is open.
    let (mut client, connection) = h2::client::handshake(socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut streams = Vec::new();
    for _ in 0..2 {
        let request = post(STREAMED).map(drop);
        streams.push(client.send_request(request, true).unwrap());
        endpoint.next_request().await;
    }

    connection.abort();

    let mut left = [
        endpoint.cancelled().await.request,
        endpoint.cancelled().await.request,
    ];
    left.sort_unstable();
    assert_eq!(left, [0, 1]);
    endpoint.until_open_connections(0).await;
}

#[tokio::test]
async fn a_tls_endpoint_speaks_http1_byte_by_byte_too() {
    let endpoint = TlsEndpoint::start_http1(Act::cut_at(Phase::AfterPing)).await;
    let (mut client, connection) = http1::handshake(TokioIo::new(connect(&endpoint).await))
        .await
        .unwrap();
    tokio::spawn(connection);
    let answer = client.send_request(post(STREAMED)).await.unwrap();
    assert!(answer.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_gets_nowhere() {
    let endpoint = TlsEndpoint::start(Act::message("x")).await;
    let other = TlsEndpoint::start(Act::message("x")).await;
    assert!(handshake(&endpoint, &other.ca_der()).await.is_err());
    assert!(endpoint.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    endpoint.until_open_connections(0).await;
}

fn post(body: &'static str) -> Request<Full<Bytes>> {
    Request::post("https://localhost/v1/messages")
        .header("content-type", "application/json")
        .body(Full::from(body))
        .expect("a valid request")
}

async fn h2(endpoint: &TlsEndpoint) -> http2::SendRequest<Full<Bytes>> {
    let socket = connect(endpoint).await;
    assert_eq!(socket.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(socket))
        .await
        .expect("the endpoint speaks HTTP/2");
    tokio::spawn(connection);
    client
}

async fn connect(endpoint: &TlsEndpoint) -> TlsStream<TcpStream> {
    let socket = handshake(endpoint, &endpoint.ca_der()).await;
    socket.expect("the authority is trusted")
}

async fn handshake(
    endpoint: &TlsEndpoint,
    authority: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.to_vec().into()).expect("a certificate");
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider supports the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let socket = TcpStream::connect(endpoint.addr()).await?;
    let name = ServerName::try_from("localhost").expect("a valid name");
    TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
}
