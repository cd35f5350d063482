//! What survives a restart: the file `state.json` in the data folder.
//!
//! The core says what is kept, and what it is worth later ([`zephyr_core::fleet::Memory`]). This module
//! writes it: a person's decision within a tenth of a second, measurements at most once a minute, and
//! everything at the end. The file is always replaced as a whole, and only its user may read it. It contains
//! no secret.
//!
//! Only the end of the program waits for a write. Other code only announces a change, and a task of its own
//! writes on the pool for blocking work. While nothing changes, nothing wakes up.
//!
//! A file that cannot be used (broken, or of a newer version) is renamed to `state.json.bad`, and Zephyr
//! starts without memory. If the file cannot be written, work goes on, the next change tries again, and one
//! warning is logged.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;
use zephyr_core::fleet::Memory;

use crate::clock::millis;
use zephyr_secrets::private;

const FILE: &str = "state.json";
const SET_ASIDE: &str = "state.json.bad";
const VERSION: u64 = 1;

/// Decisions often come two or three at a time. One write is enough for them.
const DECISIONS_SETTLE: Duration = Duration::from_millis(50);
/// The measurements of a round of probes come together too.
const MEASUREMENTS_SETTLE: Duration = Duration::from_secs(1);
/// The minimum time between two writes of measurements.
const MEASUREMENTS_REST: Duration = Duration::from_secs(60);

/// A handle on the file. Without a folder it keeps nothing.
#[derive(Clone, Default)]
pub struct Keeper(Option<Arc<Inner>>);

struct Inner {
    folder: PathBuf,
    /// Notified when a person has decided something.
    decided: Notify,
    /// Notified when something was measured.
    measured: Notify,
    /// Allows one write at a time. Each takes the state at its start, so the last write has the newest state.
    writing: Mutex<()>,
    has_warned: AtomicBool,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it cannot be read: {0}")]
    Read(io::Error),
    #[error("it is broken: {0}")]
    Broken(serde_json::Error),
    #[error("it is of another version of Zephyr")]
    Version,
}

impl Keeper {
    /// Keeps the memory in this folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let inner = |folder| Inner {
            folder,
            decided: Notify::new(),
            measured: Notify::new(),
            writing: Mutex::default(),
            has_warned: AtomicBool::default(),
        };
        Self(folder.map(|folder| Arc::new(inner(folder))))
    }

    /// What an earlier run left, with its age. Blocks.
    pub fn load(&self) -> Option<Memory> {
        let inner = self.0.as_ref()?;
        let path = inner.folder.join(FILE);
        let read = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => Err(Unusable::Read(error)),
            Ok(bytes) => decode(&bytes, SystemTime::now()),
        };
        match read {
            Ok(memory) => Some(memory),
            Err(error) => {
                let aside = inner.folder.join(SET_ASIDE);
                tracing::warn!(
                    "{}: {error}; mode, pin and pause start afresh, and the file is set aside as {}",
                    path.display(),
                    aside.display()
                );
                // If this fails too, the next write replaces the file.
                let _ = fs::rename(&path, &aside);
                None
            }
        }
    }

    /// A person has decided something.
    pub fn decided(&self) {
        if let Some(inner) = &self.0 {
            inner.decided.notify_one();
        }
    }

    /// Something was measured.
    pub fn measured(&self) {
        if let Some(inner) = &self.0 {
            inner.measured.notify_one();
        }
    }

    /// Writes when there is a reason to, as long as it is polled.
    pub async fn keep(&self, memory: impl Fn() -> Memory + Clone + Send + 'static) {
        let Some(inner) = &self.0 else { return };
        let mut rested = Instant::now();
        loop {
            let settle = tokio::select! {
                () = inner.decided.notified() => DECISIONS_SETTLE,
                () = inner.measured.notified() => {
                    let due = rested.max(Instant::now() + MEASUREMENTS_SETTLE);
                    tokio::select! {
                        () = inner.decided.notified() => DECISIONS_SETTLE,
                        () = tokio::time::sleep_until(due) => Duration::ZERO,
                    }
                }
            };
            tokio::time::sleep(settle).await;
            self.write(memory.clone()).await;
            rested = Instant::now() + MEASUREMENTS_REST;
        }
    }

    pub async fn write(&self, memory: impl FnOnce() -> Memory + Send + 'static) {
        let Some(inner) = self.0.clone() else { return };
        // It stays unfinished only if the runtime ends.
        let _ = tokio::task::spawn_blocking(move || inner.write(memory)).await;
    }
}

impl Inner {
    fn write(&self, memory: impl FnOnce() -> Memory) {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(FILE);
        match private::replace(&path, &encode(&memory(), SystemTime::now())) {
            Ok(()) => self.has_warned.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.has_warned.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "{}: {error}; a restart will not know what was decided from now on; make room \
                         or let this user write there",
                        path.display()
                    );
                }
                self.measured.notify_one(); // So that it tries again in a minute.
            }
        }
    }
}

fn encode(memory: &Memory, now: SystemTime) -> Vec<u8> {
    let written_at = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let document = json!({
        "version": VERSION,
        "written_at_ms": millis(written_at),
        "fleet": memory,
    });
    let mut text = format!("{document:#}");
    text.push('\n');
    text.into_bytes()
}

fn decode(bytes: &[u8], now: SystemTime) -> Result<Memory, Unusable> {
    let mut document: Value = serde_json::from_slice(bytes).map_err(Unusable::Broken)?;
    if document["version"] != VERSION {
        return Err(Unusable::Version);
    }
    let written_at = Duration::from_millis(document["written_at_ms"].as_u64().unwrap_or_default());
    let memory: Memory =
        serde_json::from_value(document["fleet"].take()).map_err(Unusable::Broken)?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    // The clock was set back, so the age is unknown. The highest age is assumed.
    let age = now.checked_sub(written_at).unwrap_or(now);
    Ok(memory.aged(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paused() -> Memory {
        Memory {
            paused: true,
            ..Memory::default()
        }
    }

    fn keeper() -> (tempfile::TempDir, Keeper) {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(Some(folder.path().join("data")));
        (folder, keeper)
    }

    #[tokio::test]
    async fn what_is_written_is_read_and_private() {
        let (folder, keeper) = keeper();

        keeper.write(paused).await;

        assert_eq!(keeper.load(), Some(paused()));
        let file = folder.path().join("data").join(FILE);
        assert!(file.is_file());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode =
                |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&file), 0o600);
            assert_eq!(mode(file.parent().unwrap()), 0o700);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_set_aside() {
        let newer = format!("{{\"version\": {}, \"fleet\": {{}}}}", VERSION + 1);
        let half = &encode(&paused(), SystemTime::now())[..40];
        for unusable in ["", "{}", &newer, str::from_utf8(half).unwrap()] {
            let (folder, keeper) = keeper();
            keeper.write(paused).await;
            let data = folder.path().join("data");
            fs::write(data.join(FILE), unusable).unwrap();

            let loaded = keeper.load();

            assert_eq!(loaded, None, "{unusable}");
            assert!(!data.join(FILE).exists());
            let aside = fs::read_to_string(data.join(SET_ASIDE)).unwrap();
            assert_eq!(aside, unusable);
        }
    }

    #[tokio::test]
    async fn where_nothing_can_be_written_work_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("data");
        fs::write(&in_the_way, "a file where the folder should be").unwrap();
        let keeper = Keeper::new(Some(in_the_way.clone()));

        keeper.write(paused).await;
        fs::remove_file(&in_the_way).unwrap();
        keeper.write(paused).await;

        assert_eq!(keeper.load(), Some(paused()));
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        assert_eq!(Keeper::new(None).load(), None);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_everything_old() {
        let now = SystemTime::now();
        let written = encode(&with_latency(), now + Duration::from_secs(3600));

        let read = decode(&written, now).unwrap();

        let age = read.endpoints[0].latency.unwrap().age;
        assert!(age > Duration::from_secs(3600));
    }

    fn with_latency() -> Memory {
        let json = json!({
            "pinned": null, "paused": false,
            "endpoints": [{
                "name": "A", "url": "https://a.example", "enabled_in_file": true, "enabled": true,
                "probe": "message", "probe_model": "m",
                "latency": { "value": { "secs": 0, "nanos": 1 }, "age": { "secs": 0, "nanos": 0 } },
                "ttft": null, "history": [], "last_probe": null,
            }],
        });
        serde_json::from_value(json).unwrap()
    }
}
