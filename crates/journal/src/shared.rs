//! What the handles and the writer's thread share: orders, wake-ups, how much waits, what is wrong.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::entry::Entry;
use crate::lock::lock;
use crate::meter::Meter;
use crate::order::Order;
use crate::problems::Problems;

/// Most bytes of bodies that may wait to be written.
const MOST_BYTES: usize = 32 * 1024 * 1024;

pub(crate) struct Shared {
    pub(crate) meter: Arc<Meter>,
    pub(crate) problems: Problems,
    path: Mutex<PathBuf>,
    /// Bytes of bodies that wait.
    held: AtomicUsize,
    orders: Mutex<Vec<Order>>,
    /// Whether the writer has something more urgent to do than to wait for more entries.
    is_called: AtomicBool,
    is_asleep: AtomicBool,
    is_closing: AtomicBool,
    /// Whether the writer has tried to open the file at `path`.
    is_ready: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Shared {
    pub(crate) fn new(meter: Arc<Meter>, path: PathBuf) -> Self {
        Self {
            meter,
            problems: Problems::default(),
            path: Mutex::new(path),
            held: AtomicUsize::new(0),
            orders: Mutex::default(),
            is_called: AtomicBool::new(false),
            is_asleep: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            is_ready: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        lock(&self.path).clone()
    }

    /// Announces that the file is elsewhere from now on. Until the writer has opened it, there is nothing
    /// to read.
    pub(crate) fn move_to(&self, path: &Path) {
        let mut current = lock(&self.path);
        if *current != path {
            self.is_ready.store(false, Ordering::SeqCst);
            path.clone_into(&mut current);
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::SeqCst)
    }

    pub(crate) fn set_ready(&self) {
        self.is_ready.store(true, Ordering::SeqCst);
    }

    /// Counts these bytes as waiting, if there is room for them.
    pub(crate) fn hold(&self, bytes: usize) -> bool {
        let has_room =
            bytes == 0 || self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= MOST_BYTES;
        if !has_room {
            self.release(bytes);
        }
        has_room
    }

    pub(crate) fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn order(&self, order: Order) {
        lock(&self.orders).push(order);
        self.call();
    }

    pub(crate) fn take_orders(&self) -> Vec<Order> {
        self.is_called.store(false, Ordering::SeqCst);
        std::mem::take(&mut *lock(&self.orders))
    }

    /// Makes the writer come at once.
    pub(crate) fn call(&self) {
        self.is_called.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn is_called(&self) -> bool {
        self.is_called.load(Ordering::SeqCst)
    }

    /// Makes the writer end once it has written what waits.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        self.call();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// The thread that [`Self::call`] wakes.
    pub(crate) fn set_thread(&self, thread: Thread) {
        let _ = self.thread.set(thread); // There is one writer.
    }

    /// Wakes the writer if it sleeps because the queue was empty.
    pub(crate) fn wake_if_asleep(&self) {
        if self.is_asleep.swap(false, Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Lets the writer wait for an entry, a call, or the end of this time.
    pub(crate) fn sleep(&self, queue: &Receiver<Entry>, most: Duration) -> Option<Entry> {
        self.is_asleep.store(true, Ordering::SeqCst);
        // Nobody was woken for an entry that came before.
        let entry = queue.try_recv().ok();
        if entry.is_none() && !self.is_called() {
            thread::park_timeout(most);
        }
        self.is_asleep.store(false, Ordering::SeqCst);
        entry.or_else(|| queue.try_recv().ok())
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}
