//! The transaction of a step.

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub(super) fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}
