//! Whatever a client sends as a request: the connection ends, and others are served. An endpoint that forgives
//! nothing gets one request for each that is sent on, and a client that forgives nothing one answer, whatever the
//! endpoint sends.
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use std::time::Duration;

use crate::common::strict::{Message, StrictEndpoint};
use crate::common::{Zephyr, config, plain};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zephyr_corpus::Corpus;
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint, PATIENCE};

const LONG: Duration = Duration::from_secs(300);
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

/// The head time of a connection that sends half a request, so that it ends.
const SOON: Duration = Duration::from_millis(100);
/// After this, a client leaves.
const ENOUGH: Duration = Duration::from_secs(2);
/// Connections at once.
const ABREAST: usize = 32;

#[tokio::test]
async fn a_strict_endpoint_gets_one_request_for_each_that_is_sent_on() {
    let mut inputs = Vec::new();
    heads().each(400, |input, _| inputs.push(input.to_vec()));

    let sent_on = send_on(&inputs).await;

    assert!(sent_on > inputs.len() / 10, "{sent_on} of {}", inputs.len());
}

#[tokio::test]
#[ignore = "long"]
async fn long_fuzz_of_requests_for_a_strict_endpoint() {
    let until = std::time::Instant::now() + LONG;
    let (mut inputs, mut sent_on) = (0, 0);
    while std::time::Instant::now() < until {
        let mut some = Vec::new();
        heads().for_long(Duration::from_millis(200), |input, _| {
            if some.len() < 4_000 {
                some.push(input.to_vec());
            }
        });
        sent_on += send_on(&some).await;
        inputs += some.len();
    }

    println!("measured: {sent_on} requests sent on, of {inputs} connections");
}

#[tokio::test]
async fn a_strict_client_gets_one_answer_whatever_the_endpoint_sends() {
    let mut inputs = Vec::new();
    answers().each(300, |input, _| inputs.push(input.to_vec()));

    let whole = answer_each(&inputs).await;

    assert!(whole > inputs.len() / 10, "{whole} of {}", inputs.len());
}

#[tokio::test]
#[ignore = "long"]
async fn long_fuzz_of_answers_for_a_strict_client() {
    let until = std::time::Instant::now() + LONG;
    let (mut inputs, mut whole) = (0, 0);
    while std::time::Instant::now() < until {
        let mut some = Vec::new();
        answers().for_long(Duration::from_millis(50), |input, _| {
            if some.len() < 1_000 {
                some.push(input.to_vec());
            }
        });
        whole += answer_each(&some).await;
        inputs += some.len();
    }

    println!("measured: {whole} whole answers, of {inputs}");
}

/// Sends each on a connection of its own to Zephyr before a strict endpoint. Returns how many requests were
/// sent on.
async fn send_on(inputs: &[Vec<u8>]) -> usize {
    let fine = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let endpoint = StrictEndpoint::start(fine).await;
    let options = Options {
        head_timeout: Some(SOON),
        ..Options::default()
    };
    let zephyr = Zephyr::start(&config(&[endpoint.url().to_owned()], ""), options).await;
    let proxy = zephyr.engine.proxy_addr();
    for some in inputs.chunks(ABREAST) {
        let exchanges: Vec<_> = some
            .iter()
            .map(|input| {
                let input = input.clone();
                tokio::spawn(async move {
                    let mut socket = TcpStream::connect(proxy).await.unwrap();
                    let mut answer = Vec::new();
                    let exchange = async {
                        let _ = socket.write_all(&input).await;
                        // Nothing more comes. Otherwise the rest of a body would be waited for.
                        if ends_open(&input) {
                            let _ = socket.shutdown().await;
                        }
                        let _ = socket.read_to_end(&mut answer).await;
                    };
                    // A body that never comes is waited for; the connection may as well end.
                    let _ = tokio::time::timeout(ENOUGH, exchange).await;
                })
            })
            .collect();
        for exchange in exchanges {
            exchange.await.unwrap();
        }
    }
    assert_eq!(zephyr.get("/v1/x").await.status, 200);
    let attempts = usize::try_from(zephyr.snapshot().await.totals.attempts).unwrap();
    let seen = endpoint.seen();
    assert!(seen.wrong.is_empty(), "{:#?}", seen.wrong);
    // An attempt whose client left may not have got there.
    assert!(
        seen.requests.len() <= attempts,
        "{attempts}: {:#?}",
        seen.requests
    );
    seen.requests.len()
}

/// Whether the last request in these bytes is not whole.
fn ends_open(mut bytes: &[u8]) -> bool {
    while let Ok(Some(request)) = Message::request(bytes) {
        bytes = &bytes[request.length..];
    }
    !bytes.is_empty() && matches!(Message::request(bytes), Ok(None))
}

/// Has an endpoint answer with each. Returns how many whole answers the client got.
async fn answer_each(inputs: &[Vec<u8>]) -> usize {
    let a = Endpoint::start(Act::message("Hi")).await;
    let extra = "[failover]\nfirst_byte_timeout_seconds = 1\nidle_timeout_seconds = 1\n";
    let zephyr = Zephyr::start(&config(&[a.url()], extra), Options::default()).await;
    let proxy = zephyr.engine.proxy_addr();
    let mut whole = 0;
    for input in inputs {
        a.push(Act::bytes(input.clone()));
        let ask = "POST /v1/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        let mut socket = TcpStream::connect(proxy).await.unwrap();
        socket.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
        let read = read.unwrap_or_else(|_| panic!("still open: b\"{}\"", input.escape_ascii()));
        let shown = || {
            format!(
                "b\"{}\" became b\"{}\"",
                input.escape_ascii(),
                answer.escape_ascii()
            )
        };
        match Message::answer(&answer, read.is_ok()) {
            Ok(Some(message)) => {
                assert_eq!(message.length, answer.len(), "{}", shown());
                whole += 1;
            }
            Ok(None) => {} // It was broken off.
            Err(wrong) => panic!("{wrong}: {}", shown()),
        }
    }
    assert_eq!(zephyr.post(&plain()).await.unwrap().text(), "Hi");
    whole
}

fn answers() -> Corpus {
    let words = [
        "\r\n",
        "\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "Content-Length: 2\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Connection: close\r\n",
        "Location: http://elsewhere.example/\r\n",
        "2\r\n{}\r\n",
        "0\r\n\r\n",
        "{}",
    ];
    Corpus::read(CORPUS, &["answers"], &words)
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
        "5;a=b\r\nhello\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: 2\r\n",
        "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        "GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];
    Corpus::read(CORPUS, &["heads"], &words)
}
