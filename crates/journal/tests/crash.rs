//! The journal of a program that is killed: its file opens, and what a flush acknowledged is in it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "only tests call it")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use zephyr_control::RequestRecord;
use zephyr_core::config::{LogBody, Logging};
use zephyr_journal::{Dropped, Entry, Finished};

use common::{captured, open, record, request};

/// Says where to write, to the process that is killed.
const WRITES_TO: &str = "ZEPHYR_TEST_JOURNAL";
/// Says under which name.
const RUN: &str = "ZEPHYR_TEST_RUN";

/// Requests between two flushes.
const BETWEEN: u64 = 500;

#[tokio::test]
async fn a_few_kills_under_load_lose_nothing_that_was_acknowledged() {
    survives(
        "a_few_kills_under_load_lose_nothing_that_was_acknowledged",
        3,
    )
    .await;
}

#[tokio::test]
#[ignore = "long"]
async fn fifty_kills_under_load_lose_nothing_that_was_acknowledged() {
    survives(
        "fifty_kills_under_load_lose_nothing_that_was_acknowledged",
        50,
    )
    .await;
}

/// `test`: whose name leads the process that is killed to the same place.
async fn survives(test: &str, kills: u64) {
    if let Some(path) = std::env::var_os(WRITES_TO) {
        let run = std::env::var(RUN).unwrap();
        write_forever(Path::new(&path), &run).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut acknowledged = Vec::new();
    for kill in 0..kills {
        let run = format!("{kill:08x}");
        let flushed = killed(test, &path, &run, 1 + kill % 7);
        acknowledged.push((run, flushed));

        // As the next start does, and then as whoever looks at it.
        let reader = open(&path, everything(), &[]);
        assert_eq!(reader.flush().await, Dropped::Nothing);
        assert_eq!(reader.problems(), []);
        drop(reader);
        let connection = Connection::open(&path).unwrap();
        let sound: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok", "after kill {kill}");
        for (run, flushed) in &acknowledged {
            assert_eq!(kept(&connection, run, *flushed), [*flushed; 3], "{run}");
        }
    }
    let total: u64 = acknowledged.iter().map(|(_, flushed)| flushed).sum();
    println!("measured: {kills} kills, {total} requests acknowledged, none lost, every file sound");
}

/// Starts a process that writes, and kills it after so many flushes; returns how many requests it has had
/// acknowledged.
fn killed(test: &str, path: &Path, run: &str, flushes: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--include-ignored"])
        .env(WRITES_TO, path)
        .env(RUN, run)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = 0;
    for line in lines.map_while(Result::ok) {
        if let Some(flushed) = line
            .rsplit("flushed ")
            .next()
            .and_then(|number| number.parse().ok())
        {
            last = flushed;
            if last == flushes * BETWEEN {
                child.kill().unwrap(); // What it said meanwhile is read too.
            }
        }
    }
    child.wait().unwrap();
    assert!(last >= flushes * BETWEEN, "it ended by itself");
    last
}

async fn write_forever(path: &Path, run: &str) {
    let journal = open(path, everything(), &[]);
    let mut out = std::io::stdout();
    for n in 1.. {
        journal.write(Entry::Request(Box::new(numbered(run, n))));
        if n % BETWEEN == 0 && journal.flush().await == Dropped::Nothing {
            writeln!(out, "flushed {n}").unwrap();
            out.flush().unwrap();
        }
    }
}

fn numbered(run: &str, n: u64) -> Finished {
    let record = RequestRecord {
        request: format!("{run}-{n}"),
        session: Some(format!("{run}-session-{}", n / 20)),
        ..record(n)
    };
    Finished {
        request_body: Some(captured(
            format!("{{\"text\":\"message {n} of {run}\"}}").as_bytes(),
        )),
        ..request(record)
    }
}

fn everything() -> Logging {
    Logging {
        request_body: LogBody::Full,
        retention_days: 36_500,
        max_size: 1 << 40,
        ..Logging::default()
    }
}

/// Of the first so many requests of a run: requests, attempts and recordings that are there.
fn kept(connection: &Connection, run: &str, first: u64) -> [u64; 3] {
    ["requests", "attempts", "recordings"].map(|table| {
        let id = if table == "requests" { "id" } else { "request" };
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE {id} IN (SELECT requests.id FROM requests \
             JOIN strings ON strings.id = requests.run WHERE text = ?1 AND number <= ?2)"
        );
        let first = i64::try_from(first).unwrap();
        let count: i64 = connection
            .query_row(&sql, rusqlite::params![run, first], |row| row.get(0))
            .unwrap();
        u64::try_from(count).unwrap()
    })
}
