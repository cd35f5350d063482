//! Numbers for texts and shapes, and the blocks in which these occur.
//!
//! They are remembered, so that most of a record needs no look-up in the file.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};
use zephyr_secrets::redact::{Redacted, Redactor};

use super::shape::Shape;
use crate::tables::{BLOCK, number_of};

/// Most strings, or shapes, whose numbers are remembered.
const REMEMBERED: usize = 4096;
/// In bytes. Longer texts are cut: no identifier or message is that long.
const LONGEST: usize = 2048;

#[derive(Default)]
pub(super) struct Names {
    strings: HashMap<Box<str>, i64>,
    shapes: HashMap<Shape, i64>,
    marked: Marked,
}

/// What is known to be in the tables about the block that is being filled.
#[derive(Default)]
struct Marked {
    block: i64,
    shapes: HashSet<i64>,
    strings: HashSet<i64>,
}

impl Names {
    /// Whether it is time to forget them.
    pub(super) fn are_many(&self) -> bool {
        self.strings.len() > REMEMBERED || self.shapes.len() > REMEMBERED
    }

    /// As for [`Self::string`]; 0 for none.
    pub(super) fn optional(
        &mut self,
        connection: &Connection,
        text: Option<&str>,
        redactor: &Redactor,
    ) -> rusqlite::Result<i64> {
        text.map_or(Ok(0), |text| self.string(connection, text, redactor))
    }

    /// The number of a text, which is redacted first.
    pub(super) fn string(
        &mut self,
        connection: &Connection,
        text: &str,
        redactor: &Redactor,
    ) -> rusqlite::Result<i64> {
        if text.is_empty() {
            return Ok(0);
        }
        // What is remembered has to be true of all requests, so not what hides a secret of one.
        if redactor.has_own_in(text) {
            return self.redacted(connection, &redactor.text(text));
        }
        if let Some(id) = self.strings.get(text) {
            return Ok(*id);
        }
        let redacted = redactor.text(text);
        let id = self.redacted(connection, &redacted)?;
        self.strings.insert(text.into(), id);
        Ok(id)
    }

    /// The number of a redacted text, which is added to `strings` if it is new.
    pub(super) fn redacted(
        &self,
        connection: &Connection,
        text: &Redacted,
    ) -> rusqlite::Result<i64> {
        let (text, _) = text.clone().beginning(LONGEST);
        let text = text.as_str();
        if let Some(id) = self.strings.get(text) {
            return Ok(*id);
        }
        if let Some(id) = number_of(connection, text)? {
            return Ok(id);
        }
        connection
            .prepare_cached("INSERT INTO strings (text) VALUES (?1)")?
            .execute([text])?;
        let id = connection.last_insert_rowid();
        connection
            .prepare_cached("INSERT INTO string_search (rowid, text) VALUES (?1, ?2)")?
            // With two characters more, the last two of the text begin a trigram too. A search for two
            // characters looks for trigrams that begin with them.
            .execute(params![id, text.to_lowercase() + "\n\n"])?;
        Ok(id)
    }

    pub(super) fn shape(&mut self, connection: &Connection, shape: Shape) -> rusqlite::Result<i64> {
        if let Some(id) = self.shapes.get(&shape) {
            return Ok(*id);
        }
        let id = shape.number(connection)?;
        self.shapes.insert(shape, id);
        Ok(id)
    }

    /// Writes down that the block of this request has this shape and these strings.
    pub(super) fn mark(
        &mut self,
        connection: &Connection,
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
            connection
                .prepare_cached("INSERT OR IGNORE INTO shape_blocks VALUES (?1, ?2)")?
                .execute([shape, block])?;
        }
        self.mark_strings(connection, request, strings)
    }

    /// The same for strings alone. The block is the one that was marked last.
    pub(super) fn mark_strings(
        &mut self,
        connection: &Connection,
        request: i64,
        strings: &[i64],
    ) -> rusqlite::Result<()> {
        for string in strings {
            if *string != 0 && self.marked.strings.insert(*string) {
                connection
                    .prepare_cached("INSERT OR IGNORE INTO string_blocks VALUES (?1, ?2)")?
                    .execute([*string, request / BLOCK])?;
            }
        }
        Ok(())
    }
}
