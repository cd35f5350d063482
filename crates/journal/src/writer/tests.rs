//! The writer on a file that fills up, breaks, or grows old.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use zephyr_control::{RequestEnd, RequestRecord};
use zephyr_core::config::{LogBody, Logging};

use super::work::{REOPEN, Writer};
use crate::entry::{Captured, Entry, Finished, Sighting};
use crate::file;
use crate::retention::{self, Progress, Retention};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::tables::{now, whole};

struct Place {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
    writer: Writer,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let shared = Arc::new(Shared::new(Arc::default(), path.clone()));
        let settings = Settings {
            path,
            logging: Logging::default(),
            secrets: Vec::new(),
        };
        let writer = Writer::new(Arc::clone(&shared), settings);
        Self {
            folder,
            shared,
            writer,
        }
    }

    fn write(&mut self, requests: usize) {
        self.write_all((0..requests).map(|_| request()).collect());
    }

    fn write_all(&mut self, mut batch: Vec<Entry>) {
        for _ in &batch {
            self.shared.meter.enqueued();
        }
        self.writer.write(&mut batch);
    }

    fn kept(&self) -> i64 {
        let connection = file::open_to_read(&self.path()).unwrap();
        let sql = "SELECT count(*) FROM requests";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("journal.db")
    }

    fn failing(&self) -> Option<String> {
        self.shared.problems.failing()
    }

    fn set_aside(&self) -> Option<String> {
        self.shared.problems.set_aside()
    }

    fn maintain(&mut self) {
        self.writer.next_maintenance = Instant::now();
        self.writer.maintain(Duration::from_secs(600));
    }
}

fn request() -> Entry {
    Entry::Request(Box::new(Finished {
        record: record(),
        query: None,
        request_headers: HeaderMap::new(),
        response_headers: HeaderMap::new(),
        request_body: None,
        response_body: None,
    }))
}

fn long_ago() -> Entry {
    let mut entry = request();
    if let Entry::Request(finished) = &mut entry {
        finished.record.at_ms = 1;
    }
    entry
}

fn record() -> RequestRecord {
    RequestRecord {
        id: 0,
        request: "0badcafe-1".to_owned(),
        at_ms: whole(now()),
        method: "POST".to_owned(),
        path: "/v1/messages".to_owned(),
        status: Some(200),
        end: RequestEnd::Answered,
        client: None,
        session: None,
        agent: None,
        model: None,
        served_model: None,
        stream: None,
        endpoint: None,
        attempts: Vec::new(),
        duration_ms: 1.0,
        ttft_ms: None,
        request_bytes: 1,
        response_bytes: 1,
        tokens: None,
        stop_reason: None,
        cost_usd: None,
        cache_saved_usd: None,
        cache_lost_usd: None,
        overtaken_cost_usd: None,
        error: None,
    }
}

fn limit_to(writer: &Writer, pages: i64) {
    let connection = writer.connection.as_ref().unwrap();
    connection
        .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        .unwrap();
}

#[test]
fn a_full_disk_costs_what_cannot_be_written_and_nothing_else() {
    let mut place = Place::new();
    place.write(10);
    limit_to(&place.writer, 1); // Not less than there are: no more.

    place.write(20_000);

    assert!(
        place.failing().unwrap().contains("full"),
        "{:?}",
        place.failing()
    );
    assert_eq!(place.shared.meter.dropped(), 20_000);
    assert_eq!((place.kept(), place.shared.meter.queued()), (10, 0));

    limit_to(&place.writer, 1_000_000);
    place.write(5);

    assert_eq!(place.failing(), None);
    assert_eq!((place.kept(), place.shared.meter.written()), (15, 15));
}

#[test]
fn a_file_that_breaks_while_it_is_written_is_set_aside_and_nothing_of_the_batch_is_lost() {
    let mut place = Place::new();
    place.write(2000);
    {
        let connection = place.writer.connection.as_ref().unwrap();
        connection
            .pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
            .unwrap();
    }
    overwrite_tables(&place.path());
    // What it still has in memory would do for a while.
    let connection = place.writer.connection.as_ref().unwrap();
    connection.execute_batch("PRAGMA shrink_memory").unwrap();

    place.write(7);

    let told = place.set_aside().unwrap();
    assert!(told.contains("journal.db.bad"), "{told}");
    assert!(place.folder.path().join("journal.db.bad").exists());
    assert_eq!((place.kept(), place.failing()), (7, None));
}

/// All but the first page, so that it still looks like a database.
fn overwrite_tables(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_old_goes_and_gives_its_room_back_but_stays_in_the_sums() {
    let mut place = Place::new();
    let month_ago = whole(now()) - 30 * 24 * 3_600_000;
    let old: Vec<Entry> = (0..5000)
        .map(|number| {
            let mut finished = match request() {
                Entry::Request(finished) => finished,
                Entry::Sighting(_) => unreachable!("it makes requests"),
            };
            finished.record.at_ms = month_ago;
            finished.record.session = Some(format!("session-{number}"));
            Entry::Request(finished)
        })
        .collect();
    place.write_all(old);
    place.write(3);
    let pages = |place: &Place| {
        let connection = place.writer.connection.as_ref().unwrap();
        retention::used(connection).unwrap() / 4096
    };
    let before = pages(&place);

    place.maintain();

    assert_eq!(place.kept(), 3);
    let after = pages(&place);
    assert!(after < before, "{before} pages, then {after}");
    let connection = place.writer.connection.as_ref().unwrap();
    let number = |sql| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(number("PRAGMA freelist_count"), 0);
    assert_eq!(number("SELECT sum(requests) FROM usage"), 5003);
    assert_eq!(number("SELECT count(*) FROM blocks"), 1);
}

#[test]
fn strings_that_nothing_names_any_more_are_forgotten() {
    let mut place = Place::new();
    let mut entry = request();
    if let Entry::Request(finished) = &mut entry {
        finished.record.at_ms = 1;
        finished.record.error = Some("a singular error".to_owned());
    }
    let mut old: Vec<Entry> = (0..600).map(|_| long_ago()).collect();
    old.insert(0, entry);
    place.write_all(old);
    let known = |place: &Place| {
        let connection = place.writer.connection.as_ref().unwrap();
        let sql = "SELECT count(*) FROM strings WHERE text = 'a singular error'";
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(known(&place), 1);
    place.write(1000);

    place.maintain();

    assert_eq!(known(&place), 0);
    place.write(1);
    assert_eq!((place.kept(), place.failing()), (1001, None));
}

#[test]
fn a_file_that_is_too_large_loses_its_oldest_requests() {
    let mut place = Place::new();
    place.write(20_000);
    place.writer.logging.max_size = 512 * 1024;

    place.maintain();

    let connection = place.writer.connection.as_ref().unwrap();
    assert!(retention::used(connection).unwrap() <= 512 * 1024);
    let number = |sql| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(number("SELECT max(id) FROM requests"), 20_000);
    assert!(number("SELECT min(id) FROM requests") > 1000);
    assert!(place.kept() > 1000);
}

#[test]
fn a_number_is_given_once_even_if_all_requests_are_gone() {
    let mut place = Place::new();
    place.write(10);
    place.writer.logging.max_size = 1;
    place.maintain();
    assert_eq!(place.kept(), 0);

    place.write(1);

    let connection = place.writer.connection.as_ref().unwrap();
    let id: i64 = connection
        .query_row("SELECT id FROM requests", [], |row| row.get(0))
        .unwrap();
    assert_eq!(id, 11);
}

#[test]
fn what_overtaken_attempts_cost_stays_in_the_sums_of_days() {
    let mut place = Place::new();
    let of_hour = |hour: u64| {
        let mut old = long_ago();
        if let Entry::Request(finished) = &mut old {
            finished.record.at_ms = hour * 3_600_000;
            finished.record.overtaken_cost_usd = Some(0.5);
        }
        old
    };
    place.write_all(vec![of_hour(100), of_hour(101)]);

    place.maintain();

    let of_days = "SELECT sum(overtaken_nanousd) FROM usage WHERE span_ms = 86400000";
    assert_eq!(number(&place, of_days), 1_000_000_000);
}

#[test]
fn a_year_of_history_stays_small() {
    let mut place = Place::new();
    let now = now();
    let day = 24 * 3_600_000;
    let seen: Vec<Entry> = (0..400 * 24)
        .map(|hour| {
            Entry::Sighting(Sighting {
                endpoint: "A".to_owned(),
                at_ms: whole(now - hour * 3_600_000),
                state: zephyr_control::EndpointState::Ready,
                latency_ms: Some(100.0),
                cost_usd: 0.001,
            })
        })
        .collect();
    place.write_all(seen);

    place.maintain();

    let connection = place.writer.connection.as_ref().unwrap();
    let number = |sql: &str| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(number("SELECT sum(probes) FROM history"), 400 * 24);
    assert_eq!(
        number("SELECT sum(latency_us) FROM history"),
        400 * 24 * 100_000
    );
    assert_eq!(
        number("SELECT sum(probes_nanousd) FROM usage"),
        400 * 24 * 1_000_000
    );
    let days = number(&format!(
        "SELECT count(*) FROM history WHERE span_ms = {day}"
    ));
    assert!((338..=342).contains(&days), "{days}");
    assert!(number("SELECT count(*) FROM history") < 2000);
    assert!(number("SELECT count(*) FROM usage") < 1300);
}

fn number(place: &Place, sql: &str) -> i64 {
    let connection = place.writer.connection.as_ref().unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_cannot_be_deleted_is_tried_again_after_a_pause() {
    let mut place = Place::new();
    place.write(5000);
    let connection = place.writer.connection.as_ref().unwrap();
    let full =
        "CREATE TRIGGER full BEFORE DELETE ON requests BEGIN SELECT RAISE(ABORT, 'full'); END";
    connection.execute_batch(full).unwrap();
    place.writer.logging.max_size = 1;

    place.maintain();
    place.write(1);

    assert_eq!(place.kept(), 5001);
    let pause = place.writer.due();
    assert!(pause > REOPEN / 2 && pause <= REOPEN, "{pause:?}");
}

#[test]
fn requests_stay_and_the_writer_rests_when_it_is_sums_that_fill_the_file() {
    let mut place = Place::new();
    let week_ago = whole(now()) - 7 * 24 * 3_600_000;
    let old: Vec<Entry> = (0..20_000)
        .map(|session| {
            let mut entry = request();
            if let Entry::Request(finished) = &mut entry {
                finished.record.at_ms = week_ago;
                finished.record.session = Some(format!("session-{session}"));
            }
            entry
        })
        .collect();
    place.write_all(old);
    place.writer.logging.retention_days = 1;
    place.write(1000);
    let connection = place.writer.connection.as_ref().unwrap();
    place.writer.logging.max_size = retention::used(connection).unwrap() / 4;

    place.maintain();
    place.write(1);

    assert_eq!(place.kept(), 1001);
    assert!(number(&place, "SELECT count(*) FROM usage") < 10);
    assert_eq!(number(&place, "SELECT sum(requests) FROM usage"), 21_001);
    assert!(place.writer.due() > REOPEN / 2);
}

#[test]
fn what_a_clock_wrote_that_was_ahead_goes_with_what_followed_it() {
    let mut place = Place::new();
    let at = |at_ms: u64| {
        let mut entry = request();
        if let Entry::Request(finished) = &mut entry {
            finished.record.at_ms = at_ms;
        }
        entry
    };
    let now = whole(now());
    let ahead = now + 400 * 24 * 3_600_000;
    let mut batch: Vec<Entry> = (0..600).map(|_| at(ahead)).collect();
    batch.extend((0..2000).map(|_| long_ago()));
    batch.extend((0..3).map(|_| at(now)));
    place.write_all(batch);

    place.maintain();

    assert_eq!(place.kept(), 3);
}

#[test]
fn what_seems_ahead_because_the_clock_is_behind_stays() {
    let mut place = Place::new();
    place.write(2000);
    let connection = place.writer.connection.as_mut().unwrap();

    let mut retention = Retention::default();
    retention.begin();
    while retention
        .step(connection, &place.writer.logging, 1)
        .unwrap()
        == Progress::More
    {}

    assert_eq!(place.kept(), 2000);
}

/// Text that does not compress, so that its size in the file is known: half a megabyte for a megabyte.
fn megabyte(seed: u64) -> String {
    let mut mixed = seed + 1;
    let numbers = std::iter::repeat_with(|| {
        mixed ^= mixed << 13;
        mixed ^= mixed >> 7;
        mixed ^= mixed << 17;
        format!("{mixed:016x}")
    });
    numbers.take(65_536).collect()
}

#[test]
fn a_step_deletes_few_requests_if_their_bodies_are_large() {
    let mut place = Place::new();
    place.writer.logging.request_body = LogBody::Full;
    let mut heavy: Vec<Entry> = (0..20)
        .map(|seed| {
            let mut entry = long_ago();
            if let Entry::Request(finished) = &mut entry {
                finished.request_body = Some(Captured {
                    pieces: vec![megabyte(seed).into()],
                    truncated: false,
                });
            }
            entry
        })
        .collect();
    heavy.extend((0..300).map(|_| long_ago()));
    place.write_all(heavy);
    let connection = place.writer.connection.as_mut().unwrap();
    let mut retention = Retention::default();
    retention.begin();

    let mut left = vec![320];
    while *left.last().unwrap() > 0 {
        let progress = retention.step(connection, &place.writer.logging, now());
        assert_eq!(progress, Ok(Progress::More));
        let kept = connection.query_row("SELECT count(*) FROM requests", [], |row| row.get(0));
        left.push(kept.unwrap());
    }

    let deleted: Vec<i64> = left.windows(2).map(|two| two[0] - two[1]).collect();
    // Seven to nine of the large ones have 4 MB, and the last step but one takes 256 whatever they are.
    let (large, small) = deleted.split_at(2);
    assert!(
        large.iter().all(|count| (7..=9).contains(count)),
        "{deleted:?}"
    );
    assert!(
        small.len() <= 3 && small.iter().all(|count| *count <= 256),
        "{deleted:?}"
    );
}

#[test]
fn new_records_are_written_between_the_steps_of_maintenance() {
    let mut place = Place::new();
    place.write_all((0..600).map(|_| long_ago()).collect());
    place.writer.next_maintenance = Instant::now();

    place.writer.maintain(Duration::ZERO);
    let after_a_step = place.kept();
    place.write(1);

    assert_eq!(after_a_step, 600 - 256);
    assert_eq!(place.kept(), 600 - 256 + 1);
    assert_eq!(place.writer.due(), Duration::ZERO, "it goes on at once");
}
