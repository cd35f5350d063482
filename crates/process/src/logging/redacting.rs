//! The one door to the log: every line loses its secrets there, whoever wrote it.
//!
//! `xtask` sees to it that no other crate names `tracing-subscriber`, so there is no other door.

use std::io;
use std::panic;

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;
use zephyr_secrets::redact::Known;

/// Writes lines without secrets with writers of this kind.
pub(super) struct Redacting<M> {
    pub(super) writers: M,
    pub(super) known: Known,
}

/// Writes one line. The subscriber hands over whole ones.
pub(super) struct Line<W> {
    writer: W,
    known: Known,
}

impl<'m, M: MakeWriter<'m>> MakeWriter<'m> for Redacting<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'m self) -> Self::Writer {
        self.line(self.writers.make_writer())
    }

    fn make_writer_for(&'m self, about: &Metadata<'_>) -> Self::Writer {
        self.line(self.writers.make_writer_for(about))
    }
}

impl<M> Redacting<M> {
    fn line<W>(&self, writer: W) -> Line<W> {
        let known = self.known.clone();
        Line { writer, known }
    }
}

impl<W: io::Write> io::Write for Line<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let redacted = self.known.redactor().text(&String::from_utf8_lossy(line));
        self.writer.write_all(redacted.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// What a panic says loses its secrets too. It goes to the log, because a program of the desktop has no terminal.
pub(super) fn report_panics() {
    panic::set_hook(Box::new(|panicked| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("a thread without a name");
        tracing::error!(thread, "{panicked}");
    }));
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_line_has_a_known_secret_whatever_the_crate_and_the_field() {
        let lines = Lines::default();
        let known = Known::default();
        known.learn(["planted-1"]);
        let writers = {
            let lines = lines.clone();
            move || lines.clone()
        };
        let known_later = known.clone();
        let writer = Redacting { writers, known };
        let layer = tracing_subscriber::fmt::layer().with_writer(writer);
        let subscriber = tracing_subscriber::registry().with(layer);

        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request", path = "/planted-1");
            let _entered = span.enter();
            let error = io::Error::other("for url (http://host/%70lanted-1)");
            tracing::warn!(target: "hyper", %error, model = ?"planted-2", "said planted-1");
            known_later.learn(["planted-2"]);
            tracing::warn!("said planted-2");
        });

        let text = lines.text();
        assert_eq!(text.matches("[redacted]").count(), 5, "{text}");
        assert!(!text.contains("planted-1"), "{text}");
        assert_eq!(
            text.matches("planted-2").count(),
            1,
            "only before it was known: {text}"
        );
    }

    #[test]
    fn what_a_panic_says_is_a_line_without_secrets() {
        let lines = Lines::default();
        let known = Known::default();
        known.learn(["planted-1"]);
        let writers = {
            let lines = lines.clone();
            move || lines.clone()
        };
        let writer = Redacting { writers, known };
        let layer = tracing_subscriber::fmt::layer().with_writer(writer);
        let subscriber = tracing_subscriber::registry().with(layer);

        let hook = panic::take_hook();
        report_panics();
        let panicked = tracing::subscriber::with_default(subscriber, || {
            panic::catch_unwind(|| panic!("it is planted-1"))
        });
        panic::set_hook(hook);

        assert!(panicked.is_err());
        let text = lines.text();
        assert!(
            text.contains("it is [redacted]") && text.contains("ERROR"),
            "{text}"
        );
    }

    #[test]
    fn a_line_is_written_whole_and_counts_as_it_was() {
        let lines = Lines::default();
        let mut line = Line {
            writer: lines.clone(),
            known: Known::default(),
        };

        let written = line.write("密 sk-ant-api03-planted\n".as_bytes()).unwrap();

        assert_eq!(written, 25);
        assert_eq!(lines.text(), "密 [redacted]\n");
    }
}
