//! A transaction that is being filled: its statements, and what it adds up before it writes that.

use rusqlite::{CachedStatement, Transaction, params};
use zephyr_control::{AttemptRecord, RequestRecord, Tokens};
use zephyr_secrets::redact::Redacted;

use super::blocks::Blocks;
use super::history::HistoryTally;
use super::usage::UsageTally;
use crate::tables::{Coded, count, int, micros, nanousd};

pub(super) struct Batch<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) usage: UsageTally,
    pub(super) history: HistoryTally,
    blocks: Blocks,
    insert_request: CachedStatement<'a>,
    insert_attempt: CachedStatement<'a>,
    first_request: i64,
    last_request: i64,
}

/// A request's strings, by number.
#[derive(Clone, Copy)]
pub(super) struct RequestStrings {
    pub(super) session: i64,
    pub(super) agent: i64,
    pub(super) error: i64,
    pub(super) run: i64,
}

impl RequestStrings {
    pub(super) fn all(self) -> [i64; 4] {
        [self.session, self.agent, self.error, self.run]
    }
}

/// An attempt's texts, and those of its strings that have a number.
pub(super) struct AttemptTexts {
    pub(super) endpoint: i64,
    pub(super) why: Option<Redacted>,
    pub(super) reason: Option<Redacted>,
    pub(super) verdict: Option<String>,
    pub(super) limit_names: i64,
    pub(super) limit_values: Option<Redacted>,
}

impl<'a> Batch<'a> {
    pub(super) fn begin(transaction: &'a Transaction<'a>) -> rusqlite::Result<Self> {
        let last_request = transaction
            .prepare_cached("SELECT value FROM facts WHERE name = 'last_request'")?
            .query_row([], |row| row.get(0))?;
        Ok(Self {
            transaction,
            usage: UsageTally::default(),
            history: HistoryTally::default(),
            blocks: Blocks::default(),
            insert_request: transaction.prepare_cached(INSERT_REQUEST)?,
            insert_attempt: transaction.prepare_cached(INSERT_ATTEMPT)?,
            first_request: last_request,
            last_request,
        })
    }

    /// The number of the next row of `requests`.
    pub(super) fn next_request(&mut self, at_ms: u64, number: Option<i64>) -> i64 {
        self.last_request += 1;
        self.blocks.include(self.last_request, at_ms, number);
        self.last_request
    }

    pub(super) fn insert_request(
        &mut self,
        id: i64,
        record: &RequestRecord,
        shape: i64,
        strings: RequestStrings,
        number: Option<i64>,
    ) -> rusqlite::Result<()> {
        let tokens =
            |of: fn(&Tokens) -> u64| record.tokens.as_ref().map(|tokens| int(count(of(tokens))));
        self.insert_request.execute([
            Some(id),
            Some(int(record.at_ms)),
            Some(shape),
            Some(strings.session),
            Some(strings.agent),
            Some(strings.error),
            Some(strings.run),
            number,
            Some(micros(record.duration_ms)),
            record.ttft_ms.map(micros),
            Some(int(record.request_bytes)),
            Some(int(record.response_bytes)),
            tokens(|tokens| tokens.input),
            tokens(|tokens| tokens.cache_write_5m),
            tokens(|tokens| tokens.cache_write_1h),
            tokens(|tokens| tokens.cache_read),
            tokens(|tokens| tokens.output),
            tokens(|tokens| tokens.thinking),
            record.cost_usd.map(nanousd),
            record.cache_saved_usd.map(nanousd),
            record.cache_lost_usd.map(nanousd),
            record.overtaken_cost_usd.map(nanousd),
        ])?;
        Ok(())
    }

    pub(super) fn insert_attempt(
        &mut self,
        request: i64,
        n: i64,
        attempt: &AttemptRecord,
        texts: &AttemptTexts,
    ) -> rusqlite::Result<()> {
        self.insert_attempt.execute(params![
            request,
            n,
            texts.endpoint,
            attempt.outcome.code(),
            attempt.status,
            texts.why.as_ref().map(Redacted::as_str),
            texts.reason.as_ref().map(Redacted::as_str),
            micros(attempt.queue_ms),
            attempt.connect_ms.map(micros),
            attempt.tls_ms.map(micros),
            attempt.headers_ms.map(micros),
            attempt.first_event_ms.map(micros),
            micros(attempt.last_byte_ms),
            texts.limit_names,
            texts.limit_values.as_ref().map(Redacted::as_str),
            texts.verdict,
        ])?;
        Ok(())
    }

    /// Writes what was added up. Returns how many requests the batch has.
    pub(super) fn end(self) -> rusqlite::Result<u64> {
        self.transaction
            .prepare_cached("UPDATE facts SET value = ?1 WHERE name = 'last_request'")?
            .execute([self.last_request])?;
        self.blocks.write(self.transaction)?;
        self.usage.write(self.transaction)?;
        self.history.write(self.transaction)?;
        Ok(u64::try_from(self.last_request - self.first_request).unwrap_or_default())
    }
}

const INSERT_REQUEST: &str = "INSERT INTO requests VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
    ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)";
const INSERT_ATTEMPT: &str = "INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
    ?12, ?13, ?14, ?15, ?16)";
