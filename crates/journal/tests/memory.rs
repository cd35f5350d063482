//! What the journal takes of the machine: memory that does not grow, and little of the processor.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "only tests call it")]

mod common;

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;
use zephyr_control::RequestRecord;
use zephyr_core::config::Logging;
use zephyr_journal::{Dropped, Entry, Finished, Journal, Meter, Settings};

use common::{record, request};

const MILLION: u64 = 1_000_000;
/// Before what is measured: caches are full then.
const FIRST: u64 = 200_000;

/// Kilobytes that the whole process may have grown by.
const GROWTH: u64 = 1024;
const MOST: u64 = 16 * 1024;
const CPU_US: f64 = 25.0;

#[tokio::test]
#[ignore = "long"]
async fn a_million_requests_leave_no_memory_behind_and_take_little_time() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Arc::new(Meter::default());
    let before = resident();
    let settings = Settings {
        path: folder.path().join("journal.db"),
        logging: Logging::default(),
        secrets: Vec::new(),
    };
    let journal = Journal::open(settings, Arc::clone(&meter));
    journal.flush().await;
    let opened = resident();

    for n in 0..FIRST {
        hand_over(&journal, &meter, n);
    }
    assert_eq!(journal.flush().await, Dropped::Nothing);
    let (first, cpu) = (resident(), cpu_us());
    let begun = Instant::now();
    for n in FIRST..FIRST + MILLION {
        hand_over(&journal, &meter, n);
    }
    assert_eq!(journal.flush().await, Dropped::Nothing);
    let rate = MILLION as f64 / begun.elapsed().as_secs_f64();
    let each = (cpu_us() - cpu) / MILLION as f64;
    let last = resident();

    println!(
        "measured: {each:.1} us of the writer's thread each, {rate:.0} a second; resident {before} KiB before, \
         {opened} opened, {first} after {FIRST}, {last} after {MILLION} more, {} at most",
        status("VmHWM:")
    );
    assert_eq!(meter.dropped(), 0);
    assert!(last <= first + GROWTH, "{first} KiB, then {last}");
    assert!(last <= before + MOST, "{before} KiB, then {last}");
    assert!(each <= CPU_US, "{each} us");
}

fn hand_over(journal: &Journal, meter: &Meter, n: u64) {
    while meter.queued() > 1000 {
        std::thread::yield_now();
    }
    let finished = Finished {
        request_headers: headers(n),
        ..request(nth(n))
    };
    journal.write(Entry::Request(Box::new(finished)));
}

/// Twenty sessions at once, of a hundred requests each.
fn nth(n: u64) -> RequestRecord {
    let session = n / 2000 * 20 + n % 20;
    RequestRecord {
        session: Some(format!(
            "{session:08x}-7c1e-4d4e-9f00-{:012x}",
            session * 7919
        )),
        ..record(n)
    }
}

fn headers(n: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let key = format!("Bearer sk-ant-api03-{:040}", n % 3);
    headers.insert("authorization", key.parse().unwrap());
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
    headers
}

/// Resident memory of this process, in kilobytes.
fn resident() -> u64 {
    status("VmRSS:")
}

fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time of the writer's thread so far.
fn cpu_us() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let ran = tasks.filter_map(|task| {
        let task = task.unwrap().path();
        let name = fs::read_to_string(task.join("comm")).ok()?;
        let stat = fs::read_to_string(task.join("schedstat")).ok()?;
        let nanos: f64 = stat.split_whitespace().next()?.parse().ok()?;
        (name.trim() == "journal").then_some(nanos / 1000.0)
    });
    ran.sum()
}
