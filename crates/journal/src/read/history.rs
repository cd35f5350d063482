//! How endpoints were over time.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use zephyr_control::{EndpointHistory, EndpointState, HistoryPoint, HistoryQuery};

use super::query::QueryError;
use crate::tables::{Coded, SPAN_COLUMNS, Span, int, millis, number_of, whole};

/// The points of the endpoints that are asked for, in the order of time.
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
    let mut select = connection.prepare_cached(&format!(
        "SELECT strings.text, at_ms, span_ms, {SPAN_COLUMNS} \
         FROM history JOIN strings ON strings.id = history.endpoint \
         WHERE at_ms + span_ms > ?1 AND at_ms < ?2 AND (?3 IS NULL OR endpoint = ?3)"
    ))?;
    let since = int(query.since_ms.unwrap_or(0));
    let until = int(query.until_ms.unwrap_or(u64::MAX));
    let mut rows = select.query(params![since, until, endpoint])?;
    let mut endpoints: BTreeMap<String, Vec<HistoryPoint>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let points = endpoints.entry(row.get(0)?).or_default();
        points.push(point(row.get(1)?, row.get(2)?, &Span::read(row, 3)?));
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

fn point(at_ms: i64, span_ms: i64, span: &Span) -> HistoryPoint {
    HistoryPoint {
        at_ms: whole(at_ms),
        span_ms: whole(span_ms),
        latency_ms: mean(span.latency_us, span.probes),
        ttft_ms: mean(span.ttft_us, span.streams),
        attempts: whole(span.attempts),
        failures: whole(span.failures),
        state: span.state.and_then(EndpointState::of_code),
    }
}

/// In milliseconds.
#[allow(
    clippy::cast_precision_loss,
    reason = "a mean of that many needs no more digits"
)]
fn mean(micros: i64, count: i64) -> Option<f64> {
    (count > 0).then(|| millis(micros) / count as f64)
}
