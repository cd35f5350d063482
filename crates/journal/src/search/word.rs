//! Where a word occurs: in which shapes and strings, in which requests by name, in which bodies.

use std::collections::HashSet;

use rusqlite::Connection;

use super::candidate::Candidate;
use super::shapes::StoredShape;
use super::trigrams::{expression, strings_with};
use crate::read::QueryError;
use crate::tables::{BLOCK, name_of, number_of};

pub(super) struct Word {
    pub(super) text: String,
    pub(super) shapes: HashSet<i64>,
    pub(super) strings: HashSet<i64>,
    /// The requests whose name it is.
    pub(super) named: HashSet<i64>,
    /// The full-text query that finds it in bodies.
    pub(super) expression: Option<String>,
}

impl Word {
    pub(super) fn look_up(
        connection: &Connection,
        word: &str,
        shapes: &[StoredShape],
    ) -> Result<Self, QueryError> {
        let text = word.to_lowercase();
        let strings = strings_with(connection, &text)?;
        let named = match name_of(word) {
            (run, Some(number)) => match number_of(connection, run)? {
                Some(run) => named(connection, run, number)?,
                None => HashSet::new(),
            },
            (_, None) => HashSet::new(),
        };
        let has = |shape: &&StoredShape| shape.is_found(&text, &strings);
        Ok(Self {
            shapes: shapes.iter().filter(has).map(|shape| shape.id).collect(),
            strings,
            named,
            expression: expression(connection, &text)?,
            text,
        })
    }

    /// Whether the record has the word, apart from its bodies.
    pub(super) fn is_in(&self, row: &Candidate) -> bool {
        let strings = [row.session, row.agent, row.error, row.run];
        self.shapes.contains(&row.shape)
            || strings.iter().any(|string| self.strings.contains(string))
            || self.named.contains(&row.id)
    }
}

/// The requests of this number in their run. Numbers are given when requests begin, and rows are written
/// when they end, so few blocks can have the number.
fn named(connection: &Connection, run: i64, number: i64) -> rusqlite::Result<HashSet<i64>> {
    let mut blocks = connection.prepare_cached(
        "SELECT blocks.block FROM blocks JOIN string_blocks USING (block) \
         WHERE string = ?1 AND ?2 BETWEEN first_number AND last_number",
    )?;
    let mut requests = connection.prepare_cached(
        "SELECT id FROM requests WHERE id BETWEEN ?1 AND ?2 AND run = ?3 AND number = ?4",
    )?;
    let mut ids = HashSet::new();
    let mut rows = blocks.query([run, number])?;
    while let Some(row) = rows.next()? {
        let first = row.get::<_, i64>(0)? * BLOCK;
        let found =
            requests.query_map([first, first + BLOCK - 1, run, number], |row| row.get(0))?;
        for id in found {
            ids.insert(id?);
        }
    }
    Ok(ids)
}
