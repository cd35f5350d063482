//! Turns minutes of history into hours, hours into days, and hours of usage into days.

use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::progress::Progress;
use super::transaction::begin;
use crate::tables::{
    AddHistory, AddUsage, DAY, HOUR, MINUTE, SPAN_COLUMNS, SUMS_COLUMNS, Span, Sums, day_of,
};

/// How long an endpoint's history is kept by minute, and then by hour. Days stay.
const MINUTES_KEPT: i64 = 2 * DAY;
const HOURS_KEPT: i64 = 60 * DAY;
/// Most rows of history that one step rolls up.
const ROWS: i64 = 2000;
/// The same of usage. There are fewer, since each has a row for every session.
const HOURS: i64 = 50;

pub(super) fn roll_history_up(connection: &mut Connection, now: i64) -> rusqlite::Result<Progress> {
    let transaction = begin(connection)?;
    let mut rolled = 0;
    for (from, to, kept) in [(MINUTE, HOUR, MINUTES_KEPT), (HOUR, DAY, HOURS_KEPT)] {
        // Only whole spans.
        let before = (now - kept) / to * to;
        let rows: Vec<(i64, i64, Span)> = {
            let mut old = transaction.prepare_cached(&format!(
                "SELECT endpoint, at_ms, {SPAN_COLUMNS} \
                 FROM history WHERE span_ms = ?1 AND at_ms < ?2 ORDER BY endpoint, at_ms LIMIT ?3"
            ))?;
            let rows = old.query_map([from, before, ROWS], |row| {
                Ok((row.get(0)?, row.get(1)?, Span::read(row, 2)?))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        rolled += rows.len();
        let mut longer = AddHistory::to(&transaction)?;
        for (endpoint, at, span) in &rows {
            transaction
                .prepare_cached(
                    "DELETE FROM history WHERE endpoint = ?1 AND at_ms = ?2 AND span_ms = ?3",
                )?
                .execute([*endpoint, *at, from])?;
            longer.add(*endpoint, (at - at % to, to), span)?;
        }
    }
    transaction.commit()?;
    Ok(Progress::after(rolled))
}

/// Rolls up hours of days that ended before `before`. The sums by session of these hours are deleted.
pub(super) fn roll_usage_up(
    connection: &mut Connection,
    before: i64,
) -> rusqlite::Result<Progress> {
    let zone = TimeZone::system();
    let transaction = begin(connection)?;
    let before = day_of(before, &zone);
    let rows: Vec<(i64, [i64; 2], Sums)> = {
        let mut old = transaction.prepare_cached(&format!(
            "SELECT at_ms, endpoint, model, {SUMS_COLUMNS}, probes_nanousd \
             FROM usage WHERE span_ms = ?1 AND at_ms < ?2 ORDER BY at_ms LIMIT ?3"
        ))?;
        let rows = old.query_map([HOUR, before, HOURS], |row| {
            let key = [row.get(1)?, row.get(2)?];
            Ok((row.get(0)?, key, Sums::read(row, 3)?))
        })?;
        rows.collect::<Result<_, _>>()?
    };
    {
        let mut days = AddUsage::to(&transaction)?;
        for (at, key @ [endpoint, model], sums) in &rows {
            transaction
                .prepare_cached(
                    "DELETE FROM session_usage WHERE at_ms = ?1 AND endpoint = ?2 AND model = ?3",
                )?
                .execute([at, endpoint, model])?;
            transaction
                .prepare_cached(
                    "DELETE FROM usage WHERE at_ms = ?1 AND span_ms = ?2 AND endpoint = ?3 AND model = ?4",
                )?
                .execute([at, &HOUR, endpoint, model])?;
            days.add((day_of(*at, &zone), DAY), *key, sums)?;
        }
    }
    transaction.commit()?;
    Ok(Progress::after(rows.len()))
}
