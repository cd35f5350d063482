//! Applies a plan to a settings file and its record, even if other programs write at the same time.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::file::{Access, Replaced, Seen, SettingsFile};
use crate::outcome::Change;
use crate::record::{FileBefore, Record};
use crate::step::{self, Step};
use crate::store::Store;

/// What a settings file should become.
pub(crate) struct Planned {
    pub(crate) content: Option<String>,
    pub(crate) access: Access,
    /// The record to write before the file is changed.
    pub(crate) during: Record,
    /// The record to write after that.
    pub(crate) after: Option<Record>,
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

/// Applies `plan` to the settings, which gets their mode and their text, and writes the record before and after. If another program writes in the
/// meantime, the plan is made again from the new text.
///
/// # Errors
///
/// Why nothing was changed.
pub(crate) fn rewrite(
    store: &Store,
    settings: &Path,
    older: Option<&Record>,
    mut plan: impl FnMut(&SettingsFile, Option<u32>, Option<&str>) -> Result<Planned, Error>,
) -> Result<Change, Error> {
    const ROUNDS: u32 = 20;
    let file = SettingsFile::resolve(settings, store.data_dir())?;
    let mut recorded = older.cloned();
    let mut change = Change::None;
    let mut overtaken = None;
    for _ in 0..ROUNDS {
        file.sweep();
        let outcome = file.see().and_then(|seen| {
            let base = overtaken.take().or_else(|| seen.content.clone());
            let planned = plan(&file, seen.mode(), base.as_deref())?;
            store.settle(recorded.as_ref(), Some(&planned.during))?;
            recorded = Some(planned.during);
            step::reached(Step::RecordWritten);
            let replaced = exchange(&file, seen, planned.content.as_deref(), planned.access)?;
            Ok((planned.content, planned.after, replaced))
        });
        let (content, after, replaced) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                if change == Change::None {
                    forget(store, recorded.as_ref(), older)?;
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
        store.settle(recorded.as_ref(), after.as_ref())?;
        step::reached(Step::RecordSettled);
        return Ok(change);
    }
    if change == Change::None {
        forget(store, recorded.as_ref(), older)?;
    }
    Err(Error::Busy(settings.to_owned()))
}

/// Nothing of ours is in the settings, so the older record is still right.
fn forget(store: &Store, recorded: Option<&Record>, older: Option<&Record>) -> Result<(), Error> {
    if older.is_none()
        && let Some(FileBefore::Absent { folders }) = recorded.map(|record| &record.file)
    {
        remove_empty(folders);
    }
    store.settle(recorded, older)
}

fn exchange(
    file: &SettingsFile,
    seen: Seen,
    content: Option<&str>,
    access: Access,
) -> Result<Exchanged, Error> {
    if seen.content.as_deref() == content {
        file.set_access(&seen, access)?;
        return Ok(Exchanged::Same);
    }
    file.replace(seen, content, access).map(Exchanged::Now)
}

/// Innermost first. A folder that is now in use stays, and so do the folders above it.
fn remove_empty(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}
