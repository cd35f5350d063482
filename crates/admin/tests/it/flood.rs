//! Connections that say nothing, or very slowly, beside somebody who knows the token.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zephyr_control::Control;

use crate::fake::Server;
use crate::sign_in::Browser;

/// The longest that `zephyr status` may take.
const SOON: Duration = Duration::from_secs(1);

/// So many connections, each of which has sent this.
async fn flood(server: &Server, connections: usize, sent: &str) -> Vec<TcpStream> {
    let mut flood = Vec::new();
    for _ in 0..connections {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        // One that had to go already may take nothing any more.
        let _ = socket.write_all(sent.as_bytes()).await;
        flood.push(socket);
    }
    flood
}

/// Whether the other side has closed it.
async fn is_closed(socket: &mut TcpStream) -> bool {
    let mut byte = [0];
    match socket.read(&mut byte).await {
        Ok(read) => read == 0,
        Err(_) => true,
    }
}

#[tokio::test]
async fn connections_that_say_nothing_keep_nobody_out_who_has_a_token() {
    let server = Server::start().await;
    let host = server.address;
    let half_open = [
        String::new(),
        "G".to_owned(),
        format!("POST /api/v1/session HTTP/1.1\r\nhost: {host}\r\n"),
        // Requests, whose answers nobody reads.
        format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n"),
        format!(
            "POST /api/v1/session HTTP/1.1\r\nhost: {host}\r\nsec-fetch-site: same-origin\r\n\
             content-length: 500\r\n\r\n{{"
        ),
    ];

    for sent in half_open {
        for connections in [70, 500] {
            let flood = flood(&server, connections, &sent).await;

            let status = timeout(SOON, server.client().snapshot()).await;

            assert!(matches!(status, Ok(Ok(_))), "{connections} {sent:?}");
            drop(flood);
        }
    }
}

#[tokio::test]
async fn the_oldest_makes_room() {
    let server = Server::start().await;

    let mut flood = flood(&server, 100, "").await;

    let first = timeout(SOON, is_closed(&mut flood[0])).await;
    assert_eq!(first, Ok(true));
}

#[tokio::test]
async fn the_event_streams_of_a_browser_keep_nobody_out() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        let events = browser.ask(reqwest::Method::GET, "/api/v1/events");
        streams.push(events.send().await.unwrap());
    }

    let status = timeout(SOON, server.client().snapshot()).await;
    let newest = streams.last_mut().unwrap().chunk().await.unwrap();
    let page = browser.ask(reqwest::Method::GET, "/api/v1/snapshot");
    let page = timeout(SOON, page.send()).await;

    assert!(matches!(status, Ok(Ok(_))));
    assert!(matches!(page, Ok(Ok(_))));
    assert!(newest.is_some(), "the newest stream goes on");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_after_a_second() {
    let server = Server::start().await;
    let begun = std::time::Instant::now();
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {}\r\nsec-fetch-site: same-origin\r\n\
         content-length: 500\r\n\r\n{{",
        server.address
    );
    slow.write_all(head.as_bytes()).await.unwrap();

    let mut answer = Vec::new();
    // A reset is how a system may say that what was sent was not read.
    let _ = slow.read_to_end(&mut answer).await;

    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}
