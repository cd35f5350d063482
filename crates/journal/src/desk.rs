//! What the handles and the writer share: orders, how full the queue is, what is wrong.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use zephyr_control::Problem;

use crate::entry::Entry;
use crate::meter::Meter;
use crate::settings::Settings;

/// Whether something was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// All of it is in the file.
    Nothing,
    /// Something could not be written.
    Some,
}

/// What the handles and the writer share.
pub(crate) struct Desk {
    pub(crate) meter: Arc<Meter>,
    pub(crate) path: Mutex<PathBuf>,
    /// Bytes of bodies that wait.
    pub(crate) held: AtomicUsize,
    pub(crate) orders: Mutex<Vec<Order>>,
    /// Whether the writer has something more urgent to do than to wait for others.
    pub(crate) is_called: AtomicBool,
    pub(crate) is_asleep: AtomicBool,
    pub(crate) is_closing: AtomicBool,
    /// Whether there is a file to read in, or none to be had.
    pub(crate) is_ready: AtomicBool,
    pub(crate) thread: OnceLock<Thread>,
    pub(crate) problems: Mutex<Problems>,
    /// Rung when the problems are others.
    pub(crate) news: Notify,
}

pub(crate) enum Order {
    /// Says when everything handed over so far is written.
    Flush(oneshot::Sender<Dropped>),
    /// The same, and lets go of the file until something comes.
    Close(oneshot::Sender<Dropped>),
    /// Goes on like this.
    Configure(Box<Settings>),
}

/// What a person should look at.
#[derive(Default)]
pub(crate) struct Problems {
    /// Why nothing is written at the moment.
    pub(crate) failing: Option<Problem>,
    /// What became of a file that could not be used.
    pub(crate) set_aside: Option<Problem>,
}

impl Desk {
    pub(crate) fn new(meter: Arc<Meter>, path: PathBuf) -> Self {
        Self {
            meter,
            path: Mutex::new(path),
            held: AtomicUsize::new(0),
            orders: Mutex::default(),
            is_called: AtomicBool::new(false),
            is_asleep: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            is_ready: AtomicBool::new(false),
            thread: OnceLock::new(),
            problems: Mutex::default(),
            news: Notify::new(),
        }
    }

    pub(crate) fn order(&self, order: Order) {
        lock(&self.orders).push(order);
        self.call();
    }

    /// Has the writer come at once.
    pub(crate) fn call(&self) {
        self.is_called.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub(crate) fn is_called(&self) -> bool {
        self.is_called.load(Ordering::SeqCst)
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    pub(crate) fn take_orders(&self) -> Vec<Order> {
        self.is_called.store(false, Ordering::SeqCst);
        std::mem::take(&mut *lock(&self.orders))
    }

    /// The writer waits for an entry, a call, or the end of this time.
    pub(crate) fn sleep(&self, queue: &Receiver<Entry>, most: Duration) -> Option<Entry> {
        self.is_asleep.store(true, Ordering::SeqCst);
        // Whoever came before that did not wake anybody.
        let entry = queue.try_recv().ok();
        if entry.is_none() && !self.is_called() {
            thread::park_timeout(most);
        }
        self.is_asleep.store(false, Ordering::SeqCst);
        entry.or_else(|| queue.try_recv().ok())
    }

    pub(crate) fn processed(&self, entries: usize, held: usize) {
        self.meter.dequeued(entries);
        self.held.fetch_sub(held, Ordering::Relaxed);
    }

    pub(crate) fn set_ready(&self) {
        self.is_ready.store(true, Ordering::SeqCst);
    }

    pub(crate) fn set_bytes(&self, bytes: u64) {
        self.meter.set_bytes(bytes);
    }

    pub(crate) fn set_failing(&self, problem: Option<Problem>) {
        let mut problems = lock(&self.problems);
        if problems.failing != problem {
            match &problem {
                Some(problem) => tracing::warn!("{}; {}", problem.message, problem.remedy),
                None => tracing::info!("the journal is written again"),
            }
            problems.failing = problem;
            self.news.notify_one();
        }
    }

    pub(crate) fn set_set_aside(&self, problem: Option<Problem>) {
        lock(&self.problems).set_aside = problem;
        self.news.notify_one();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
