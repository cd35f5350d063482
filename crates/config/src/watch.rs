//! Says when the configuration or its `.env` has changed.
//!
//! Editors replace a file rather than write into it. So the folders are watched, also the folder of a
//! symbolic link's target. An event is only a reason to look. Only another content of the two files
//! counts. Reading them, saving them unchanged and other files in the folder cause nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use zephyr_secrets::environment::dotenv_path;

use crate::loaded::{Loaded, fingerprint};

/// How long to wait after an event for the ones that belong to it.
const SETTLING: Duration = Duration::from_millis(200);

/// Watches a configuration file and the `.env` beside it, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    files: [PathBuf; 2],
    seen: Fingerprint,
    own_write: OwnWrite,
    /// The time to read the files because of an event. Outlives a dropped [`Watch::changed`].
    look_at: Option<Instant>,
    /// Reads the files. Outlives a dropped [`Watch::changed`] too.
    reading: Option<JoinHandle<Fingerprint>>,
    events: mpsc::Receiver<()>,
    /// Its drop ends the events.
    _watcher: RecommendedWatcher,
}

/// The reason why changes will not be noticed.
#[derive(Debug, thiserror::Error)]
#[error(
    "changes of {} will not be noticed, because {} cannot be watched; \
     reload by hand after editing, or restart",
    config.display(),
    folder.display()
)]
pub struct WatchError {
    /// The configuration file.
    pub config: PathBuf,
    /// The folder that cannot be watched.
    pub folder: PathBuf,
    /// What the system says.
    pub source: notify::Error,
}

/// Watches the configuration file at `path`. Changes count from this call on; for a file that was read
/// before, see [`Watch::since`]. Blocks.
///
/// # Errors
///
/// The system refuses to watch.
pub fn watch(path: &Path) -> Result<Watch, WatchError> {
    let files = [path.to_owned(), dotenv_path(path)];
    let error = |folder: &Path, source| WatchError {
        config: path.to_owned(),
        folder: folder.to_owned(),
        source,
    };
    let (sender, events) = mpsc::channel(1);
    let handler = move |event: notify::Result<notify::Event>| {
        if event.map_or(true, |event| !is_mere_reading(event.kind)) {
            // A full channel already holds the reason to look.
            let _ = sender.try_send(());
        }
    };
    let mut watcher =
        notify::recommended_watcher(handler).map_err(|source| error(&folder_of(path), source))?;
    for folder in folders(&files) {
        watcher
            .watch(&folder, RecursiveMode::NonRecursive)
            .map_err(|source| error(&folder, source))?;
    }
    Ok(Watch {
        seen: Fingerprint::of(&files),
        files,
        own_write: OwnWrite::default(),
        look_at: None,
        reading: None,
        events,
        _watcher: watcher,
    })
}

impl Watch {
    /// Counts changes of the configuration from when it was read, if that was before the watch began.
    #[must_use]
    pub fn since(mut self, loaded: &Loaded) -> Self {
        let read = loaded.fingerprint;
        if read.is_some() && self.seen.0[0] != read {
            self.seen.0[0] = read;
            self.look_at = Some(Instant::now());
        }
        self
    }

    /// Does not tell of this program's own writing, which is in force already.
    pub fn ignore(&mut self, own_write: OwnWrite) {
        self.own_write = own_write;
    }

    /// Waits until one of the two files has another content than when this last returned. A caller may drop
    /// it and call it again without missing a change. Needs a Tokio runtime. It does not block the workers.
    pub async fn changed(&mut self) {
        loop {
            let now = self.read_after_event().await;
            if now != self.seen {
                let of_others = now.0[1] != self.seen.0[1] || !self.own_write.is(now.0[0]);
                self.seen = now;
                if of_others {
                    return;
                }
            }
        }
    }

    async fn read_after_event(&mut self) -> Fingerprint {
        let reading = match &mut self.reading {
            Some(reading) => reading,
            None => {
                let look_at = match self.look_at {
                    Some(time) => time,
                    None => match self.events.recv().await {
                        Some(()) => *self.look_at.insert(Instant::now() + SETTLING),
                        // `self` holds the watcher, and the watcher holds the sender.
                        None => std::future::pending().await,
                    },
                };
                sleep_until(look_at).await;
                self.look_at = None;
                while self.events.try_recv().is_ok() {}
                let files = self.files.clone();
                let reading = spawn_blocking(move || Fingerprint::of(&files));
                self.reading.insert(reading)
            }
        };
        let read = reading.await;
        self.reading = None;
        // The task is cancelled only with the runtime, when nobody waits any longer.
        read.unwrap_or(Fingerprint([None; 2]))
    }
}

/// What this program itself wrote into the configuration file and has put into force.
#[derive(Clone, Debug, Default)]
pub struct OwnWrite(Arc<Mutex<Option<u64>>>);

impl OwnWrite {
    /// This is in force.
    pub fn remember(&self, fingerprint: u64) {
        self.put(Some(fingerprint));
    }

    /// Something else may be.
    pub fn forget(&self) {
        self.put(None);
    }

    fn put(&self, fingerprint: Option<u64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fingerprint;
    }

    fn is(&self, fingerprint: Option<u64>) -> bool {
        let own = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.is_some() && own == fingerprint
    }
}

/// Fingerprints of the files' contents, since one of them holds secrets. `None` for an unreadable file.
#[derive(Debug, PartialEq, Eq)]
struct Fingerprint([Option<u64>; 2]);

impl Fingerprint {
    fn of(files: &[PathBuf; 2]) -> Self {
        Self(files.each_ref().map(|file| {
            let content = fs::read(file).ok()?;
            Some(fingerprint(&content))
        }))
    }
}

fn is_mere_reading(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(_) => true,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => false,
    }
}

/// The folders of the files and of what they link to.
fn folders(files: &[PathBuf; 2]) -> BTreeSet<PathBuf> {
    let targets = files.iter().filter_map(|file| fs::canonicalize(file).ok());
    let as_named = files.iter().cloned();
    let folders = as_named.chain(targets).map(|file| folder_of(&file));
    folders
        .map(|folder| fs::canonicalize(&folder).unwrap_or(folder))
        .collect()
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind};

    use super::*;

    const GUARD: Duration = Duration::from_secs(20);

    fn folder_with(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        fs::write(&config, text).unwrap();
        (folder, config)
    }

    async fn is_noticed(watch: &mut Watch) -> bool {
        tokio::time::timeout(GUARD, watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn writing_into_the_file_is_noticed() {
        let (_folder, config) = folder_with("a = 1");
        let mut watch = watch(&config).unwrap();

        fs::write(&config, "a = 2").unwrap();

        assert!(is_noticed(&mut watch).await);
    }

    #[tokio::test]
    async fn a_change_between_reading_and_watching_is_noticed_once() {
        let (_folder, config) = folder_with("");
        let loaded = crate::load::load(&config).unwrap();
        fs::write(&config, "[ui]\n").unwrap();

        let mut watch = watch(&config).unwrap().since(&loaded);

        assert!(is_noticed(&mut watch).await);
        assert_eq!(watch.look_at, None);
    }

    #[test]
    fn a_file_that_is_as_it_was_read_is_no_reason_to_look() {
        let (_folder, config) = folder_with("");
        let loaded = crate::load::load(&config).unwrap();

        let watch = watch(&config).unwrap().since(&loaded);

        assert_eq!(watch.look_at, None);
    }

    #[tokio::test]
    async fn replacing_the_file_by_another_is_noticed_every_time() {
        let (folder, config) = folder_with("a = 1");
        let mut watch = watch(&config).unwrap();
        let replacement = folder.path().join(".config.toml.swp");

        for text in ["a = 2", "a = 3"] {
            fs::write(&replacement, text).unwrap();
            fs::rename(&replacement, &config).unwrap();

            assert!(is_noticed(&mut watch).await, "{text}");
        }
    }

    #[tokio::test]
    async fn a_new_dotenv_beside_the_file_is_noticed() {
        let (_folder, config) = folder_with("");
        let mut watch = watch(&config).unwrap();

        fs::write(dotenv_path(&config), "A=1").unwrap();

        assert!(is_noticed(&mut watch).await);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_change_behind_a_symbolic_link_is_noticed() {
        let (_elsewhere, target) = folder_with("a = 1");
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("config.toml");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let mut watch = watch(&link).unwrap();

        fs::write(&target, "a = 2").unwrap();

        assert!(is_noticed(&mut watch).await);
    }

    #[tokio::test]
    async fn a_change_outlives_a_caller_that_keeps_giving_up() {
        let (_folder, config) = folder_with("a = 1");
        let mut watch = watch(&config).unwrap();
        fs::write(&config, "a = 2").unwrap();
        let impatient = async {
            let patience = SETTLING / 10;
            while tokio::time::timeout(patience, watch.changed())
                .await
                .is_err()
            {}
        };

        let noticed = tokio::time::timeout(GUARD, impatient).await;

        assert!(noticed.is_ok());
    }

    /// Reading a pipe blocks until somebody writes to it.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_file_that_is_read_slowly_blocks_no_worker() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let (_folder, config) = folder_with("");
        let mut watch = watch(&config).unwrap();
        let pipe = dotenv_path(&config);
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let (is_read, read) = tokio::sync::oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let writer = std::thread::spawn(move || {
            let file = fs::OpenOptions::new().write(true).open(pipe).unwrap();
            let _ = is_read.send(());
            let _ = released.recv_timeout(GUARD);
            drop(file);
        });

        let is_free = tokio::select! {
            biased;
            () = watch.changed() => false,
            read = read => read.is_ok(),
        };
        drop(release);
        let noticed = is_noticed(&mut watch).await;

        assert!(is_free && noticed);
        writer.join().unwrap();
    }

    #[test]
    fn saving_the_same_text_again_is_no_change() {
        let (_folder, config) = folder_with("a = 1");
        let files = [config.clone(), dotenv_path(&config)];
        let before = Fingerprint::of(&files);

        fs::write(&config, "a = 1").unwrap();

        assert_eq!(Fingerprint::of(&files), before);
    }

    #[test]
    fn reading_the_file_is_no_reason_to_look() {
        assert!(is_mere_reading(EventKind::Access(AccessKind::Any)));
        assert!(!is_mere_reading(EventKind::Create(CreateKind::File)));
    }

    #[test]
    fn a_folder_that_is_not_there_cannot_be_watched() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("missing/config.toml");

        let error = watch(&config).unwrap_err();

        assert_eq!(error.config, config);
        assert!(error.to_string().contains("missing"), "{error}");
    }
}
