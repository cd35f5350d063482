//! Log lines. Zephyr's crates have the configured level, the others have `info`. `RUST_LOG` replaces both.
//!
//! Lines go to stderr and to a file per day. A thread of its own writes the files, so no request waits for a
//! disk. If it does not keep up, lines are missing in the file, but not on stderr. Every line loses its secrets
//! ([`super::redacting`]). Still only the user may read the files.

use std::env;
use std::fmt;
use std::io;
use std::path::PathBuf;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{self as lines, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use zephyr_core::config::LogLevel;
use zephyr_secrets::redact::Known;

use super::daily::Daily;
use super::files::Files;
use super::redacting::{Redacting, report_panics};
use crate::colours::Colours;

/// Most lines that wait to be written into a file. Their memory is allocated at the start. The library's
/// default of 128,000 lines would take 4 MB.
const MOST_LINES: usize = 8192;

/// Dropping it writes the lines that are still waiting.
#[must_use]
#[derive(Debug)]
pub struct Log {
    _writing: Option<WorkerGuard>,
    known: Known,
}

impl Log {
    /// The secrets that no line shows. What the program learns later must be added.
    pub fn known(&self) -> Known {
        self.known.clone()
    }
}

/// Writes log lines to stderr from now on, and to `files` if there are any. A program calls this once.
pub fn start(level: LogLevel, files: Option<Files>) -> Log {
    let filter = env::var("RUST_LOG").ok().filter(|value| !value.is_empty());
    let filter = filter.unwrap_or_else(|| directives(level));
    let known = Known::default();
    let colours = Colours::of(&io::stderr());
    let stderr = lines::layer()
        .compact()
        .with_target(false)
        .with_writer(Redacting {
            writers: io::stderr,
            known: known.clone(),
        })
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
            .with_writer(Redacting {
                writers: writer,
                known: known.clone(),
            })
            .with_ansi(false)
    });
    tracing_subscriber::registry()
        .with(EnvFilter::new(filter))
        .with(stderr)
        .with(file)
        .init();
    report_panics();
    if let Some((folder, error)) = failure {
        tracing::warn!(
            folder = %folder.display(),
            %error,
            "log lines go to stderr only; see to it that the folder can be written to, or name another \
             with logging.log_directory"
        );
    }
    Log {
        _writing: guard,
        known,
    }
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
    // A directive counts for every crate whose name begins so.
    format!("{others},zephyr={ours}")
}

/// A span's fields are formatted once for each formatter type. With the formatter of stderr, the file would
/// get its colours.
struct Plain(DefaultFields);

impl<'writer> FormatFields<'writer> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn the_configured_level_is_that_of_every_crate_of_ours() {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry()
            .with(EnvFilter::new(directives(LogLevel::Debug)))
            .with(lines::layer().with_writer(lines.clone()));

        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "zephyr_admin::server", "ours");
            tracing::debug!(target: "zephyr", "the program's");
            tracing::debug!(target: "hyper", "others");
            tracing::info!(target: "hyper", "important");
        });

        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let told = |what| text.contains(what);
        assert!(told("ours") && told("the program's") && told("important"));
        assert!(!told("others"), "{text}");
    }
}
