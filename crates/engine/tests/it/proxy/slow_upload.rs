//! Clients that take their time to send a request.

use std::time::{Duration, Instant};

use zephyr_testkit::{Act, Answer, Endpoint, RawClient};

use crate::common::{Zephyr, starts};

/// Longer than `first_event_timeout_seconds` of [`HASTY`].
const PAUSE: Duration = Duration::from_millis(1500);
const HASTY: &str = "[failover]\nfirst_event_timeout_seconds = 1\n";

/// Sends a streamed request in two halves; says how long it took to send.
async fn in_halves(zephyr: &Zephyr) -> (Answer, Duration) {
    let text = "x".repeat(100_000);
    let body = format!(
        r#"{{"model":"m","stream":true,"max_tokens":9,"messages":[{{"role":"user","content":"{text}"}}]}}"#
    );
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-stainless-timeout: 600\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let (first, second) = body.split_at(body.len() / 2);
    let mut client = zephyr.client().await;
    let began = Instant::now();
    client.send(format!("{head}{first}")).await.unwrap();
    nothing_comes(&mut client).await;
    client.send(second.to_owned()).await.unwrap();
    let took = began.elapsed();
    (client.answer().await.unwrap(), took)
}

async fn nothing_comes(client: &mut RawClient) {
    let came = tokio::time::timeout(PAUSE, client.read_head()).await;
    assert!(came.is_err(), "an answer before the request: {came:?}");
}

#[tokio::test]
async fn an_upload_that_advances_is_not_cut_off_by_the_deadline_of_the_first_event() {
    let a = Endpoint::start(Act::message("at last")).await;
    let zephyr = Zephyr::over(&[&a], HASTY).await;

    let (answer, _) = in_halves(&zephyr).await;

    assert_eq!((answer.status, answer.text().as_str()), (200, "at last"));
    assert_eq!(starts(&answer), 1);
}

#[tokio::test]
async fn the_clients_upload_is_no_latency_of_the_endpoint() {
    let a = Endpoint::start(Act::message("quick")).await;
    let zephyr = Zephyr::over(&[&a], HASTY).await;

    let (answer, took) = in_halves(&zephyr).await;

    assert_eq!(answer.text(), "quick");
    let snapshot = zephyr.snapshot().await;
    let measured = snapshot.endpoint("A").unwrap().ttft_ms.unwrap();
    assert!(
        measured < took.as_secs_f64() * 1000.0,
        "{measured} ms, and the upload took {took:?}"
    );
}
