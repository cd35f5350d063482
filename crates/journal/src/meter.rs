//! Counters of a journal, for metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counters of a journal.
#[derive(Debug, Default)]
pub struct Meter {
    written: AtomicU64,
    dropped: AtomicU64,
    queued: AtomicUsize,
    bytes: AtomicU64,
}

impl Meter {
    /// Requests written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Entries lost.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Entries that wait to be written.
    pub fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add_written(&self, requests: u64) {
        self.written.fetch_add(requests, Ordering::Relaxed);
    }

    pub(crate) fn add_dropped(&self, entries: u64) {
        self.dropped.fetch_add(entries, Ordering::Relaxed);
    }

    /// Counts one more waiting entry and returns how many wait.
    pub(crate) fn enqueued(&self) -> usize {
        self.queued.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn dequeued(&self, entries: usize) {
        self.queued.fetch_sub(entries, Ordering::Relaxed);
    }

    pub(crate) fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}
