//! Printing: what was asked for to stdout, remarks to stderr.

use std::fmt;
use std::io::{self, ErrorKind, Write};

use jiff::tz::TimeZone;
use zephyr_control::{Language, Redacted};
use zephyr_process::colours::Colours;

use crate::failure::Failure;
use crate::terminal::Look;

/// Writes to stdout. It is not an error if the reader stops reading.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    write(text).map(|_| ())
}

/// Writes to stdout. Returns whether the reader is still there.
pub(crate) fn write(text: &str) -> Result<Reader, Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Left),
        Err(error) => Err(error.into()),
    }
}

/// Writes a remark to stderr. Paths and errors in it lose what looks like a credential.
pub(crate) fn remark(text: impl fmt::Display) {
    eprintln!("zephyr: {}", Redacted::by_shape(&text.to_string()));
}

/// The reader of stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Listens,
    /// The pipe is closed.
    Left,
}

/// The format of text for a person on stdout.
pub(crate) fn look(language: Language) -> Look {
    Look {
        language,
        colours: Colours::of(&io::stdout()),
        zone: TimeZone::system(),
    }
}
