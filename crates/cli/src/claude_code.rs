//! Claude Code's settings, pointed at Zephyr and back.
//!
//! `connect` sets `env.ANTHROPIC_BASE_URL` and `env.ANTHROPIC_AUTH_TOKEN` in Claude Code's
//! `settings.json`, which count more than the shell's variables, and leaves everything else in it byte
//! for byte. What was there before is recorded in the data folder first, so that `disconnect` restores
//! exactly that, whether or not a Zephyr runs and wherever one was killed.
//!
//! The rule for all of it: a key is ours while it has a value that we wrote. What somebody has changed
//! since is theirs, is left alone, and is reported. The one exception is a person who says `connect`
//! again: then what is there becomes what will be restored.
//!
//! Not for the project's own settings, which Claude Code prefers over these, and not for other clients.
//! Everything here blocks.

mod document;
mod file;
mod plan;
mod record;
mod step;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod words;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use document::Key;
pub use target::{Credential, Target, TargetError, printed};
pub use words::{connected, disconnected};

use document::Malformed;
use file::{Replaced, Seen, SettingsFile};
use plan::Refusal;
use record::{FileBefore, Intent, Record, Standing};
use step::Step;
use store::Store;

/// Settings and what is recorded of them.
#[derive(Clone, Debug)]
pub struct ClaudeCode {
    settings: PathBuf,
    store: Store,
}

/// What `connect` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The file.
    pub settings: PathBuf,
    /// Where Claude Code now sends its requests.
    pub url: String,
    /// What was set.
    pub keys: Vec<Key>,
    /// Whether anything had to be done.
    pub change: Change,
}

/// Whether a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It already was as it should be.
    None,
    /// It was written.
    Written,
    /// It was removed: it had not been there before.
    Removed,
}

/// What `disconnect` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disconnected {
    /// Nothing is recorded, and nothing was done.
    NotConnected,
    /// The settings were as before; that it should be connected again is forgotten.
    AlreadyRestored {
        /// The file.
        settings: PathBuf,
    },
    /// What was there before is there again.
    Restored {
        /// The file.
        settings: PathBuf,
        /// What became of it.
        change: Change,
        /// What was restored.
        keys: Vec<Key>,
        /// What somebody has changed since, and was left alone.
        left_alone: Vec<Key>,
    },
    /// Somebody has changed all that we had set; it was left alone.
    LeftAlone {
        /// The file.
        settings: PathBuf,
        /// What was changed.
        keys: Vec<Key>,
    },
}

/// What a start did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// It was not connected, so it is not now.
    NotConnected,
    /// It is connected, by what is valid now.
    Connected(Connected),
    /// It was connected, but somebody has changed the settings since.
    LeftAlone {
        /// The file.
        settings: PathBuf,
        /// What was changed.
        keys: Vec<Key>,
    },
}

/// Why the settings are as they were. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not known where they are.
    #[error(
        "there is no home folder to look for Claude Code's settings in; name its folder with CLAUDE_CONFIG_DIR"
    )]
    NoHome,
    /// They cannot be read.
    #[error("{} cannot be read; check that it is a file and that you may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder or a device is in their place.
    #[error("{} is not a file; move it away", .0.display())]
    NoFile(PathBuf),
    /// They are not UTF-8.
    #[error("{} is not UTF-8 text, so it was not touched; save it as UTF-8", .0.display())]
    NotText(PathBuf),
    /// They are not JSON.
    #[error(
        "{} is not valid JSON (line {line}, column {column}), so it was not touched; correct it first",
        path.display()
    )]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where reading stopped.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// They are JSON, but not settings.
    #[error("{} is not a JSON object, so it was not touched; correct it first", .0.display())]
    NoObject(PathBuf),
    /// `env` is not what it has to be.
    #[error("env in {} is not a JSON object, so the file was not touched; correct it first", .0.display())]
    EnvIsNoObject(PathBuf),
    /// Claude Code ignores them.
    #[error(
        "{} has comments, a trailing comma or the like: Claude Code ignores the whole file for that, \
         so it was not touched; make it plain JSON first",
        .0.display()
    )]
    NotRead(PathBuf),
    /// Somebody does not want them changed.
    #[error("{} is read-only, so it was not touched; make it writable first", .0.display())]
    ReadOnly(PathBuf),
    /// They cannot be written.
    #[error("{} cannot be written; check the free space and that you may write to its folder", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others do not stop to write them.
    #[error("{} changes all the time; close what writes to it and try again", .0.display())]
    Busy(PathBuf),
    /// Another Zephyr is at it and does not end.
    #[error("another Zephyr is changing Claude Code's settings; try again, or end it ({})", .0.display())]
    Locked(PathBuf),
    /// The record cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The record is not one.
    #[error(
        "{} cannot be understood; if it is from a newer Zephyr, use that one, else restore Claude Code's settings \
         by hand and delete it",
        .0.display()
    )]
    RecordMalformed(PathBuf),
    /// Other settings are connected.
    #[error(
        "Claude Code is connected by other settings, {}; run `zephyr disconnect claude-code` first",
        .0.display()
    )]
    Elsewhere(PathBuf),
}

impl ClaudeCode {
    /// By `CLAUDE_CONFIG_DIR`, else in the home folder, as Claude Code itself looks for them.
    ///
    /// # Errors
    ///
    /// If there is no home folder.
    pub fn locate(data_dir: &Path) -> Result<Self, Error> {
        let named = env::var_os("CLAUDE_CONFIG_DIR").filter(|folder| !folder.is_empty());
        let folder = match named {
            Some(folder) => PathBuf::from(folder),
            None => env::home_dir()
                .filter(|home| !home.as_os_str().is_empty())
                .ok_or(Error::NoHome)?
                .join(".claude"),
        };
        Self::at(&folder.join("settings.json"), data_dir)
    }

    /// That settings file, recorded in that data folder.
    ///
    /// # Errors
    ///
    /// If the path is empty, or relative to a folder that is gone.
    pub fn at(settings: &Path, data_dir: &Path) -> Result<Self, Error> {
        // The record must be true for whoever reads it from another folder.
        let absolute = std::path::absolute(settings).map_err(|source| Error::Unreadable {
            path: settings.to_owned(),
            source,
        })?;
        Ok(Self {
            settings: absolute,
            store: Store::new(data_dir.to_owned()),
        })
    }

    /// The settings file.
    pub fn settings(&self) -> &Path {
        &self.settings
    }

    /// Where the settings point. Reads two small files.
    pub fn state(&self) -> zephyr_control::ClaudeCode {
        let Ok(standings) = self.standings() else {
            return zephyr_control::ClaudeCode::Unknown;
        };
        let standings = standings.unwrap_or_default();
        let url = standings.iter().find(|(key, _)| *key == Key::BaseUrl);
        let all_ours = standings
            .iter()
            .all(|(_, standing)| *standing == Standing::Ours);
        match url.map(|(_, standing)| standing) {
            None | Some(Standing::Before) => zephyr_control::ClaudeCode::Disconnected,
            Some(Standing::Ours) if all_ours => zephyr_control::ClaudeCode::Connected,
            Some(Standing::Ours | Standing::Changed) => zephyr_control::ClaudeCode::Changed,
        }
    }

    /// Points the settings at `target`, and forgets whoever has changed them since the last time.
    ///
    /// # Errors
    ///
    /// Says why nothing was changed.
    pub fn connect(&self, target: &Target) -> Result<Connected, Error> {
        let _lock = self.store.lock()?;
        let older = self.store.load()?;
        if let Some(older) = &older
            && older.settings != self.settings
        {
            return Err(Error::Elsewhere(older.settings.clone()));
        }
        self.point(&self.settings, older.as_ref(), target, &[])
    }

    /// Restores what was there before, for good.
    ///
    /// # Errors
    ///
    /// Says why nothing was changed.
    pub fn disconnect(&self) -> Result<Disconnected, Error> {
        self.restore(|_, _| None)
    }

    /// Restores what was there before for as long as no Zephyr runs: [`resume`](Self::resume) connects
    /// again, unless somebody has changed the settings by then.
    ///
    /// # Errors
    ///
    /// Says why nothing was changed.
    pub fn suspend(&self) -> Result<Disconnected, Error> {
        self.restore(|record, standings| match record.intent {
            Intent::Suspended => Some(record.clone()),
            Intent::Connected => {
                let theirs = keys_that(standings, |standing| standing != Standing::Ours);
                let mut suspended = record.but_for(&theirs);
                suspended.intent = Intent::Suspended;
                (!theirs.contains(&Key::BaseUrl)).then_some(suspended)
            }
        })
    }

    /// At a start: connects again what was suspended, and points at `target` what a killed Zephyr left
    /// connected. What somebody has changed since is left alone.
    ///
    /// # Errors
    ///
    /// Says why nothing was changed.
    pub fn resume(&self, target: &Target) -> Result<Resumed, Error> {
        if self.store.load()?.is_none() {
            return Ok(Resumed::NotConnected);
        }
        let _lock = self.store.lock()?;
        let Some(record) = self.store.load()? else {
            return Ok(Resumed::NotConnected);
        };
        let settings = record.settings.clone();
        let standings = self.standings_of(&record)?;
        // While connected, whoever restored a key by hand has changed it, too.
        let theirs = keys_that(&standings, |standing| match (record.intent, standing) {
            (_, Standing::Ours) | (Intent::Suspended, Standing::Before) => false,
            (_, Standing::Changed) | (Intent::Connected, Standing::Before) => true,
        });
        let url_is = standings.iter().find(|(key, _)| *key == Key::BaseUrl);
        match (record.intent, url_is.map(|(_, standing)| standing)) {
            (_, Some(Standing::Ours)) | (Intent::Suspended, Some(Standing::Before)) => {
                let theirs = record
                    .given_up()
                    .into_iter()
                    .chain(theirs)
                    .collect::<Vec<_>>();
                let connected = self.point(&settings, Some(&record), target, &theirs)?;
                Ok(Resumed::Connected(connected))
            }
            // Killed before it was connected or after it was disconnected, or disconnected by hand.
            (Intent::Connected, Some(Standing::Before)) | (_, None) => {
                self.take_back(&record, None)?;
                Ok(Resumed::NotConnected)
            }
            (intent, Some(Standing::Changed)) => {
                if intent == Intent::Suspended {
                    self.take_back(&record, None)?;
                }
                Ok(Resumed::LeftAlone {
                    settings,
                    keys: theirs,
                })
            }
        }
    }

    /// Sets what `target` says, but for the keys that are somebody else's.
    fn point(
        &self,
        settings: &Path,
        older: Option<&Record>,
        target: &Target,
        theirs: &[Key],
    ) -> Result<Connected, Error> {
        let mut values = target.values();
        values.retain(|(key, _)| !theirs.contains(key));
        let change = self.rewrite(settings, older, |file, content| {
            let back = older.map(|older| plan::take_back(older, content));
            let former = match back {
                Some(back) => back.map_err(|why| malformed(settings, why))?.content,
                None => content.map(str::to_owned),
            };
            let mut folders = match older.map(|older| &older.file) {
                Some(FileBefore::Absent { folders }) => folders.clone(),
                Some(FileBefore::Blank { .. } | FileBefore::Settings) | None => Vec::new(),
            };
            for missing in file.missing_folders() {
                if !folders.contains(&missing) {
                    folders.push(missing);
                }
            }
            let applied = plan::apply(settings, folders, former.as_deref(), &values)
                .map_err(|why| refused(settings, why))?;
            let mut record = applied.record;
            if let Some(older) = older {
                let given_up = older.but_for(theirs).keys.into_iter();
                record
                    .keys
                    .extend(given_up.filter(|held| theirs.contains(&held.key)));
            }
            Ok(Planned {
                content: Some(applied.text),
                during: record.covering(older),
                after: Some(record),
            })
        })?;
        Ok(Connected {
            settings: settings.to_owned(),
            url: target.url().to_owned(),
            keys: values.into_iter().map(|(key, _)| key).collect(),
            change,
        })
    }

    /// Takes our keys back; `remember` says what stays recorded.
    fn restore(
        &self,
        remember: impl FnOnce(&Record, &[(Key, Standing)]) -> Option<Record>,
    ) -> Result<Disconnected, Error> {
        if self.store.load()?.is_none() {
            return Ok(Disconnected::NotConnected);
        }
        let _lock = self.store.lock()?;
        let Some(record) = self.store.load()? else {
            return Ok(Disconnected::NotConnected);
        };
        let standings = self.standings_of(&record)?;
        self.take_back(&record, remember(&record, &standings).as_ref())
    }

    fn take_back(&self, record: &Record, after: Option<&Record>) -> Result<Disconnected, Error> {
        let settings = record.settings.clone();
        let (mut keys, mut left_alone) = (Vec::new(), Vec::new());
        let change = self.rewrite(&settings, Some(record), |_, content| {
            let back = plan::take_back(record, content).map_err(|why| malformed(&settings, why))?;
            (keys, left_alone) = (back.taken, back.changed);
            Ok(Planned {
                content: back.content,
                during: after.unwrap_or(record).clone(),
                after: after.cloned(),
            })
        })?;
        Ok(match (keys.is_empty(), left_alone.is_empty()) {
            (true, true) => Disconnected::AlreadyRestored { settings },
            (true, false) => Disconnected::LeftAlone {
                settings,
                keys: left_alone,
            },
            (false, _) => Disconnected::Restored {
                settings,
                change,
                keys,
                left_alone,
            },
        })
    }

    /// Brings the settings to what `plan` makes of them, and the record before and after that. Whoever
    /// else writes meanwhile is heard: the plan is made anew from their text.
    fn rewrite(
        &self,
        settings: &Path,
        older: Option<&Record>,
        mut plan: impl FnMut(&SettingsFile, Option<&str>) -> Result<Planned, Error>,
    ) -> Result<Change, Error> {
        const ROUNDS: u32 = 20;
        let file = SettingsFile::resolve(settings, self.store.data_dir())?;
        let mut recorded = older.cloned();
        let mut change = Change::None;
        let mut overtaken = None;
        for _ in 0..ROUNDS {
            file.sweep();
            let outcome = file.see().and_then(|seen| {
                let base = overtaken.take().or_else(|| seen.content.clone());
                let planned = plan(&file, base.as_deref())?;
                self.store
                    .settle(recorded.as_ref(), Some(&planned.during))?;
                recorded = Some(planned.during);
                step::reached(Step::RecordWritten);
                let replaced = exchange(&file, seen, planned.content.as_deref())?;
                Ok((planned.content, planned.after, replaced))
            });
            let (content, after, replaced) = match outcome {
                Ok(outcome) => outcome,
                Err(error) => {
                    if change == Change::None {
                        self.forget(recorded.as_ref(), older)?;
                    }
                    return Err(error);
                }
            };
            match replaced {
                Exchanged::Same => {}
                Exchanged::Now(Replaced::Done) => change = Change::of(content.as_deref()),
                Exchanged::Now(Replaced::ChangedBefore) => continue,
                Exchanged::Now(Replaced::Overtook(theirs)) => {
                    change = Change::of(content.as_deref());
                    overtaken = Some(theirs);
                    continue;
                }
            }
            if content.is_none()
                && let Some(FileBefore::Absent { folders }) = older.map(|older| &older.file)
            {
                remove_empty(folders);
            }
            self.store.settle(recorded.as_ref(), after.as_ref())?;
            step::reached(Step::RecordSettled);
            return Ok(change);
        }
        if change == Change::None {
            self.forget(recorded.as_ref(), older)?;
        }
        Err(Error::Busy(settings.to_owned()))
    }

    /// Nothing of ours has come into the settings: what was recorded before is still true.
    fn forget(&self, recorded: Option<&Record>, older: Option<&Record>) -> Result<(), Error> {
        if older.is_none()
            && let Some(FileBefore::Absent { folders }) = recorded.map(|record| &record.file)
        {
            remove_empty(folders);
        }
        self.store.settle(recorded, older)
    }

    fn standings(&self) -> Result<Option<Vec<(Key, Standing)>>, Error> {
        let record = self.store.load()?;
        record.map(|record| self.standings_of(&record)).transpose()
    }

    fn standings_of(&self, record: &Record) -> Result<Vec<(Key, Standing)>, Error> {
        let file = SettingsFile::resolve(&record.settings, self.store.data_dir())?;
        let seen = file.see()?;
        plan::standings(record, seen.content.as_deref())
            .map_err(|why| malformed(&record.settings, why))
    }
}

/// What a settings file is to become.
struct Planned {
    content: Option<String>,
    /// What must be recorded before the file is touched.
    during: Record,
    /// What must be recorded once it is done.
    after: Option<Record>,
}

enum Exchanged {
    Same,
    Now(Replaced),
}

impl Change {
    fn of(content: Option<&str>) -> Self {
        match content {
            Some(_) => Self::Written,
            None => Self::Removed,
        }
    }
}

fn keys_that(standings: &[(Key, Standing)], are: impl Fn(Standing) -> bool) -> Vec<Key> {
    let standings = standings.iter().filter(|(_, standing)| are(*standing));
    standings.map(|(key, _)| *key).collect()
}

fn exchange(file: &SettingsFile, seen: Seen, content: Option<&str>) -> Result<Exchanged, Error> {
    if seen.content.as_deref() == content {
        return Ok(Exchanged::Same);
    }
    file.replace(seen, content).map(Exchanged::Now)
}

/// Innermost first; one that somebody else uses by now stays, with those above it.
fn remove_empty(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

fn refused(settings: &Path, why: Refusal) -> Error {
    match why {
        Refusal::Malformed(why) => malformed(settings, why),
        Refusal::NotRead => Error::NotRead(settings.to_owned()),
    }
}

fn malformed(settings: &Path, why: Malformed) -> Error {
    let path = settings.to_owned();
    match why {
        Malformed::Syntax { line, column } => Error::Syntax { path, line, column },
        Malformed::RootIsNoObject => Error::NoObject(path),
        Malformed::EnvIsNoObject => Error::EnvIsNoObject(path),
    }
}
