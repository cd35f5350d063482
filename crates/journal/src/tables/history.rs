//! How an endpoint was during a minute, an hour or a day: a row of `history`.

use rusqlite::{CachedStatement, Connection, Row, params};

/// What a row adds up.
#[derive(Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) probes: i64,
    pub(crate) latency_us: i64,
    pub(crate) streams: i64,
    pub(crate) ttft_us: i64,
    pub(crate) attempts: i64,
    pub(crate) failures: i64,
    /// At the end; `None`: not seen.
    pub(crate) state: Option<i64>,
}

/// The columns that [`Span::read`] reads.
pub(crate) const SPAN_COLUMNS: &str =
    "probes, latency_us, streams, ttft_us, attempts, failures, state";

impl Span {
    /// Reads [`SPAN_COLUMNS`], from this column on.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            probes: row.get(first)?,
            latency_us: row.get(first + 1)?,
            streams: row.get(first + 2)?,
            ttft_us: row.get(first + 3)?,
            attempts: row.get(first + 4)?,
            failures: row.get(first + 5)?,
            state: row.get(first + 6)?,
        })
    }
}

/// Adds to a row of `history`, which it creates if it has to. The state that is added last counts.
pub(crate) struct AddHistory<'a>(CachedStatement<'a>);

impl<'a> AddHistory<'a> {
    pub(crate) fn to(connection: &'a Connection) -> rusqlite::Result<Self> {
        let sql = "INSERT INTO history VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
            ON CONFLICT DO UPDATE SET probes = probes + excluded.probes, \
            latency_us = latency_us + excluded.latency_us, streams = streams + excluded.streams, \
            ttft_us = ttft_us + excluded.ttft_us, attempts = attempts + excluded.attempts, \
            failures = failures + excluded.failures, state = coalesce(excluded.state, state)";
        connection.prepare_cached(sql).map(Self)
    }

    pub(crate) fn add(
        &mut self,
        endpoint: i64,
        (at, length): (i64, i64),
        span: &Span,
    ) -> rusqlite::Result<()> {
        self.0.execute(params![
            endpoint,
            at,
            length,
            span.probes,
            span.latency_us,
            span.streams,
            span.ttft_us,
            span.attempts,
            span.failures,
            span.state,
        ])?;
        Ok(())
    }
}
