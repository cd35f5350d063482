//! The configuration file on disk: read, and replaced as a whole if nobody else changed it meanwhile.
//!
//! A reader never sees half of the new text, and a full disk loses nothing. A symbolic link stays one.
//! Owner, group and mode stay; see [`zephyr_secrets::ownership`].

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zephyr_secrets::ownership;

use crate::load::{LoadError, not_utf8};

/// Why the file was not read or not written. Nothing has changed on disk.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(transparent)]
    Unreadable(#[from] LoadError),
    #[error("{}", ownership::unwritable(path, source))]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("{} was changed by another program just now; try again", .0.display())]
    Changed(PathBuf),
}

/// A configuration file that is about to be changed.
pub struct File {
    /// Without symbolic links.
    path: PathBuf,
    text: String,
}

impl File {
    /// Reads the file. Blocks.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or it is not UTF-8.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let unreadable = |source| LoadError::Io {
            path: path.to_owned(),
            source,
        };
        let file = fs::canonicalize(path).map_err(unreadable)?;
        let bytes = fs::read(&file).map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|error| LoadError::Invalid {
            path: path.to_owned(),
            problems: not_utf8(&error),
        })?;
        Ok(Self { path: file, text })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Replaces the file's text, whole or not at all. Blocks.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or another program changed it since it was read.
    pub fn write(&self, text: &str) -> Result<(), FileError> {
        if text == self.text {
            return Ok(());
        }
        let replaced = self.replace(text).map_err(|source| FileError::Unwritable {
            path: self.path.clone(),
            source,
        })?;
        match replaced {
            Replaced::Done => Ok(()),
            Replaced::ChangedBefore => Err(FileError::Changed(self.path.clone())),
        }
    }

    fn replace(&self, text: &str) -> io::Result<Replaced> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(text.as_bytes())?;
        ownership::take_over(new.as_file(), &fs::metadata(&self.path)?)?;
        new.as_file().sync_all()?;
        if fs::read(&self.path)? != self.text.as_bytes() {
            return Ok(Replaced::ChangedBefore);
        }
        new.persist(&self.path)?;
        Ok(Replaced::Done)
    }
}

enum Replaced {
    Done,
    /// Another program changed the file, so nothing was written.
    ChangedBefore,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_that_another_program_changed_is_left_to_it() {
        let (folder, path) = folder_with("");
        let file = File::read(&path).unwrap();
        fs::write(&path, "[ui]\n").unwrap();

        let outcome = file.write("[desktop]\n");

        assert!(matches!(outcome, Err(FileError::Changed(_))));
        assert_eq!(fs::read(&path).unwrap(), b"[ui]\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_a_second_name_stays_as_it_is_under_both() {
        let (folder, path) = folder_with("[ui]\n");
        let other = folder.path().join("other");
        fs::hard_link(&path, &other).unwrap();

        let error = File::read(&path).unwrap().write("[desktop]\n").unwrap_err();

        assert!(error.to_string().contains("hard links"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), fs::read(&other).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn owner_and_group_stay() {
        use std::os::unix::fs::{MetadataExt, chown};
        let (_folder, path) = folder_with("[ui]\n");
        if chown(&path, Some(54_321), Some(54_322)).is_err() {
            println!("skipped: only root may give files away");
            return;
        }

        File::read(&path).unwrap().write("[desktop]\n").unwrap();

        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (54_321, 54_322));
        assert_eq!(fs::read(&path).unwrap(), b"[desktop]\n");
    }
}
