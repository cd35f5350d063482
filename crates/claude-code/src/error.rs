//! Why the settings are as they were.

use std::io;
use std::path::{Path, PathBuf};

use zephyr_secrets::client_token::ClientTokenError;
use zephyr_secrets::ownership;

use crate::reader::Malformed;

/// Why the settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Their place is not known.
    #[error(
        "there is no home folder to look for Claude Code's settings in; name its folder with CLAUDE_CONFIG_DIR"
    )]
    NoHome,
    /// They cannot be read.
    #[error("{} cannot be read; check that it is a file and that you may read it", path.display())]
    Unreadable {
        path: PathBuf,
        /// The error of the system.
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
        path: PathBuf,
        /// Where reading stopped.
        line: usize,
        /// The column in that line.
        column: usize,
    },
    /// They are JSON, but not settings.
    #[error("{} is not a JSON object, so it was not touched; correct it first", .0.display())]
    NoObject(PathBuf),
    /// `env` is not an object.
    #[error("env in {} is not a JSON object, so the file was not touched; correct it first", .0.display())]
    EnvIsNoObject(PathBuf),
    /// Claude Code ignores them, because they are not plain JSON.
    #[error(
        "{} has comments, a trailing comma or the like: Claude Code ignores the whole file for that, \
         so it was not touched; make it plain JSON first",
        .0.display()
    )]
    NotRead(PathBuf),
    /// They are write-protected.
    #[error("{} is read-only, so it was not touched; make it writable first", .0.display())]
    ReadOnly(PathBuf),
    /// They cannot be written.
    #[error("{}", ownership::unwritable(path, source))]
    Unwritable {
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Another program keeps writing them.
    #[error("{} changes all the time; close what writes to it and try again", .0.display())]
    Busy(PathBuf),
    /// Another Zephyr is changing them and does not finish.
    #[error("another Zephyr is changing Claude Code's settings; try again, or end it ({})", .0.display())]
    Locked(PathBuf),
    /// The record cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Record {
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The record is not valid.
    #[error(
        "{} cannot be understood; if it is from a newer Zephyr, use that one, else restore Claude Code's settings \
         by hand and delete it",
        .0.display()
    )]
    RecordMalformed(PathBuf),
    /// This installation has no token for clients.
    #[error(transparent)]
    ClientToken(#[from] ClientTokenError),
    /// Another settings file is connected.
    #[error(
        "Claude Code is connected by other settings, {}; run `zephyr disconnect claude-code` first",
        .0.display()
    )]
    Elsewhere(PathBuf),
}

impl Error {
    pub(crate) fn malformed(settings: &Path, why: Malformed) -> Self {
        let path = settings.to_owned();
        match why {
            Malformed::Syntax { line, column } => Self::Syntax { path, line, column },
            Malformed::RootIsNoObject => Self::NoObject(path),
            Malformed::EnvIsNoObject => Self::EnvIsNoObject(path),
        }
    }
}
