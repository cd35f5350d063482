//! What is printed, in which language and in which colours.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};

use zephyr_cli::language;
use zephyr_cli::status::Colours;
use zephyr_control::Language;
use zephyr_core::config;

use crate::failure::Failure;

/// Writes to stdout; whoever stops reading has read enough.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(crate) fn language(configured: config::Language) -> Language {
    language::choose(configured, language::system_locale().as_deref())
}

/// The colours of a stream.
pub(crate) fn colours(stream: &impl IsTerminal) -> Colours {
    Colours::choose(stream.is_terminal(), env::var("NO_COLOR").ok().as_deref())
}
