//! Writes a batch of entries in one transaction.

use rusqlite::{Connection, TransactionBehavior};
use zephyr_core::config::Logging;
use zephyr_secrets::Secret;
use zephyr_secrets::redact::Redactors;

use super::batch::Batch;
use super::names::Names;
use super::request;
use crate::entry::{Entry, Sighting};
use crate::tables::{Coded, micros, nanousd};

/// What is remembered between batches.
#[derive(Default)]
pub(crate) struct Store {
    redactors: Redactors,
    names: Names,
    /// SQLite's counter of what other connections wrote.
    data_version: i64,
}

impl Store {
    /// Redacts these secrets too, from now on.
    pub(crate) fn learn(&mut self, secrets: &[Secret]) {
        self.redactors.learn(secrets.iter().map(Secret::expose));
        self.forget(); // A text that is remembered as harmless may contain one of them.
    }

    /// Forgets the numbers of strings and shapes. They are valid only while nobody else writes to the
    /// file and no transaction is rolled back.
    pub(crate) fn forget(&mut self) {
        self.names = Names::default();
    }

    /// Writes a batch and returns how many requests are new. On an error nothing is written.
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
        if data_version != self.data_version || self.names.are_many() {
            self.forget();
            self.data_version = data_version;
        }
        let mut batch = Batch::begin(&transaction)?;
        for entry in entries {
            match entry {
                Entry::Request(finished) => {
                    let query = finished.query.as_deref();
                    let redactor = self.redactors.of(&finished.request_headers, query);
                    request::write(&mut batch, &mut self.names, finished, logging, &redactor)?;
                }
                Entry::Sighting(sighting) => self.sighting(&mut batch, sighting)?,
            }
        }
        let written = batch.end()?;
        transaction.commit()?;
        Ok(written)
    }

    fn sighting(&mut self, batch: &mut Batch<'_>, sighting: &Sighting) -> rusqlite::Result<()> {
        let redactor = self.redactors.common();
        let names = &mut self.names;
        let endpoint = names.string(batch.transaction, &sighting.endpoint, &redactor)?;
        let span = batch.history.span(endpoint, sighting.at_ms);
        span.state = Some(sighting.state.code());
        if let Some(latency) = sighting.latency_ms {
            span.probes += 1;
            span.latency_us += micros(latency);
        }
        let cost = nanousd(sighting.cost_usd);
        if cost > 0 {
            batch.usage.add_probe(sighting.at_ms, endpoint, cost);
        }
        Ok(())
    }
}
