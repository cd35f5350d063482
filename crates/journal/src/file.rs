//! The file of the journal: how it is opened, and what happens to one that cannot be used.
//!
//! With a write-ahead log, readers and the writer do not wait for each other, and the file opens after the
//! program was killed. A commit survives the end of the program at once, and a power failure from the next
//! checkpoint on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use zephyr_secrets::private;

use crate::tables::{Migrated, migrate};

/// Longest wait for another instance that writes. Its batches are short.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pages of the write-ahead log that make a checkpoint due.
const CHECKPOINT: u32 = 2000;

/// Why there is no file to write to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The folder or the file cannot be created.
    #[error("{path} cannot be created: {source}")]
    Create { path: PathBuf, source: io::Error },
    /// SQLite cannot use the file.
    #[error("{path} cannot be used: {source}")]
    Unusable {
        path: PathBuf,
        source: rusqlite::Error,
    },
    /// It has tables that this program does not know.
    #[error("{path} was written by a newer version of Zephyr")]
    Newer { path: PathBuf },
}

/// Opens the file for writing, and creates it if there is none.
pub(crate) fn open(path: &Path) -> Result<Connection, OpenError> {
    create(path).map_err(|source| OpenError::Create {
        path: path.to_owned(),
        source,
    })?;
    match prepare(path) {
        Ok((connection, Migrated::Current)) => Ok(connection),
        Ok((_, Migrated::Newer)) => Err(OpenError::Newer {
            path: path.to_owned(),
        }),
        Err(source) => Err(OpenError::Unusable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Opens the file for reading.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "cache_size", -8_000)?;
    Ok(connection)
}

/// Renames a file that cannot be used, without replacing another one. Returns its new path.
pub(crate) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = free_place(path);
    for ending in ["-wal", "-shm"] {
        let (from, to) = (beside(path, ending), beside(&aside, ending));
        if from.exists() {
            fs::rename(from, to)?;
        }
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// Bytes of the file and of its write-ahead log.
pub(crate) fn size(path: &Path) -> u64 {
    let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    length(path) + length(&beside(path, "-wal"))
}

/// Whether a new file is needed: this one is damaged, no database, or read-only. A file that only cannot be
/// opened stays: SQLite also says so when descriptors or space for the log are short.
pub(crate) fn is_beyond_use(path: &Path, error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => path.is_dir(),
        Some(code) => matches!(
            code,
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ReadOnly
                | ErrorCode::TypeMismatch
        ),
        None => false,
    }
}

fn create(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        private::folder(folder)?;
    }
    match private::create_new(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            for file in ["", "-wal", "-shm"].map(|ending| beside(path, ending)) {
                // SQLite says what it makes of a folder.
                if fs::symlink_metadata(&file).is_ok_and(|found| !found.is_dir()) {
                    private::open(&file)?; // Takes the rights of others away, or says that it is not ours.
                }
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn prepare(path: &Path) -> rusqlite::Result<(Connection, Migrated)> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Takes effect only in a file without tables.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    connection.pragma_update(None, "cache_size", -2_000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let migrated = migrate(&mut connection)?;
    Ok((connection, migrated))
}

/// `….bad`, or `….bad.1` and so on if there is one.
fn free_place(path: &Path) -> PathBuf {
    let is_free = |place: &PathBuf| {
        let files = ["", "-wal", "-shm"].map(|ending| beside(place, ending));
        files.iter().all(|file| fs::symlink_metadata(file).is_err())
    };
    let first = beside(path, ".bad");
    let numbered = (1_u32..).map(|number| beside(path, &format!(".bad.{number}")));
    std::iter::once(first.clone())
        .chain(numbered)
        .find(is_free)
        .unwrap_or(first)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("journal.db");
        (folder, path)
    }

    #[test]
    fn a_new_file_gives_freed_pages_back_and_is_the_users_own() {
        let (_folder, path) = place();

        let connection = open(&path).unwrap();

        let vacuum: i64 = connection
            .pragma_query_value(None, "auto_vacuum", |row| row.get(0))
            .unwrap();
        assert_eq!(vacuum, 2, "incremental");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            for path in [path.clone(), beside(&path, "-wal")] {
                let mode = fs::metadata(path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        }
    }

    /// SQLite gives the files that it makes the mode of the database.
    #[cfg(unix)]
    #[test]
    fn files_that_others_may_read_are_tightened() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = place();
        let first = open(&path).unwrap();
        let all = ["", "-wal", "-shm"].map(|ending| beside(&path, ending));
        for file in &all {
            fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
        }

        let second = open(&path).unwrap();

        for file in &all {
            let mode = fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
        drop((first, second));
    }

    #[test]
    fn what_is_no_database_is_beyond_use_and_can_be_set_aside() {
        let (_folder, path) = place();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(
            &path,
            "a letter to my mother, and not a short one".repeat(99),
        )
        .unwrap();

        let Err(OpenError::Unusable { source, .. }) = open(&path) else {
            panic!("it was opened");
        };
        let aside = set_aside(&path).unwrap();

        assert!(is_beyond_use(&path, &source), "{source:?}");
        assert!(fs::read(aside).unwrap().starts_with(b"a letter"));
        open(&path).unwrap();
    }

    #[test]
    fn a_folder_in_its_place_is_set_aside_too() {
        let (_folder, path) = place();
        fs::create_dir_all(&path).unwrap();

        let Err(OpenError::Unusable { source, .. }) = open(&path) else {
            panic!("it was opened");
        };

        assert!(is_beyond_use(&path, &source), "{source:?}");
        set_aside(&path).unwrap();
        open(&path).unwrap();
    }

    #[test]
    fn a_file_set_aside_is_not_lost_to_the_next() {
        let (_folder, path) = place();
        fs::create_dir_all(path.parent().unwrap()).unwrap();

        let asides = ["one", "two", "three"].map(|text| {
            fs::write(&path, text).unwrap();
            set_aside(&path).unwrap()
        });

        let kept = asides.map(|aside| fs::read_to_string(aside).unwrap());
        assert_eq!(kept, ["one", "two", "three"]);
    }

    #[test]
    fn a_file_whose_log_cannot_be_created_is_left_for_a_later_attempt() {
        let (_folder, path) = place();
        drop(open(&path).unwrap());
        fs::create_dir(beside(&path, "-wal")).unwrap();

        let Err(OpenError::Unusable { source, .. }) = open(&path) else {
            panic!("it was opened");
        };

        assert_eq!(source.sqlite_error_code(), Some(ErrorCode::CannotOpen));
        assert!(!is_beyond_use(&path, &source), "{source:?}");
    }

    /// Permissions mean nothing to a superuser, under whom tests may run; a version in the file's head that
    /// SQLite does not write means the same to all.
    #[test]
    fn a_file_that_is_not_to_be_written_to_is_beyond_use() {
        let (_folder, path) = place();
        open(&path).unwrap().execute("VACUUM", []).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[18] = 3;
        fs::write(&path, bytes).unwrap();

        let Err(OpenError::Unusable { source, .. }) = open(&path) else {
            panic!("it was opened");
        };

        assert!(is_beyond_use(&path, &source), "{source:?}");
    }

    #[test]
    fn the_file_of_a_newer_program_is_left_where_it_is() {
        let (_folder, path) = place();
        let connection = open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);

        assert!(matches!(open(&path), Err(OpenError::Newer { .. })));
    }
}
