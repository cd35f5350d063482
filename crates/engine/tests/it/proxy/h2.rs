//! Clients that speak cleartext HTTP/2.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use zephyr_testkit::{Act, Endpoint, Gate, Phase};

use crate::common::raw::patiently;
use crate::common::{Zephyr, plain, streaming};

type Client = SendRequest<Full<Bytes>>;

/// One connection.
async fn connect(zephyr: &Zephyr) -> Client {
    let socket = TcpStream::connect(zephyr.engine.proxy_addr())
        .await
        .unwrap();
    let (client, connection) = handshake(TokioExecutor::new(), TokioIo::new(socket))
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

fn post(target: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(format!("http://localhost{target}"))
        .header("anthropic-beta", "one")
        .header("anthropic-beta", "two")
        .body(Full::new(body.into()))
        .unwrap()
}

async fn whole(answer: Response<Incoming>) -> Result<String, hyper::Error> {
    let body = answer.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_request_over_h2c_arrives_as_it_came() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = connect(&zephyr).await;

    let request = post("/v1/messages?beta=true", plain().to_string());
    let answer = patiently(client.send_request(request)).await.unwrap();

    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["x-used-endpoint"], "A");
    assert!(answer.headers().contains_key("request-id"));
    assert!(whole(answer).await.unwrap().contains("\"Hi\""));
    let received = a.next_request().await;
    assert_eq!(received.target, "/v1/messages?beta=true");
    assert_eq!(received.body, plain().to_string());
    assert_eq!(received.headers_named("anthropic-beta"), ["one", "two"]);
    assert_eq!(received.headers_named("host"), [a.addr().to_string()]);
}

#[tokio::test]
async fn parallel_streams_share_one_client_connection() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::gate_at(Phase::AfterFirstDelta, gate.clone())).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let client = connect(&zephyr).await;
    let mut streams = JoinSet::new();
    for _ in 0..64 {
        let mut client = client.clone();
        streams.spawn(async move {
            let request = post("/v1/messages", streaming().to_string());
            whole(client.send_request(request).await.unwrap()).await
        });
    }
    for _ in 0..64 {
        a.next_request().await;
    }

    gate.open();

    while let Some(stream) = patiently(streams.join_next()).await {
        let text = stream.unwrap().unwrap();
        assert_eq!(text.matches("event: message_start").count(), 1);
        assert!(text.ends_with("\n\n") && text.contains("event: message_stop"));
    }
}

#[tokio::test]
async fn a_large_body_and_a_large_answer_pass() {
    let a = Endpoint::start(Act::json(&serde_json::json!("y".repeat(5_000_000)))).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = connect(&zephyr).await;

    let request = post("/v1/files", vec![b'x'; 5_000_000]);
    let answer = patiently(client.send_request(request)).await.unwrap();

    assert_eq!(patiently(whole(answer)).await.unwrap().len(), 5_000_002);
    assert_eq!(a.next_request().await.body.len(), 5_000_000);
}

#[tokio::test]
async fn a_body_that_is_too_large_gets_a_413() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "[server]\nmax_body_mb = 1\n").await;
    let mut client = connect(&zephyr).await;

    let request = post("/v1/messages", vec![b'x'; 5_000_000]);
    let answer = patiently(client.send_request(request)).await.unwrap();

    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(whole(answer).await.unwrap().contains("request_too_large"));
}

#[tokio::test]
async fn a_break_midway_resets_its_stream_only() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::gate_at(Phase::AfterFirstDelta, gate.clone())).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = connect(&zephyr).await;
    let request = || post("/v1/messages", streaming().to_string());
    let going = patiently(client.send_request(request())).await.unwrap();
    a.set(Act::cut_at(Phase::BetweenDeltas));

    let broken = patiently(client.send_request(request())).await.unwrap();

    assert!(patiently(whole(broken)).await.is_err(), "never a clean end");
    gate.open();
    let text = patiently(whole(going)).await.unwrap();
    assert!(text.contains("event: message_stop"));
}

#[tokio::test]
async fn a_stream_that_the_client_resets_cancels_its_upstream_request_only() {
    let a = Endpoint::start(Act::hang()).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = connect(&zephyr).await;
    let request = || post("/v1/messages", streaming().to_string());
    let hanging = tokio::spawn(client.send_request(request()));
    a.next_request().await;

    hanging.abort();
    a.cancelled().await;

    let seen = zephyr
        .until("its end", |seen| {
            seen.totals.in_flight == 0 && seen.totals.abandoned == 1
        })
        .await;
    assert_eq!(seen.endpoint("A").unwrap().failures, 0);
    a.set(Act::message("Hi"));
    let answer = patiently(client.send_request(request())).await.unwrap();
    assert!(whole(answer).await.unwrap().contains("message_stop"));
}
