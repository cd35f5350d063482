//! Why a query has no answer, and how it ends when its caller leaves.

use std::sync::{Arc, Mutex};

use rusqlite::{Connection, InterruptHandle};

use crate::lock::lock;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// This program keeps no journal.
    #[error("no journal is kept: start Zephyr with a data folder, or set logging.log_directory")]
    NotKept,
    /// No request has this number.
    #[error("the journal has no request {0}; it may have been deleted by age or size")]
    NoRequest(u64),
    /// The file cannot be read.
    #[error("the journal cannot be read: {0}")]
    Unreadable(#[from] rusqlite::Error),
    /// A body cannot be read.
    #[error("a recorded body cannot be read: {0}")]
    Body(#[source] std::io::Error),
    /// The program is about to end.
    #[error("the program is about to end")]
    Ending,
}

/// Held by whoever waits for an answer. Dropping it interrupts the query.
#[derive(Default)]
pub(crate) struct Caller(pub(crate) Arc<Mutex<QueryState>>);

#[derive(Default)]
pub(crate) enum QueryState {
    #[default]
    Waiting,
    Running(InterruptHandle),
    /// The caller has left.
    Over,
}

impl Drop for Caller {
    fn drop(&mut self) {
        match std::mem::replace(&mut *lock(&self.0), QueryState::Over) {
            QueryState::Running(query) => query.interrupt(),
            QueryState::Waiting | QueryState::Over => {}
        }
    }
}

/// Whether the query may begin: its caller still waits.
pub(crate) fn begin(state: &Mutex<QueryState>, connection: &Connection) -> bool {
    let mut state = lock(state);
    match *state {
        QueryState::Waiting | QueryState::Running(_) => {
            *state = QueryState::Running(connection.get_interrupt_handle());
            true
        }
        QueryState::Over => false,
    }
}
