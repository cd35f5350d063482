//! Deletes the oldest requests.

use rusqlite::{Connection, Transaction};

use super::transaction::begin;
use crate::tables::{BLOCK, DAY};

/// Most requests that one step deletes.
const STEP: i64 = 256;
/// Bytes of stored recordings that end a step. The step includes the request that reaches them.
const STEP_BYTES: i64 = 4 * 1024 * 1024;
/// In milliseconds. A request that is further in the future was written while the clock was ahead.
const AHEAD: i64 = DAY;

/// Deletes some of the oldest requests: those that began before `before`. Returns how many.
///
/// Requests from the future were written while the clock was ahead. They are as old as what follows them.
/// That also distinguishes them from requests that only seem so because the clock is behind now.
pub(super) fn delete_oldest(
    connection: &mut Connection,
    before: i64,
    now: i64,
) -> rusqlite::Result<usize> {
    let transaction = begin(connection)?;
    let ids = oldest(&transaction, before, now)?;
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
    if let Some(last) = ids.last() {
        let oldest: Option<i64> =
            transaction.query_row("SELECT min(id) FROM requests", [], |row| row.get(0))?;
        // If none is left, the next ones are in this block or a later one.
        let kept_from = oldest.unwrap_or(*last) / BLOCK;
        for sql in [
            "DELETE FROM blocks WHERE block < ?1",
            "DELETE FROM shape_blocks WHERE block < ?1",
            "DELETE FROM string_blocks WHERE block < ?1",
        ] {
            transaction.prepare_cached(sql)?.execute([kept_from])?;
        }
    }
    transaction.commit()?;
    Ok(ids.len())
}

fn oldest(transaction: &Transaction<'_>, before: i64, now: i64) -> rusqlite::Result<Vec<i64>> {
    let last_old_block: Option<i64> = transaction
        .prepare_cached("SELECT max(block) FROM blocks WHERE last_ms < ?1")?
        .query_row([before], |row| row.get(0))?;
    let is_old = |id: i64, at: i64| {
        at < before || (at > now + AHEAD && last_old_block.is_some_and(|old| id / BLOCK < old))
    };
    // SQLite tells the length of a stored body without reading it.
    let mut select = transaction.prepare_cached(
        "SELECT id, at_ms, ifnull(length(request_body), 0) + ifnull(length(response_body), 0) \
         FROM requests LEFT JOIN recordings ON request = id ORDER BY id LIMIT ?1",
    )?;
    let mut rows = select.query([STEP])?;
    let mut ids = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let (id, at) = (row.get(0)?, row.get(1)?);
        if is_old(id, at) {
            ids.push(id);
            bytes += row.get::<_, i64>(2)?;
            if bytes >= STEP_BYTES {
                break;
            }
        }
    }
    Ok(ids)
}
