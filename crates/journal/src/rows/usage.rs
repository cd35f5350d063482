//! Adds up what the requests of a batch used and cost, by local hour.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use rusqlite::Connection;
use zephyr_control::{RequestEnd, RequestRecord};

use crate::tables::{AddSessionUsage, AddUsage, HOUR, Sums, count, hour_of, int, nanousd};

pub(super) struct UsageTally {
    /// By hour and by endpoint, model and session.
    sums: HashMap<(i64, [i64; 3]), Sums>,
    /// The time of the earliest entry.
    since: Option<i64>,
    zone: TimeZone,
    /// The hour of the last entry: the next one is probably in it too.
    hour: i64,
}

impl Default for UsageTally {
    fn default() -> Self {
        Self {
            sums: HashMap::new(),
            since: None,
            zone: TimeZone::system(),
            hour: i64::MIN / 2,
        }
    }
}

impl UsageTally {
    pub(super) fn add_request(
        &mut self,
        record: &RequestRecord,
        endpoint: i64,
        model: i64,
        session: i64,
    ) {
        let add = |sum: &mut u64, tokens: u64| *sum = sum.saturating_add(count(tokens));
        let sums = self.of(record.at_ms, [endpoint, model, session]);
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
        sums.second_attempts += i64::from(record.had_a_second_attempt());
        add(&mut sums.overtaken_nanousd, record.overtaken_cost_usd);
    }

    pub(super) fn add_probe(&mut self, at_ms: u64, endpoint: i64, nanousd: i64) {
        self.of(at_ms, [endpoint, 0, 0]).probes_nanousd += nanousd;
    }

    fn of(&mut self, at_ms: u64, key: [i64; 3]) -> &mut Sums {
        let at = int(at_ms);
        if !(self.hour..self.hour + HOUR).contains(&at) {
            self.hour = hour_of(at, &self.zone);
        }
        self.since = Some(self.since.map_or(at, |since| since.min(at)));
        self.sums.entry((self.hour, key)).or_default()
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        if let Some(since) = self.since {
            connection
                .prepare_cached(
                    "INSERT INTO facts VALUES ('sums_since', ?1) \
                     ON CONFLICT DO UPDATE SET value = min(value, excluded.value)",
                )?
                .execute([since])?;
        }
        let mut by_session = AddSessionUsage::to(connection)?;
        let mut without_session: HashMap<(i64, [i64; 2]), Sums> = HashMap::new();
        for ((hour, key @ [endpoint, model, _]), sums) in self.sums {
            if sums.requests > 0 {
                by_session.add(hour, key, &sums)?;
            }
            let key = (hour, [endpoint, model]);
            without_session.entry(key).or_default().add(&sums);
        }
        let mut usage = AddUsage::to(connection)?;
        for ((hour, key), sums) in without_session {
            usage.add((hour, HOUR), key, &sums)?;
        }
        Ok(())
    }
}

/// Whether tokens were used, even if it is unknown how many: an answer that is too long to be read to its
/// end does not tell.
fn is_answered_message(record: &RequestRecord) -> bool {
    let path = record.path.split('?').next().unwrap_or_default();
    let is_success = record
        .status
        .is_some_and(|status| (200..300).contains(&status));
    record.end == RequestEnd::Answered && is_success && path == "/v1/messages"
}
