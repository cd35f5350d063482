//! Writes what happened into the tables, a batch in a transaction.
//!
//! Numbers of strings and shapes are remembered, so that most of a record is looked up in memory. What is
//! remembered holds only as long as nobody else writes to the file and no transaction is rolled back.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{
    CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior, params,
};
use zephyr_control::{AttemptRecord, RequestEnd, RequestRecord, Tokens};
use zephyr_core::config::{LogBody, LogRequests, Logging};

use crate::body::{self, Body};
use crate::codes::{Coded, count, int, is_failure, micros, nanousd};
use crate::entry::{Entry, Finished, Sighting};
use crate::schema::BLOCK;
use zephyr_secrets::Secret;
use zephyr_secrets::redact::{Redacted, Redactor, Redactors};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Most strings, or shapes, whose numbers are remembered.
const REMEMBERED: usize = 4096;
/// Longer strings are cut: no identifier or message is that long.
const LONGEST: usize = 2048;

/// What is remembered between batches.
#[derive(Default)]
pub(crate) struct Store {
    redactors: Redactors,
    strings: HashMap<Box<str>, i64>,
    shapes: HashMap<Shape, i64>,
    marked: Marked,
    /// SQLite's counter of what other connections wrote.
    data_version: i64,
}

/// What is written down of the block that is being filled.
#[derive(Default)]
struct Marked {
    block: i64,
    shapes: HashSet<i64>,
    strings: HashSet<i64>,
}

/// See the table.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Shape {
    method: i64,
    path: i64,
    client: i64,
    model: i64,
    served_model: i64,
    endpoint: i64,
    stop_reason: i64,
    stream: i64,
    status: i64,
    ended: i64,
    tried: Vec<i64>,
}

impl Store {
    /// Leaves these out from now on, too.
    pub(crate) fn learn(&mut self, secrets: &[Secret]) {
        self.redactors.learn(secrets);
        self.forget(); // What was let through before may be a secret now.
    }

    /// Forgets what may not be true any more.
    pub(crate) fn forget(&mut self) {
        self.strings.clear();
        self.shapes.clear();
        self.marked = Marked::default();
    }

    /// Writes a batch; returns how many requests are new. If it fails, nothing is written.
    pub(crate) fn write(
        &mut self,
        connection: &mut Connection,
        entries: &[Entry],
        logging: &Logging,
    ) -> rusqlite::Result<u64> {
        let written = self.write_in_transaction(connection, entries, logging);
        if written.is_err() {
            self.forget();
        }
        written
    }

    fn write_in_transaction(
        &mut self,
        connection: &mut Connection,
        entries: &[Entry],
        logging: &Logging,
    ) -> rusqlite::Result<u64> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let data_version =
            transaction.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if data_version != self.data_version
            || self.strings.len() > REMEMBERED
            || self.shapes.len() > REMEMBERED
        {
            self.forget();
            self.data_version = data_version;
        }
        let mut batch = Batch::begin(&transaction)?;
        let before = batch.last_request;
        for entry in entries {
            match entry {
                Entry::Request(finished) => self.request(&mut batch, finished, logging)?,
                Entry::Sighting(sighting) => self.sighting(&mut batch, sighting)?,
            }
        }
        let written = batch.last_request - before;
        batch.end()?;
        transaction.commit()?;
        Ok(u64::try_from(written).unwrap_or_default())
    }

    fn request(
        &mut self,
        batch: &mut Batch<'_>,
        finished: &Finished,
        logging: &Logging,
    ) -> rusqlite::Result<()> {
        let record = &finished.record;
        let redactor = self
            .redactors
            .of(&finished.request_headers, finished.query.as_deref());
        let redactor = redactor.as_ref();
        let model = self.optional(batch, record.model.as_deref(), redactor)?;
        let session = self.optional(batch, record.session.as_deref(), redactor)?;
        let endpoint = self.optional(batch, record.endpoint.as_deref(), redactor)?;
        let mut tried = Vec::with_capacity(record.attempts.len());
        for attempt in &record.attempts {
            let endpoint = self.string(batch, &attempt.endpoint, redactor)?;
            batch.attempt(endpoint, record.at_ms, attempt);
            tried.push(endpoint);
        }
        batch.usage(record, endpoint, model, session);
        if !is_kept(record.end, logging.request_types) {
            return Ok(());
        }

        let shape = Shape {
            method: self.string(batch, &record.method, redactor)?,
            path: self.string(batch, &record.path, redactor)?,
            client: self.optional(batch, record.client.as_deref(), redactor)?,
            model,
            served_model: self.optional(batch, record.served_model.as_deref(), redactor)?,
            endpoint,
            stop_reason: self.optional(batch, record.stop_reason.as_deref(), redactor)?,
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
        let shape = self.shape(batch, shape)?;
        let agent = self.optional(batch, record.agent.as_deref(), redactor)?;
        let error = match &record.error {
            Some(error) => self.redacted(batch, &redactor.text(error))?,
            None => 0,
        };
        let (run, number) = name_of(&record.request);
        let run = self.string(batch, run, redactor)?;
        let id = batch.next_request(record.at_ms, number);
        self.mark(batch, id, shape, &[session, agent, error, run])?;
        batch.insert_request(id, record, shape, [session, agent, error, run], number)?;
        for (n, (attempt, endpoint)) in (0_i64..).zip(record.attempts.iter().zip(tried)) {
            self.attempt(batch, id, n, endpoint, attempt, redactor)?;
        }
        record_bodies(batch, id, finished, logging, redactor)
    }

    fn attempt(
        &mut self,
        batch: &mut Batch<'_>,
        request: i64,
        n: i64,
        endpoint: i64,
        attempt: &AttemptRecord,
        redactor: &Redactor,
    ) -> rusqlite::Result<()> {
        let (names, values) = if attempt.rate_limits.is_empty() {
            (0, None)
        } else {
            let names: Vec<&str> = attempt
                .rate_limits
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            let values: Vec<&str> = attempt
                .rate_limits
                .iter()
                .map(|(_, value)| value.as_str())
                .collect();
            let names = as_json(&names);
            let values = redactor.text(&as_json(&values));
            let names = self.string(batch, &names, redactor)?;
            self.mark_strings(batch, request / BLOCK, &[names])?;
            (names, Some(values))
        };
        let why = attempt.why.as_ref().map(|why| reason(why, redactor));
        let reason = attempt.reason.as_ref().map(|why| reason(why, redactor));
        batch.insert_attempt.execute(params![
            request,
            n,
            endpoint,
            attempt.outcome.code(),
            attempt.status,
            why.as_ref().map(Redacted::as_str),
            reason.as_ref().map(Redacted::as_str),
            micros(attempt.queue_ms),
            attempt.connect_ms.map(micros),
            attempt.tls_ms.map(micros),
            attempt.headers_ms.map(micros),
            attempt.first_event_ms.map(micros),
            micros(attempt.last_byte_ms),
            names,
            values.as_ref().map(Redacted::as_str),
        ])?;
        Ok(())
    }

    fn sighting(&mut self, batch: &mut Batch<'_>, sighting: &Sighting) -> rusqlite::Result<()> {
        let redactor = self.redactors.common();
        let endpoint = self.string(batch, &sighting.endpoint, redactor.as_ref())?;
        let span = batch.span(endpoint, sighting.at_ms);
        span.state = Some(sighting.state.code());
        if let Some(latency) = sighting.latency_ms {
            span.probes += 1;
            span.latency_us += micros(latency);
        }
        let cost = nanousd(sighting.cost_usd);
        if cost > 0 {
            batch.sums(sighting.at_ms, endpoint, 0, 0).probes_nanousd += cost;
        }
        Ok(())
    }

    /// Writes down that this shape and these strings occur in the block of that request.
    fn mark(
        &mut self,
        batch: &Batch<'_>,
        request: i64,
        shape: i64,
        strings: &[i64],
    ) -> rusqlite::Result<()> {
        let block = request / BLOCK;
        if self.marked.block != block {
            self.marked = Marked {
                block,
                ..Marked::default()
            };
        }
        if self.marked.shapes.insert(shape) {
            let sql = "INSERT OR IGNORE INTO shape_blocks VALUES (?1, ?2)";
            batch
                .transaction
                .prepare_cached(sql)?
                .execute([shape, block])?;
        }
        self.mark_strings(batch, block, strings)
    }

    fn mark_strings(
        &mut self,
        batch: &Batch<'_>,
        block: i64,
        strings: &[i64],
    ) -> rusqlite::Result<()> {
        for string in strings {
            if *string != 0 && self.marked.strings.insert(*string) {
                let sql = "INSERT OR IGNORE INTO string_blocks VALUES (?1, ?2)";
                batch
                    .transaction
                    .prepare_cached(sql)?
                    .execute([*string, block])?;
            }
        }
        Ok(())
    }

    fn optional(
        &mut self,
        batch: &Batch<'_>,
        text: Option<&str>,
        redactor: &Redactor,
    ) -> rusqlite::Result<i64> {
        text.map_or(Ok(0), |text| self.string(batch, text, redactor))
    }

    /// The number of a text, which is redacted when it is first seen.
    fn string(
        &mut self,
        batch: &Batch<'_>,
        text: &str,
        redactor: &Redactor,
    ) -> rusqlite::Result<i64> {
        if text.is_empty() {
            return Ok(0);
        }
        // A secret of this request alone: what is remembered is true of all.
        if redactor.has_own_in(text) {
            return self.redacted(batch, &redactor.text(text));
        }
        if let Some(id) = self.strings.get(text) {
            return Ok(*id);
        }
        let redacted = redactor.text(text);
        let id = self.redacted(batch, &redacted)?;
        self.strings.insert(text.into(), id);
        Ok(id)
    }

    fn redacted(&self, batch: &Batch<'_>, text: &Redacted) -> rusqlite::Result<i64> {
        let (text, _) = text.clone().beginning(LONGEST);
        let text = text.as_str();
        if let Some(id) = self.strings.get(text) {
            return Ok(*id);
        }
        let transaction = batch.transaction;
        let known = transaction
            .prepare_cached("SELECT id FROM strings WHERE text = ?1")?
            .query_row([text], |row| row.get(0))
            .optional()?;
        if let Some(id) = known {
            return Ok(id);
        }
        transaction
            .prepare_cached("INSERT INTO strings (text) VALUES (?1)")?
            .execute([text])?;
        let id = transaction.last_insert_rowid();
        transaction
            .prepare_cached("INSERT INTO string_search (rowid, text) VALUES (?1, ?2)")?
            // The last two letters begin trigrams too, by which a search for two finds them.
            .execute(params![id, text.to_lowercase() + "\n\n"])?;
        Ok(id)
    }

    fn shape(&mut self, batch: &Batch<'_>, shape: Shape) -> rusqlite::Result<i64> {
        if let Some(id) = self.shapes.get(&shape) {
            return Ok(*id);
        }
        let tried: String = shape.tried.iter().map(|id| format!("{id},")).collect();
        let values = params![
            shape.method,
            shape.path,
            shape.client,
            shape.model,
            shape.served_model,
            shape.endpoint,
            shape.stop_reason,
            shape.stream,
            shape.status,
            shape.ended,
            format!(",{tried}"),
        ];
        batch
            .transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO shapes (method, path, client, model, served_model, endpoint, \
                 stop_reason, stream, status, ended, tried) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(values)?;
        let id = batch
            .transaction
            .prepare_cached(
                "SELECT id FROM shapes WHERE method = ?1 AND path = ?2 AND client = ?3 AND model = ?4 \
                 AND served_model = ?5 AND endpoint = ?6 AND stop_reason = ?7 AND stream = ?8 \
                 AND status = ?9 AND ended = ?10 AND tried = ?11",
            )?
            .query_row(values, |row| row.get(0))?;
        self.shapes.insert(shape, id);
        Ok(id)
    }
}

/// What a batch adds up before it is written.
struct Batch<'a> {
    transaction: &'a Transaction<'a>,
    insert_request: CachedStatement<'a>,
    insert_attempt: CachedStatement<'a>,
    last_request: i64,
    blocks: HashMap<i64, Block>,
    usage: HashMap<(i64, [i64; 3]), Sums>,
    /// When the first of what is summed up began.
    since: Option<i64>,
    history: HashMap<(i64, i64), Span>,
    zone: TimeZone,
    /// The hour that was last asked for.
    hour: i64,
}

/// See the table `blocks`.
struct Block {
    times: (i64, i64),
    numbers: Option<(i64, i64)>,
}

/// See the table `usage`.
#[derive(Default)]
struct Sums {
    requests: i64,
    failed: i64,
    tokens: Tokens,
    cost_nanousd: i64,
    unpriced: i64,
    cache_saved_nanousd: i64,
    cache_lost_nanousd: i64,
    probes_nanousd: i64,
}

/// See the table `history`.
#[derive(Default)]
struct Span {
    probes: i64,
    latency_us: i64,
    streams: i64,
    ttft_us: i64,
    attempts: i64,
    failures: i64,
    state: Option<i64>,
}

impl<'a> Batch<'a> {
    fn begin(transaction: &'a Transaction<'a>) -> rusqlite::Result<Self> {
        let last_request = transaction
            .prepare_cached("SELECT value FROM facts WHERE name = 'last_request'")?
            .query_row([], |row| row.get(0))?;
        Ok(Self {
            transaction,
            insert_request: transaction.prepare_cached(INSERT_REQUEST)?,
            insert_attempt: transaction.prepare_cached(INSERT_ATTEMPT)?,
            last_request,
            blocks: HashMap::new(),
            usage: HashMap::new(),
            since: None,
            history: HashMap::new(),
            zone: TimeZone::system(),
            hour: i64::MIN / 2,
        })
    }

    fn next_request(&mut self, at_ms: u64, number: Option<i64>) -> i64 {
        self.last_request += 1;
        let at = int(at_ms);
        let block = self
            .blocks
            .entry(self.last_request / BLOCK)
            .or_insert(Block {
                times: (at, at),
                numbers: None,
            });
        widen(&mut block.times, at);
        if let Some(number) = number {
            widen(block.numbers.get_or_insert((number, number)), number);
        }
        self.last_request
    }

    fn insert_request(
        &mut self,
        id: i64,
        record: &RequestRecord,
        shape: i64,
        [session, agent, error, run]: [i64; 4],
        number: Option<i64>,
    ) -> rusqlite::Result<()> {
        let tokens =
            |of: fn(&Tokens) -> u64| record.tokens.as_ref().map(|tokens| int(count(of(tokens))));
        self.insert_request.execute([
            Some(id),
            Some(int(record.at_ms)),
            Some(shape),
            Some(session),
            Some(agent),
            Some(error),
            Some(run),
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
        ])?;
        Ok(())
    }

    fn usage(&mut self, record: &RequestRecord, endpoint: i64, model: i64, session: i64) {
        let add = |sum: &mut u64, tokens: u64| *sum = sum.saturating_add(count(tokens));
        let sums = self.sums(record.at_ms, endpoint, model, session);
        sums.requests += 1;
        sums.failed += i64::from(record.end != RequestEnd::Answered);
        if let Some(tokens) = &record.tokens {
            add(&mut sums.tokens.input, tokens.input);
            add(&mut sums.tokens.cache_write_5m, tokens.cache_write_5m);
            add(&mut sums.tokens.cache_write_1h, tokens.cache_write_1h);
            add(&mut sums.tokens.cache_read, tokens.cache_read);
            add(&mut sums.tokens.output, tokens.output);
            add(&mut sums.tokens.thinking, tokens.thinking);
        }
        let may_cost = record.tokens.is_some() || is_answered_message(record);
        sums.unpriced += i64::from(may_cost && record.cost_usd.is_none());
        let add = |sum: &mut i64, usd: Option<f64>| {
            *sum = sum.saturating_add(usd.map_or(0, nanousd));
        };
        add(&mut sums.cost_nanousd, record.cost_usd);
        add(&mut sums.cache_saved_nanousd, record.cache_saved_usd);
        add(&mut sums.cache_lost_nanousd, record.cache_lost_usd);
    }

    fn attempt(&mut self, endpoint: i64, began_ms: u64, attempt: &AttemptRecord) {
        let ended = began_ms.saturating_add(crate::codes::whole(
            (micros(attempt.queue_ms) + micros(attempt.last_byte_ms)) / 1000,
        ));
        let span = self.span(endpoint, ended);
        span.attempts += 1;
        span.failures += i64::from(is_failure(attempt.outcome));
        if let Some(ttft) = attempt.first_event_ms {
            span.streams += 1;
            span.ttft_us += micros(ttft);
        }
    }

    fn sums(&mut self, at_ms: u64, endpoint: i64, model: i64, session: i64) -> &mut Sums {
        let at = int(at_ms);
        if !(self.hour..self.hour + HOUR).contains(&at) {
            self.hour = hour_of(at, &self.zone);
        }
        self.since = Some(self.since.map_or(at, |since| since.min(at)));
        let key = (self.hour, [endpoint, model, session]);
        self.usage.entry(key).or_default()
    }

    fn span(&mut self, endpoint: i64, at_ms: u64) -> &mut Span {
        let at = int(at_ms);
        self.history
            .entry((endpoint, at - at % MINUTE))
            .or_default()
    }

    fn end(self) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("UPDATE facts SET value = ?1 WHERE name = 'last_request'")?
            .execute([self.last_request])?;
        if let Some(since) = self.since {
            self.transaction
                .prepare_cached(
                    "INSERT INTO facts VALUES ('sums_since', ?1) \
                     ON CONFLICT DO UPDATE SET value = min(value, excluded.value)",
                )?
                .execute([since])?;
        }
        let mut blocks = self.transaction.prepare_cached(
            "INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
             first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms), \
             first_number = min(ifnull(first_number, excluded.first_number), ifnull(excluded.first_number, first_number)), \
             last_number = max(ifnull(last_number, excluded.last_number), ifnull(excluded.last_number, last_number))",
        )?;
        for (block, Block { times, numbers }) in self.blocks {
            let (first, last) = numbers.unzip();
            blocks.execute([Some(block), Some(times.0), Some(times.1), first, last])?;
        }
        let mut by_session = self.transaction.prepare_cached(ADD_SESSION_USAGE)?;
        let mut usage: HashMap<(i64, [i64; 2]), Sums> = HashMap::new();
        for ((at, [endpoint, model, session]), sums) in self.usage {
            if sums.requests > 0 {
                by_session.execute([
                    at,
                    endpoint,
                    model,
                    session,
                    sums.requests,
                    sums.failed,
                    int(sums.tokens.input),
                    int(sums.tokens.cache_write_5m),
                    int(sums.tokens.cache_write_1h),
                    int(sums.tokens.cache_read),
                    int(sums.tokens.output),
                    int(sums.tokens.thinking),
                    sums.cost_nanousd,
                    sums.unpriced,
                    sums.cache_saved_nanousd,
                    sums.cache_lost_nanousd,
                ])?;
            }
            usage.entry((at, [endpoint, model])).or_default().add(&sums);
        }
        let mut add = self.transaction.prepare_cached(ADD_USAGE)?;
        for ((at, [endpoint, model]), sums) in usage {
            add.execute([
                at,
                HOUR,
                endpoint,
                model,
                sums.requests,
                sums.failed,
                int(sums.tokens.input),
                int(sums.tokens.cache_write_5m),
                int(sums.tokens.cache_write_1h),
                int(sums.tokens.cache_read),
                int(sums.tokens.output),
                int(sums.tokens.thinking),
                sums.cost_nanousd,
                sums.unpriced,
                sums.cache_saved_nanousd,
                sums.cache_lost_nanousd,
                sums.probes_nanousd,
            ])?;
        }
        let mut history = self.transaction.prepare_cached(ADD_HISTORY)?;
        for ((endpoint, at), span) in self.history {
            history.execute(params![
                endpoint,
                at,
                MINUTE,
                span.probes,
                span.latency_us,
                span.streams,
                span.ttft_us,
                span.attempts,
                span.failures,
                span.state,
            ])?;
        }
        Ok(())
    }
}

impl Sums {
    fn add(&mut self, other: &Self) {
        let add = |sum: &mut u64, tokens: u64| *sum = sum.saturating_add(tokens);
        add(&mut self.tokens.input, other.tokens.input);
        add(&mut self.tokens.cache_write_5m, other.tokens.cache_write_5m);
        add(&mut self.tokens.cache_write_1h, other.tokens.cache_write_1h);
        add(&mut self.tokens.cache_read, other.tokens.cache_read);
        add(&mut self.tokens.output, other.tokens.output);
        add(&mut self.tokens.thinking, other.tokens.thinking);
        let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(more);
        add(&mut self.requests, other.requests);
        add(&mut self.failed, other.failed);
        add(&mut self.cost_nanousd, other.cost_nanousd);
        add(&mut self.unpriced, other.unpriced);
        add(&mut self.cache_saved_nanousd, other.cache_saved_nanousd);
        add(&mut self.cache_lost_nanousd, other.cache_lost_nanousd);
        add(&mut self.probes_nanousd, other.probes_nanousd);
    }
}

fn widen((first, last): &mut (i64, i64), to: i64) {
    *first = to.min(*first);
    *last = to.max(*last);
}

const INSERT_REQUEST: &str = "INSERT INTO requests VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
    ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";
const INSERT_ATTEMPT: &str = "INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
    ?12, ?13, ?14, ?15)";

/// The columns that requests are summed up in.
macro_rules! adding_up {
    () => {
        "requests = requests + excluded.requests, \
         failed = failed + excluded.failed, input = input + excluded.input, \
         cache_write_5m = cache_write_5m + excluded.cache_write_5m, \
         cache_write_1h = cache_write_1h + excluded.cache_write_1h, \
         cache_read = cache_read + excluded.cache_read, output = output + excluded.output, \
         thinking = thinking + excluded.thinking, cost_nanousd = cost_nanousd + excluded.cost_nanousd, \
         unpriced = unpriced + excluded.unpriced, \
         cache_saved_nanousd = cache_saved_nanousd + excluded.cache_saved_nanousd, \
         cache_lost_nanousd = cache_lost_nanousd + excluded.cache_lost_nanousd"
    };
}

/// Adds to a row of `usage`.
pub(crate) const ADD_USAGE: &str = concat!(
    "INSERT INTO usage VALUES \
     (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
     ON CONFLICT DO UPDATE SET ",
    adding_up!(),
    ", probes_nanousd = probes_nanousd + excluded.probes_nanousd"
);

/// Adds to a row of `session_usage`.
const ADD_SESSION_USAGE: &str = concat!(
    "INSERT INTO session_usage VALUES \
     (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
     ON CONFLICT DO UPDATE SET ",
    adding_up!()
);

/// Adds to a row of `history`; the later state counts.
pub(crate) const ADD_HISTORY: &str = "INSERT INTO history VALUES \
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
    ON CONFLICT DO UPDATE SET probes = probes + excluded.probes, \
    latency_us = latency_us + excluded.latency_us, streams = streams + excluded.streams, \
    ttft_us = ttft_us + excluded.ttft_us, attempts = attempts + excluded.attempts, \
    failures = failures + excluded.failures, state = coalesce(excluded.state, state)";

fn record_bodies(
    batch: &Batch<'_>,
    id: i64,
    finished: &Finished,
    logging: &Logging,
    redactor: &Redactor,
) -> rusqlite::Result<()> {
    let (of_request, of_response) = (most(logging.request_body), most(logging.response_body));
    if of_request.is_none() && of_response.is_none() {
        return Ok(());
    }
    let body = |headers, captured: &Option<_>, most: Option<usize>| {
        most.zip(captured.as_ref())
            .and_then(|(most, captured)| Body::of(headers, captured, most, redactor))
    };
    let request = body(
        &finished.request_headers,
        &finished.request_body,
        of_request,
    );
    let response = body(
        &finished.response_headers,
        &finished.response_body,
        of_response,
    );
    let headers = |headers, most: Option<usize>| most.map(|_| pairs(&redactor.headers(headers)));
    let compressed = |body: &Option<Body>| {
        let stored = body.as_ref().map(Body::compressed).transpose();
        stored.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    };
    let truncated = |body: &Option<Body>| body.as_ref().is_some_and(|body| body.truncated);
    batch
        .transaction
        .prepare_cached("INSERT INTO recordings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![
            id,
            headers(&finished.request_headers, of_request),
            headers(&finished.response_headers, of_response),
            compressed(&request)?,
            truncated(&request),
            compressed(&response)?,
            truncated(&response),
        ])?;
    let words: Vec<String> = [request, response]
        .into_iter()
        .flatten()
        // Once more: what was escaped is plain now.
        .map(|body| redactor.text(&body::words(body.text.as_str())))
        .map(|words| body::indexed(words.as_str()))
        .collect();
    if !words.is_empty() {
        batch
            .transaction
            .prepare_cached("INSERT INTO recording_search (rowid, text) VALUES (?1, ?2)")?
            // The last two letters begin trigrams too, by which a search for two finds them.
            .execute(params![id, words.join("\n") + "\n\n"])?;
    }
    Ok(())
}

fn most(body: LogBody) -> Option<usize> {
    match body {
        LogBody::None => None,
        LogBody::Truncated => Some(body::TRUNCATED),
        LogBody::Full => Some(body::FULL),
    }
}

fn pairs(headers: &[(Redacted, Redacted)]) -> String {
    let pairs: Vec<[&str; 2]> = headers
        .iter()
        .map(|(name, value)| [name.as_str(), value.as_str()])
        .collect();
    as_json(&pairs)
}

fn as_json<T: serde::Serialize>(values: &[T]) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

/// A reason's code, or JSON if it has parameters.
fn reason(reason: &zephyr_control::Reason, redactor: &Redactor) -> Redacted {
    let json = serde_json::to_string(reason).unwrap_or_default();
    let alone = json
        .strip_prefix("{\"code\":\"")
        .and_then(|rest| rest.strip_suffix("\"}"));
    match alone.filter(|code| !code.contains('"')) {
        Some(code) => redactor.text(code),
        None => redactor.text(&json),
    }
}

/// Whether tokens were used, though an answer that is too long to be held does not tell how many.
fn is_answered_message(record: &RequestRecord) -> bool {
    let path = record.path.split('?').next().unwrap_or_default();
    let is_success = record
        .status
        .is_some_and(|status| (200..300).contains(&status));
    record.end == RequestEnd::Answered && is_success && path == "/v1/messages"
}

fn is_kept(end: RequestEnd, kept: LogRequests) -> bool {
    match kept {
        LogRequests::All => true,
        LogRequests::Success => end == RequestEnd::Answered,
        LogRequests::Failed => end != RequestEnd::Answered,
    }
}

/// The two parts of a request's name.
pub(crate) fn name_of(request: &str) -> (&str, Option<i64>) {
    let parts = request.rsplit_once('-').and_then(|(run, number)| {
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = digits && !number.starts_with('0') && !run.is_empty();
        Some((run, number.parse().ok().filter(|_| is_plain)?))
    });
    match parts {
        Some((run, number)) => (run, Some(number)),
        None => (request, None),
    }
}

/// When the hour began, where the user is.
fn hour_of(at: i64, zone: &TimeZone) -> i64 {
    let begun = || {
        let here = Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone());
        let hour = here.with().minute(0).second(0).subsec_nanosecond(0);
        Some(hour.build().ok()?.timestamp().as_millisecond())
    };
    begun().unwrap_or(at - at % HOUR)
}
