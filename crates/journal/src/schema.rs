//! The tables of the journal, as numbered migrations.
//!
//! `user_version` is the number of migrations that a file has had. A migration that was released is never
//! changed: what is to be different is a new one. `docs/journal.md` describes the result for people.
//!
//! Two decisions shape all of it. What repeats from record to record (paths, models, whole combinations of
//! them) is written once, in `strings` and `shapes`. And `requests` has no index but its number: numbers
//! come in blocks of [`BLOCK`], and for every shape and string it is written down in which blocks it
//! occurs. That costs next to nothing while writing, and a search reads only blocks with a chance.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::codes::int;

/// How many numbers of requests a block has.
pub(crate) const BLOCK: i64 = 512;

/// Marks the file, for whoever wonders what it is: "Zphr".
const APPLICATION_ID: i32 = 0x5a70_6872;

/// Every migration, in order. Frozen once released.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// What becomes of a file when it is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Migrated {
    /// It has the tables that this program knows.
    Current,
    /// A newer program wrote it, and this one does not know its tables.
    Newer,
}

/// Gives the file every migration that it lacks, each in a transaction.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<Migrated> {
    loop {
        // Another instance may be at it too.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = version(&transaction)?;
        let Some(next) = MIGRATIONS.get(done) else {
            return Ok(if done == MIGRATIONS.len() {
                Migrated::Current
            } else {
                Migrated::Newer
            });
        };
        transaction.execute_batch(next)?;
        transaction.pragma_update(None, "user_version", int(done as u64 + 1))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
}

fn version(transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // A negative number is not one of ours, so it is taken for a newer one.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of a released migration would leave files with tables that no program expects.
    #[test]
    fn released_migrations_are_frozen() {
        let frozen = [FIRST];

        let now: Vec<u32> = MIGRATIONS.iter().map(|sql| checksum(sql)).collect();

        assert_eq!(now, frozen);
    }

    const FIRST: u32 = 2_805_006_367;

    #[test]
    fn a_new_file_gets_every_migration_and_an_up_to_date_one_none() {
        let mut connection = Connection::open_in_memory().unwrap();

        let first = migrate(&mut connection).unwrap();
        let second = migrate(&mut connection).unwrap();

        assert_eq!((first, second), (Migrated::Current, Migrated::Current));
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(usize::try_from(version), Ok(MIGRATIONS.len()));
    }

    #[test]
    fn a_file_of_a_newer_program_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "user_version", int(MIGRATIONS.len() as u64 + 1))
            .unwrap();

        assert_eq!(migrate(&mut connection), Ok(Migrated::Newer));
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
    }

    /// FNV-1a, over the text without regard to line endings.
    fn checksum(sql: &str) -> u32 {
        let bytes = sql.bytes().filter(|byte| *byte != b'\r');
        bytes.fold(0x811c_9dc5, |sum, byte| {
            (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    }
}
