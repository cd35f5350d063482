//! The journal as a whole: what is handed over is found again, and what is secret is nowhere.
#![allow(clippy::unwrap_used, reason = "only tests call it")]

use std::path::PathBuf;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use zephyr_control::{
    AttemptOutcome, AttemptRecord, EndpointState, Ground, HistoryQuery, Paging, Reason, Redacted,
    RequestFilter, RequestRecord, Subject, Tokens, UsageBy, UsageQuery, UsageRow, Verdict,
};
use zephyr_core::config::{LogBody, LogRequests, Logging};
use zephyr_journal::{Dropped, Entry, Finished, Journal, Meter, Settings, Sighting};
use zephyr_secrets::Secret;

use crate::common::{captured, now_ms, open, record, request};

struct Place {
    folder: tempfile::TempDir,
    journal: Journal,
}

impl Place {
    fn new(logging: Logging) -> Self {
        Self::knowing(logging, &[])
    }

    fn knowing(logging: Logging, secrets: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(&folder.path().join("journal.db"), logging, secrets);
        Self { folder, journal }
    }

    async fn write(&self, requests: impl IntoIterator<Item = Finished>) {
        for request in requests {
            self.journal.write(Entry::Request(Box::new(request)));
        }
        assert_eq!(self.journal.flush().await, Dropped::Nothing);
    }

    async fn found(&self, filter: RequestFilter) -> Vec<u64> {
        let page = self.journal.requests(filter, Paging::default()).await;
        page.unwrap()
            .requests
            .iter()
            .map(|record| record.id)
            .collect()
    }

    async fn with_text(&self, text: &str) -> Vec<u64> {
        let text = Some(text.to_owned());
        self.found(RequestFilter {
            text,
            ..RequestFilter::default()
        })
        .await
    }
}

fn everything() -> Logging {
    Logging {
        request_body: LogBody::Full,
        response_body: LogBody::Full,
        ..Logging::default()
    }
}

fn requests(count: u64) -> impl Iterator<Item = Finished> {
    (0..count).map(|n| request(record(n)))
}

fn with_body(n: u64, body: &str) -> Finished {
    Finished {
        request_body: Some(captured(body.as_bytes())),
        ..request(record(n))
    }
}

#[tokio::test]
async fn what_was_handed_over_comes_back_as_it_was() {
    let place = Place::new(Logging::default());
    let (answered, mut failed) = (record(1), record(0));
    failed.attempts.push(AttemptRecord {
        why: Some(Reason::Faster {
            to_ms: 1,
            from_ms: 100,
            threshold_ms: 50,
        }),
        connect_ms: Some(12.25),
        tls_ms: Some(30.0),
        rate_limits: Vec::new(),
        verdict: Some(Verdict {
            about: Subject::Family {
                family: "opus".to_owned(),
            },
            ground: Ground::Rule { number: 2 },
            until_ms: Some(1_795_271_402_000),
        }),
        ..failed.attempts[0].clone()
    });

    place
        .write([request(answered.clone()), request(failed.clone())])
        .await;

    let page = place
        .journal
        .requests(RequestFilter::default(), Paging::default())
        .await
        .unwrap();
    let expected = [
        RequestRecord { id: 2, ..failed },
        RequestRecord { id: 1, ..answered },
    ];
    assert_eq!(page.requests, expected);
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn whoever_asks_at_once_gets_an_empty_page() {
    let place = Place::new(Logging::default());

    assert_eq!(
        place.found(RequestFilter::default()).await,
        Vec::<u64>::new()
    );
}

#[tokio::test]
async fn filters_hold_together_and_pages_follow_each_other() {
    let place = Place::new(Logging::default());
    place.write(requests(3000)).await;
    let matches = |n: &u64| n.is_multiple_of(10) && n.is_multiple_of(4) && n.is_multiple_of(3);
    let mut expected: Vec<u64> = (0..3000).filter(matches).map(|n| n + 1).collect();
    let filter = RequestFilter {
        endpoint: Some("US".to_owned()),
        model: Some("claude-haiku-4-5".to_owned()),
        failed: true,
        ..RequestFilter::default()
    };

    for after in [None, Some(0)] {
        let mut found = Vec::new();
        let mut paging = Paging {
            after,
            limit: Some(7),
            ..Paging::default()
        };
        loop {
            let page = place
                .journal
                .requests(filter.clone(), paging)
                .await
                .unwrap();
            found.extend(page.requests.iter().map(|record| record.id));
            let Some(next) = page.next else { break };
            assert_eq!(page.requests.len(), 7);
            match after {
                None => paging.before = Some(next),
                Some(_) => paging.after = Some(next),
            }
        }
        if after.is_none() {
            found.reverse();
        }
        assert_eq!(found, expected);
    }

    let session = Some("5e551011-0000-4000-8000-000000000012".to_owned());
    let of_session = place
        .found(RequestFilter {
            session,
            status: Some(529),
            ..RequestFilter::default()
        })
        .await;
    expected = (1200..1300)
        .filter(|n| n % 10 == 0)
        .map(|n| n + 1)
        .rev()
        .collect();
    assert_eq!(of_session, expected);
    let unknown = place
        .found(RequestFilter {
            endpoint: Some("nowhere".to_owned()),
            ..RequestFilter::default()
        })
        .await;
    assert_eq!(unknown, Vec::<u64>::new());
}

#[tokio::test]
async fn an_endpoint_is_found_where_it_was_only_tried() {
    let place = Place::new(Logging::default());
    let mut moved = record(1);
    moved.attempts[0].endpoint = "tried-first".to_owned();
    place.write([request(record(2)), request(moved)]).await;

    let found = place
        .found(RequestFilter {
            endpoint: Some("tried-first".to_owned()),
            ..RequestFilter::default()
        })
        .await;

    assert_eq!(found, [2]);
}

#[tokio::test]
async fn times_bound_what_is_found() {
    let place = Place::new(Logging::default());
    let at = |at_ms| request(RequestRecord { at_ms, ..record(1) });
    let now = now_ms();
    place.write([at(now - 2), at(now - 1), at(now)]).await;

    let found = place
        .found(RequestFilter {
            since_ms: Some(now - 1),
            until_ms: Some(now),
            ..RequestFilter::default()
        })
        .await;

    assert_eq!(found, [2]);
}

#[tokio::test]
async fn words_are_found_in_records_errors_and_bodies() {
    let place = Place::new(everything());
    place.write(requests(1200)).await;
    let chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"如何修复这个错误? Use Quicksort, 100% sure_thing\"}]}";
    place.write([with_body(1, chat)]).await;
    let mut broken = record(2);
    broken.error = Some("HK: certificate expired yesterday".to_owned());
    place.write([request(broken)]).await;

    assert_eq!(place.with_text("quicksort").await, [1201]);
    assert_eq!(place.with_text("修复这个").await, [1201]);
    assert_eq!(place.with_text("错误").await, [1201], "two letters");
    assert_eq!(place.with_text("误").await, [1201], "one letter");
    assert_eq!(
        place.with_text("ng").await,
        [1201],
        "at the end, and nowhere else"
    );
    assert_eq!(
        place.with_text("quicksort 错误 opus").await,
        [1201],
        "all of them"
    );
    assert_eq!(
        place.with_text("quicksort mergesort").await,
        Vec::<u64>::new()
    );
    assert_eq!(place.with_text("sortquick").await, Vec::<u64>::new());
    assert_eq!(place.with_text("EXPIRED").await, [1202]);
    assert_eq!(place.with_text("0badcafe-77").await, [77]);
    assert_eq!(place.with_text("000000000007").await.len(), 100);
    assert_eq!(place.with_text("529").await.len(), 100);
    assert_eq!(
        place.with_text("\"; DROP TABLE requests").await,
        Vec::<u64>::new()
    );
    assert_eq!(place.with_text("100%").await, [1201]);
}

#[tokio::test]
async fn bodies_and_headers_are_kept_as_configured() {
    let place = Place::new(Logging {
        request_body: LogBody::Truncated,
        ..Logging::default()
    });
    let mut finished = with_body(1, &"a long story. ".repeat(5000));
    finished.response_body = Some(captured(b"not asked for"));
    finished
        .request_headers
        .insert("content-type", HeaderValue::from_static("text/plain"));
    place.write([finished]).await;

    let detail = place.journal.request(1).await.unwrap();

    let body = detail.request_body.unwrap();
    assert_eq!((body.text.len(), body.truncated), (8192, true));
    let example = include_str!("../../../../config.toml.example");
    assert!(example.contains("truncated (its first 8 KB)"));
    assert_eq!(detail.response_body, None);
    let kept = ("content-type".to_owned(), "text/plain".to_owned());
    assert_eq!(detail.request_headers, [kept]);
    assert_eq!(detail.response_headers, []);
    let missing = place.journal.request(99).await.unwrap_err();
    assert!(missing.to_string().contains("99"), "{missing}");
}

#[tokio::test]
async fn only_the_configured_kind_of_request_is_kept_but_all_are_counted() {
    for (request_types, kept) in [(LogRequests::Failed, 10), (LogRequests::Success, 90)] {
        let place = Place::new(Logging {
            request_types,
            ..Logging::default()
        });

        place.write(requests(100)).await;

        assert_eq!(place.found(RequestFilter::default()).await.len(), kept);
        let usage = place.journal.usage(UsageQuery::default()).await.unwrap();
        assert_eq!((usage.total.requests, usage.total.failed), (100, 10));
    }
}

#[tokio::test]
async fn usage_is_summed_by_whatever_is_asked_for() {
    let place = Place::new(Logging::default());
    for entry in requests(100) {
        place.journal.write(Entry::Request(Box::new(entry)));
    }
    let mut unpriced = record(1);
    unpriced.cost_usd = None;
    unpriced.model = Some("unheard-of".to_owned());
    place.journal.write(Entry::Sighting(sighting("HK", 0.25)));
    place.write([request(unpriced)]).await;
    let usage = |by, split| {
        let query = UsageQuery {
            by,
            split,
            ..UsageQuery::default()
        };
        async { place.journal.usage(query).await.unwrap() }
    };

    let by_endpoint = usage(UsageBy::Endpoint, None).await;

    let keys: Vec<&str> = by_endpoint
        .rows
        .iter()
        .map(|row| row.key.as_str())
        .collect();
    assert_eq!(keys, ["HK", "US"], "dearest first");
    assert_eq!(by_endpoint.rows[0].usage.probes_usd, 0.25);
    let total = by_endpoint.total;
    assert_eq!((total.requests, total.failed, total.unpriced), (101, 10, 1));
    assert_eq!(total.tokens.cache_read, 91 * 80_000);
    assert_eq!(total.cost_usd, 90.0 * 0.0123);
    assert!(by_endpoint.complete_since_ms.is_some());

    let by_day = usage(UsageBy::Day, Some(UsageBy::Model)).await;
    let today = jiff::Zoned::now().date().to_string();
    let day_and_model = |model: &str| {
        let rows = by_day.rows.iter();
        let row = rows.filter(|row| row.split == model && row.key <= today);
        row.map(|row| row.usage.requests).sum::<u64>()
    };
    assert_eq!(day_and_model("claude-haiku-4-5"), 34);
    assert_eq!(day_and_model("unheard-of"), 1);
    assert_eq!(by_day.total.probes_usd, 0.0, "they are of no model");

    let by_session = usage(UsageBy::Session, None).await;
    assert_eq!(by_session.rows.len(), 1);
    let later = UsageQuery {
        since_ms: Some(now_ms() + 2 * 3_600_000),
        ..UsageQuery::default()
    };
    assert_eq!(place.journal.usage(later).await.unwrap().rows, []);
}

/// The n-th of a busy day, whose answer was late: another endpoint was asked beside it, and was first.
fn overtaken(n: u64, cost_usd: Option<f64>) -> RequestRecord {
    let mut record = record(n);
    let late = AttemptRecord {
        outcome: AttemptOutcome::Overtaken,
        ..record.attempts[0].clone()
    };
    record.attempts[0].why = Some(Reason::Beside { waited_ms: 2300 });
    record.attempts.insert(0, late);
    RequestRecord {
        overtaken_cost_usd: cost_usd,
        ..record
    }
}

#[tokio::test]
async fn second_attempts_are_counted_and_what_they_cost_is_summed_apart() {
    let place = Place::new(Logging::default());
    let records = [
        record(1),
        overtaken(2, Some(0.25)),
        overtaken(4, Some(0.5)),
        // Its price is not known.
        overtaken(5, None),
    ];

    place.write(records.map(request)).await;

    let kept = place
        .journal
        .requests(RequestFilter::default(), Paging::default())
        .await
        .unwrap();
    let kept: Vec<_> = kept
        .requests
        .iter()
        .map(|record| (record.overtaken_cost_usd, record.had_a_second_attempt()))
        .collect();
    assert_eq!(
        kept,
        [
            (None, true),
            (Some(0.5), true),
            (Some(0.25), true),
            (None, false)
        ]
    );
    let session = "5e551011-0000-4000-8000-000000000000";
    for (by, rows) in [
        (UsageBy::Endpoint, &[("HK", 2, 0.25), ("US", 1, 0.5)][..]),
        (UsageBy::Session, &[(session, 3, 0.75)]),
    ] {
        let query = UsageQuery {
            by,
            ..UsageQuery::default()
        };
        let report = place.journal.usage(query).await.unwrap();
        let told = |row: &UsageRow| {
            let usage = row.usage;
            (
                row.key.clone(),
                usage.second_attempts,
                usage.overtaken_cost_usd,
            )
        };
        let mut told: Vec<_> = report.rows.iter().map(told).collect();
        told.sort_by(|one, other| one.0.cmp(&other.0));
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.0.to_owned(), row.1, row.2))
            .collect();
        assert_eq!(told, rows);
        let total = report.total;
        assert_eq!((total.second_attempts, total.overtaken_cost_usd), (3, 0.75));
        assert_eq!(total.cost_usd, 4.0 * 0.0123, "of the answers alone");
    }
}

#[tokio::test]
async fn a_file_from_before_second_attempts_keeps_all_and_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let before = rusqlite::Connection::open(&path).unwrap();
    for migration in [
        include_str!("../../src/tables/migrations/0001.sql"),
        include_str!("../../src/tables/migrations/0002.sql"),
    ] {
        before.execute_batch(migration).unwrap();
    }
    let hour = now_ms() / 3_600_000 * 3_600_000;
    before
        .execute_batch(&format!(
            "PRAGMA user_version = 2;
             INSERT INTO strings VALUES (1, 'HK'), (2, 'POST'), (3, '/v1/messages'), (4, 'claude-opus-5'),
                 (5, 'session'), (6, '0badcafe');
             INSERT INTO shapes VALUES (1, 2, 3, 0, 4, 4, 1, 0, 1, 200, 0, ',1,');
             INSERT INTO requests VALUES
                 (1, {hour}, 1, 5, 0, 0, 6, 1, 1000, 500, 10, 20, 1, 2, 3, 4, 5, 6, 7000000, 8, 9);
             INSERT INTO attempts VALUES
                 (1, 0, 1, 0, 200, 'sticky', NULL, 1, NULL, NULL, 2, 3, 4, 0, NULL, NULL);
             INSERT INTO blocks VALUES (0, {hour}, {hour}, 1, 1);
             INSERT INTO shape_blocks VALUES (1, 0);
             INSERT INTO string_blocks VALUES (5, 0), (6, 0);
             INSERT INTO usage VALUES
                 ({hour}, 3600000, 1, 4, 1, 0, 1, 2, 3, 4, 5, 6, 7000000, 0, 8, 9, 11);
             INSERT INTO session_usage VALUES
                 ({hour}, 1, 4, 5, 1, 0, 1, 2, 3, 4, 5, 6, 7000000, 0, 8, 9);
             UPDATE facts SET value = 1 WHERE name = 'last_request';"
        ))
        .unwrap();
    drop(before);
    let journal = open(&path, Logging::default(), &[]);
    let new = RequestRecord {
        at_ms: hour + 1,
        session: Some("session".to_owned()),
        model: Some("claude-opus-5".to_owned()),
        ..overtaken(1, Some(0.25))
    };

    journal.write(Entry::Request(Box::new(request(new))));
    assert_eq!(journal.flush().await, Dropped::Nothing);

    let old = journal.request(1).await.unwrap().record;
    assert_eq!((old.cost_usd, old.overtaken_cost_usd), (Some(0.007), None));
    assert_eq!(
        (old.request.as_str(), old.attempts.len()),
        ("0badcafe-1", 1)
    );
    let new = journal.request(2).await.unwrap().record;
    assert_eq!(new.overtaken_cost_usd, Some(0.25));
    for by in [UsageBy::Endpoint, UsageBy::Session] {
        let query = UsageQuery {
            by,
            ..UsageQuery::default()
        };
        let total = journal.usage(query).await.unwrap().total;
        assert_eq!((total.requests, total.second_attempts), (2, 1), "{by:?}");
        assert_eq!(total.cost_usd, 0.0123 + 0.007, "{by:?}");
        assert_eq!(total.overtaken_cost_usd, 0.25, "{by:?}");
    }
    let views = rusqlite::Connection::open(&path).unwrap();
    let told = |sql: &str| views.query_row(sql, [], |row| row.get::<_, String>(0));
    assert_eq!(
        told("SELECT group_concat(outcome, ' ') FROM attempt_log WHERE request = 2"),
        Ok("overtaken answered".to_owned())
    );
    for view in ["request_log", "usage_log", "session_usage_log"] {
        let sum = format!("SELECT CAST(sum(overtaken_cost_usd) AS TEXT) FROM {view}");
        assert_eq!(told(&sum), Ok("0.25".to_owned()), "{view}");
    }
}

#[tokio::test]
async fn history_tells_latency_failures_and_state() {
    let place = Place::new(Logging::default());
    place.journal.write(Entry::Sighting(sighting("HK", 0.0)));
    let failing = Sighting {
        state: EndpointState::Failing,
        latency_ms: None,
        ..sighting("HK", 0.0)
    };
    place.journal.write(Entry::Sighting(failing));
    place.write(requests(11)).await;

    let query = HistoryQuery {
        endpoint: Some("HK".to_owned()),
        ..HistoryQuery::default()
    };
    let histories = place.journal.history(query).await.unwrap();

    assert_eq!(histories.len(), 1);
    let points = &histories[0].points;
    let sum = |of: fn(&zephyr_control::HistoryPoint) -> u64| points.iter().map(of).sum::<u64>();
    assert_eq!(
        (sum(|point| point.attempts), sum(|point| point.failures)),
        (8, 1)
    );
    let probed = points
        .iter()
        .find(|point| point.latency_ms.is_some())
        .unwrap();
    assert_eq!(probed.latency_ms, Some(120.0));
    assert_eq!(probed.state, Some(EndpointState::Failing));
    let tried = points.iter().find(|point| point.ttft_ms.is_some()).unwrap();
    assert_eq!(tried.ttft_ms, Some(250.0));
}

fn sighting(endpoint: &str, cost_usd: f64) -> Sighting {
    Sighting {
        endpoint: endpoint.to_owned(),
        at_ms: now_ms(),
        state: EndpointState::Ready,
        latency_ms: Some(120.0),
        cost_usd,
    }
}

#[tokio::test]
async fn no_secret_is_in_the_file_wherever_it_was_planted() {
    const KNOWN: &str = "correct-horse-battery";
    const KEY: &str = "sk-ant-api03-PLANTEDplantedPLANTED0123456789";
    const CLIENTS: &str = "clients-own-credential-PLANTED";
    const CORPORATE: &str = "corporate-credential-PLANTED";
    const QUERIED: &str = "credential-of-the-query-PLANTED";
    let place = Place::knowing(everything(), &[KNOWN]);
    let planted = format!("{KNOWN} and {KEY}, and {CLIENTS}, {CORPORATE}, {QUERIED}");
    let mut poisoned = record(1);
    for text in [
        &mut poisoned.method,
        &mut poisoned.path,
        &mut poisoned.request,
    ] {
        *text = format!("/{KEY}/{KNOWN}?api_key=PLANTED-in-query");
    }
    for text in [
        &mut poisoned.client,
        &mut poisoned.session,
        &mut poisoned.agent,
        &mut poisoned.model,
        &mut poisoned.served_model,
        &mut poisoned.endpoint,
        &mut poisoned.stop_reason,
    ] {
        *text = Some(format!("{KNOWN} {KEY} {CORPORATE} {QUERIED}"));
    }
    poisoned.error = Some(planted.clone());
    let attempt = &mut poisoned.attempts[0];
    attempt.endpoint = KEY.to_owned();
    attempt.reason = Some(Reason::ConnectFailed {
        detail: Redacted::by_shape(&planted),
    });
    attempt.why = attempt.reason.clone();
    attempt.rate_limits = vec![(KEY.to_owned(), planted.clone())];
    let mut finished = request(poisoned);
    finished.query = Some(format!("beta=true&access_key={QUERIED}"));
    finished
        .request_headers
        .insert("x-corporate-token", HeaderValue::from_static(CORPORATE));
    for headers in [
        &mut finished.request_headers,
        &mut finished.response_headers,
    ] {
        for name in [
            "user-agent",
            "x-secret-thing",
            "x-api-key",
            "set-cookie",
            "x-stainless-os",
        ] {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(&format!("{KNOWN} {KEY}")).unwrap(),
            );
        }
    }
    finished.request_headers.insert(
        "authorization",
        HeaderValue::from_str(&format!("Bearer {CLIENTS}")).unwrap(),
    );
    let stream = format!(
        "data: {{\"delta\":{{\"text\":\"{planted} Bearer PLANTED0\"}}}}\n\n\
         data: {{\"delta\":{{\"text\":\"{}\"}}}}\n\ndata: {{\"delta\":{{\"text\":\"{}\"}}}}\n\n",
        &KNOWN[..9],
        &KNOWN[9..]
    );
    finished.request_body = Some(captured(
        format!("{{\"x-api-key\":\"{planted}\"}}").as_bytes(),
    ));
    finished.response_body = Some(captured(stream.as_bytes()));

    place.write([finished]).await;

    let detail = place.journal.request(1).await.unwrap();
    let told = format!("{detail:?}");
    let files: Vec<PathBuf> = std::fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let mut written: Vec<u8> = files
        .iter()
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    written.extend(told.as_bytes());
    let written = String::from_utf8_lossy(&written);
    assert!(written.contains("[redacted]"));
    for secret in [KNOWN, "sk-ant-", "PLANTED", "planted"] {
        assert!(!written.contains(secret), "{secret}: {told}");
    }
    // Nor do its trigrams stand in the index, each where the other begins.
    assert_eq!(place.with_text("horse-battery").await, Vec::<u64>::new());
}

#[tokio::test]
async fn two_instances_share_a_file() {
    let place = Place::new(Logging::default());
    let path = place.folder.path().join("journal.db");
    let other = open(&path, Logging::default(), &[]);

    for n in 0..500 {
        place
            .journal
            .write(Entry::Request(Box::new(request(record(n)))));
        other.write(Entry::Request(Box::new(request(record(n + 500)))));
        if n.is_multiple_of(50) {
            assert_eq!(place.journal.flush().await, Dropped::Nothing);
        }
    }
    assert_eq!(place.journal.flush().await, Dropped::Nothing);
    assert_eq!(other.flush().await, Dropped::Nothing);

    let filter = RequestFilter {
        text: Some("0badcafe-900".to_owned()),
        ..RequestFilter::default()
    };
    assert_eq!(place.found(filter).await.len(), 1);
    let usage = other.usage(UsageQuery::default()).await.unwrap();
    assert_eq!(usage.total.requests, 1000);
}

#[tokio::test]
async fn a_closed_file_has_nothing_beside_it_and_is_opened_again_for_what_comes() {
    let place = Place::new(Logging::default());
    place.write(requests(100)).await;
    let files = || {
        let files = std::fs::read_dir(place.folder.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert!(files().len() > 1);

    assert_eq!(place.journal.close().await, Dropped::Nothing);

    assert_eq!(files(), ["journal.db"]);
    place.write(requests(1)).await;
    assert_eq!(place.found(RequestFilter::default()).await[0], 101);
}

#[tokio::test]
async fn a_name_is_looked_for_only_where_it_can_be() {
    let place = Place::new(Logging::default());
    place.write(requests(3000)).await;
    let path = place.folder.path().join("journal.db");
    let elsewhere = rusqlite::Connection::open(path).unwrap();
    let sql = "UPDATE requests SET number = 1234 WHERE id = 2900";
    assert_eq!(elsewhere.execute(sql, []), Ok(1));

    let found = place.with_text("0badcafe-1234").await;

    assert_eq!(
        found,
        [1234],
        "not the other, which is in a block of larger numbers"
    );
    assert_eq!(place.with_text("0badcafe-3001").await, [0; 0]);
    assert_eq!(place.with_text("0badcaff-1234").await, [0; 0]);
}

#[tokio::test]
async fn sums_without_sessions_have_a_row_for_an_hour_however_many_sessions_there_were() {
    let place = Place::new(Logging::default());
    let began = now_ms() / 3_600_000 * 3_600_000 - 3_600_000 + 123_456;
    let one = |n| {
        let mut record = record(1);
        record.at_ms = began + n;
        record.session = Some(format!("session-{n}"));
        request(record)
    };

    place.write((0..500).map(one)).await;

    let path = place.folder.path().join("journal.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    let count = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("usage"), count("session_usage")), (1, 500));
    assert_eq!((count("usage_log"), count("session_usage_log")), (1, 500));
    let usage = |by| async move {
        let query = UsageQuery {
            by,
            ..UsageQuery::default()
        };
        place.journal.usage(query).await.unwrap()
    };
    let by_session = usage(UsageBy::Session).await;
    assert_eq!(by_session.rows.len(), 500);
    assert_eq!(by_session.total.requests, 500);
    assert_eq!(
        by_session.complete_since_ms,
        Some(began),
        "not the hour's beginning"
    );
}

#[tokio::test]
async fn another_configuration_holds_at_once_and_another_place_too() {
    let place = Place::new(Logging::default());
    place.write([request(record(1))]).await;
    let path = place.folder.path().join("elsewhere").join("journal.db");

    place.journal.configure(Settings {
        path: path.clone(),
        logging: everything(),
        secrets: vec![Secret::new("hunter2hunter2").unwrap()],
    });
    place.write([with_body(2, "it is hunter2hunter2")]).await;

    assert!(path.exists());
    let detail = place.journal.request(1).await.unwrap();
    assert_eq!(detail.request_body.unwrap().text, "it is [redacted]");
    let status = place.journal.status();
    assert_eq!(status.path, Some(path.display().to_string()));
    assert!(status.bytes > 0);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    std::fs::write(&path, "no database".repeat(1000)).unwrap();
    let journal = open(&path, Logging::default(), &[]);

    journal.write(Entry::Request(Box::new(request(record(1)))));

    assert_eq!(journal.flush().await, Dropped::Nothing);
    let problems = journal.problems();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].message.contains("journal.db.bad"),
        "{problems:?}"
    );
    assert!(folder.path().join("journal.db.bad").exists());
}

#[tokio::test]
async fn what_is_handed_over_faster_than_it_is_written_is_dropped_and_counted() {
    let meter = Arc::new(Meter::default());
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: folder.path().join("journal.db"),
        logging: Logging::default(),
        secrets: Vec::new(),
    };
    let journal = Journal::open(settings, Arc::clone(&meter));

    for n in 0..60_000 {
        journal.write(Entry::Sighting(sighting(&format!("{n}"), 0.0)));
    }

    let dropped = meter.dropped();
    assert!(dropped > 0, "it writes faster than a loop can hand over");
    assert_eq!(
        journal.flush().await,
        Dropped::Nothing,
        "what was taken is written"
    );
    assert_eq!((journal.status().dropped, meter.queued()), (dropped, 0));
    let kept = journal.history(HistoryQuery::default()).await.unwrap();
    assert_eq!(kept.len() as u64 + dropped, 60_000);
}

#[tokio::test]
async fn a_secret_that_a_stream_spreads_over_its_pieces_is_not_kept() {
    let place = Place::new(everything());
    let delta = |index: u32, text: &str| {
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\
             \"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
        )
    };
    let mut finished = request(record(1));
    let pieces = [
        delta(0, "take sk-ant-ap"),
        delta(0, "i03-XYZPLANTEDxyz0123456789 and"),
        delta(0, " AKIAPLAN"),
        delta(0, "TED012345678 with you"),
    ];
    finished.response_body = Some(captured(pieces.concat().as_bytes()));

    place.write([finished]).await;

    let body = place.journal.request(1).await.unwrap().response_body;
    let told = format!("{body:?}");
    assert!(told.contains("take [redacted] and"), "{told}");
    assert!(!told.contains("XYZ") && !told.contains("AKIA"), "{told}");
    for file in std::fs::read_dir(place.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let written = String::from_utf8_lossy(&bytes).to_lowercase();
        for secret in ["xyzp", "planted", "akia"] {
            assert!(!written.contains(secret), "{secret}");
        }
    }
    assert_eq!(place.with_text("with you").await, [1]);
    for secret in ["i03-xyz", "plan", "akia"] {
        assert_eq!(place.with_text(secret).await, Vec::<u64>::new());
    }
}

#[tokio::test]
async fn an_absurd_usage_does_not_break_the_sums_and_an_unknown_one_is_said_to_be() {
    let place = Place::new(Logging::default());
    let with = |tokens, cost_usd| {
        request(RequestRecord {
            tokens,
            cost_usd,
            ..record(1)
        })
    };
    let most = u64::MAX;
    let absurd = Some(Tokens {
        input: most,
        cache_write_5m: most,
        cache_write_1h: most,
        cache_read: most,
        output: most,
        thinking: most,
    });

    place.write([with(absurd, Some(f64::MAX))]).await;
    place.write([with(absurd, Some(f64::MAX))]).await;
    place.write([with(None, None)]).await;

    let query = UsageQuery {
        by: UsageBy::Day,
        split: None,
        since_ms: None,
        until_ms: None,
    };
    let total = place.journal.usage(query).await.unwrap().total;
    assert_eq!(total.tokens.input, 2_000_000_000);
    assert_eq!((total.requests, total.unpriced), (3, 1));
}
