//! The counts of requests that front-ends show.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;
use zephyr_control::Totals;

/// Counts of requests since the start.
#[derive(Default)]
pub struct Counters {
    requests: AtomicU64,
    attempts: AtomicU64,
    failed_over: AtomicU64,
    failed: AtomicU64,
    aborted: AtomicU64,
    abandoned: AtomicU64,
    in_flight: AtomicU32,
    /// Notified when no request is in flight any more.
    idle: Notify,
}

impl Counters {
    pub fn begin(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub fn end(&self) {
        if self.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.idle.notify_waiters();
        }
    }

    pub fn add_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was answered by another endpoint than the first one that was asked.
    pub fn add_failed_over(&self) {
        self.failed_over.fetch_add(1, Ordering::Relaxed);
    }

    /// A client got an error, from an endpoint or from Zephyr.
    pub fn add_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer was aborted after it began.
    pub fn add_aborted(&self) {
        self.aborted.fetch_add(1, Ordering::Relaxed);
    }

    /// A client left.
    pub fn add_abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    /// All counts. `waiting`: the number of requests in the queue.
    pub fn totals(&self, waiting: usize) -> Totals {
        Totals {
            requests: self.requests.load(Ordering::Relaxed),
            attempts: self.attempts.load(Ordering::Relaxed),
            failed_over: self.failed_over.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            aborted: self.aborted.load(Ordering::Relaxed),
            abandoned: self.abandoned.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        }
    }

    /// Waits until no request is in flight.
    pub async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.in_flight.load(Ordering::Relaxed) == 0 {
                return;
            }
            idle.await;
        }
    }
}
