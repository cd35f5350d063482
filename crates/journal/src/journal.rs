//! The handle on a journal: takes entries, answers queries.

use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;
use zephyr_control::{
    EndpointHistory, HistoryQuery, JournalStatus, Paging, Problem, RequestDetail, RequestFilter,
    RequestPage, UsageQuery, UsageReport,
};

use crate::entry::Entry;
use crate::meter::Meter;
use crate::order::{Dropped, Order};
use crate::read::{self, QueryError, Readers};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::{search, writer};

/// Most entries that wait to be written.
const QUEUE: usize = 4096;

/// A handle on the journal. The default one keeps nothing.
#[derive(Clone, Default)]
pub struct Journal(Target);

/// Where entries go.
#[derive(Clone, Default)]
enum Target {
    #[default]
    Nowhere,
    File(Arc<Inner>),
    Queue(SyncSender<Entry>),
}

/// Dropping it, with the last handle, ends the writer.
struct Inner {
    queue: SyncSender<Entry>,
    shared: Arc<Shared>,
    readers: Readers,
}

impl Journal {
    /// Begins to keep a journal. The writer's thread opens the file, so nothing here waits for the disk.
    pub fn open(settings: Settings, meter: Arc<Meter>) -> Self {
        let (queue, waiting) = mpsc::sync_channel(QUEUE);
        let shared = Arc::new(Shared::new(meter, settings.path.clone()));
        let of_writer = Arc::clone(&shared);
        let started = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer::run(&of_writer, &waiting, settings));
        match started {
            Ok(thread) => {
                shared.set_thread(thread.thread().clone());
                Self(Target::File(Arc::new(Inner {
                    queue,
                    shared,
                    readers: Readers::default(),
                })))
            }
            Err(error) => {
                tracing::error!(%error, "the journal's thread cannot be started; nothing is recorded");
                Self::default()
            }
        }
    }

    /// A journal without a file: its entries go into this queue.
    pub fn into_queue(queue: SyncSender<Entry>) -> Self {
        Self(Target::Queue(queue))
    }

    /// Hands an entry over. It never waits: if the queue is full, the entry is dropped and counted.
    pub fn write(&self, entry: Entry) {
        match &self.0 {
            Target::Nowhere => {}
            Target::File(inner) => inner.write(entry),
            Target::Queue(queue) => {
                let _ = queue.try_send(entry); // The reader of the queue sees what is missing.
            }
        }
    }

    /// Whether anything is kept. If not, nothing needs to be collected.
    pub fn is_kept(&self) -> bool {
        match &self.0 {
            Target::Nowhere => false,
            Target::File(_) | Target::Queue(_) => true,
        }
    }

    /// Changes the settings, for what is handed over from now on.
    pub fn configure(&self, settings: Settings) {
        if let Some(inner) = self.file() {
            inner.shared.move_to(&settings.path);
            inner.shared.order(Order::Configure(Box::new(settings)));
        }
    }

    /// Waits until everything handed over so far is in the file and would survive a power failure.
    pub async fn flush(&self) -> Dropped {
        match self.file() {
            Some(inner) => inner.order(Order::Flush).await,
            None => Dropped::Nothing,
        }
    }

    /// Waits as [`Self::flush`] does, and until the file is closed, with no other files left beside it. The
    /// next entry opens it again.
    pub async fn close(&self) -> Dropped {
        match self.file() {
            Some(inner) => inner.order(Order::Close).await,
            None => Dropped::Nothing,
        }
    }

    /// Path, size and losses, for front-ends.
    pub fn status(&self) -> JournalStatus {
        let Some(inner) = self.file() else {
            return JournalStatus::default();
        };
        let meter = &inner.shared.meter;
        JournalStatus {
            path: Some(inner.shared.path().display().to_string()),
            bytes: meter.bytes(),
            dropped: meter.dropped(),
        }
    }

    /// The problems that a person should know.
    pub fn problems(&self) -> Vec<Problem> {
        let problems = self.file().map(|inner| inner.shared.problems.all());
        problems.unwrap_or_default()
    }

    /// Waits until the problems change.
    pub async fn problems_changed(&self) {
        match self.file() {
            Some(inner) => inner.shared.problems.changed().await,
            None => std::future::pending().await,
        }
    }

    /// A page of the requests that match.
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

    /// The request of this number, with its headers and bodies.
    ///
    /// # Errors
    ///
    /// There is no such request, or as for [`Self::requests`].
    pub async fn request(&self, id: u64) -> Result<RequestDetail, QueryError> {
        self.read(move |connection| read::detail(connection, id))
            .await
    }

    /// Sums of requests.
    ///
    /// # Errors
    ///
    /// As for [`Self::requests`].
    pub async fn usage(&self, query: UsageQuery) -> Result<UsageReport, QueryError> {
        self.read(move |connection| read::usage(connection, &query))
            .await
    }

    /// How endpoints were over time.
    ///
    /// # Errors
    ///
    /// As for [`Self::requests`].
    pub async fn history(&self, query: HistoryQuery) -> Result<Vec<EndpointHistory>, QueryError> {
        self.read(move |connection| read::history(connection, &query))
            .await
    }

    fn file(&self) -> Option<&Inner> {
        match &self.0 {
            Target::File(inner) => Some(inner),
            Target::Nowhere | Target::Queue(_) => None,
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let inner = self.file().ok_or(QueryError::NotKept)?;
        inner.readers.run(inner.path_to_read(), query).await
    }
}

impl Inner {
    fn write(&self, mut entry: Entry) {
        let shared = &self.shared;
        let mut held = entry.bytes_of_bodies();
        if !shared.hold(held) {
            entry.drop_bodies();
            held = 0;
        }
        let queued = shared.meter.enqueued();
        if self.queue.try_send(entry).is_ok() {
            if queued == QUEUE / 2 {
                shared.call();
            } else {
                shared.wake_if_asleep();
            }
        } else {
            shared.meter.dequeued(1);
            shared.release(held);
            shared.meter.add_dropped(1);
        }
    }

    async fn order(&self, order: fn(oneshot::Sender<Dropped>) -> Order) -> Dropped {
        let (done, written) = oneshot::channel();
        self.shared.order(order(done));
        written.await.unwrap_or(Dropped::Some)
    }

    async fn path_to_read(&self) -> std::path::PathBuf {
        if !self.shared.is_ready() {
            self.order(Order::Flush).await; // The writer opens the file before it answers.
        }
        self.shared.path()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.close();
    }
}
