//! The listener outlives having no file descriptor left. Alone in its program, whose limit it lowers.
#![cfg(unix)]

mod common;

use std::fs::File;

use common::Zephyr;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zephyr_testkit::{Act, Endpoint};

/// Enough for the engine, its endpoint and the test themselves.
const FEW: u64 = 100;

#[tokio::test]
async fn where_no_descriptor_is_left_the_listener_waits_and_goes_on() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let maximum = getrlimit(Resource::Nofile).maximum;
    let few = Rlimit {
        current: Some(FEW),
        maximum,
    };
    setrlimit(Resource::Nofile, few).unwrap();

    // The client has one already, so that the listener is who gets none.
    let mut waiting = zephyr.client().await;
    waiting
        .send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    waiting.answer().await.unwrap();
    let spare = File::open("/dev/null").unwrap();
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }
    drop(spare);
    let mut late = zephyr.client().await;
    late.send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    // An answer shows that the engine is alive; the listener has had its errors by then.
    for _ in 0..3 {
        waiting
            .send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        waiting.answer().await.unwrap();
    }
    taken.clear();

    assert_eq!(late.answer().await.unwrap().status, 200);
    assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");
}
