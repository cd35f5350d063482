//! The handle on a journal: entries go in, queries are answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};
use zephyr_control::{
    EndpointHistory, HistoryQuery, JournalStatus, Paging, Problem, RequestDetail, RequestFilter,
    RequestPage, UsageQuery, UsageReport,
};

use crate::desk::{Desk, Dropped, Order, lock};
use crate::entry::{Entry, weight, without_bodies};
use crate::meter::Meter;
use crate::query::{Asker, QueryError, begin};
use crate::settings::Settings;
use crate::{file, requests, search, sums, writer};

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

struct Inner {
    queue: SyncSender<Entry>,
    desk: Arc<Desk>,
    readers: Arc<Semaphore>,
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
            dropped: meter.dropped(),
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

impl Inner {
    fn write(&self, mut entry: Entry) {
        let desk = &self.desk;
        let mut held = weight(&entry);
        if held > 0 && desk.held.fetch_add(held, Ordering::Relaxed) + held > HELD {
            desk.held.fetch_sub(held, Ordering::Relaxed);
            without_bodies(&mut entry);
            held = 0;
        }
        let queued = desk.meter.enqueued();
        if self.queue.try_send(entry).is_ok() {
            if queued == QUEUE / 2 {
                desk.call();
            } else if desk.is_asleep.swap(false, Ordering::SeqCst) {
                desk.wake();
            }
        } else {
            desk.meter.dequeued(1);
            desk.held.fetch_sub(held, Ordering::Relaxed);
            desk.meter.add_dropped(1);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.desk.is_closing.store(true, Ordering::SeqCst);
        self.desk.call();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zephyr_core::config::Logging;

    use super::*;
    use crate::settings::FILE;

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
