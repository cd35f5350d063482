//! How much of the file is used, and by what; and giving freed pages back.

use rusqlite::Connection;

use super::progress::Progress;

/// Pages that one step gives back to the file system.
const PAGES: i64 = 512;

/// Tables that no deletion of a request makes smaller.
pub(super) const SUMS: &str = "tbl_name IN ('usage', 'session_usage', 'history')";
/// The same, and those that become smaller only when strings are deleted too.
pub(super) const SUMS_AND_NAMES: &str = "(tbl_name IN ('usage', 'session_usage', 'history', 'strings') OR tbl_name LIKE 'string_search%')";

/// Bytes of the file that are in use.
pub(crate) fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = pragma(connection, "page_count")? - pragma(connection, "freelist_count")?;
    let bytes = pages * pragma(connection, "page_size")?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}

/// Bytes of the file that these tables use.
pub(super) fn used_by(connection: &Connection, tables: &str) -> rusqlite::Result<u64> {
    let bytes: i64 = connection
        .prepare_cached(&format!(
            "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name IN \
             (SELECT name FROM sqlite_schema WHERE {tables})"
        ))?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}

/// Gives freed pages back.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<Progress> {
    let before = pragma(connection, "freelist_count")?;
    if before == 0 {
        return Ok(Progress::Done);
    }
    {
        // Every row that is read frees a page.
        let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(if pragma(connection, "freelist_count")? < before {
        Progress::More
    } else {
        Progress::Done
    })
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}
