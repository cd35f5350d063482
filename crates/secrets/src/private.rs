//! Files that nobody but the user may read, such as those in the data folder.
//!
//! Each file is written beside its place and then moved there, so a reader never sees half of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{NamedTempFile, PersistError};

use crate::ownership;

/// Whether the file was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// The file is there now, with our contents.
    Created,
    /// Another file was there first. It is untouched.
    Existed,
}

/// Creates the file, unless there is one.
///
/// # Errors
///
/// The folder cannot be written to.
pub fn create(path: &Path, contents: &[u8]) -> io::Result<Creation> {
    folder(parent(path))?;
    match beside(path, contents)?.persist_noclobber(path) {
        Ok(_) => Ok(Creation::Created),
        Err(PersistError { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Creation::Existed)
        }
        Err(PersistError { error, .. }) => Err(error),
    }
}

/// Puts the file in the place of whatever was there.
///
/// # Errors
///
/// The folder cannot be written to. An earlier file is still there.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let new = beside(path, contents)?;
    ownership::keep_owner(new.as_file(), path);
    new.persist(path)?;
    Ok(())
}

/// Makes the folder and those above it, for nobody but the user. An existing folder stays as it is; on
/// Windows, one outside of the user's profile is closed to others if it is empty.
///
/// # Errors
///
/// One of them cannot be made. On Windows also: others have rights to a folder outside of the profile.
pub fn folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return platform::adopt_folder(folder);
    }
    platform::create_folder(folder)
}

/// Creates an empty file to write into, if none is there.
///
/// # Errors
///
/// One is there, or the folder cannot be written to.
pub fn create_new(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    platform::private(options.write(true).create_new(true)).open(path)
}

/// Opens the file to write into, and creates it if none is there.
///
/// # Errors
///
/// It cannot be written to.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    platform::private(options.write(true).create(true).truncate(false)).open(path)
}

/// Opens the file to write at its end, and creates it if none is there. Takes an existing file's rights away
/// from others.
///
/// # Errors
///
/// It cannot be written to.
pub fn append(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    let file = platform::private(options.append(true).create(true)).open(path)?;
    tighten(path)?;
    Ok(file)
}

/// Takes away the rights of others to the file.
///
/// # Errors
///
/// The file is not there, or not ours.
pub fn tighten(path: &Path) -> io::Result<()> {
    platform::tighten(path)
}

fn beside(path: &Path, contents: &[u8]) -> io::Result<NamedTempFile> {
    let folder = parent(path);
    if !folder.is_dir() {
        platform::create_folder(folder)?;
    }
    // `tempfile` opens with `O_EXCL` and, on Unix, mode 0600.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn parent(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(unix)]
mod platform {
    use super::{Path, fs, io};
    use std::fs::OpenOptions;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};

    pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
    }

    pub(super) fn adopt_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
        options.mode(0o600)
    }

    pub(super) fn tighten(path: &Path) -> io::Result<()> {
        let mode = fs::metadata(path)?.permissions().mode();
        if mode & 0o077 == 0 {
            return Ok(());
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
    }
}

/// What is in a folder has the folder's access list, so the folder is what counts.
#[cfg(windows)]
mod platform {
    use super::{Path, fs, io};
    use crate::access_list;
    use std::fs::OpenOptions;

    pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
        access_list::create(folder)
    }

    pub(super) fn adopt_folder(folder: &Path) -> io::Result<()> {
        access_list::adopt(folder)
    }

    pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    pub(super) fn tighten(path: &Path) -> io::Result<()> {
        fs::metadata(path).map(|_| ())
    }
}
