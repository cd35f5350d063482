//! What another user of the machine can do at the admin port: read the metrics with their token, nothing else.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use zephyr_as_user::as_user;
use zephyr_control::Control;

use crate::fake::{Server, web_admin};

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("skipped: only root can become another user");
    }
    is_root
}

/// The status that a program of another user gets.
async fn asked_by_another(port: SocketAddr, line: &str, token: &str) -> u16 {
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {port}\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
    );
    let asking = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        as_user(|| {
            let mut socket = TcpStream::connect(port).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            socket.read_to_string(&mut answer).unwrap();
        });
        answer
    });
    let answer = asking.await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn metrics_token(server: &Server) -> String {
    std::fs::read_to_string(server.data_dir.path().join("metrics-token")).unwrap()
}

#[tokio::test]
async fn another_user_is_refused_whatever_it_shows() {
    if !is_root() {
        return;
    }
    let server = Server::start().await;

    for token in [server.secret(), metrics_token(&server), "guess".to_owned()] {
        for line in [
            "GET /",
            "GET /api/v1/snapshot",
            "GET /api/v1/proof?challenge=0",
            "POST /api/v1/commands",
            "POST /api/v1/session",
            "GET /api/v1/requests",
        ] {
            let status = asked_by_another(server.address, line, &token).await;

            assert_eq!(status, 403, "{line}");
        }
    }
    assert!(server.client().snapshot().await.is_ok());
}

#[tokio::test]
async fn a_monitoring_system_reads_the_metrics_with_their_token() {
    if !is_root() {
        return;
    }
    let server = Server::start().await;
    let line = "GET /metrics";

    let with_it = asked_by_another(server.address, line, &metrics_token(&server)).await;
    let without = asked_by_another(server.address, line, "guess").await;

    assert_eq!((with_it, without), (200, 403));
}

#[tokio::test]
async fn with_allow_other_users_the_token_decides() {
    if !is_root() {
        return;
    }
    let server = Server::open_to(web_admin(0), true).await;
    let line = "GET /api/v1/snapshot";

    let with_it = asked_by_another(server.address, line, &server.secret()).await;
    let without = asked_by_another(server.address, line, "guess").await;

    assert_eq!((with_it, without), (200, 401));
}

#[tokio::test]
async fn connections_of_another_user_take_no_place_of_ours() {
    if !is_root() {
        return;
    }
    let server = Server::start().await;
    let port = server.address;
    let held = tokio::task::spawn_blocking(move || {
        let mut held = Vec::new();
        as_user(|| held.extend((0..300).map(|_| TcpStream::connect(port).unwrap())));
        held
    });
    let held = held.await.unwrap();

    assert!(server.client().snapshot().await.is_ok());
    drop(held);
}
