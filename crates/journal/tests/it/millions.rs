//! The journal with five million requests: how fast it is written, how large it is, how fast it is read.
#![allow(clippy::unwrap_used, reason = "only tests call it")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use zephyr_control::{
    Paging, RequestEnd, RequestFilter, RequestRecord, UsageBy, UsageQuery, UsageReport,
};
use zephyr_core::config::{LogBody, Logging};
use zephyr_journal::{Dropped, Entry, Finished, Journal, Meter, Settings};

use crate::common::{captured, now_ms, record, request};

const MILLIONS: u64 = 5_000_000;
/// Those that come after them, with bodies.
const WITH_BODIES: u64 = 20_000;
const DAYS: u64 = 14;
const DAY_MS: u64 = 24 * 3_600_000;

const LIMIT: Duration = Duration::from_millis(100);
const LEAST_PER_SECOND: f64 = 20_000.0;

#[tokio::test]
#[ignore = "long"]
async fn five_million_requests_are_written_quickly_and_found_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let meter = Arc::new(Meter::default());
    let settings = |request_body| Settings {
        path: path.clone(),
        logging: Logging {
            request_body,
            retention_days: 36_500,
            max_size: 1 << 40,
            ..Logging::default()
        },
        secrets: Vec::new(),
    };
    let journal = Journal::open(settings(LogBody::None), Arc::clone(&meter));

    let begun = Instant::now();
    for n in 0..MILLIONS {
        hand_over(&journal, &meter, request(nth(n)));
    }
    assert_eq!(journal.flush().await, Dropped::Nothing);
    let rate = MILLIONS as f64 / begun.elapsed().as_secs_f64();
    let bytes = journal.status().bytes;
    println!(
        "measured: {MILLIONS} requests written at {rate:.0} a second; {:.0} MB, {} bytes each",
        bytes as f64 / 1e6,
        bytes / MILLIONS
    );

    journal.configure(settings(LogBody::Full));
    let begun = Instant::now();
    for n in MILLIONS..MILLIONS + WITH_BODIES {
        hand_over(&journal, &meter, with_body(n));
    }
    assert_eq!(journal.flush().await, Dropped::Nothing);
    let with_bodies = WITH_BODIES as f64 / begun.elapsed().as_secs_f64();
    let more = journal.status().bytes.saturating_sub(bytes);
    println!(
        "measured: {WITH_BODIES} more with bodies of 4 KB at {with_bodies:.0} a second, {} bytes each",
        more / WITH_BODIES
    );
    assert_eq!(meter.dropped(), 0);

    let mut slow = Vec::new();
    for (what, filter, least) in questions() {
        let (took, found) = ask(&journal, &filter).await;
        println!(
            "measured: {what}: {:.1} ms, {found} on the page",
            took.as_secs_f64() * 1e3
        );
        assert!(found >= least, "{what}: {found}");
        if took > LIMIT {
            slow.push(what);
        }
    }
    for (what, by) in [
        ("usage by day", UsageBy::Day),
        ("usage by model", UsageBy::Model),
        ("usage by endpoint", UsageBy::Endpoint),
        ("usage by session", UsageBy::Session),
    ] {
        let begun = Instant::now();
        let report = sums(&journal, by).await;
        let took = begun.elapsed();
        println!(
            "measured: {what}: {:.1} ms, {} rows",
            took.as_secs_f64() * 1e3,
            report.rows.len()
        );
        assert_eq!(report.total.requests, MILLIONS + WITH_BODIES);
        // There are as many sessions as there are; whoever wants them all waits.
        if took > LIMIT && by != UsageBy::Session {
            slow.push(what);
        }
    }
    assert_eq!(slow, Vec::<&str>::new(), "slower than {LIMIT:?}");
    assert!(rate >= LEAST_PER_SECOND, "{rate} a second");
}

/// As fast as it takes them.
fn hand_over(journal: &Journal, meter: &Meter, finished: Finished) {
    while meter.queued() > 3500 {
        std::thread::yield_now();
    }
    journal.write(Entry::Request(Box::new(finished)));
}

/// Twenty sessions at once, of a hundred requests each; two weeks in all.
fn nth(n: u64) -> RequestRecord {
    let begun = now_ms() - DAYS * DAY_MS;
    let session = n / 2000 * 20 + n % 20;
    let fails = n.is_multiple_of(33);
    let endpoint = ["HK", "US", "EU", "relay-1", "relay-2"][usize::try_from(n % 97 % 5).unwrap()];
    let mut record = RequestRecord {
        at_ms: begun + n * DAYS * DAY_MS / (MILLIONS + WITH_BODIES),
        session: Some(format!(
            "{session:08x}-7c1e-4d4e-9f00-{:012x}",
            session * 7919
        )),
        endpoint: Some(endpoint.to_owned()),
        ..record(if fails { n * 10 } else { n * 10 + 1 + n % 9 })
    };
    record.attempts[0].endpoint = endpoint.to_owned();
    record.request = format!("0badcafe-{}", n + 1);
    if fails {
        let mut again = record.attempts[0].clone();
        again.endpoint = "US".to_owned();
        record.attempts.push(again);
    }
    match n {
        100 | 2_500_000 | 4_999_000 => {
            record.end = RequestEnd::Failed;
            record.status = Some(418);
            record.error = Some(format!("HK: certificate expired, serial {n}"));
        }
        _ => {}
    }
    record
}

fn with_body(n: u64) -> Finished {
    let rare = if n % 10_000 == 77 {
        "Quicksort 快速排序"
    } else {
        "mergesort"
    };
    let words: Vec<String> = (0..400)
        .map(|word| format!("w{:x}", (n + 1) * (word + 3) % 65_521))
        .collect();
    let body = format!(
        "{{\"content\":\"{rare} {} 模型 {}\"}}",
        words.join(" "),
        "and so on ".repeat(150)
    );
    Finished {
        request_body: Some(captured(body.as_bytes())),
        ..request(nth(n))
    }
}

/// What is asked, and how much at least is found.
fn questions() -> Vec<(&'static str, RequestFilter, usize)> {
    let filter = RequestFilter::default;
    let text = |text: &str| RequestFilter {
        text: Some(text.to_owned()),
        ..filter()
    };
    let endpoint = |name: &str| Some(name.to_owned());
    let session = Some(format!(
        "{:08x}-7c1e-4d4e-9f00-{:012x}",
        25_000,
        25_000 * 7919
    ));
    let middle = now_ms() - DAYS / 2 * DAY_MS;
    vec![
        ("the newest", filter(), 100),
        (
            "failed at an endpoint with a model",
            RequestFilter {
                endpoint: endpoint("EU"),
                model: Some("claude-haiku-4-5".to_owned()),
                failed: true,
                ..filter()
            },
            100,
        ),
        (
            "three of a rare status",
            RequestFilter {
                status: Some(418),
                ..filter()
            },
            3,
        ),
        (
            "a session, far back",
            RequestFilter {
                session,
                ..filter()
            },
            100,
        ),
        (
            "an hour a week ago, at an endpoint",
            RequestFilter {
                endpoint: endpoint("relay-2"),
                since_ms: Some(middle),
                until_ms: Some(middle + 3_600_000),
                ..filter()
            },
            100,
        ),
        (
            "a combination that there is not",
            RequestFilter {
                endpoint: endpoint("HK"),
                status: Some(529),
                session: Some("nobody's".to_owned()),
                ..filter()
            },
            0,
        ),
        ("the word of three errors", text("certificate"), 3),
        ("a frequent word", text("opus"), 100),
        ("a piece of a session's name", text("000061a8-7c1e"), 100),
        ("a word that is nowhere", text("nowhere-at-all"), 0),
        ("a request by its name", text("0badcafe-2500001"), 1),
        ("a word of two bodies", text("quicksort"), 2),
        ("two Chinese letters in two bodies", text("排序"), 2),
        ("two Chinese letters in all bodies", text("模型"), 100),
        (
            "a word in bodies and one in the record",
            text("mergesort haiku"),
            100,
        ),
    ]
}

/// The median of five.
async fn ask(journal: &Journal, filter: &RequestFilter) -> (Duration, usize) {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..5 {
        let begun = Instant::now();
        let page = journal
            .requests(filter.clone(), Paging::default())
            .await
            .unwrap();
        times.push(begun.elapsed());
        found = page.requests.len();
    }
    times.sort_unstable();
    (times[2], found)
}

async fn sums(journal: &Journal, by: UsageBy) -> UsageReport {
    let query = UsageQuery {
        by,
        ..UsageQuery::default()
    };
    journal.usage(query).await.unwrap()
}
