//! Log lines: the configured level for our own crates, `info` for what we are built of, and `RUST_LOG`
//! instead of both.
//!
//! They go to stderr, for whoever watches, and to a file for every day, for whoever asks later why
//! something happened. A thread of its own writes the files, so that no request waits for a disk; where
//! it does not keep up, lines are lost there and not on stderr. What must not be told is in no line, so
//! the files need no redaction; still they are for nobody but the user.

mod daily;

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{self as lines, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use zephyr_core::config::{LogLevel, Logging};

use self::daily::Daily;
use crate::status::Colours;

/// Lines that wait to be written into a file. Their places are taken from the beginning: the library's own
/// 128,000 are 4 MB of memory.
const MOST_LINES: usize = 8192;

/// What is still to be written is written when this is dropped.
#[must_use]
#[derive(Debug)]
pub struct Log(#[expect(dead_code, reason = "held until it is dropped")] Option<WorkerGuard>);

/// Where files of log lines are, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    folder: PathBuf,
    days: u32,
}

impl Files {
    /// In the folder that the configuration file names, from where it is itself, else in `logs` in the
    /// data folder.
    pub fn of(logging: &Logging, config: Option<&Path>, data_dir: &Path) -> Self {
        let beside = config.and_then(Path::parent).unwrap_or(Path::new(""));
        let named = logging.directory.as_ref().map(|named| beside.join(named));
        Self {
            folder: named.unwrap_or_else(|| data_dir.join("logs")),
            days: logging.retention_days,
        }
    }
}

/// Writes log lines to stderr from now on, and into files, if there are any to be. To be called once.
pub fn start(level: LogLevel, files: Option<Files>) -> Log {
    let filter = env::var("RUST_LOG").ok().filter(|value| !value.is_empty());
    let filter = filter.unwrap_or_else(|| directives(level));
    let no_colour = env::var("NO_COLOR").ok();
    let colours = Colours::choose(io::stderr().is_terminal(), no_colour.as_deref());
    let stderr = lines::layer()
        .compact()
        .with_target(false)
        .with_writer(io::stderr)
        .with_ansi(colours == Colours::Ansi);
    let (writer, failure) = match files.map(open) {
        None => (None, None),
        Some(Ok(writer)) => (Some(writer), None),
        Some(Err(failure)) => (None, Some(failure)),
    };
    let (writer, guard) = writer.unzip();
    let file = writer.map(|writer| {
        lines::layer()
            .compact()
            .with_target(false)
            .fmt_fields(Plain(DefaultFields::new()))
            .with_writer(writer)
            .with_ansi(false)
    });
    tracing_subscriber::registry()
        .with(EnvFilter::new(filter))
        .with(stderr)
        .with(file)
        .init();
    if let Some((folder, error)) = failure {
        tracing::warn!(
            folder = %folder.display(),
            %error,
            "log lines go to stderr only; see to it that the folder can be written to, or name another \
             with logging.log_directory"
        );
    }
    Log(guard)
}

fn open(files: Files) -> Result<(NonBlocking, WorkerGuard), (PathBuf, io::Error)> {
    let Files { folder, days } = files;
    match Daily::open(folder.clone(), days) {
        Ok(daily) => Ok(NonBlockingBuilder::default()
            .buffered_lines_limit(MOST_LINES)
            .finish(daily)),
        Err(error) => Err((folder, error)),
    }
}

fn directives(level: LogLevel) -> String {
    let (others, ours) = match level {
        LogLevel::Error => return "error".to_owned(),
        LogLevel::Warn => return "warn".to_owned(),
        LogLevel::Info => return "info".to_owned(),
        LogLevel::Debug => ("info", "debug"),
        LogLevel::Trace => ("info", "trace"),
    };
    format!(
        "{others},zephyr={ours},zephyr_cli={ours},zephyr_core={ours},zephyr_desktop={ours},zephyr_engine={ours}"
    )
}

/// A span's fields are formatted once for each type that formats them. With the type of stderr the
/// file would get that one's colours.
struct Plain(DefaultFields);

impl<'writer> FormatFields<'writer> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }
}
