//! The long tier: requests and faults for minutes, and nothing may be left behind.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Zephyr, plain, starts, streaming};
use zephyr_testkit::{Act, End, Endpoint, Phase, Script};

const FOR: Duration = Duration::from_secs(120);
const CLIENTS: usize = 16;

/// Every fault in turn, between good answers: a fixed order, so that a run can be repeated.
fn misbehaving(offset: usize) -> Script {
    let count = AtomicUsize::new(offset);
    Script::by(move |_| {
        let n = count.fetch_add(1, Ordering::Relaxed);
        match n % 23 {
            1 => Act::status(500),
            3 => Act::reset(),
            5 => Act::html(200),
            7 => Act::status(529),
            9 => Act::cut_at(Phase::AfterMessageStart),
            11 => Act::cut_at(Phase::BetweenDeltas),
            13 => Act::error_event_at(Phase::AfterHeaders, "api_error"),
            15 => Act::close(),
            17 => Act::empty_200(),
            19 => Act::garbage(),
            _ => Act::message("all is well"),
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: 2 minutes"]
async fn minutes_of_faults_leave_nothing_behind_and_double_no_answer() {
    let endpoints = [
        Endpoint::start(misbehaving(0)).await,
        Endpoint::start(misbehaving(8)).await,
        Endpoint::start(misbehaving(16)).await,
    ];
    let policy = "[breaker]\ncooldown_seconds = 1\nmax_cooldown_seconds = 1\n";
    let zephyr = Arc::new(Zephyr::over(&endpoints.each_ref(), policy).await);
    let before = resident_kib();
    let end = Instant::now() + FOR;

    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(client(Arc::clone(&zephyr), end)))
        .collect();
    let mut seen = Seen::default();
    for client in clients {
        seen.add(&client.await.unwrap());
    }

    let snapshot = zephyr
        .until("nothing in flight", |snapshot| {
            snapshot.totals.in_flight == 0
        })
        .await;
    assert!(
        snapshot
            .endpoints
            .iter()
            .all(|endpoint| endpoint.in_flight == 0),
        "{snapshot:#?}"
    );
    assert_eq!(snapshot.totals.requests, seen.requests);
    assert_eq!(
        snapshot.totals.aborted, seen.aborted,
        "every abort was seen as one"
    );
    println!(
        "measured: {} requests in {} s",
        seen.requests,
        FOR.as_secs()
    );
    println!(
        "measured: {} answered, {} aborted midway, {} refused",
        seen.answered, seen.aborted, seen.refused
    );
    println!(
        "measured: {} failed over unnoticed",
        snapshot.totals.failed_over
    );
    println!(
        "measured: resident memory {before} KiB before, {} KiB after (with the endpoints' record of every request)",
        resident_kib()
    );
}

#[derive(Clone, Copy, Default)]
struct Seen {
    requests: u64,
    answered: u64,
    aborted: u64,
    refused: u64,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.answered += other.answered;
        self.aborted += other.aborted;
        self.refused += other.refused;
    }
}

async fn client(zephyr: Arc<Zephyr>, end: Instant) -> Seen {
    let mut seen = Seen::default();
    while Instant::now() < end {
        let streamed = seen.requests % 3 != 0;
        let body = if streamed { streaming() } else { plain() };
        seen.requests += 1;
        let answer = zephyr
            .post(&body)
            .await
            .expect("Zephyr answers whatever its endpoints do");
        match (answer.status, answer.end) {
            (200, End::Clean) => {
                let text = if streamed {
                    assert_eq!(starts(&answer), 1);
                    answer.text()
                } else {
                    answer.json()["content"][0]["text"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned()
                };
                assert_eq!(text, "all is well");
                seen.answered += 1;
            }
            (200, End::Cut) => seen.aborted += 1,
            (status, end) => {
                assert!(status >= 429 && end == End::Clean, "{status} {end:?}");
                seen.refused += 1;
            }
        }
    }
    seen
}

/// Resident memory of this process in KiB; 0 where the system does not tell that way.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}
