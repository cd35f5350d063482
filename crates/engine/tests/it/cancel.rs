//! Whoever leaves, and whenever, leaves nothing behind: no slot, no connection, no task.
//!
//! The runtime of a test runs the engine and its endpoints, so its number of tasks counts whatever a
//! request may have left.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::time::{Duration, Instant};

use crate::common::raw::{RawUpstream, patiently};
use crate::common::{Zephyr, plain, streaming};
use zephyr_testkit::{Act, Endpoint, Phase, RawClient, Step};

/// How often each stage is left: what one leaving leaves behind shows.
const TIMES: usize = 10;
/// The promise is 100 ms; a test machine may be busy.
const SOON: Duration = Duration::from_secs(1);

/// How many tasks there are while nothing happens.
struct Rest(usize);

impl Rest {
    async fn of(zephyr: &Zephyr, endpoints: &[&Endpoint]) -> Self {
        // What is started by the first request is not left behind by it.
        zephyr.stream().await.unwrap();
        quiet(zephyr, endpoints).await;
        Self(tasks())
    }

    /// Waits until it is so again. Nothing tells of a task's end, so this looks again and again.
    async fn returns(&self, what: &str) {
        let returned = async {
            while tasks() > self.0 {
                tokio::task::yield_now().await;
            }
        };
        let returned = tokio::time::timeout(zephyr_testkit::PATIENCE, returned).await;
        assert!(
            returned.is_ok(),
            "{what}: {} tasks, {} at rest",
            tasks(),
            self.0
        );
    }
}

fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

async fn quiet(zephyr: &Zephyr, endpoints: &[&Endpoint]) {
    let idle = |seen: &zephyr_control::Snapshot| {
        let all = seen.endpoints.iter();
        seen.totals.in_flight == 0 && all.map(|endpoint| endpoint.in_flight).sum::<u32>() == 0
    };
    zephyr.until("nothing in flight", idle).await;
    for endpoint in endpoints {
        endpoint.until_open_connections(0).await;
    }
}

/// An answer after which the endpoint closes, so that no idle connection is kept.
fn closing() -> Act {
    Act::message("Hi").close_after()
}

fn stalling(head_and_a_part: &str) -> Act {
    Act::raw(vec![Step::raw(head_and_a_part.to_owned()), Step::Stall])
}

#[tokio::test]
async fn a_client_that_leaves_while_it_sends_leaves_nothing_behind() {
    let a = Endpoint::start(closing()).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let rest = Rest::of(&zephyr, &[&a]).await;
    let head = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let stages = [
        ("nothing sent", String::new()),
        ("half a method", "PO".to_owned()),
        ("half a preface", "PRI * HTTP/2.0\r\n".to_owned()),
        (
            "a preface and no more",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        ),
        ("half a head", head.to_owned()),
        ("no body", format!("{head}content-length: 200\r\n\r\n")),
        (
            "half a body",
            format!("{head}content-length: 200\r\n\r\n{{\"model\":"),
        ),
        ("no chunk", chunked.clone()),
        ("half a chunk", format!("{chunked}20\r\n{{\"model\"")),
        (
            "an unread rest",
            format!("{head}content-length: 0\r\n\r\n{head}"),
        ),
    ];
    for (stage, bytes) in stages {
        for _ in 0..TIMES {
            let mut client = zephyr.client().await;
            client.send(&bytes).await.unwrap();
        }

        quiet(&zephyr, &[&a]).await;
        rest.returns(stage).await;
    }
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 0);
}

#[tokio::test]
async fn a_client_that_leaves_while_it_uploads_leaves_nothing_behind() {
    let upstream = RawUpstream::start().await;
    let a = Endpoint::start(closing()).await;
    let zephyr = Zephyr::at(&[a.url(), upstream.url()], "").await;
    let rest = Rest::of(&zephyr, &[&a]).await;
    let command = zephyr_control::Command::Use {
        endpoint: "B".to_owned(),
    };
    zephyr.run(command).await;
    for _ in 0..TIMES {
        let mut client = zephyr.client().await;
        let head =
            "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n\r\n";
        client.send(head).await.unwrap();
        client.send(vec![b'a'; 100_000]).await.unwrap();
        let (mut peer, _) = upstream.accept().await;
        peer.read_exactly(100_000).await;

        let left = Instant::now();
        drop(client);
        patiently(peer.closed()).await;

        assert!(left.elapsed() < SOON, "{:?}", left.elapsed());
    }

    quiet(&zephyr, &[]).await;
    rest.returns("uploading").await;
    assert_eq!(zephyr.snapshot().await.endpoint("B").unwrap().failures, 0);
}

#[tokio::test]
async fn a_client_that_leaves_during_the_handshake_leaves_nothing_behind() {
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let a = Endpoint::start(closing()).await;
    let urls = [a.url(), format!("https://{}", mute.local_addr().unwrap())];
    let zephyr = Zephyr::at(&urls, "").await;
    let rest = Rest::of(&zephyr, &[&a]).await;
    let command = zephyr_control::Command::Use {
        endpoint: "B".to_owned(),
    };
    zephyr.run(command).await;
    for _ in 0..TIMES {
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        let (mut socket, _) = patiently(mute.accept()).await.unwrap();

        drop(client);

        let mut hello = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut hello);
        patiently(read).await.unwrap();
    }

    quiet(&zephyr, &[]).await;
    rest.returns("the handshake").await;
    assert_eq!(zephyr.snapshot().await.endpoint("B").unwrap().failures, 0);
}

#[tokio::test]
async fn a_client_that_leaves_while_the_answer_is_awaited_or_held_leaves_nothing_behind() {
    let a = Endpoint::start(closing()).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let rest = Rest::of(&zephyr, &[&a]).await;
    a.next_request().await;
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{";
    let refusal =
        "HTTP/1.1 500 Oh\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{";
    let stages = [
        ("no answer", Act::hang(), streaming()),
        ("no answer, not streamed", Act::hang(), plain()),
        (
            "half a head",
            stalling("HTTP/1.1 200 OK\r\ncontent-"),
            streaming(),
        ),
        ("a head", Act::stall_at(Phase::AfterHeaders), streaming()),
        (
            "half an event",
            Act::stall_at(Phase::InMessageStart),
            streaming(),
        ),
        (
            "the start",
            Act::stall_at(Phase::AfterMessageStart),
            streaming(),
        ),
        ("a ping", Act::stall_at(Phase::AfterPing), streaming()),
        ("half a message", stalling(json), plain()),
        ("half a refusal", stalling(refusal), streaming()),
    ];
    for (stage, act, body) in stages {
        a.set(act);
        for _ in 0..TIMES {
            let mut client = zephyr.client().await;
            client.send_messages(body.to_string()).await.unwrap();
            a.next_request().await;

            let left = Instant::now();
            drop(client);

            let seen = a.cancelled().await.at;
            assert!(seen - left < SOON, "{stage}: {:?}", seen - left);
        }
        quiet(&zephyr, &[&a]).await;
        rest.returns(stage).await;
    }
    let snapshot = zephyr.snapshot().await;
    assert_eq!(snapshot.endpoint("A").unwrap().failures, 0);
    assert_eq!(snapshot.totals.abandoned, 9 * TIMES as u64);
}

#[tokio::test]
async fn a_client_that_leaves_during_the_second_attempt_leaves_nothing_behind() {
    let a = Endpoint::start(closing()).await;
    let b = Endpoint::start(Act::hang()).await;
    let breaker = "[breaker]\nmax_failures = 1000\n";
    let zephyr = Zephyr::over(&[&a, &b], breaker).await;
    let rest = Rest::of(&zephyr, &[&a]).await;
    a.set(Act::status(500).close_after());
    for _ in 0..TIMES {
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        b.next_request().await;

        drop(client);

        b.cancelled().await;
    }

    quiet(&zephyr, &[&a, &b]).await;
    rest.returns("the second attempt").await;
}

#[tokio::test]
async fn a_client_that_leaves_midway_or_at_the_end_leaves_nothing_behind() {
    let a = Endpoint::start(closing()).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let rest = Rest::of(&zephyr, &[&a]).await;
    for phase in Phase::ALL.into_iter().filter(Phase::client_sees_content) {
        a.set(Act::stall_at(phase));
        for _ in 0..TIMES {
            let mut client = zephyr.client().await;
            client.send_messages(streaming().to_string()).await.unwrap();
            client.read_head().await.unwrap();
            client.next_event().await.unwrap().unwrap();

            let left = Instant::now();
            drop(client);

            let seen = a.cancelled().await.at;
            assert!(seen - left < SOON, "{phase:?}: {:?}", seen - left);
        }
        quiet(&zephyr, &[&a]).await;
        rest.returns(&format!("{phase:?}")).await;
    }
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 0);
}

#[tokio::test]
async fn a_client_that_leaves_after_the_end_leaves_a_connection_that_is_used_again() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    for _ in 0..TIMES {
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        client.answer().await.unwrap();
        drop(client);
    }

    quiet(&zephyr, &[]).await;
    assert_eq!(a.connections(), 1);
}

#[tokio::test]
async fn an_endpoint_that_breaks_off_leaves_nothing_behind_whenever_it_does() {
    let a = Endpoint::start(closing()).await;
    let zephyr = Zephyr::over(&[&a], "[breaker]\nmax_failures = 1000\n").await;
    let rest = Rest::of(&zephyr, &[&a]).await;
    for phase in Phase::ALL {
        for (how, act) in [
            ("reset", Act::reset_at(phase)),
            ("cut", Act::cut_at(phase)),
            ("ended", Act::end_at(phase).close_after()),
        ] {
            a.set(act);
            for _ in 0..TIMES {
                let mut client: RawClient = zephyr.client().await;
                client.send_messages(streaming().to_string()).await.unwrap();
                client.answer().await.unwrap();
            }
            let what = format!("{how} at {phase:?}");
            quiet(&zephyr, &[&a]).await;
            rest.returns(&what).await;
        }
    }
}
