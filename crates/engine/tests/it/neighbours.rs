//! What another user of the machine can do: nothing, unless the file says otherwise.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use zephyr_as_user::as_user;
use zephyr_testkit::{Act, Endpoint};

use crate::common::{Zephyr, streaming};

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("skipped: only root can become another user");
    }
    is_root
}

/// What a program of another user gets from the proxy.
async fn as_another_user(proxy: SocketAddr, request: String) -> (u16, Value) {
    let asking = tokio::task::spawn_blocking(move || {
        let mut answer = Vec::new();
        as_user(|| {
            let mut socket = TcpStream::connect(proxy).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            socket.read_to_end(&mut answer).unwrap();
        });
        String::from_utf8(answer).unwrap()
    });
    let answer = asking.await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n")
}

fn post() -> String {
    let body = streaming().to_string();
    let length = body.len();
    format!(
        "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn another_user_spends_nothing_and_learns_nothing() {
    if !is_root() {
        return;
    }
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for request in [
        post(),
        get("/health", ""),
        get("/status", ""),
        get("/diagnostics", ""),
        get("/v1/models", ""),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ] {
        let (status, body) = as_another_user(zephyr.engine.proxy_addr(), request.clone()).await;

        assert_eq!(status, 403, "{request}");
        assert_eq!(body["error"]["type"], "permission_error");
        let message = body["error"]["message"].to_string();
        assert!(message.contains("server.allow_other_users"), "{message}");
    }
    assert!(a.requests().is_empty());
    assert_eq!(zephyr.used().await, "A");
}

#[tokio::test]
async fn another_user_takes_no_place_of_ours() {
    if !is_root() {
        return;
    }
    let a = Endpoint::start(Act::message("from A")).await;
    let options = zephyr_engine::Options {
        max_connections: Some(1),
        ..zephyr_engine::Options::default()
    };
    let zephyr = Zephyr::start(&crate::common::config(&[a.url()], ""), options).await;
    let proxy = zephyr.engine.proxy_addr();
    let held = tokio::task::spawn_blocking(move || {
        let mut held = Vec::new();
        as_user(|| held.extend((0..300).map(|_| TcpStream::connect(proxy).unwrap())));
        held
    });
    let held = held.await.unwrap();

    assert_eq!(zephyr.stream().await.unwrap().text(), "from A");
    drop(held);
}

#[tokio::test]
async fn with_allow_other_users_they_may_work_but_learn_no_url() {
    if !is_root() {
        return;
    }
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "[server]\nallow_other_users = true\n\n").await;
    let proxy = zephyr.engine.proxy_addr();

    let (posted, _) = as_another_user(proxy, post()).await;
    let (_, status) = as_another_user(proxy, get("/status", "")).await;
    let (_, diagnostics) = as_another_user(proxy, get("/diagnostics", "")).await;

    assert_eq!(posted, 200);
    assert_eq!(status["current_endpoint"], "A");
    assert_eq!(status["endpoints"]["A"]["available"], true);
    for told in [&status, &diagnostics] {
        let text = told.to_string();
        assert!(!text.contains(&a.url()), "{text}");
        assert!(told["endpoints"]["A"].is_object(), "{text}");
        assert!(told.get("snapshot").is_none(), "{text}");
    }
    let own = zephyr.get("/status").await.json();
    assert_eq!(own["current_endpoint"], json!(a.url()));
    assert!(zephyr.get("/diagnostics").await.json()["snapshot"].is_object());
}

#[tokio::test]
async fn whoever_shows_a_token_of_ours_is_told_everything() {
    if !is_root() {
        return;
    }
    let a = Endpoint::start(Act::message("from A")).await;
    let folder = tempfile::tempdir().unwrap();
    let options = zephyr_engine::Options {
        data_dir: Some(folder.path().to_owned()),
        ..zephyr_engine::Options::default()
    };
    let open = "[server]\nallow_other_users = true\n\n";
    let zephyr = Zephyr::start(&crate::common::config(&[a.url()], open), options).await;
    let proxy = zephyr.engine.proxy_addr();
    std::fs::write(folder.path().join("admin-token"), "0123456789abcdef").unwrap();
    let of_client = zephyr_secrets::client_token::ClientTokens::current_or_new(folder.path());
    let of_client = of_client.unwrap().expose().to_owned();

    for shown in [
        "authorization: Bearer 0123456789abcdef\r\n".to_owned(),
        format!("x-api-key: {of_client}\r\n"),
    ] {
        let (_, told) = as_another_user(proxy, get("/diagnostics", &shown)).await;
        assert!(told["snapshot"].is_object(), "{shown}");
    }
    let (_, told) = as_another_user(proxy, get("/diagnostics", "x-api-key: guess\r\n")).await;
    assert!(told.get("snapshot").is_none());
}

#[tokio::test]
async fn letting_others_in_counts_from_the_next_connection_on() {
    if !is_root() {
        return;
    }
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let proxy = zephyr.engine.proxy_addr();
    let before = as_another_user(proxy, get("/health", "")).await.0;

    let open = "[server]\nallow_other_users = true\n\n";
    zephyr.rewrite(&crate::common::config(&[a.url()], open));
    zephyr.run(zephyr_control::Command::Reload).await;
    let after = as_another_user(proxy, get("/health", "")).await.0;

    assert_eq!((before, after), (403, 200));
}
