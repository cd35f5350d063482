//! Usage and history, from what is summed up while writing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zephyr_control::{
    EndpointHistory, EndpointState, HistoryPoint, HistoryQuery, Tokens, Usage, UsageBy, UsageQuery,
    UsageReport, UsageRow,
};

use crate::codes::{Coded, int, millis, usd, whole};
use crate::query::QueryError;
use crate::requests::string;

/// Sums, of whole hours, or whole days where only these are kept.
pub(crate) fn usage(
    connection: &Connection,
    query: &UsageQuery,
) -> Result<UsageReport, QueryError> {
    let kinds = [Some(query.by), query.split];
    let with_probes = kinds.iter().flatten().all(|by| match by {
        UsageBy::Day | UsageBy::Hour | UsageBy::Endpoint => true,
        UsageBy::Model | UsageBy::Session => false,
    });
    let mut names = Names::new(connection);
    let mut sums: HashMap<[Key; 2], Sum> = HashMap::new();
    let is_by_session = kinds.contains(&Some(UsageBy::Session));
    let mut select = connection.prepare_cached(if is_by_session {
        BY_SESSION
    } else {
        BY_ANYTHING_ELSE
    })?;
    let since = int(query.since_ms.unwrap_or(0));
    let until = int(query.until_ms.unwrap_or(u64::MAX));
    let mut rows = select.query([since, until])?;
    while let Some(row) = rows.next()? {
        let mut sum = Sum::read(row)?;
        if !with_probes {
            sum.probes = 0;
            if sum.requests == 0 {
                continue;
            }
        }
        let key = kinds.map(|by| by.map_or(Ok(Key::All), |by| names.key(by, row)));
        let [by, split] = key;
        sums.entry([by?, split?]).or_default().add(&sum);
    }
    let mut total = Sum::default();
    let mut found = Vec::with_capacity(sums.len());
    for (key, sum) in sums {
        total.add(&sum);
        let [by, split] = key;
        found.push((names.name(by)?, names.name(split)?, sum));
    }
    let is_time = |by| matches!(by, UsageBy::Day | UsageBy::Hour);
    // A row's place is that of its key; parts of it stand together, by the same rule.
    let mut of_key: HashMap<String, i64> = HashMap::new();
    for (key, _, sum) in &found {
        let cost = of_key.entry(key.clone()).or_default();
        *cost = cost.saturating_add(sum.cost);
    }
    found.sort_by_cached_key(|(key, split, sum)| {
        let place = |by, cost: i64, requests: i64, name: &String| {
            let dearest = if is_time(by) {
                (0, 0)
            } else {
                (cost, requests)
            };
            (Reverse(dearest), name.clone())
        };
        let cost_of_key = of_key.get(key).copied().unwrap_or_default();
        let requests = if query.split.is_none() {
            sum.requests
        } else {
            0
        };
        (
            place(query.by, cost_of_key, requests, key),
            place(
                query.split.unwrap_or(query.by),
                sum.cost,
                sum.requests,
                split,
            ),
        )
    });
    let rows = found.into_iter().map(|(key, split, sum)| UsageRow {
        key,
        split,
        usage: sum.usage(),
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

/// What is read of sums, in the order that [`Sum::read`] and [`Names::key`] know.
macro_rules! columns {
    ($probes:literal) => {
        concat!(
            "requests, failed, input, cache_write_5m, cache_write_1h, cache_read, output, thinking, \
             cost_nanousd, unpriced, cache_saved_nanousd, cache_lost_nanousd, ",
            $probes
        )
    };
}

/// Without a row for every session. The first condition is for the index: no day has 48 hours.
const BY_ANYTHING_ELSE: &str = concat!(
    "SELECT at_ms, endpoint, model, 0, ",
    columns!("probes_nanousd"),
    " FROM usage WHERE at_ms > ?1 - 172800000 AND at_ms + span_ms > ?1 AND at_ms < ?2"
);

/// Hours by session, and the days of which no session is known any more.
const BY_SESSION: &str = concat!(
    "SELECT at_ms, endpoint, model, session, ",
    columns!("0"),
    " FROM session_usage WHERE at_ms > ?1 - 3600000 AND at_ms < ?2 \
     UNION ALL SELECT at_ms, endpoint, model, 0, ",
    columns!("probes_nanousd"),
    " FROM usage WHERE span_ms = 86400000 AND at_ms + span_ms > ?1 AND at_ms < ?2"
);

/// How endpoints were.
pub(crate) fn history(
    connection: &Connection,
    query: &HistoryQuery,
) -> Result<Vec<EndpointHistory>, QueryError> {
    let endpoint: Option<i64> = match &query.endpoint {
        None => None,
        Some(name) => match number_of(connection, name)? {
            Some(id) => Some(id),
            None => return Ok(Vec::new()),
        },
    };
    let mut select = connection.prepare_cached(
        "SELECT history.*, strings.text FROM history JOIN strings ON strings.id = history.endpoint \
         WHERE at_ms + span_ms > ?1 AND at_ms < ?2 AND (?3 IS NULL OR endpoint = ?3)",
    )?;
    let since = int(query.since_ms.unwrap_or(0));
    let until = int(query.until_ms.unwrap_or(u64::MAX));
    let mut rows = select.query(params![since, until, endpoint])?;
    let mut endpoints: BTreeMap<String, Vec<HistoryPoint>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let points = endpoints.entry(row.get("text")?).or_default();
        points.push(point(row)?);
    }
    let mut histories: Vec<EndpointHistory> = endpoints
        .into_iter()
        .map(|(endpoint, points)| EndpointHistory { endpoint, points })
        .collect();
    for history in &mut histories {
        history
            .points
            .sort_by_key(|point| (point.at_ms, point.span_ms));
    }
    Ok(histories)
}

/// The number of a string that is in the journal.
pub(crate) fn number_of(connection: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM strings WHERE text = ?1")?
        .query_row([text], |row| row.get(0))
        .optional()
}

fn point(row: &Row<'_>) -> rusqlite::Result<HistoryPoint> {
    Ok(HistoryPoint {
        at_ms: whole(row.get("at_ms")?),
        span_ms: whole(row.get("span_ms")?),
        latency_ms: mean(row.get("latency_us")?, row.get("probes")?),
        ttft_ms: mean(row.get("ttft_us")?, row.get("streams")?),
        attempts: whole(row.get("attempts")?),
        failures: whole(row.get("failures")?),
        state: row
            .get::<_, Option<i64>>("state")?
            .and_then(EndpointState::of_code),
    })
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a mean of that many needs no more digits"
)]
fn mean(micros: i64, count: i64) -> Option<f64> {
    (count > 0).then(|| millis(micros) / count as f64)
}

/// What a row is of, as it stands in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    All,
    Hour(i64),
    Day(jiff::civil::Date),
    String(i64),
}

struct Names<'a> {
    connection: &'a Connection,
    zone: TimeZone,
    days: HashMap<i64, jiff::civil::Date>,
}

impl<'a> Names<'a> {
    fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            zone: TimeZone::system(),
            days: HashMap::new(),
        }
    }

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
            Key::String(id) => string(self.connection, id)?.unwrap_or_default(),
        })
    }
}

/// As in the table, so that sums are exact.
#[derive(Clone, Copy, Default)]
struct Sum {
    requests: i64,
    failed: i64,
    tokens: Tokens,
    cost: i64,
    unpriced: i64,
    saved: i64,
    lost: i64,
    probes: i64,
}

impl Sum {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |column: usize| row.get::<_, i64>(column).map(whole);
        Ok(Self {
            requests: row.get(4)?,
            failed: row.get(5)?,
            tokens: Tokens {
                input: number(6)?,
                cache_write_5m: number(7)?,
                cache_write_1h: number(8)?,
                cache_read: number(9)?,
                output: number(10)?,
                thinking: number(11)?,
            },
            cost: row.get(12)?,
            unpriced: row.get(13)?,
            saved: row.get(14)?,
            lost: row.get(15)?,
            probes: row.get(16)?,
        })
    }

    fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.failed = self.failed.saturating_add(other.failed);
        self.tokens.input = self.tokens.input.saturating_add(other.tokens.input);
        self.tokens.cache_write_5m = self
            .tokens
            .cache_write_5m
            .saturating_add(other.tokens.cache_write_5m);
        self.tokens.cache_write_1h = self
            .tokens
            .cache_write_1h
            .saturating_add(other.tokens.cache_write_1h);
        self.tokens.cache_read = self
            .tokens
            .cache_read
            .saturating_add(other.tokens.cache_read);
        self.tokens.output = self.tokens.output.saturating_add(other.tokens.output);
        self.tokens.thinking = self.tokens.thinking.saturating_add(other.tokens.thinking);
        self.cost = self.cost.saturating_add(other.cost);
        self.unpriced = self.unpriced.saturating_add(other.unpriced);
        self.saved = self.saved.saturating_add(other.saved);
        self.lost = self.lost.saturating_add(other.lost);
        self.probes = self.probes.saturating_add(other.probes);
    }

    fn usage(&self) -> Usage {
        Usage {
            requests: whole(self.requests),
            failed: whole(self.failed),
            tokens: self.tokens,
            cost_usd: usd(self.cost),
            unpriced: whole(self.unpriced),
            cache_saved_usd: usd(self.saved),
            cache_lost_usd: usd(self.lost),
            probes_usd: usd(self.probes),
        }
    }
}
