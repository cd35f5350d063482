//! Sums of requests: what a row of `usage` and `session_usage` adds up.

use rusqlite::{CachedStatement, Connection, Row};
use zephyr_control::{Tokens, Usage};

use super::units::{int, usd, whole};

/// Sums, as integers, so that they do not depend on the order of adding.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) requests: i64,
    pub(crate) failed: i64,
    pub(crate) tokens: Tokens,
    pub(crate) cost_nanousd: i64,
    pub(crate) unpriced: i64,
    pub(crate) cache_saved_nanousd: i64,
    pub(crate) cache_lost_nanousd: i64,
    pub(crate) second_attempts: i64,
    pub(crate) overtaken_nanousd: i64,
    /// Not in `session_usage`: probes belong to no session.
    pub(crate) probes_nanousd: i64,
}

macro_rules! sums_columns {
    () => {
        "requests, failed, input, cache_write_5m, cache_write_1h, cache_read, output, thinking, cost_nanousd, \
         unpriced, cache_saved_nanousd, cache_lost_nanousd, second_attempts, overtaken_nanousd"
    };
}

/// The columns that [`Sums::read`] reads, without `probes_nanousd`, which comes last.
pub(crate) const SUMS_COLUMNS: &str = sums_columns!();

impl Sums {
    /// Reads [`SUMS_COLUMNS`] and what probes cost, from this column on.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let number = |column: usize| row.get::<_, i64>(first + column);
        let tokens = |column: usize| number(column).map(whole);
        Ok(Self {
            requests: number(0)?,
            failed: number(1)?,
            tokens: Tokens {
                input: tokens(2)?,
                cache_write_5m: tokens(3)?,
                cache_write_1h: tokens(4)?,
                cache_read: tokens(5)?,
                output: tokens(6)?,
                thinking: tokens(7)?,
            },
            cost_nanousd: number(8)?,
            unpriced: number(9)?,
            cache_saved_nanousd: number(10)?,
            cache_lost_nanousd: number(11)?,
            second_attempts: number(12)?,
            overtaken_nanousd: number(13)?,
            probes_nanousd: number(14)?,
        })
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
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
        add(&mut self.second_attempts, other.second_attempts);
        add(&mut self.overtaken_nanousd, other.overtaken_nanousd);
        add(&mut self.probes_nanousd, other.probes_nanousd);
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            requests: whole(self.requests),
            failed: whole(self.failed),
            tokens: self.tokens,
            cost_usd: usd(self.cost_nanousd),
            unpriced: whole(self.unpriced),
            cache_saved_usd: usd(self.cache_saved_nanousd),
            cache_lost_usd: usd(self.cache_lost_nanousd),
            probes_usd: usd(self.probes_nanousd),
            second_attempts: whole(self.second_attempts),
            overtaken_cost_usd: usd(self.overtaken_nanousd),
        }
    }
}

/// Adds sums to a row of `usage`, which it creates if it has to.
pub(crate) struct AddUsage<'a>(CachedStatement<'a>);

impl<'a> AddUsage<'a> {
    pub(crate) fn to(connection: &'a Connection) -> rusqlite::Result<Self> {
        connection.prepare_cached(ADD_USAGE).map(Self)
    }

    pub(crate) fn add(
        &mut self,
        (at, span): (i64, i64),
        [endpoint, model]: [i64; 2],
        sums: &Sums,
    ) -> rusqlite::Result<()> {
        self.0.execute([
            at,
            span,
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
            sums.second_attempts,
            sums.overtaken_nanousd,
            sums.probes_nanousd,
        ])?;
        Ok(())
    }
}

/// Adds sums to a row of `session_usage`, which it creates if it has to.
pub(crate) struct AddSessionUsage<'a>(CachedStatement<'a>);

impl<'a> AddSessionUsage<'a> {
    pub(crate) fn to(connection: &'a Connection) -> rusqlite::Result<Self> {
        connection.prepare_cached(ADD_SESSION_USAGE).map(Self)
    }

    pub(crate) fn add(
        &mut self,
        at: i64,
        [endpoint, model, session]: [i64; 3],
        sums: &Sums,
    ) -> rusqlite::Result<()> {
        self.0.execute([
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
            sums.second_attempts,
            sums.overtaken_nanousd,
        ])?;
        Ok(())
    }
}

/// How both tables add up what they have in common.
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
         cache_lost_nanousd = cache_lost_nanousd + excluded.cache_lost_nanousd, \
         second_attempts = second_attempts + excluded.second_attempts, \
         overtaken_nanousd = overtaken_nanousd + excluded.overtaken_nanousd"
    };
}

const ADD_USAGE: &str = concat!(
    "INSERT INTO usage (at_ms, span_ms, endpoint, model, ",
    sums_columns!(),
    ", probes_nanousd) VALUES \
     (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
     ON CONFLICT DO UPDATE SET ",
    adding_up!(),
    ", probes_nanousd = probes_nanousd + excluded.probes_nanousd"
);

const ADD_SESSION_USAGE: &str = concat!(
    "INSERT INTO session_usage (at_ms, endpoint, model, session, ",
    sums_columns!(),
    ") VALUES \
     (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
     ON CONFLICT DO UPDATE SET ",
    adding_up!()
);
