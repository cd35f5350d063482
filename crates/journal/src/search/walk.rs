//! A walk over numbers of requests, from the end that is asked for, in windows of blocks that grow.

use std::collections::{BTreeSet, HashSet};

use rusqlite::Connection;
use zephyr_control::Paging;

use super::candidate::Candidate;
use super::filter::Filter;
use super::window::{Direction, Table, Window};
use super::word::Word;
use crate::read::{QueryError, words_of};
use crate::tables::{BLOCK, int};

/// Blocks of the first window.
const WINDOW: i64 = 8;
/// A word that has more strings and shapes than these is almost everywhere. Its blocks are not looked up.
const SELECTIVE: usize = 2000;

pub(super) struct Walk<'a> {
    connection: &'a Connection,
    direction: Direction,
    first: i64,
    last: i64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(connection: &'a Connection, paging: Paging) -> rusqlite::Result<Self> {
        let bound = |sql| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        let first = bound("SELECT min(id) FROM requests")?.unwrap_or(1);
        let last = bound("SELECT max(id) FROM requests")?.unwrap_or(0);
        let after = paging.after.map_or(i64::MIN, int);
        let before = paging.before.map_or(i64::MAX, int);
        Ok(Self {
            connection,
            direction: if paging.after.is_some() {
                Direction::OldestFirst
            } else {
                Direction::NewestFirst
            },
            first: first.max(after.saturating_add(1)),
            last: last.min(before.saturating_sub(1)),
        })
    }

    /// Collects the numbers of at most `most` requests that match.
    pub(super) fn run(
        mut self,
        filter: &Filter,
        most: usize,
        ids: &mut Vec<i64>,
    ) -> Result<(), QueryError> {
        let mut size = WINDOW;
        while self.first <= self.last && ids.len() < most {
            let (from, to) = self.window(size);
            self.look_through(from, to, filter, most, ids)?;
            size *= 2;
        }
        Ok(())
    }

    /// The next numbers, up to the end of a block.
    fn window(&mut self, blocks: i64) -> (i64, i64) {
        match self.direction {
            Direction::NewestFirst => {
                let block = self.last / BLOCK - (blocks - 1);
                let window = (self.first.max(block * BLOCK), self.last);
                self.last = window.0 - 1;
                window
            }
            Direction::OldestFirst => {
                let block = self.first / BLOCK + blocks;
                let window = (self.first, self.last.min(block * BLOCK - 1));
                self.first = window.1 + 1;
                window
            }
        }
    }

    fn look_through(
        &self,
        from: i64,
        to: i64,
        filter: &Filter,
        most: usize,
        ids: &mut Vec<i64>,
    ) -> Result<(), QueryError> {
        let window = Window {
            connection: self.connection,
            from,
            to,
        };
        let mut blocks = window.in_time(filter)?;
        if let Some(shapes) = &filter.shapes {
            keep(&mut blocks, &window.with_any(Table::Shapes, shapes)?);
        }
        if let Some(session) = filter.session {
            keep(
                &mut blocks,
                &window.with_any(Table::Strings, &HashSet::from([session]))?,
            );
        }
        let mut hits = Vec::with_capacity(filter.words.len());
        for word in &filter.words {
            if blocks.is_empty() {
                return Ok(());
            }
            let found = window.recordings_with(word)?;
            if word.shapes.len() + word.strings.len() <= SELECTIVE {
                let mut of_word = window.with_any(Table::Shapes, &word.shapes)?;
                of_word.append(&mut window.with_any(Table::Strings, &word.strings)?);
                of_word.extend(found.iter().chain(&word.named).map(|id| id / BLOCK));
                keep(&mut blocks, &of_word);
            }
            hits.push(found);
        }
        let mut in_order: Vec<i64> = blocks.into_iter().collect();
        if self.direction == Direction::NewestFirst {
            in_order.reverse();
        }
        for block in in_order {
            for row in window.rows(block, self.direction)? {
                if filter.matches(&row) && self.has_words(&row, &filter.words, &hits)? {
                    ids.push(row.id);
                    if ids.len() == most {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn has_words(
        &self,
        row: &Candidate,
        words: &[Word],
        hits: &[HashSet<i64>],
    ) -> Result<bool, QueryError> {
        let mut missing = Vec::new();
        for (word, hits) in words.iter().zip(hits) {
            if !word.is_in(row) {
                if !hits.contains(&row.id) {
                    return Ok(false);
                }
                missing.push(&word.text);
            }
        }
        if missing.is_empty() {
            return Ok(true);
        }
        let recorded = words_of(self.connection, row.id)?;
        Ok(missing.iter().all(|word| recorded.contains(word.as_str())))
    }
}

fn keep(blocks: &mut BTreeSet<i64>, those: &BTreeSet<i64>) {
    blocks.retain(|block| those.contains(block));
}
