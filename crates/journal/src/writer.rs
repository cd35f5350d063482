//! The thread that writes: batches what is handed over, keeps the file small, and goes on whatever becomes
//! of the file.
//!
//! It sleeps until something comes, then a moment longer, so that what comes together is written together
//! and a busy time wakes it a few times a second only. What cannot be written is dropped and counted: the
//! next batch tries again. A file that cannot be used at all is set aside and a new one begun.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;
use zephyr_control::{Problem, ProblemKind};
use zephyr_core::config::Logging;

use crate::desk::{Desk, Dropped, Order};
use crate::entry::Entry;
use crate::entry::weight;
use crate::file::{self, OpenError};
use crate::retention::{self, Progress, Retention};
use crate::settings::Settings;
use crate::store::Store;

/// How long what comes first waits for others.
const SETTLE: Duration = Duration::from_millis(100);
/// Most entries of one transaction.
const BATCH: usize = 2048;
/// Time between two looks at what is too old.
const MAINTENANCE: Duration = Duration::from_secs(10 * 60);
/// Time between two attempts to open a file that could not be opened.
const REOPEN: Duration = Duration::from_secs(10);

/// Writes until the last handle is dropped.
pub(crate) fn run(desk: &Arc<Desk>, queue: &Receiver<Entry>, settings: Settings) {
    let mut writer = Writer::new(Arc::clone(desk), settings);
    writer.open();
    desk.set_ready();
    loop {
        let due = writer.due();
        let first = match queue.try_recv() {
            Ok(entry) => Some(entry),
            Err(_) => desk.sleep(queue, due),
        };
        let mut batch: Vec<Entry> = first.into_iter().collect();
        if !batch.is_empty() && !desk.is_called() {
            thread::park_timeout(SETTLE);
        }
        // What was handed over before a flush is in the queue by now. What came before a configuration
        // may be written by it, but nothing that came after it by the one before.
        let is_last = desk.is_closing();
        let mut flushes = Vec::new();
        let mut is_to_close = false;
        for order in desk.take_orders() {
            match order {
                Order::Flush(done) => flushes.push(done),
                Order::Close(done) => {
                    flushes.push(done);
                    is_to_close = true;
                }
                Order::Configure(settings) => writer.configure(*settings),
            }
        }
        loop {
            batch.extend(queue.try_iter().take(BATCH - batch.len()));
            if batch.is_empty() {
                break;
            }
            let is_full = batch.len() == BATCH;
            writer.write(&mut batch);
            if !is_full {
                break;
            }
        }
        if is_to_close {
            writer.close();
        }
        writer.acknowledge(flushes);
        if is_last {
            return;
        }
        writer.maintain();
    }
}

/// What writes, without the waiting.
pub(crate) struct Writer {
    desk: Arc<Desk>,
    path: PathBuf,
    logging: Logging,
    connection: Option<Connection>,
    store: Store,
    retention: Retention,
    /// Whether what was handed over since the last flush is in the file.
    dropped: Dropped,
    next_open: Instant,
    next_maintenance: Instant,
    /// Before then no size is a reason for another maintenance: the last one did what it could.
    earliest: Instant,
    /// Whether a maintenance that has begun goes on.
    progress: Progress,
    /// Whether the file is closed until something comes.
    is_closed: bool,
}

impl Writer {
    pub(crate) fn new(desk: Arc<Desk>, settings: Settings) -> Self {
        let mut store = Store::default();
        store.learn(&settings.secrets);
        Self {
            desk,
            path: settings.path,
            logging: settings.logging,
            connection: None,
            store,
            retention: Retention::default(),
            dropped: Dropped::Nothing,
            next_open: Instant::now(),
            next_maintenance: Instant::now(),
            earliest: Instant::now(),
            progress: Progress::Done,
            is_closed: false,
        }
    }

    /// For how long there is nothing to do unless something comes.
    fn due(&self) -> Duration {
        match self.progress {
            Progress::More => Duration::ZERO,
            Progress::Done => self
                .next_maintenance
                .saturating_duration_since(Instant::now()),
        }
    }

    /// Opens the file, if it is time to try.
    pub(crate) fn open(&mut self) {
        if self.connection.is_some() || Instant::now() < self.next_open {
            return;
        }
        self.store.forget();
        self.connection = match file::open(&self.path) {
            Ok(connection) => Some(connection),
            Err(OpenError::Unusable { source, .. }) if file::is_beyond_use(&self.path, &source) => {
                self.begin_anew(&source)
            }
            Err(error @ (OpenError::Create { .. } | OpenError::Unusable { .. })) => {
                self.fail(&error.to_string());
                None
            }
            Err(error @ OpenError::Newer { .. }) => {
                self.desk.set_failing(Some(Problem {
                    kind: ProblemKind::Journal,
                    message: format!("{error}; nothing is recorded"),
                    remedy: "use that version, or move the file away".to_owned(),
                }));
                None
            }
        };
        if self.connection.is_some() {
            self.desk.set_failing(None);
            self.next_maintenance = Instant::now();
            self.tell_size();
        } else {
            self.next_open = Instant::now() + REOPEN;
        }
    }

    /// Writes the batch, and empties it.
    pub(crate) fn write(&mut self, batch: &mut Vec<Entry>) {
        self.is_closed = false;
        self.open();
        let mut written = self.try_to_write(batch);
        if let Err(Some(error)) = &written
            && file::is_beyond_use(&self.path, error)
        {
            self.connection = None;
            self.connection = self.begin_anew(error);
            written = self.try_to_write(batch);
        }
        match written {
            Ok(requests) => {
                self.desk.meter.add_written(requests);
                self.desk.set_failing(None);
            }
            Err(error) => {
                self.dropped = Dropped::Some;
                self.desk.meter.add_dropped(batch.len() as u64);
                if let Some(error) = error {
                    self.fail(&format!(
                        "{} cannot be written: {error}",
                        self.path.display()
                    ));
                }
            }
        }
        self.desk
            .processed(batch.len(), batch.iter().map(weight).sum());
        batch.clear();
        self.measure();
    }

    /// Does what is due for the file's size.
    pub(crate) fn maintain(&mut self) {
        if self.is_closed {
            self.next_maintenance = Instant::now() + MAINTENANCE;
            return;
        }
        self.open();
        if self.progress == Progress::Done && Instant::now() >= self.next_maintenance {
            self.next_maintenance = Instant::now() + MAINTENANCE;
            self.retention.begin();
            self.progress = Progress::More;
        }
        while self.progress == Progress::More && !self.desk.is_called() {
            let Some(connection) = &mut self.connection else {
                self.progress = Progress::Done;
                return;
            };
            let deletes_names = self.retention.deletes_names();
            match self
                .retention
                .step(connection, &self.logging, retention::now())
            {
                Ok(progress) => self.progress = progress,
                Err(error) => {
                    tracing::warn!(%error, "the journal could not be cleared of what is old");
                    self.progress = Progress::Done;
                    self.retention = Retention::default();
                    self.next_maintenance = Instant::now() + REOPEN;
                    if file::is_beyond_use(&self.path, &error) {
                        self.connection = None;
                        self.connection = self.begin_anew(&error);
                    }
                }
            }
            if deletes_names {
                self.store.forget();
            }
            if self.progress == Progress::Done {
                self.earliest = Instant::now() + REOPEN;
                if let Some(connection) = &self.connection {
                    // It had to look at much that is not needed again soon.
                    let _ = connection.execute_batch("PRAGMA shrink_memory");
                }
                self.tell_size();
            }
        }
    }

    /// Says that what came so far is written, if it is.
    fn acknowledge(&mut self, flushes: Vec<oneshot::Sender<Dropped>>) {
        if flushes.is_empty() {
            return;
        }
        let dropped = std::mem::replace(&mut self.dropped, Dropped::Nothing);
        if let (Dropped::Nothing, Some(connection)) = (dropped, &self.connection) {
            // A commit is in the file system's cache; a checkpoint is on the disk.
            let checkpoint = connection.pragma_query(None, "wal_checkpoint", |_| Ok(()));
            if let Err(error) = checkpoint {
                tracing::warn!(%error, "the journal's log was not written into its file");
            }
        }
        for flush in flushes {
            let _ = flush.send(dropped); // Whoever asked may have left.
        }
    }

    /// Lets go of the file; SQLite then writes its log into it and takes the files beside it away.
    fn close(&mut self) {
        self.connection = None;
        self.retention = Retention::default();
        self.progress = Progress::Done;
        self.is_closed = true;
    }

    fn configure(&mut self, settings: Settings) {
        self.store.learn(&settings.secrets);
        self.logging = settings.logging;
        if settings.path != self.path {
            self.connection = None;
            self.path = settings.path;
            self.next_open = Instant::now();
            self.desk.set_set_aside(None);
            self.desk.set_failing(None);
            self.open();
            self.desk.set_ready();
        }
        self.next_maintenance = Instant::now();
    }

    /// Sets the file aside and begins a new one.
    fn begin_anew(&mut self, error: &rusqlite::Error) -> Option<Connection> {
        self.store.forget();
        self.retention = Retention::default();
        let path = self.path.display();
        let aside = match file::set_aside(&self.path) {
            Ok(aside) => aside,
            Err(in_the_way) => {
                self.fail(&format!(
                    "{path} cannot be used ({error}), nor set aside ({in_the_way})"
                ));
                self.next_open = Instant::now() + REOPEN;
                return None;
            }
        };
        let aside = aside.display();
        tracing::warn!("{path} cannot be used: {error}; it is set aside as {aside}");
        self.desk.set_set_aside(Some(Problem {
            kind: ProblemKind::Journal,
            message: format!(
                "the journal could not be used ({error}); a new one was begun, and the old one is {aside}"
            ),
            remedy: "look into the old file with an SQLite client, or delete it".to_owned(),
        }));
        match file::open(&self.path) {
            Ok(connection) => Some(connection),
            Err(error) => {
                self.fail(&error.to_string());
                self.next_open = Instant::now() + REOPEN;
                None
            }
        }
    }

    fn fail(&self, message: &str) {
        self.desk.set_failing(Some(Problem {
            kind: ProblemKind::Journal,
            message: format!("{message}; requests go on, but are not recorded"),
            remedy: "make room on the disk, or let this user write there; recording then goes on by itself"
                .to_owned(),
        }));
    }

    fn try_to_write(&mut self, batch: &[Entry]) -> Result<u64, Option<rusqlite::Error>> {
        let connection = self.connection.as_mut().ok_or(None)?;
        let written = self.store.write(connection, batch, &self.logging);
        written.map_err(Some)
    }

    /// After something was written: it may be too much now.
    fn measure(&mut self) {
        self.tell_size();
        if let Some(connection) = &self.connection
            && retention::used(connection).is_ok_and(|used| used > self.logging.max_size)
            && self.progress == Progress::Done
        {
            let soon = self.earliest.max(Instant::now());
            self.next_maintenance = self.next_maintenance.min(soon);
        }
    }

    fn tell_size(&self) {
        self.desk.set_bytes(file::size(&self.path));
    }
}

#[cfg(test)]
mod tests;
