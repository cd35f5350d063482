//! One request: its record, and what was recorded of it.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row};
use zephyr_control::{
    AttemptOutcome, AttemptRecord, Reason, RecordedBody, RequestDetail, RequestEnd, RequestRecord,
    Tokens,
};

use super::query::QueryError;
use crate::bodies;
use crate::tables::{Coded, int, millis, text_of, usd, whole};

/// The request of this number, with its headers and bodies.
pub(crate) fn detail(connection: &Connection, id: u64) -> Result<RequestDetail, QueryError> {
    let record = Records::new(connection)
        .read(int(id))?
        .ok_or(QueryError::NoRequest(id))?;
    let recording = connection
        .prepare_cached("SELECT * FROM recordings WHERE request = ?1")?
        .query_row([int(id)], Recording::read)
        .optional()?
        .unwrap_or_default();
    Ok(RequestDetail {
        record,
        request_headers: headers(recording.request_headers.as_deref()),
        response_headers: headers(recording.response_headers.as_deref()),
        request_body: recording.request.recorded()?,
        response_body: recording.response.recorded()?,
    })
}

/// What a search finds in the bodies of a request.
pub(crate) fn words_of(connection: &Connection, id: i64) -> Result<String, QueryError> {
    let recording = connection
        .prepare_cached("SELECT * FROM recordings WHERE request = ?1")?
        .query_row([id], Recording::read)
        .optional()?
        .unwrap_or_default();
    let mut words = String::new();
    for stored in [recording.request, recording.response] {
        if let Some(body) = stored.recorded()? {
            words += &bodies::searchable(&body.text);
            words.push('\n');
        }
    }
    Ok(words)
}

/// Reads records. Strings that repeat are looked up once.
pub(crate) struct Records<'a> {
    connection: &'a Connection,
    strings: HashMap<i64, Option<String>>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            strings: HashMap::new(),
        }
    }

    /// The record of this number.
    pub(crate) fn read(&mut self, id: i64) -> rusqlite::Result<Option<RequestRecord>> {
        let sql = "SELECT * FROM requests JOIN shapes ON shapes.id = requests.shape \
                   WHERE requests.id = ?1";
        let mut select = self.connection.prepare_cached(sql)?;
        let mut rows = select.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut record = RequestRecord {
            id: whole(id),
            request: self.name(row)?,
            at_ms: whole(row.get("at_ms")?),
            method: self.text(row, "method")?.unwrap_or_default(),
            path: self.text(row, "path")?.unwrap_or_default(),
            status: row
                .get::<_, Option<u16>>("status")?
                .filter(|status| *status > 0),
            end: RequestEnd::of_code(row.get("ended")?).unwrap_or(RequestEnd::Failed),
            client: self.text(row, "client")?,
            session: self.text(row, "session")?,
            agent: self.text(row, "agent")?,
            model: self.text(row, "model")?,
            served_model: self.text(row, "served_model")?,
            stream: match row.get("stream")? {
                0_i64 => Some(false),
                1 => Some(true),
                _ => None,
            },
            endpoint: self.text(row, "endpoint")?,
            attempts: Vec::new(),
            duration_ms: millis(row.get("duration_us")?),
            ttft_ms: row.get::<_, Option<i64>>("ttft_us")?.map(millis),
            request_bytes: whole(row.get("request_bytes")?),
            response_bytes: whole(row.get("response_bytes")?),
            tokens: tokens(row)?,
            stop_reason: self.text(row, "stop_reason")?,
            cost_usd: row.get::<_, Option<i64>>("cost_nanousd")?.map(usd),
            cache_saved_usd: row.get::<_, Option<i64>>("cache_saved_nanousd")?.map(usd),
            cache_lost_usd: row.get::<_, Option<i64>>("cache_lost_nanousd")?.map(usd),
            overtaken_cost_usd: row.get::<_, Option<i64>>("overtaken_nanousd")?.map(usd),
            error: self.text(row, "error")?,
        };
        record.attempts = self.attempts(id)?;
        Ok(Some(record))
    }

    fn attempts(&mut self, request: i64) -> rusqlite::Result<Vec<AttemptRecord>> {
        let sql = "SELECT * FROM attempts WHERE request = ?1 ORDER BY n";
        let mut select = self.connection.prepare_cached(sql)?;
        let mut rows = select.query([request])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            let time = |name| row.get::<_, Option<i64>>(name).map(|time| time.map(millis));
            let names: Vec<String> = json(self.text(row, "limit_names")?.as_deref());
            let values: Vec<String> =
                json(row.get::<_, Option<String>>("limit_values")?.as_deref());
            attempts.push(AttemptRecord {
                endpoint: self.text(row, "endpoint")?.unwrap_or_default(),
                why: row
                    .get::<_, Option<String>>("why")?
                    .as_deref()
                    .and_then(reason),
                outcome: AttemptOutcome::of_code(row.get("outcome")?)
                    .unwrap_or(AttemptOutcome::Failed),
                reason: row
                    .get::<_, Option<String>>("reason")?
                    .as_deref()
                    .and_then(reason),
                verdict: row
                    .get::<_, Option<String>>("verdict")?
                    .and_then(|verdict| serde_json::from_str(&verdict).ok()),
                status: row.get("status")?,
                queue_ms: millis(row.get("queue_us")?),
                connect_ms: time("connect_us")?,
                tls_ms: time("tls_us")?,
                headers_ms: time("headers_us")?,
                first_event_ms: time("first_event_us")?,
                last_byte_ms: millis(row.get("last_byte_us")?),
                rate_limits: names.into_iter().zip(values).collect(),
            });
        }
        Ok(attempts)
    }

    fn name(&mut self, row: &Row<'_>) -> rusqlite::Result<String> {
        let run = self.text(row, "run")?.unwrap_or_default();
        Ok(match row.get::<_, Option<i64>>("number")? {
            Some(number) => format!("{run}-{number}"),
            None => run,
        })
    }

    fn text(&mut self, row: &Row<'_>, column: &str) -> rusqlite::Result<Option<String>> {
        let id: i64 = row.get(column)?;
        if id == 0 {
            return Ok(None);
        }
        if let Some(text) = self.strings.get(&id) {
            return Ok(text.clone());
        }
        let text = text_of(self.connection, id)?;
        self.strings.insert(id, text.clone());
        Ok(text)
    }
}

/// A row of `recordings`.
#[derive(Default)]
struct Recording {
    request_headers: Option<String>,
    response_headers: Option<String>,
    request: Stored,
    response: Stored,
}

/// A body, as it is stored.
#[derive(Default)]
struct Stored {
    compressed: Option<Vec<u8>>,
    truncated: bool,
}

impl Recording {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            request_headers: row.get("request_headers")?,
            response_headers: row.get("response_headers")?,
            request: Stored {
                compressed: row.get("request_body")?,
                truncated: row.get("request_truncated")?,
            },
            response: Stored {
                compressed: row.get("response_body")?,
                truncated: row.get("response_truncated")?,
            },
        })
    }
}

impl Stored {
    fn recorded(self) -> Result<Option<RecordedBody>, QueryError> {
        let truncated = self.truncated;
        let text = self.compressed.map(|stored| bodies::decompressed(&stored));
        let text = text.transpose().map_err(QueryError::Body)?;
        Ok(text.map(|text| RecordedBody { text, truncated }))
    }
}

fn tokens(row: &Row<'_>) -> rusqlite::Result<Option<Tokens>> {
    let Some(input) = row.get::<_, Option<i64>>("input")? else {
        return Ok(None);
    };
    Ok(Some(Tokens {
        input: whole(input),
        cache_write_5m: whole(row.get("cache_write_5m")?),
        cache_write_1h: whole(row.get("cache_write_1h")?),
        cache_read: whole(row.get("cache_read")?),
        output: whole(row.get("output")?),
        thinking: whole(row.get("thinking")?),
    }))
}

fn headers(stored: Option<&str>) -> Vec<(String, String)> {
    json::<(String, String)>(stored)
}

fn json<T: serde::de::DeserializeOwned>(stored: Option<&str>) -> Vec<T> {
    stored
        .and_then(|stored| serde_json::from_str(stored).ok())
        .unwrap_or_default()
}

/// A reason from its code, or from JSON.
fn reason(stored: &str) -> Option<Reason> {
    if stored.starts_with('{') {
        return serde_json::from_str(stored).ok();
    }
    serde_json::from_value(serde_json::json!({ "code": stored })).ok()
}
