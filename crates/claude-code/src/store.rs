//! The record on disk, and the lock that keeps two Zephyrs with one data folder apart.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use zephyr_secrets::{ownership, private};

use crate::error::Error;
use crate::record::Record;

const RECORD: &str = "claude-code.json";
const SCRATCH: &str = "claude-code.json.new";
const LOCK: &str = "claude-code.lock";

/// The record and the lock in the data folder.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    data_dir: PathBuf,
}

/// The lock is held as long as this value exists. The system frees it when the program is killed.
#[must_use]
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Store {
    pub(crate) fn new(data_dir: PathBuf) -> Self {
        Self { data_dir }
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.data_dir.join(RECORD)
    }

    /// Waits for another Zephyr that holds the lock, for a limited time.
    pub(crate) fn lock(&self) -> Result<Lock, Error> {
        const PATIENCE: Duration = Duration::from_secs(5);
        const BETWEEN: Duration = Duration::from_millis(20);
        let path = self.data_dir.join(LOCK);
        let failed = |source| Error::Record {
            path: path.clone(),
            source,
        };
        private::folder(&self.data_dir).map_err(failed)?;
        let file = private::open(&path).map_err(failed)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(BETWEEN),
                Err(TryLockError::WouldBlock) => return Err(Error::Locked(path)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    pub(crate) fn load(&self) -> Result<Option<Record>, Error> {
        let path = self.record();
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Record { path, source }),
        };
        // Without the parser's message, which may quote a secret.
        let record = serde_json::from_slice(&json).map_err(|_| Error::RecordMalformed(path))?;
        Ok(Some(record))
    }

    /// Changes the record from one state to the other, under the lock.
    pub(crate) fn settle(&self, from: Option<&Record>, to: Option<&Record>) -> Result<(), Error> {
        if from == to {
            return Ok(());
        }
        let settled = match to {
            Some(record) => self.write(record),
            None => match fs::remove_file(self.record()) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            },
        };
        settled.map_err(|source| Error::Record {
            path: self.record(),
            source,
        })
    }

    fn write(&self, record: &Record) -> io::Result<()> {
        let scratch = self.data_dir.join(SCRATCH);
        match fs::remove_file(&scratch) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let json = serde_json::to_vec_pretty(record)?;
        let written = || {
            let mut file = private::create_new(&scratch)?;
            file.write_all(&json)?;
            ownership::keep_owner(&file, &self.record());
            file.sync_all()?;
            fs::rename(&scratch, self.record())
        };
        written().inspect_err(|_| {
            // The file may contain a secret. The first error is the one that is reported.
            let _ = fs::remove_file(&scratch);
        })
    }
}
