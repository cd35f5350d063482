//! Requests and random faults for minutes: nothing is lost, doubled or left behind, and memory stays
//! flat.
//!
//! Every request carries a nonce, and its endpoint answers with it. Clients keep their connection, so an
//! answer too many would be taken for the next request's, and its nonce would be wrong. Faults come from
//! a seed, so that a run can be repeated as far as its timing can.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use common::{Zephyr, plain, starts, streaming};
use tokio::time::{Instant, interval};
use zephyr_testkit::{Act, Answer, End, Endpoint, Phase, RawClient, Received, Script};

/// Requests a second, of all clients together.
const RATE: u32 = 200;
const CLIENTS: u32 = 16;
/// More than a client sends in the longest run.
const REQUESTS_OF_A_CLIENT: u64 = 10_000;
/// Every so many requests a client leaves as soon as its answer begins.
const LEAVES_EVERY: u64 = 29;
/// Resident memory is looked at this often in a run.
const SAMPLES: u32 = 40;
/// Growth of resident memory by the second half of a long run that counts as flat: 1 MiB in a million
/// requests, and what allocators and clients of the test itself waver by.
const FLAT_KIB: i64 = 4 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seconds_of_faults_lose_no_answer_and_double_none() {
    soak(Duration::from_secs(20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: 10 minutes"]
async fn ten_minutes_of_faults_lose_no_answer_and_leave_nothing_behind() {
    let memory = soak(Duration::from_secs(600)).await;

    let half = memory.len() / 2;
    let growth = memory[memory.len() - 1] - memory[half];
    println!(
        "measured: resident memory {} KiB after a tenth, {} KiB at half, {} KiB at the end",
        memory[memory.len() / 10],
        memory[half],
        memory[memory.len() - 1]
    );
    assert!(growth <= FLAT_KIB, "grew by {growth} KiB: {memory:?}");
}

/// Runs it and checks what has to hold after any time; returns resident memory over the time.
async fn soak(time: Duration) -> Vec<i64> {
    let given = Given::new();
    let endpoints = [1, 2, 3].map(|seed| Endpoint::start_forgetful(given.script(seed)).unwrap());
    let policy = "[breaker]\ncooldown_seconds = 1\nmax_cooldown_seconds = 1\n";
    let zephyr = Arc::new(Zephyr::over(&endpoints.each_ref(), policy).await);
    let started = Instant::now();
    let end = started + time;

    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(client(Arc::clone(&zephyr), number, end)))
        .collect();
    let memory = watch_memory(time / SAMPLES, end).await;
    let mut seen = Seen::default();
    for client in clients {
        seen.add(&client.await.unwrap());
    }

    let nothing_out = |snapshot: &zephyr_control::Snapshot| {
        let attempts = snapshot.endpoints.iter();
        snapshot.totals.in_flight == 0 && attempts.map(|each| each.in_flight).sum::<u32>() == 0
    };
    let snapshot = zephyr.until("nothing in flight", nothing_out).await;
    assert_eq!(snapshot.totals.requests, seen.requests);
    // Of those who left, some may have left an answer that broke or was complete.
    let (aborted, abandoned) = (snapshot.totals.aborted, snapshot.totals.abandoned);
    assert!(aborted >= seen.aborted, "every abort was one");
    assert!(
        aborted + abandoned <= seen.aborted + seen.left,
        "nobody else left"
    );
    assert_eq!(
        seen.requests,
        seen.answered + seen.aborted + seen.refused + seen.left
    );
    given.assert_each_at_most_once();
    // More than planned, where the machine is too busy for the rate: every request is made.
    let took = started.elapsed();
    println!(
        "measured: {} requests in {} s: {} answered, {} aborted midway, {} refused, {} left by their client; \
         {} failed over unnoticed",
        seen.requests,
        took.as_secs(),
        seen.answered,
        seen.aborted,
        seen.refused,
        seen.left,
        snapshot.totals.failed_over,
    );
    memory
}

/// How often endpoints have given out each nonce whole: once at most, if nothing that was answered is
/// sent again. As large from the beginning as it ever gets.
#[derive(Clone)]
struct Given(Arc<Vec<AtomicU8>>);

impl Given {
    fn new() -> Self {
        let nonces = u64::from(CLIENTS) * REQUESTS_OF_A_CLIENT;
        Self(Arc::new((0..nonces).map(|_| AtomicU8::new(0)).collect()))
    }

    /// Faults at random between good answers.
    fn script(&self, seed: u64) -> Script {
        let (given, count) = (self.clone(), AtomicU64::new(0));
        Script::by(move |request| {
            let random = mixed(seed, count.fetch_add(1, Ordering::Relaxed));
            match random % 40 {
                0 => Act::status(500),
                1 => Act::reset(),
                2 => Act::html(200),
                3 => Act::status(529),
                4 => Act::cut_at(Phase::AfterMessageStart),
                5 => Act::cut_at(Phase::BetweenDeltas),
                6 => Act::error_event_at(Phase::AfterHeaders, "api_error"),
                7 => Act::close(),
                8 => Act::empty_200(),
                9 => Act::garbage(),
                10 => Act::malformed_json_200(),
                11 => Act::cut_message(),
                _ => {
                    let nonce = nonce(request);
                    given.0[usize::try_from(nonce).unwrap()].fetch_add(1, Ordering::Relaxed);
                    Act::message(&nonce.to_string())
                }
            }
        })
    }

    fn assert_each_at_most_once(&self) {
        let twice = self
            .0
            .iter()
            .filter(|times| times.load(Ordering::Relaxed) > 1);
        assert_eq!(twice.count(), 0, "nonces that were answered more than once");
    }
}

fn nonce(request: &Received) -> u64 {
    let text = request.json()["messages"][0]["content"].clone();
    text.as_str().unwrap().parse().unwrap()
}

#[derive(Clone, Copy, Default)]
struct Seen {
    requests: u64,
    answered: u64,
    aborted: u64,
    refused: u64,
    left: u64,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.answered += other.answered;
        self.aborted += other.aborted;
        self.refused += other.refused;
        self.left += other.left;
    }
}

async fn client(zephyr: Arc<Zephyr>, number: u32, end: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut pace = interval(Duration::from_secs(1) * CLIENTS / RATE);
    let mut kept: Option<RawClient> = None;
    while pace.tick().await < end {
        let nonce = u64::from(number) * REQUESTS_OF_A_CLIENT + seen.requests;
        let streamed = seen.requests % 3 != 0;
        let mut body = if streamed { streaming() } else { plain() };
        body["messages"][0]["content"] = nonce.to_string().into();
        let mut client = match kept.take() {
            Some(client) => client,
            None => zephyr.client().await,
        };
        client.send_messages(body.to_string()).await.unwrap();
        seen.requests += 1;
        if seen.requests % LEAVES_EVERY == 0 {
            client.read_head().await.unwrap();
            seen.left += 1;
            continue;
        }
        let answer = client
            .answer()
            .await
            .expect("Zephyr answers whatever its endpoints do");
        if judge(&answer, nonce, streamed, &mut seen) == End::Clean {
            kept = Some(client);
        }
    }
    seen
}

fn judge(answer: &Answer, nonce: u64, streamed: bool, seen: &mut Seen) -> End {
    match (answer.status, answer.end) {
        (200, End::Clean) => {
            if streamed {
                assert_eq!(starts(answer), 1);
            }
            assert_eq!(answer.text(), nonce.to_string(), "the answer is another's");
            seen.answered += 1;
        }
        (200, End::Cut) => seen.aborted += 1,
        (status, end) => {
            assert!(status >= 429 && end == End::Clean, "{status} {end:?}");
            seen.refused += 1;
        }
    }
    answer.end
}

async fn watch_memory(every: Duration, end: Instant) -> Vec<i64> {
    let mut ticks = interval(every);
    let mut memory = Vec::new();
    while ticks.tick().await < end {
        memory.push(resident_kib());
    }
    memory
}

/// Resident memory of this process in KiB; 0 where the system does not tell that way.
fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

/// Split mix: a number that looks random, of a seed and a count.
fn mixed(seed: u64, count: u64) -> u64 {
    let mut z = (seed << 40 | count).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
