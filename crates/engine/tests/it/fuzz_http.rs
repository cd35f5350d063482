//! Whatever a client sends as a request: the connection ends, and others are served.
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use std::time::Duration;

use crate::common::{Zephyr, plain};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zephyr_corpus::Corpus;
use zephyr_testkit::{Act, Endpoint, PATIENCE};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");

#[tokio::test]
async fn no_request_keeps_its_connection_or_hinders_others() {
    let mut inputs = Vec::new();
    heads().each(300, |input, _| inputs.push(input.to_vec()));

    let answered = send_each(&inputs).await;

    assert!(
        answered > inputs.len() / 4,
        "{answered} of {}",
        inputs.len()
    );
}

#[tokio::test]
#[ignore = "long"]
async fn long_fuzz_of_requests_on_connections() {
    let mut inputs = Vec::new();
    heads().for_long(Duration::from_secs(1), |input, _| {
        if inputs.len() < 20_000 {
            inputs.push(input.to_vec());
        }
    });

    let answered = send_each(&inputs).await;

    println!(
        "measured: {answered} of {} connections got an answer",
        inputs.len()
    );
}

/// Sends each on a connection of its own; returns how many got an answer.
async fn send_each(inputs: &[Vec<u8>]) -> usize {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut answered = 0;
    for input in inputs {
        let mut socket = TcpStream::connect(zephyr.engine.proxy_addr())
            .await
            .unwrap();
        let mut answer = Vec::new();
        let exchange = async {
            // It may have been refused and closed before all of it was sent.
            let _ = socket.write_all(input).await;
            let _ = socket.shutdown().await;
            let _ = socket.read_to_end(&mut answer).await;
        };
        let ended = tokio::time::timeout(PATIENCE, exchange).await;
        assert!(ended.is_ok(), "still open: b\"{}\"", input.escape_ascii());
        if !answer.is_empty() {
            let is_http = answer.starts_with(b"HTTP/1.");
            assert!(is_http, "{}", answer.escape_ascii());
            answered += 1;
        }
    }
    assert_eq!(zephyr.post(&plain()).await.unwrap().text(), "Hi");
    answered
}

fn heads() -> Corpus {
    let words = [
        "\r\n",
        "\r\n\r\n",
        "Host: ",
        "localhost",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: ",
        "Expect: 100-continue\r\n",
        "HTTP/1.0",
        "HTTP/2.0",
        "CONNECT ",
        "OPTIONS * ",
        "0\r\n\r\n",
    ];
    Corpus::read(CORPUS, &["heads"], &words)
}
