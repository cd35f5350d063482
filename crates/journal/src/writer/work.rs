//! What the writer does to the file: opens it, writes batches, keeps it small, and sets it aside if it cannot
//! be used.
//!
//! Whatever happens to the file, the writer goes on. What cannot be written is dropped and counted, and the
//! next batch tries again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;
use zephyr_control::{Problem, ProblemKind};
use zephyr_core::config::Logging;

use crate::entry::Entry;
use crate::file::{self, OpenError};
use crate::order::Dropped;
use crate::retention::{self, Progress, Retention};
use crate::rows::Store;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::tables::now;

/// Time between two looks at what is too old.
const MAINTENANCE: Duration = Duration::from_secs(10 * 60);
/// Time between two attempts to open a file that could not be opened.
pub(super) const REOPEN: Duration = Duration::from_secs(10);

/// The journal file, while it is written.
pub(super) struct Writer {
    shared: Arc<Shared>,
    path: PathBuf,
    pub(super) logging: Logging,
    pub(super) connection: Option<Connection>,
    store: Store,
    retention: Retention,
    /// Whether anything was lost since the last flush.
    dropped: Dropped,
    next_open: Instant,
    pub(super) next_maintenance: Instant,
    /// Until then the file's size is no reason for maintenance: the last one did what it could.
    earliest: Instant,
    /// Whether maintenance is under way.
    progress: Progress,
    /// Whether the file stays closed until the next entry.
    is_closed: bool,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, settings: Settings) -> Self {
        let mut store = Store::default();
        store.learn(&settings.secrets);
        Self {
            shared,
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

    pub(super) fn is_maintaining(&self) -> bool {
        self.progress == Progress::More
    }

    /// The time until there is something to do, if nothing comes.
    pub(super) fn due(&self) -> Duration {
        match self.progress {
            Progress::More => Duration::ZERO,
            Progress::Done => self
                .next_maintenance
                .saturating_duration_since(Instant::now()),
        }
    }

    /// Opens the file, if it is not open and it is time to try.
    pub(super) fn open(&mut self) {
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
                self.shared.problems.set_failing(Some(Problem::new(
                    ProblemKind::Journal,
                    format!("{error}; nothing is recorded"),
                    "use that version, or move the file elsewhere",
                )));
                None
            }
        };
        if self.connection.is_some() {
            self.shared.problems.set_failing(None);
            self.next_maintenance = Instant::now();
            self.tell_size();
        } else {
            self.next_open = Instant::now() + REOPEN;
        }
    }

    /// Writes the batch and empties it.
    pub(super) fn write(&mut self, batch: &mut Vec<Entry>) {
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
                self.shared.meter.add_written(requests);
                self.shared.problems.set_failing(None);
            }
            Err(error) => {
                self.dropped = Dropped::Some;
                self.shared.meter.add_dropped(batch.len() as u64);
                if let Some(error) = error {
                    self.fail(&format!(
                        "{} cannot be written: {error}",
                        self.path.display()
                    ));
                }
            }
        }
        self.shared.meter.dequeued(batch.len());
        self.shared
            .release(batch.iter().map(Entry::bytes_of_bodies).sum());
        batch.clear();
        self.measure();
    }

    /// Deletes and rolls up what is due: at least one step, then more until `most` is over or something more
    /// urgent comes.
    pub(super) fn maintain(&mut self, most: Duration) {
        let until = Instant::now() + most;
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
        while self.progress == Progress::More && !self.shared.is_called() {
            let Some(connection) = &mut self.connection else {
                self.progress = Progress::Done;
                return;
            };
            let deletes_names = self.retention.deletes_names();
            match self.retention.step(connection, &self.logging, now()) {
                Ok(progress) => self.progress = progress,
                Err(error) => {
                    tracing::warn!(%error, "old entries could not be deleted from the journal");
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
            if self.progress == Progress::More && Instant::now() >= until {
                return;
            }
            if self.progress == Progress::Done {
                self.earliest = Instant::now() + REOPEN;
                if let Some(connection) = &self.connection {
                    // It read many pages that are not needed again soon.
                    let _ = connection.execute_batch("PRAGMA shrink_memory");
                }
                self.tell_size();
            }
        }
    }

    /// Answers flushes: what came so far is written, or some of it was lost.
    pub(super) fn acknowledge(&mut self, flushes: Vec<oneshot::Sender<Dropped>>) {
        if flushes.is_empty() {
            return;
        }
        let dropped = std::mem::replace(&mut self.dropped, Dropped::Nothing);
        if let (Dropped::Nothing, Some(connection)) = (dropped, &self.connection) {
            // A commit is in the system's cache. A checkpoint is on the disk.
            let checkpoint = connection.pragma_query(None, "wal_checkpoint", |_| Ok(()));
            if let Err(error) = checkpoint {
                tracing::warn!(%error, "the journal's write-ahead log was not written into its file");
            }
        }
        for flush in flushes {
            let _ = flush.send(dropped); // The caller may have left.
        }
    }

    /// Closes the file. SQLite then writes its log into it and deletes the files beside it.
    pub(super) fn close(&mut self) {
        self.connection = None;
        self.retention = Retention::default();
        self.progress = Progress::Done;
        self.is_closed = true;
    }

    pub(super) fn configure(&mut self, settings: Settings) {
        self.store.learn(&settings.secrets);
        self.logging = settings.logging;
        if settings.path != self.path {
            self.connection = None;
            self.path = settings.path;
            self.next_open = Instant::now();
            self.shared.problems.set_set_aside(None);
            self.shared.problems.set_failing(None);
            self.open();
            self.shared.set_ready();
        }
        self.next_maintenance = Instant::now();
    }

    /// Sets the file aside and creates a new one.
    fn begin_anew(&mut self, error: &rusqlite::Error) -> Option<Connection> {
        self.store.forget();
        self.retention = Retention::default();
        let path = self.path.display();
        let aside = match file::set_aside(&self.path) {
            Ok(aside) => aside,
            Err(in_the_way) => {
                self.fail(&format!(
                    "{path} cannot be used ({error}) and cannot be renamed ({in_the_way})"
                ));
                self.next_open = Instant::now() + REOPEN;
                return None;
            }
        };
        let aside = aside.display();
        tracing::warn!("{path} cannot be used: {error}; it was renamed to {aside}");
        self.shared.problems.set_set_aside(Some(Problem::new(
            ProblemKind::Journal,
            format!(
                "the journal could not be used ({error}); it is now {aside}, and a new one was created"
            ),
            "open the old file with an SQLite client, or delete it",
        )));
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
        self.shared.problems.set_failing(Some(Problem::new(
            ProblemKind::Journal,
            format!("{message}; requests are served, but not recorded"),
            "free space on the disk, or let this user write there; recording then resumes by itself",
        )));
    }

    fn try_to_write(&mut self, batch: &[Entry]) -> Result<u64, Option<rusqlite::Error>> {
        let connection = self.connection.as_mut().ok_or(None)?;
        let written = self.store.write(connection, batch, &self.logging);
        written.map_err(Some)
    }

    /// Called after writing: the file may be too large now.
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
        self.shared.meter.set_bytes(file::size(&self.path));
    }
}
