//! Usage, from the sums that are kept while writing.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Row};
use zephyr_control::{UsageBy, UsageQuery, UsageReport, UsageRow};

use super::query::QueryError;
use crate::tables::{SUMS_COLUMNS, Sums, int, text_of, whole};

/// Sums of whole hours. Where only days are kept, of whole days.
pub(crate) fn usage(
    connection: &Connection,
    query: &UsageQuery,
) -> Result<UsageReport, QueryError> {
    let kinds = [Some(query.by), query.split];
    let mut keys = Keys::new(connection);
    let mut total = Sums::default();
    let mut groups = Vec::new();
    for ([by, split], sums) in grouped(connection, query, kinds, &mut keys)? {
        total.add(&sums);
        groups.push(Group {
            key: keys.name(by)?,
            split: keys.name(split)?,
            sums,
        });
    }
    sort(&mut groups, query);
    let rows = groups.into_iter().map(|group| UsageRow {
        key: group.key,
        split: group.split,
        usage: group.sums.usage(),
    });
    let since: Option<i64> = connection
        .prepare_cached("SELECT value FROM facts WHERE name = 'sums_since'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(UsageReport {
        rows: rows.collect(),
        total: total.usage(),
        complete_since_ms: since.map(whole),
    })
}

/// What is summed up in a row of the answer.
struct Group {
    key: String,
    split: String,
    sums: Sums,
}

fn grouped(
    connection: &Connection,
    query: &UsageQuery,
    kinds: [Option<UsageBy>; 2],
    keys: &mut Keys<'_>,
) -> rusqlite::Result<HashMap<[Key; 2], Sums>> {
    // A probe belongs to an endpoint, but to no model and no session.
    let has_probes = kinds.iter().flatten().all(|by| match by {
        UsageBy::Day | UsageBy::Hour | UsageBy::Endpoint => true,
        UsageBy::Model | UsageBy::Session => false,
    });
    let mut groups: HashMap<[Key; 2], Sums> = HashMap::new();
    let sql = if kinds.contains(&Some(UsageBy::Session)) {
        by_session()
    } else {
        without_session()
    };
    let mut select = connection.prepare_cached(&sql)?;
    let since = int(query.since_ms.unwrap_or(0));
    let until = int(query.until_ms.unwrap_or(u64::MAX));
    let mut rows = select.query([since, until])?;
    while let Some(row) = rows.next()? {
        let mut sums = Sums::read(row, 4)?;
        if !has_probes {
            sums.probes_nanousd = 0;
            if sums.requests == 0 {
                continue;
            }
        }
        let key = kinds.map(|by| by.map_or(Ok(Key::All), |by| keys.key(by, row)));
        let [by, split] = key;
        groups.entry([by?, split?]).or_default().add(&sums);
    }
    Ok(groups)
}

/// Does not read a row for every session. The first condition lets SQLite use the index: no day has 48
/// hours.
fn without_session() -> String {
    format!(
        "SELECT at_ms, endpoint, model, 0, {SUMS_COLUMNS}, probes_nanousd \
         FROM usage WHERE at_ms > ?1 - 172800000 AND at_ms + span_ms > ?1 AND at_ms < ?2"
    )
}

/// Hours by session, and the days whose sessions are no longer known.
fn by_session() -> String {
    format!(
        "SELECT at_ms, endpoint, model, session, {SUMS_COLUMNS}, 0 \
         FROM session_usage WHERE at_ms > ?1 - 3600000 AND at_ms < ?2 \
         UNION ALL SELECT at_ms, endpoint, model, 0, {SUMS_COLUMNS}, probes_nanousd \
         FROM usage WHERE span_ms = 86400000 AND at_ms + span_ms > ?1 AND at_ms < ?2"
    )
}

/// Sorts times in their order, and all else by cost, the highest first. The parts of one key stay together.
fn sort(groups: &mut [Group], query: &UsageQuery) {
    let is_time = |by| matches!(by, UsageBy::Day | UsageBy::Hour);
    let mut cost_of_keys: HashMap<String, i64> = HashMap::new();
    for group in groups.iter() {
        let cost = cost_of_keys.entry(group.key.clone()).or_default();
        *cost = cost.saturating_add(group.sums.cost_nanousd);
    }
    groups.sort_by_cached_key(|group| {
        let place = |by, cost: i64, requests: i64, name: &String| {
            let highest = if is_time(by) {
                (0, 0)
            } else {
                (cost, requests)
            };
            (Reverse(highest), name.clone())
        };
        let cost_of_key = cost_of_keys.get(&group.key).copied().unwrap_or_default();
        let requests = if query.split.is_none() {
            group.sums.requests
        } else {
            0
        };
        (
            place(query.by, cost_of_key, requests, &group.key),
            place(
                query.split.unwrap_or(query.by),
                group.sums.cost_nanousd,
                group.sums.requests,
                &group.split,
            ),
        )
    });
}

/// What a group is of, as it stands in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    All,
    Hour(i64),
    Day(Date),
    String(i64),
}

struct Keys<'a> {
    connection: &'a Connection,
    zone: TimeZone,
    days: HashMap<i64, Date>,
}

impl<'a> Keys<'a> {
    fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            zone: TimeZone::system(),
            days: HashMap::new(),
        }
    }

    /// Of a row that begins with time, endpoint, model and session.
    fn key(&mut self, by: UsageBy, row: &Row<'_>) -> rusqlite::Result<Key> {
        Ok(match by {
            UsageBy::Hour => Key::Hour(row.get(0)?),
            UsageBy::Day => {
                let at = row.get(0)?;
                let zone = &self.zone;
                let day = self.days.entry(at).or_insert_with(|| {
                    let at = Timestamp::from_millisecond(at).unwrap_or_default();
                    at.to_zoned(zone.clone()).date()
                });
                Key::Day(*day)
            }
            UsageBy::Endpoint => Key::String(row.get(1)?),
            UsageBy::Model => Key::String(row.get(2)?),
            UsageBy::Session => Key::String(row.get(3)?),
        })
    }

    fn name(&self, key: Key) -> rusqlite::Result<String> {
        Ok(match key {
            Key::All => String::new(),
            Key::Hour(at) => {
                let at = Timestamp::from_millisecond(at).unwrap_or_default();
                let here = at.to_zoned(self.zone.clone());
                here.strftime("%Y-%m-%dT%H").to_string()
            }
            Key::Day(day) => day.to_string(),
            Key::String(id) => text_of(self.connection, id)?.unwrap_or_default(),
        })
    }
}
