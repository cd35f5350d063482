//! Takes out of the journal what is too old or too much, a little at a time.
//!
//! Every step is a short transaction, so that new records and other instances never wait long for it.
//! Deleted pages go back to the file system in small steps too.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use zephyr_core::config::Logging;

use crate::codes::int;
use crate::schema::BLOCK;
use crate::store::{ADD_HISTORY, ADD_USAGE, DAY, HOUR, MINUTE};

/// Requests that one step deletes.
const STEP: i64 = 256;
/// Pages that one step gives back.
const PAGES: i64 = 512;
/// How far below the limit a file that was too large is brought, in percent of the limit.
const ENOUGH: u64 = 95;

/// The share of the limit, in percent, that requests are left with, whatever else fills the file.
const OF_REQUESTS: u64 = 25;
/// Deleted requests after which it is worth while to look for strings without use.
const UNSEEN: u64 = 8192;
/// Tables that no request's deletion makes smaller, and those that it does only when strings go too.
const SUMS: &str = "tbl_name IN ('usage', 'session_usage', 'history')";
const SUMS_AND_NAMES: &str = "(tbl_name IN ('usage', 'session_usage', 'history', 'strings') OR tbl_name LIKE 'string_search%')";
/// A clock may be wrong by as much.
const AHEAD: i64 = DAY;

/// How long minutes of an endpoint's history are kept, and then hours; days stay.
const MINUTES_KEPT: i64 = 2 * DAY;
const HOURS_KEPT: i64 = 60 * DAY;
/// How long sums are kept by hour and session at least; then days stay.
const SESSIONS_KEPT: i64 = 35 * DAY;
/// Rows that one step of rolling up takes in.
const ROWS: i64 = 2000;
/// The same of sums: each has those of its sessions.
const HOURS: i64 = 50;

/// What a step left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More of the same.
    More,
    /// Nothing for now.
    Done,
}

/// Where the work is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Requests,
    /// Sums fill the file: those by hour and session become days.
    Condense,
    Oversize,
    History,
    Usage,
    Strings,
    Pages,
}

/// The work, to be begun now and then and done step by step.
#[derive(Default)]
pub(crate) struct Retention {
    stage: Stage,
    /// Whether requests were deleted, so that strings may have no use any more.
    deleted: u64,
}

impl Retention {
    /// There may be something to do.
    pub(crate) fn begin(&mut self) {
        if self.stage == Stage::Idle {
            self.stage = Stage::Requests;
        }
    }

    /// Whether the next step may delete strings and shapes, whose numbers are not to be used after it.
    pub(crate) fn deletes_names(&self) -> bool {
        match self.stage {
            Stage::Condense | Stage::Oversize | Stage::Strings => true,
            Stage::Idle | Stage::Requests | Stage::History | Stage::Usage | Stage::Pages => false,
        }
    }

    /// Does a little. `now`: milliseconds since 1970.
    pub(crate) fn step(
        &mut self,
        connection: &mut Connection,
        logging: &Logging,
        now: i64,
    ) -> rusqlite::Result<Progress> {
        self.stage = match self.stage {
            Stage::Idle => return Ok(Progress::Done),
            Stage::Requests => {
                let kept_from = now - i64::from(logging.retention_days) * DAY;
                match self.delete_oldest(connection, kept_from, now)? {
                    Progress::More => Stage::Requests,
                    Progress::Done if used(connection)? <= logging.max_size => Stage::History,
                    Progress::Done
                        if used_by(connection, SUMS_AND_NAMES)? > logging.max_size / 2 =>
                    {
                        Stage::Condense
                    }
                    Progress::Done => Stage::Oversize,
                }
            }
            Stage::Condense => match roll_usage_up(connection, now - DAY)? {
                Progress::More => Stage::Condense,
                Progress::Done => {
                    delete_unused(connection)?;
                    Stage::Oversize
                }
            },
            Stage::Oversize if self.deleted >= UNSEEN => {
                delete_unused(connection)?;
                self.deleted = 0;
                Stage::Oversize
            }
            Stage::Oversize => {
                let used = used(connection)?;
                let of_requests = used.saturating_sub(used_by(connection, SUMS)?);
                let is_too_much = used > logging.max_size / 100 * ENOUGH
                    && of_requests > logging.max_size / 100 * OF_REQUESTS;
                if is_too_much && self.delete_oldest(connection, i64::MAX, now)? == Progress::More {
                    Stage::Oversize
                } else {
                    Stage::History
                }
            }
            Stage::History => match roll_history_up(connection, now)? {
                Progress::More => Stage::History,
                Progress::Done => Stage::Usage,
            },
            Stage::Usage => {
                let kept = SESSIONS_KEPT.max(i64::from(logging.retention_days) * DAY);
                match roll_usage_up(connection, now - kept)? {
                    Progress::More => Stage::Usage,
                    Progress::Done if self.deleted > 0 => Stage::Strings,
                    Progress::Done => Stage::Pages,
                }
            }
            Stage::Strings => {
                delete_unused(connection)?;
                self.deleted = 0;
                Stage::Pages
            }
            Stage::Pages => match give_back(connection)? {
                Progress::More => Stage::Pages,
                Progress::Done => Stage::Idle,
            },
        };
        Ok(match self.stage {
            Stage::Idle => Progress::Done,
            Stage::Requests
            | Stage::Condense
            | Stage::Oversize
            | Stage::History
            | Stage::Usage
            | Stage::Strings
            | Stage::Pages => Progress::More,
        })
    }

    /// Deletes those of the oldest requests that began before `before`.
    ///
    /// Those of a time to come were written while the clock was ahead. They are as old as what follows
    /// them, which also tells them from those that seem so because the clock is behind now.
    fn delete_oldest(
        &mut self,
        connection: &mut Connection,
        before: i64,
        now: i64,
    ) -> rusqlite::Result<Progress> {
        let transaction = begin(connection)?;
        let last_old_block: Option<i64> = transaction
            .prepare_cached("SELECT max(block) FROM blocks WHERE last_ms < ?1")?
            .query_row([before], |row| row.get(0))?;
        let is_old = |id: i64, at: i64| {
            at < before || (at > now + AHEAD && last_old_block.is_some_and(|old| id / BLOCK < old))
        };
        let ids: Vec<i64> = {
            let mut oldest = transaction
                .prepare_cached("SELECT id, at_ms FROM requests ORDER BY id LIMIT ?1")?;
            let rows = oldest.query_map([STEP], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let rows: Vec<(i64, i64)> = rows.collect::<Result<_, _>>()?;
            let old = rows.into_iter().filter(|(id, at)| is_old(*id, *at));
            old.map(|(id, _)| id).collect()
        };
        for id in &ids {
            for sql in [
                "DELETE FROM requests WHERE id = ?1",
                "DELETE FROM attempts WHERE request = ?1",
            ] {
                transaction.prepare_cached(sql)?.execute([id])?;
            }
            let recorded = transaction
                .prepare_cached("DELETE FROM recordings WHERE request = ?1")?
                .execute([id])?;
            if recorded > 0 {
                transaction
                    .prepare_cached("DELETE FROM recording_search WHERE rowid = ?1")?
                    .execute([id])?;
            }
        }
        if !ids.is_empty() {
            let oldest: Option<i64> =
                transaction.query_row("SELECT min(id) FROM requests", [], |row| row.get(0))?;
            // Without any, those to come are in this block or a later one.
            let last = ids.last().copied().unwrap_or_default();
            let kept_from = oldest.unwrap_or(last) / BLOCK;
            for sql in [
                "DELETE FROM blocks WHERE block < ?1",
                "DELETE FROM shape_blocks WHERE block < ?1",
                "DELETE FROM string_blocks WHERE block < ?1",
            ] {
                transaction.prepare_cached(sql)?.execute([kept_from])?;
            }
        }
        transaction.commit()?;
        self.deleted += u64::try_from(ids.len()).unwrap_or_default();
        Ok(if ids.is_empty() {
            Progress::Done
        } else {
            Progress::More
        })
    }
}

/// Bytes of the file that are in use.
pub(crate) fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = pragma(connection, "page_count")? - pragma(connection, "freelist_count")?;
    let bytes = pages * pragma(connection, "page_size")?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}

/// Bytes of the file that are of such tables.
fn used_by(connection: &Connection, tables: &str) -> rusqlite::Result<u64> {
    let bytes: i64 = connection
        .prepare_cached(&format!(
            "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name IN \
             (SELECT name FROM sqlite_schema WHERE {tables})"
        ))?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Minutes become hours, hours become days.
fn roll_history_up(connection: &mut Connection, now: i64) -> rusqlite::Result<Progress> {
    let transaction = begin(connection)?;
    let mut taken = 0;
    for (from, to, kept) in [(MINUTE, HOUR, MINUTES_KEPT), (HOUR, DAY, HOURS_KEPT)] {
        // Whole spans only: what began before this.
        let before = (now - kept) / to * to;
        let rows: Vec<(i64, i64)> = {
            let mut old = transaction.prepare_cached(
                "SELECT endpoint, at_ms, probes, latency_us, streams, ttft_us, attempts, failures, state \
                 FROM history WHERE span_ms = ?1 AND at_ms < ?2 ORDER BY endpoint, at_ms LIMIT ?3",
            )?;
            let rows = old.query_map([from, before, ROWS], |row| {
                let mut add = transaction.prepare_cached(ADD_HISTORY)?;
                let at: i64 = row.get(1)?;
                add.execute(params![
                    row.get::<_, i64>(0)?,
                    at - at % to,
                    to,
                    row.get::<_, i64>(2)?,
                    row.get::<_, i64>(3)?,
                    row.get::<_, i64>(4)?,
                    row.get::<_, i64>(5)?,
                    row.get::<_, i64>(6)?,
                    row.get::<_, i64>(7)?,
                    row.get::<_, Option<i64>>(8)?,
                ])?;
                Ok((row.get(0)?, at))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        taken += rows.len();
        for (endpoint, at) in &rows {
            transaction
                .prepare_cached(
                    "DELETE FROM history WHERE endpoint = ?1 AND at_ms = ?2 AND span_ms = ?3",
                )?
                .execute([*endpoint, *at, from])?;
        }
    }
    transaction.commit()?;
    Ok(if taken == 0 {
        Progress::Done
    } else {
        Progress::More
    })
}

/// Hours become days, and their sessions go.
fn roll_usage_up(connection: &mut Connection, before: i64) -> rusqlite::Result<Progress> {
    let zone = TimeZone::system();
    let transaction = begin(connection)?;
    // Whole days only.
    let before = day_of(before, &zone);
    let rows: Vec<[i64; 17]> = {
        let mut old = transaction.prepare_cached(
            "SELECT * FROM usage WHERE span_ms = ?1 AND at_ms < ?2 ORDER BY at_ms LIMIT ?3",
        )?;
        let rows = old.query_map([HOUR, before, HOURS], |row| {
            let mut values = [0; 17];
            for (place, value) in values.iter_mut().enumerate() {
                *value = row.get(place)?;
            }
            Ok(values)
        })?;
        rows.collect::<Result<_, _>>()?
    };
    for row in &rows {
        let [at, _, endpoint, model, ..] = *row;
        transaction
            .prepare_cached(
                "DELETE FROM session_usage WHERE at_ms = ?1 AND endpoint = ?2 AND model = ?3",
            )?
            .execute([at, endpoint, model])?;
        transaction
            .prepare_cached(
                "DELETE FROM usage WHERE at_ms = ?1 AND span_ms = ?2 AND endpoint = ?3 AND model = ?4",
            )?
            .execute([at, HOUR, endpoint, model])?;
        let mut day = *row;
        day[0] = day_of(at, &zone);
        day[1] = DAY;
        transaction.prepare_cached(ADD_USAGE)?.execute(day)?;
    }
    transaction.commit()?;
    Ok(if rows.is_empty() {
        Progress::Done
    } else {
        Progress::More
    })
}

/// When the day began, where the user is.
fn day_of(at: i64, zone: &TimeZone) -> i64 {
    let begun = || {
        let here = Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone());
        Some(here.start_of_day().ok()?.timestamp().as_millisecond())
    };
    begun().unwrap_or(at - at % DAY)
}

/// Deletes the shapes and strings that nothing refers to any more.
fn delete_unused(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = begin(connection)?;
    transaction.execute(
        "DELETE FROM shapes WHERE id NOT IN (SELECT shape FROM shape_blocks)",
        [],
    )?;
    let used: HashSet<i64> = {
        let mut used = transaction.prepare(
            "SELECT string FROM string_blocks UNION SELECT method FROM shapes UNION SELECT path FROM shapes \
             UNION SELECT client FROM shapes UNION SELECT model FROM shapes \
             UNION SELECT served_model FROM shapes UNION SELECT endpoint FROM shapes \
             UNION SELECT stop_reason FROM shapes UNION SELECT endpoint FROM usage \
             UNION SELECT model FROM usage UNION SELECT session FROM session_usage \
             UNION SELECT endpoint FROM history",
        )?;
        let ids = used.query_map([], |row| row.get(0))?;
        ids.collect::<Result<_, _>>()?
    };
    let all: Vec<i64> = {
        let mut all = transaction.prepare("SELECT id FROM strings WHERE id > 0")?;
        let ids = all.query_map([], |row| row.get(0))?;
        ids.collect::<Result<_, _>>()?
    };
    for id in all.iter().filter(|id| !used.contains(id)) {
        for sql in [
            "DELETE FROM strings WHERE id = ?1",
            "DELETE FROM string_search WHERE rowid = ?1",
        ] {
            transaction.prepare_cached(sql)?.execute([id])?;
        }
    }
    transaction.commit()
}

fn give_back(connection: &Connection) -> rusqlite::Result<Progress> {
    let before = pragma(connection, "freelist_count")?;
    if before == 0 {
        return Ok(Progress::Done);
    }
    {
        // It gives a page back with every row that it is asked for.
        let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(if pragma(connection, "freelist_count")? < before {
        Progress::More
    } else {
        Progress::Done
    })
}

/// The time of day, as the tables have it.
pub(crate) fn now() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since_epoch.unwrap_or_default().as_millis();
    int(u64::try_from(millis).unwrap_or(u64::MAX))
}
