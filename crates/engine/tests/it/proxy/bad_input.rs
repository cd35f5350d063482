//! Nonsense gets a 4xx, floods are bounded, and the listener goes on.

use std::time::Duration;

use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint, RawClient};

use crate::common::{Zephyr, config};

async fn assert_still_serving(zephyr: &Zephyr, what: &str) {
    let answer = zephyr.stream().await.unwrap();
    assert_eq!(answer.text(), "Hi", "{what}");
}

/// The status that these bytes get; the connection is closed after it.
async fn status_of(zephyr: &Zephyr, bytes: &[u8]) -> u16 {
    let mut client = zephyr.client().await;
    client.send(bytes).await.unwrap();
    client.read_head().await.unwrap().0
}

#[tokio::test]
async fn malformed_http_gets_a_400_and_the_listener_goes_on() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let nonsense: [&[u8]; 10] = [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/7.0\r\nhost: localhost\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nho st: localhost\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: many\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: gzip\r\n\r\n",
    ];
    for bytes in nonsense {
        let what = String::from_utf8_lossy(bytes);

        assert_eq!(status_of(&zephyr, bytes).await, 400, "{what:?}");

        assert_still_serving(&zephyr, &what).await;
    }
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 0);
}

#[tokio::test]
async fn a_chunk_that_is_none_is_the_clients_fault() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let request = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nnot a size\r\n";

    assert_eq!(status_of(&zephyr, request).await, 400);

    assert!(a.requests().is_empty());
    assert_still_serving(&zephyr, "a malformed chunk").await;
}

#[tokio::test]
async fn a_flood_of_headers_gets_a_4xx_and_the_listener_goes_on() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let many = "x-flood: 1\r\n".repeat(1000);
    let large = format!("x-flood: {}\r\n", "x".repeat(200_000));
    for (what, flood) in [("many", many), ("large", large)] {
        let mut client = zephyr.client().await;
        let head = format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{flood}\r\n");
        client.send(head).await.unwrap();

        let (status, _) = client.read_head().await.unwrap();

        assert_eq!(status, 431, "{what}");
        assert_still_serving(&zephyr, what).await;
    }
    let long = format!(
        "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "x".repeat(66_000)
    );
    let status = status_of(&zephyr, long.as_bytes()).await;
    assert!([414, 431].contains(&status), "{status}");
    assert!(
        a.requests()
            .iter()
            .all(|seen| seen.path() == "/v1/messages")
    );
}

#[tokio::test]
async fn as_many_headers_as_real_clients_send_pass() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    let headers: String = (0..90).map(|n| format!("x-custom-{n}: 1\r\n")).collect();
    let large = format!("x-large: {}\r\n", "x".repeat(30_000));
    let head = format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{headers}{large}\r\n");

    client.send(head).await.unwrap();

    assert_eq!(client.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn connections_that_never_finish_a_head_are_closed_and_hinder_nobody() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let options = Options {
        head_timeout: Some(Duration::from_millis(500)),
        ..Options::default()
    };
    let zephyr = Zephyr::start(&config(&[a.url()], ""), options).await;
    let mut slow: Vec<(&str, RawClient)> = Vec::new();
    for start in [
        "",
        "P",
        "PRI * HTTP/2.0\r\n",
        "POST /v1/messages HTTP/1.1\r\nhost: loc",
    ] {
        for _ in 0..50 {
            let mut client = zephyr.client().await;
            client.send(start).await.unwrap();
            slow.push((start, client));
        }
    }

    assert_still_serving(&zephyr, "slow connections").await;

    for (start, mut client) in slow {
        let end = client.read_head().await.map_err(|error| error.kind());
        assert_ne!(end.err(), Some(std::io::ErrorKind::TimedOut), "{start:?}");
    }
}

#[tokio::test]
async fn a_connection_that_stays_idle_is_closed() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let options = Options {
        head_timeout: Some(Duration::from_millis(500)),
        ..Options::default()
    };
    let zephyr = Zephyr::start(&config(&[a.url()], ""), options).await;
    let mut client = zephyr.client().await;
    client
        .send("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    client.answer().await.unwrap();

    let end = client.read_head().await.unwrap_err();

    assert_ne!(end.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn the_first_bytes_of_a_connection_may_come_one_by_one() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    for byte in b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n" {
        client.send([*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }

    assert_eq!(client.answer().await.unwrap().status, 200);
}
