//! A query, and why it may have no answer.

use std::sync::{Arc, Mutex};

use rusqlite::{Connection, InterruptHandle};

use crate::desk::lock;

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

/// Whoever waits for a query's answer. Leaving ends the query.
#[derive(Default)]
pub(crate) struct Asker(pub(crate) Arc<Mutex<Asked>>);

/// How far a query is.
#[derive(Default)]
pub(crate) enum Asked {
    #[default]
    Waiting,
    Running(InterruptHandle),
    Over,
}

impl Drop for Asker {
    fn drop(&mut self) {
        match std::mem::replace(&mut *lock(&self.0), Asked::Over) {
            Asked::Running(query) => query.interrupt(),
            Asked::Waiting | Asked::Over => {}
        }
    }
}

/// Begins a query, unless nobody waits for it any more.
pub(crate) fn begin(asked: &Mutex<Asked>, connection: &Connection) -> bool {
    let mut asked = lock(asked);
    match *asked {
        Asked::Waiting | Asked::Running(_) => {
            *asked = Asked::Running(connection.get_interrupt_handle());
            true
        }
        Asked::Over => false,
    }
}
