//! The rows of one request: the request itself, its attempts, and what of it is recorded.

use serde::Serialize;
use zephyr_control::{AttemptRecord, Reason, RequestEnd, RequestRecord};
use zephyr_core::config::{LogRequests, Logging};
use zephyr_secrets::redact::{Redacted, Redactor};

use super::batch::{AttemptTexts, Batch, RequestStrings};
use super::names::Names;
use super::recording::Recording;
use super::shape::Shape;
use crate::entry::Finished;
use crate::tables::{Coded, name_of};

/// Writes a request. Sums count every request, also one that is not kept.
pub(super) fn write(
    batch: &mut Batch<'_>,
    names: &mut Names,
    finished: &Finished,
    logging: &Logging,
    redactor: &Redactor,
) -> rusqlite::Result<()> {
    let transaction = batch.transaction;
    let record = &finished.record;
    let model = names.optional(transaction, record.model.as_deref(), redactor)?;
    let session = names.optional(transaction, record.session.as_deref(), redactor)?;
    let endpoint = names.optional(transaction, record.endpoint.as_deref(), redactor)?;
    let mut tried = Vec::with_capacity(record.attempts.len());
    for attempt in &record.attempts {
        let endpoint = names.string(transaction, &attempt.endpoint, redactor)?;
        batch.history.add_attempt(endpoint, record.at_ms, attempt);
        tried.push(endpoint);
    }
    batch.usage.add_request(record, endpoint, model, session);
    if !is_kept(record.end, logging.request_types) {
        return Ok(());
    }

    let shape = Shape {
        method: names.string(transaction, &record.method, redactor)?,
        path: names.string(transaction, &record.path, redactor)?,
        client: names.optional(transaction, record.client.as_deref(), redactor)?,
        model,
        served_model: names.optional(transaction, record.served_model.as_deref(), redactor)?,
        endpoint,
        stop_reason: names.optional(transaction, record.stop_reason.as_deref(), redactor)?,
        stream: record.stream.map_or(2, i64::from),
        status: record.status.map_or(0, i64::from),
        ended: record.end.code(),
        tried: {
            let mut different = tried.clone();
            different.sort_unstable();
            different.dedup();
            different
        },
    };
    let shape = names.shape(transaction, shape)?;
    let (run, number) = name_of(&record.request);
    let strings = RequestStrings {
        session,
        agent: names.optional(transaction, record.agent.as_deref(), redactor)?,
        error: error(batch, names, record, redactor)?,
        run: names.string(transaction, run, redactor)?,
    };
    let id = batch.next_request(record.at_ms, number);
    names.mark(transaction, id, shape, &strings.all())?;
    batch.insert_request(id, record, shape, strings, number)?;
    for (n, (attempt, endpoint)) in (0_i64..).zip(record.attempts.iter().zip(tried)) {
        let texts = texts(batch, names, attempt, endpoint, redactor)?;
        names.mark_strings(transaction, id, &[texts.limit_names])?;
        batch.insert_attempt(id, n, attempt, &texts)?;
    }
    match Recording::of(finished, logging, redactor) {
        Some(recording) => recording.insert(transaction, id),
        None => Ok(()),
    }
}

fn is_kept(end: RequestEnd, kept: LogRequests) -> bool {
    match kept {
        LogRequests::All => true,
        LogRequests::Success => end == RequestEnd::Answered,
        LogRequests::Failed => end != RequestEnd::Answered,
    }
}

/// Errors are mostly different, so their numbers are not remembered.
fn error(
    batch: &Batch<'_>,
    names: &Names,
    record: &RequestRecord,
    redactor: &Redactor,
) -> rusqlite::Result<i64> {
    match &record.error {
        Some(error) => names.redacted(batch.transaction, &redactor.text(error)),
        None => Ok(0),
    }
}

fn texts(
    batch: &Batch<'_>,
    names: &mut Names,
    attempt: &AttemptRecord,
    endpoint: i64,
    redactor: &Redactor,
) -> rusqlite::Result<AttemptTexts> {
    let of_limits = |part: fn(&(String, String)) -> &String| {
        as_json(&attempt.rate_limits.iter().map(part).collect::<Vec<_>>())
    };
    let (limit_names, limit_values) = if attempt.rate_limits.is_empty() {
        (0, None)
    } else {
        let limit_names = of_limits(|(name, _)| name);
        let limit_values = redactor.text(&of_limits(|(_, value)| value));
        let limit_names = names.string(batch.transaction, &limit_names, redactor)?;
        (limit_names, Some(limit_values))
    };
    Ok(AttemptTexts {
        endpoint,
        why: attempt.why.as_ref().map(|why| reason(why, redactor)),
        reason: attempt.reason.as_ref().map(|why| reason(why, redactor)),
        verdict: attempt.verdict.as_ref().map(as_json),
        limit_names,
        limit_values,
    })
}

/// A reason's code, or JSON if it has parameters.
fn reason(reason: &Reason, redactor: &Redactor) -> Redacted {
    let json = as_json(reason);
    let alone = json
        .strip_prefix("{\"code\":\"")
        .and_then(|rest| rest.strip_suffix("\"}"));
    match alone.filter(|code| !code.contains('"')) {
        Some(code) => redactor.text(code),
        None => redactor.text(&json),
    }
}

fn as_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
