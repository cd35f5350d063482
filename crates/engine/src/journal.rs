//! The journal: every request and every endpoint's history, in a SQLite file, for weeks.
//!
//! One thread writes. What it is handed goes through a bounded queue that never makes a request wait: if
//! it is full, the entry is dropped and counted. Readers have connections of their own, on threads that
//! may block, so neither waits for the other. `docs/journal.md` describes the file.
//!
//! | module | does |
//! | --- | --- |
//! | `entry` | what is handed over |
//! | `writer`, `file` | the thread, and the file it opens, or sets aside |
//! | `schema`, `codes` | the tables |
//! | `store` | from entries to rows |
//! | `redact`, `body` | what is left out, and what is kept of bodies |
//! | `retention` | what goes, and what is rolled up |
//! | `requests`, `search` | records, found by filter and by word |
//! | `sums` | usage and history |

mod body;
mod codes;
mod entry;
mod file;
mod redact;
mod requests;
mod retention;
mod schema;
mod search;
mod store;
mod sums;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::{Notify, Semaphore, oneshot};
use zephyr_control::{
    EndpointHistory, HistoryQuery, JournalStatus, Paging, Problem, RequestDetail, RequestFilter,
    RequestPage, UsageQuery, UsageReport,
};
use zephyr_core::config::Logging;

pub use self::entry::{Captured, Entry, Finished, Sighting};
pub(crate) use self::redact::{is_credential, may_have_credentials};
use crate::metrics::Count;
use crate::secret::Secret;

/// The file's name.
pub const FILE: &str = "journal.db";

/// Most entries that wait to be written.
const QUEUE: usize = 4096;
/// Most bytes of bodies that wait; beyond, records are written without.
const HELD: usize = 32 * 1024 * 1024;
/// Most queries at once.
const READERS: usize = 4;

/// A handle on the journal; the default one keeps nothing.
#[derive(Clone, Default)]
pub struct Journal(Place);

/// Where entries go.
#[derive(Clone, Default)]
enum Place {
    #[default]
    Nowhere,
    File(Arc<Inner>),
    Queue(SyncSender<Entry>),
}

/// What a journal is to keep, and where.
#[derive(Debug)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// What is kept, and for how long.
    pub logging: Logging,
    /// What must not be in it.
    pub secrets: Vec<Secret>,
}

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

/// Whether something was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// All of it is in the file.
    Nothing,
    /// Something could not be written.
    Some,
}

/// Whoever waits for a query's answer. Leaving ends the query.
#[derive(Default)]
struct Asker(Arc<Mutex<Asked>>);

/// How far a query is.
#[derive(Default)]
enum Asked {
    #[default]
    Waiting,
    Running(InterruptHandle),
    Over,
}

/// What is counted of a journal.
#[derive(Debug, Default)]
pub struct Meter {
    /// Requests written.
    pub written: Count,
    /// Entries lost.
    pub dropped: Count,
    /// Entries that wait to be written.
    queued: AtomicUsize,
    bytes: AtomicU64,
}

struct Inner {
    queue: SyncSender<Entry>,
    desk: Arc<Desk>,
    readers: Arc<Semaphore>,
}

/// What the handles and the writer share.
struct Desk {
    meter: Arc<Meter>,
    path: Mutex<PathBuf>,
    /// Bytes of bodies that wait.
    held: AtomicUsize,
    orders: Mutex<Vec<Order>>,
    /// Whether the writer has something more urgent to do than to wait for others.
    is_called: AtomicBool,
    is_asleep: AtomicBool,
    is_closing: AtomicBool,
    /// Whether there is a file to read in, or none to be had.
    is_ready: AtomicBool,
    thread: OnceLock<Thread>,
    problems: Mutex<Problems>,
    /// Rung when the problems are others.
    news: Notify,
}

enum Order {
    /// Says when everything handed over so far is written.
    Flush(oneshot::Sender<Dropped>),
    /// The same, and lets go of the file until something comes.
    Close(oneshot::Sender<Dropped>),
    /// Goes on like this.
    Configure(Box<Settings>),
}

/// What a person should look at.
#[derive(Default)]
struct Problems {
    /// Why nothing is written at the moment.
    failing: Option<Problem>,
    /// What became of a file that could not be used.
    set_aside: Option<Problem>,
}

impl Journal {
    /// Begins to keep a journal. The file is opened by the writer's thread, so nothing waits for it here.
    pub fn open(settings: Settings, meter: Arc<Meter>) -> Self {
        let (queue, waiting) = mpsc::sync_channel(QUEUE);
        let desk = Arc::new(Desk::new(meter, settings.path.clone()));
        let desk_of_writer = Arc::clone(&desk);
        let started = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer::run(&desk_of_writer, &waiting, settings));
        match started {
            Ok(thread) => {
                let _ = desk.thread.set(thread.thread().clone());
                Self(Place::File(Arc::new(Inner {
                    queue,
                    desk,
                    readers: Arc::new(Semaphore::new(READERS)),
                })))
            }
            Err(error) => {
                tracing::error!(%error, "no thread for the journal; nothing is recorded");
                Self::default()
            }
        }
    }

    /// A journal whose entries go into this queue, whoever reads them there.
    pub fn into_queue(queue: SyncSender<Entry>) -> Self {
        Self(Place::Queue(queue))
    }

    /// Hands an entry over; at once, whatever the disk does.
    pub fn write(&self, entry: Entry) {
        match &self.0 {
            Place::Nowhere => {}
            Place::File(inner) => inner.write(entry),
            Place::Queue(queue) => {
                let _ = queue.try_send(entry); // Whoever reads there sees what is missing.
            }
        }
    }
    /// Whether anything is kept: what is not need not be collected.
    pub fn is_kept(&self) -> bool {
        match &self.0 {
            Place::Nowhere => false,
            Place::File(_) | Place::Queue(_) => true,
        }
    }

    /// Goes on like this, with what is handed over from now on.
    pub fn configure(&self, settings: Settings) {
        if let Some(inner) = self.file() {
            let mut path = lock(&inner.desk.path);
            if *path != settings.path {
                inner.desk.is_ready.store(false, Ordering::SeqCst);
                path.clone_from(&settings.path);
            }
            drop(path);
            inner.desk.order(Order::Configure(Box::new(settings)));
        }
    }

    /// Waits until everything handed over so far is in the file, also for a machine that loses its power.
    pub async fn flush(&self) -> Dropped {
        self.order(Order::Flush).await
    }

    /// Waits as for [`Self::flush`], and until the file is closed, so that nothing is left beside it. What is
    /// handed over later opens it again.
    pub async fn close(&self) -> Dropped {
        self.order(Order::Close).await
    }

    /// The journal itself, for front-ends.
    pub fn status(&self) -> JournalStatus {
        let Some(inner) = self.file() else {
            return JournalStatus::default();
        };
        let meter = &inner.desk.meter;
        JournalStatus {
            path: Some(lock(&inner.desk.path).display().to_string()),
            bytes: meter.bytes(),
            dropped: meter.dropped.get(),
        }
    }

    /// What a person should look at.
    pub fn problems(&self) -> Vec<Problem> {
        let Some(inner) = self.file() else {
            return Vec::new();
        };
        let problems = lock(&inner.desk.problems);
        let both = [&problems.failing, &problems.set_aside];
        both.into_iter().flatten().cloned().collect()
    }

    /// Waits until the problems are others.
    pub async fn news(&self) {
        match self.file() {
            Some(inner) => inner.desk.news.notified().await,
            None => std::future::pending().await,
        }
    }

    /// A part of the requests that match.
    ///
    /// # Errors
    ///
    /// There is no journal, or it cannot be read; so for all queries.
    pub async fn requests(
        &self,
        filter: RequestFilter,
        paging: Paging,
    ) -> Result<RequestPage, QueryError> {
        self.read(move |connection| search::page(connection, &filter, paging))
            .await
    }

    /// The request of this number, with all that was kept of it.
    ///
    /// # Errors
    ///
    /// There is no such request, or as for [`Self::requests`].
    pub async fn request(&self, id: u64) -> Result<RequestDetail, QueryError> {
        self.read(move |connection| requests::detail(connection, id))
            .await
    }

    /// Sums.
    ///
    /// # Errors
    ///
    /// As for [`Self::requests`].
    pub async fn usage(&self, query: UsageQuery) -> Result<UsageReport, QueryError> {
        self.read(move |connection| sums::usage(connection, &query))
            .await
    }

    /// How endpoints were over time.
    ///
    /// # Errors
    ///
    /// As for [`Self::requests`].
    pub async fn history(&self, query: HistoryQuery) -> Result<Vec<EndpointHistory>, QueryError> {
        self.read(move |connection| sums::history(connection, &query))
            .await
    }

    async fn order(&self, order: fn(oneshot::Sender<Dropped>) -> Order) -> Dropped {
        let Some(inner) = self.file() else {
            return Dropped::Nothing;
        };
        let (done, written) = oneshot::channel();
        inner.desk.order(order(done));
        written.await.unwrap_or(Dropped::Some)
    }

    fn file(&self) -> Option<&Inner> {
        match &self.0 {
            Place::File(inner) => Some(inner),
            Place::Nowhere | Place::Queue(_) => None,
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let inner = self.file().ok_or(QueryError::NotKept)?;
        // The thread's, not the asker's: it may go on after whoever asked has left.
        let one_of_few = Arc::clone(&inner.readers)
            .acquire_owned()
            .await
            .map_err(|_| QueryError::Ending)?;
        if !inner.desk.is_ready.load(Ordering::SeqCst) {
            self.flush().await; // Behind it the writer has opened the file.
        }
        let path = lock(&inner.desk.path).clone();
        let asker = Asker::default();
        let asked = Arc::clone(&asker.0);
        let answered = tokio::task::spawn_blocking(move || {
            let _one_of_few = one_of_few;
            let connection = file::open_to_read(&path)?;
            if !begin(&asked, &connection) {
                return Err(QueryError::Ending);
            }
            // One moment for all of it.
            connection.execute_batch("BEGIN")?;
            query(&connection)
        });
        answered.await.map_err(|_| QueryError::Ending)?
    }
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
fn begin(asked: &Mutex<Asked>, connection: &Connection) -> bool {
    let mut asked = lock(asked);
    match *asked {
        Asked::Waiting | Asked::Running(_) => {
            *asked = Asked::Running(connection.get_interrupt_handle());
            true
        }
        Asked::Over => false,
    }
}

impl Meter {
    /// Entries that wait to be written.
    pub fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Size of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Inner {
    fn write(&self, mut entry: Entry) {
        let desk = &self.desk;
        let mut held = weight(&entry);
        if held > 0 && desk.held.fetch_add(held, Ordering::Relaxed) + held > HELD {
            desk.held.fetch_sub(held, Ordering::Relaxed);
            without_bodies(&mut entry);
            held = 0;
        }
        let queued = desk.meter.queued.fetch_add(1, Ordering::Relaxed) + 1;
        if self.queue.try_send(entry).is_ok() {
            if queued == QUEUE / 2 {
                desk.call();
            } else if desk.is_asleep.swap(false, Ordering::SeqCst) {
                desk.wake();
            }
        } else {
            desk.meter.queued.fetch_sub(1, Ordering::Relaxed);
            desk.held.fetch_sub(held, Ordering::Relaxed);
            desk.meter.dropped.add(1);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.desk.is_closing.store(true, Ordering::SeqCst);
        self.desk.call();
    }
}

impl Desk {
    fn new(meter: Arc<Meter>, path: PathBuf) -> Self {
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

    fn order(&self, order: Order) {
        lock(&self.orders).push(order);
        self.call();
    }

    /// Has the writer come at once.
    fn call(&self) {
        self.is_called.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn is_called(&self) -> bool {
        self.is_called.load(Ordering::SeqCst)
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    fn take_orders(&self) -> Vec<Order> {
        self.is_called.store(false, Ordering::SeqCst);
        std::mem::take(&mut *lock(&self.orders))
    }

    /// The writer waits for an entry, a call, or the end of this time.
    fn sleep(&self, queue: &Receiver<Entry>, most: Duration) -> Option<Entry> {
        self.is_asleep.store(true, Ordering::SeqCst);
        // Whoever came before that did not wake anybody.
        let entry = queue.try_recv().ok();
        if entry.is_none() && !self.is_called() {
            thread::park_timeout(most);
        }
        self.is_asleep.store(false, Ordering::SeqCst);
        entry.or_else(|| queue.try_recv().ok())
    }

    fn processed(&self, entries: usize, held: usize) {
        self.meter.queued.fetch_sub(entries, Ordering::Relaxed);
        self.held.fetch_sub(held, Ordering::Relaxed);
    }

    fn set_ready(&self) {
        self.is_ready.store(true, Ordering::SeqCst);
    }

    fn set_bytes(&self, bytes: u64) {
        self.meter.bytes.store(bytes, Ordering::Relaxed);
    }

    fn set_failing(&self, problem: Option<Problem>) {
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

    fn set_set_aside(&self, problem: Option<Problem>) {
        lock(&self.problems).set_aside = problem;
        self.news.notify_one();
    }
}

/// Bytes of bodies that an entry holds.
fn weight(entry: &Entry) -> usize {
    match entry {
        Entry::Request(finished) => {
            let bodies = [&finished.request_body, &finished.response_body];
            let pieces = bodies.into_iter().flatten().flat_map(|body| &body.pieces);
            pieces.map(bytes::Bytes::len).sum()
        }
        Entry::Sighting(_) => 0,
    }
}

fn without_bodies(entry: &mut Entry) {
    match entry {
        Entry::Request(finished) => {
            finished.request_body = None;
            finished.response_body = None;
        }
        Entry::Sighting(_) => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_query_that_nobody_waits_for_any_more_counts_until_it_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: folder.path().join(FILE),
            logging: Logging::default(),
            secrets: Vec::new(),
        };
        let journal = Journal::open(settings, Arc::default());
        journal.flush().await;
        let (begun, mut has_begun) = tokio::sync::mpsc::channel(1);
        let endless = journal.read(move |connection| {
            let sql =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
            let mut numbers = connection.prepare(sql)?;
            let mut rows = numbers.query([])?;
            while rows.next()?.is_some() {
                let _ = begun.try_send(()); // Once is enough.
            }
            Ok(())
        });

        tokio::select! {
            answer = endless => panic!("it ended: {answer:?}"),
            _ = has_begun.recv() => {}
        }

        let readers = &journal.file().unwrap().readers;
        let all = readers.acquire_many(u32::try_from(READERS).unwrap());
        let all = tokio::time::timeout(Duration::from_secs(60), all).await;
        assert!(all.is_ok(), "it goes on");
    }
}
