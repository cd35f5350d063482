//! The settings file on disk. It is replaced only if it has not changed since it was read.
//!
//! A new text is written beside the file and moved into its place, so that a reader never sees half of it and
//! a full disk loses nothing. Symbolic links are followed and stay. Mode, owner and group stay as
//! [`ownership`] says, but a file that gets a token of ours is its owner's alone ([`Access`]). Other writers cannot be locked out, so they are detected: before the move by a
//! comparison, and after it by reading the replaced file once more.

use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempPath;
use zephyr_secrets::{ownership, private};

use crate::error::Error;
use crate::reader;
use crate::step::{self, Step};

/// A longer chain of links is a loop.
const MOST_LINKS: usize = 40;

/// The settings file itself, after all links.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    /// A file beside it, with the same name in every run, so that the file of a killed run is found.
    scratch: PathBuf,
}

/// The file at one moment. It may contain secrets.
pub(crate) struct Seen {
    /// `None`: there is no file.
    pub(crate) content: Option<String>,
    open: Option<(File, Metadata)>,
}

/// Who may read the file afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever may now.
    Kept,
    /// Its owner alone: there is a token of ours in it.
    Owner,
    /// Whoever might before there was a token of ours in it: this mode.
    Restored(u32),
}

impl Access {
    /// The mode of a file that has the mode `now`.
    fn mode(self, now: u32) -> u32 {
        match self {
            Self::Kept => now,
            Self::Owner => ownership::for_the_owner(now),
            Self::Restored(before) => before,
        }
    }
}

/// How a replacement went.
pub(crate) enum Replaced {
    Done,
    /// Another program was faster. Nothing was done.
    ChangedBefore,
    /// Another program wrote this while the file was being replaced. It would be lost.
    Overtook(String),
}

impl Seen {
    /// The file's mode. `None`: there is no file, or the system has no modes.
    pub(crate) fn mode(&self) -> Option<u32> {
        let (_, metadata) = self.open.as_ref()?;
        ownership::mode(metadata)
    }
}

impl SettingsFile {
    /// Follows links to the file itself. `whose` distinguishes programs that write beside the same file.
    pub(crate) fn resolve(named: &Path, whose: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Unreadable {
            path: named.to_owned(),
            source,
        };
        let mut path = named.to_owned();
        for _ in 0..MOST_LINKS {
            let is_link = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata.is_symlink(),
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                Err(error) => return Err(unreadable(error)),
            };
            if !is_link {
                let mut hasher = DefaultHasher::new();
                whose.hash(&mut hasher);
                let name = format!(".settings.json.zephyr-{:016x}", hasher.finish());
                let scratch = path.with_file_name(name);
                return Ok(Self { path, scratch });
            }
            let to = fs::read_link(&path).map_err(unreadable)?;
            path = path.parent().unwrap_or(Path::new("")).join(to);
        }
        Err(unreadable(io::Error::other("its links lead in a circle")))
    }

    pub(crate) fn see(&self) -> Result<Seen, Error> {
        let unreadable = |source| Error::Unreadable {
            path: self.path.clone(),
            source,
        };
        let (mut file, metadata) = match fs::metadata(&self.path) {
            // Opening something else, such as a pipe, might wait for ever.
            Ok(metadata) if !metadata.is_file() => return Err(Error::NoFile(self.path.clone())),
            Ok(metadata) => (File::open(&self.path).map_err(unreadable)?, metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Seen {
                    content: None,
                    open: None,
                });
            }
            Err(error) => return Err(unreadable(error)),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        let content = String::from_utf8(bytes).map_err(|_| Error::NotText(self.path.clone()))?;
        step::reached(Step::Seen);
        Ok(Seen {
            content: Some(content),
            open: Some((file, metadata)),
        })
    }

    /// The folders that must be created first, outermost first.
    pub(crate) fn missing_folders(&self) -> Vec<PathBuf> {
        let mut missing: Vec<_> = self
            .path
            .ancestors()
            .skip(1)
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_owned)
            .collect();
        missing.reverse();
        missing
    }

    /// Replaces what was `seen` with `content`. `None` removes the file.
    pub(crate) fn replace(
        &self,
        seen: Seen,
        content: Option<&str>,
        access: Access,
    ) -> Result<Replaced, Error> {
        let failed = |source| Error::Unwritable {
            path: self.path.clone(),
            source,
        };
        if let Some((_, metadata)) = &seen.open
            && metadata.permissions().readonly()
        {
            return Err(Error::ReadOnly(self.path.clone()));
        }
        let done = match content {
            Some(text) => self.write(&seen, text, access),
            None => self.remove(&seen),
        };
        match done {
            Ok(Replaced::Done) => {}
            Ok(other @ (Replaced::ChangedBefore | Replaced::Overtook(_))) => return Ok(other),
            Err(error) => {
                self.sweep();
                return Err(failed(error));
            }
        }
        step::reached(Step::Replaced);
        Ok(overtaking(seen).map_or(Replaced::Done, Replaced::Overtook))
    }

    /// Sets who may read the file, whose text stays.
    pub(crate) fn set_access(&self, seen: &Seen, access: Access) -> Result<(), Error> {
        let Some(now) = seen.mode().filter(|now| access.mode(*now) != *now) else {
            return Ok(());
        };
        ownership::set_mode(&self.path, access.mode(now))
            .and_then(|()| check_private(&self.path, access))
            .map_err(|source| Error::Unwritable {
                path: self.path.clone(),
                source,
            })
    }

    /// Removes what a killed or failed run left beside the file.
    pub(crate) fn sweep(&self) {
        // If it cannot be removed, the next replacement fails and reports it.
        let _ = fs::remove_file(&self.scratch);
    }

    fn write(&self, seen: &Seen, text: &str, access: Access) -> io::Result<Replaced> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        private::folder(folder)?;
        step::reached(Step::FolderMade);
        let mut scratch = private::create_new(&self.scratch)?;
        check_private(&self.scratch, access)?;
        scratch.write_all(text.as_bytes())?;
        if let Some((_, metadata)) = &seen.open {
            let now = ownership::mode(metadata).unwrap_or_default();
            ownership::take_over_as(&scratch, metadata, access.mode(now))?;
        }
        scratch.sync_all()?;
        drop(scratch);
        step::reached(Step::ScratchWritten);
        if !self.still_is(seen)? {
            self.sweep();
            return Ok(Replaced::ChangedBefore);
        }
        step::reached(Step::Compared);
        if seen.open.is_some() {
            fs::rename(&self.scratch, &self.path)?;
        } else {
            let scratch = TempPath::try_from_path(&self.scratch)?;
            match scratch.persist_noclobber(&self.path) {
                Ok(()) => {}
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                    return Ok(Replaced::ChangedBefore);
                }
                Err(error) => return Err(error.error),
            }
        }
        platform::sync_folder(folder)?;
        Ok(Replaced::Done)
    }

    fn remove(&self, seen: &Seen) -> io::Result<Replaced> {
        if !self.still_is(seen)? {
            return Ok(Replaced::ChangedBefore);
        }
        step::reached(Step::Compared);
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(Replaced::Done),
        }
    }

    fn still_is(&self, seen: &Seen) -> io::Result<bool> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(seen.content.as_ref().map(String::as_bytes) == Some(&*bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(seen.content.is_none()),
            Err(error) => Err(error),
        }
    }
}

/// A file system without modes shows every file to everybody.
fn check_private(path: &Path, access: Access) -> io::Result<()> {
    match (access, private::exposure(path)) {
        (Access::Owner, Some(_)) => Err(io::Error::new(
            ErrorKind::Unsupported,
            "it would hold a token, and its file system lets other users read it",
        )),
        (Access::Owner | Access::Kept | Access::Restored(_), _) => Ok(()),
    }
}

/// The text that another program has written into the replaced file since it was read. That program may still
/// be writing, so this waits for a moment until the text is whole.
fn overtaking(seen: Seen) -> Option<String> {
    const LOOKS: u32 = 50;
    const BETWEEN: Duration = Duration::from_millis(10);
    let (mut file, _) = seen.open?;
    for _ in 0..LOOKS {
        let mut text = String::new();
        file.rewind().ok()?;
        match file.read_to_string(&mut text) {
            Ok(_) if Some(&text) == seen.content.as_ref() => return None,
            Ok(_) if reader::read(&text).is_ok() => return Some(text),
            Ok(_) | Err(_) => thread::sleep(BETWEEN),
        }
    }
    None
}

#[cfg(unix)]
mod platform {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    /// Makes the move durable. Before that, a power cut may bring the old file back.
    pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;
    use std::path::Path;

    pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }
}
