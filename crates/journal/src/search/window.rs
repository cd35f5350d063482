//! A range of numbers of requests, and which of its blocks can match.

use std::collections::{BTreeSet, HashSet};

use rusqlite::Connection;

use super::candidate::Candidate;
use super::filter::Filter;
use super::word::Word;
use crate::tables::BLOCK;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    NewestFirst,
    OldestFirst,
}

#[derive(Clone, Copy)]
pub(super) enum Table {
    Shapes,
    Strings,
}

pub(super) struct Window<'a> {
    pub(super) connection: &'a Connection,
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Window<'_> {
    /// The blocks with requests of the wanted time.
    pub(super) fn in_time(&self, filter: &Filter) -> rusqlite::Result<BTreeSet<i64>> {
        self.connection
            .prepare_cached(
                "SELECT block FROM blocks WHERE block BETWEEN ?1 AND ?2 AND last_ms >= ?3 AND first_ms < ?4",
            )?
            .query_map([self.from / BLOCK, self.to / BLOCK, filter.since, filter.until], |row| row.get(0))?
            .collect()
    }

    /// The blocks in which one of these occurs.
    pub(super) fn with_any(
        &self,
        table: Table,
        ids: &HashSet<i64>,
    ) -> rusqlite::Result<BTreeSet<i64>> {
        let sql = match table {
            Table::Shapes => {
                "SELECT block FROM shape_blocks WHERE shape = ?1 AND block BETWEEN ?2 AND ?3"
            }
            Table::Strings => {
                "SELECT block FROM string_blocks WHERE string = ?1 AND block BETWEEN ?2 AND ?3"
            }
        };
        let mut select = self.connection.prepare_cached(sql)?;
        let mut blocks = BTreeSet::new();
        for id in ids {
            let mut rows = select.query([*id, self.from / BLOCK, self.to / BLOCK])?;
            while let Some(row) = rows.next()? {
                blocks.insert(row.get(0)?);
            }
        }
        Ok(blocks)
    }

    /// The recordings that have every trigram of the word.
    pub(super) fn recordings_with(&self, word: &Word) -> rusqlite::Result<HashSet<i64>> {
        let Some(expression) = &word.expression else {
            return Ok(HashSet::new());
        };
        self.connection
            .prepare_cached(
                "SELECT rowid FROM recording_search \
                 WHERE recording_search MATCH ?1 AND rowid BETWEEN ?2 AND ?3",
            )?
            .query_map(rusqlite::params![expression, self.from, self.to], |row| {
                row.get(0)
            })?
            .collect()
    }

    pub(super) fn rows(
        &self,
        block: i64,
        direction: Direction,
    ) -> rusqlite::Result<Vec<Candidate>> {
        let from = self.from.max(block * BLOCK);
        let to = self.to.min(block * BLOCK + BLOCK - 1);
        let mut rows: Vec<Candidate> = self
            .connection
            .prepare_cached(Candidate::SQL)?
            .query_map([from, to], Candidate::read)?
            .collect::<Result<_, _>>()?;
        if direction == Direction::NewestFirst {
            rows.reverse();
        }
        Ok(rows)
    }
}
