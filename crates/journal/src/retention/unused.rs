//! Deletes strings and shapes that nothing refers to any more.

use std::collections::HashSet;

use rusqlite::Connection;

use super::progress::Progress;
use super::transaction::begin;

/// Most strings that one step deletes.
const STEP: usize = 4096;

pub(super) fn delete_unused(connection: &mut Connection) -> rusqlite::Result<Progress> {
    let transaction = begin(connection)?;
    transaction.execute(
        "DELETE FROM shapes WHERE id NOT IN (SELECT shape FROM shape_blocks)",
        [],
    )?;
    let used: HashSet<i64> = {
        let mut used = transaction.prepare(
            "SELECT string FROM string_blocks UNION SELECT method FROM shapes UNION SELECT path FROM shapes \
             UNION SELECT client FROM shapes UNION SELECT model FROM shapes \
             UNION SELECT served_model FROM shapes UNION SELECT endpoint FROM shapes \
             UNION SELECT stop_reason FROM shapes UNION SELECT endpoint FROM usage \
             UNION SELECT model FROM usage UNION SELECT session FROM session_usage \
             UNION SELECT endpoint FROM history",
        )?;
        let ids = used.query_map([], |row| row.get(0))?;
        ids.collect::<Result<_, _>>()?
    };
    let unused: Vec<i64> = {
        let mut all = transaction.prepare("SELECT id FROM strings WHERE id > 0")?;
        let mut ids = all.query([])?;
        let mut unused = Vec::new();
        while let Some(row) = ids.next()?
            && unused.len() < STEP
        {
            let id = row.get(0)?;
            if !used.contains(&id) {
                unused.push(id);
            }
        }
        unused
    };
    for id in &unused {
        for sql in [
            "DELETE FROM strings WHERE id = ?1",
            "DELETE FROM string_search WHERE rowid = ?1",
        ] {
            transaction.prepare_cached(sql)?.execute([id])?;
        }
    }
    transaction.commit()?;
    Ok(if unused.len() < STEP {
        Progress::Done
    } else {
        Progress::More
    })
}
