//! The migrations that create the tables.
//!
//! `user_version` is the number of migrations that a file has had. A released migration never changes: a
//! change is a new migration. `docs/journal.md` describes the result for people.
//!
//! Two decisions shape the tables. What repeats from record to record (paths, models, whole combinations of
//! them) is written once, in `strings` and `shapes`. And `requests` has no index but its number: numbers
//! come in blocks of [`BLOCK`], and for every shape and string there are rows that say in which blocks it
//! occurs. That costs almost nothing while writing, and a search reads only blocks that can match.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::units::int;

/// Numbers of requests in a block.
pub(crate) const BLOCK: i64 = 512;

/// "Zphr": identifies the file to programs such as `file`.
const APPLICATION_ID: i32 = 0x5a70_6872;

/// Every migration, in order. Frozen once released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
];

/// The outcome of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Migrated {
    /// The file has the tables that this program knows.
    Current,
    /// A newer program wrote the file.
    Newer,
}

/// Applies every migration that the file lacks, each in a transaction.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<Migrated> {
    loop {
        // Another instance may migrate the file at the same time.
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
    // We write no negative number, so it counts as one of a newer program.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A changed migration would leave files with tables that no program expects.
    #[test]
    fn released_migrations_are_frozen() {
        let frozen = [2_805_006_367, 1_847_470_545, 3_594_274_291];

        let now: Vec<u32> = MIGRATIONS.iter().map(|sql| checksum(sql)).collect();

        assert_eq!(now, frozen);
    }

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

    /// FNV-1a of the text, whatever its line endings.
    fn checksum(sql: &str) -> u32 {
        let bytes = sql.bytes().filter(|byte| *byte != b'\r');
        bytes.fold(0x811c_9dc5, |sum, byte| {
            (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    }
}
