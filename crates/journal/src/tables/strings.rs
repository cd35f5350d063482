//! The table `strings`: texts by number, numbers by text.

use rusqlite::{Connection, OptionalExtension};

/// The number of a text that is in the journal.
pub(crate) fn number_of(connection: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM strings WHERE text = ?1")?
        .query_row([text], |row| row.get(0))
        .optional()
}

/// The text of this number.
pub(crate) fn text_of(connection: &Connection, id: i64) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT text FROM strings WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}
