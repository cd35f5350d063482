//! The journal: every request and every endpoint's history, in a SQLite file, for weeks.
//!
//! One thread writes. What it is handed goes through a bounded queue that never makes a request wait: if
//! it is full, the entry is dropped and counted.

mod entry;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::entry::{Captured, Entry, Finished, Sighting};

/// A handle on the journal; the default one keeps nothing.
#[derive(Clone, Default)]
pub struct Journal {
    queue: Option<std::sync::mpsc::SyncSender<Entry>>,
    dropped: Arc<AtomicU64>,
}

impl Journal {
    /// A journal whose entries go into this queue, whoever reads them there.
    pub fn into_queue(queue: std::sync::mpsc::SyncSender<Entry>) -> Self {
        Self {
            queue: Some(queue),
            dropped: Arc::default(),
        }
    }

    /// Hands an entry over; at once, whatever the disk does.
    pub fn write(&self, entry: Entry) {
        if let Some(queue) = &self.queue
            && queue.try_send(entry).is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether anything is kept: what is not need not be collected.
    pub fn is_kept(&self) -> bool {
        self.queue.is_some()
    }
}
