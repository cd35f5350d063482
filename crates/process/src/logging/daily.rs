//! A file for each day of the user's calendar, kept for some days.
//!
//! Only files with our names are deleted, since the folder may hold other files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::{ToSpan, Zoned};
use zephyr_secrets::private;

const BEGINNING: &str = "zephyr.";
const END: &str = ".log";

/// Writes into the file of the day.
#[derive(Debug)]
pub(super) struct Daily {
    folder: PathBuf,
    days: u32,
    day: Date,
    file: File,
}

impl Daily {
    /// Opens or continues today's file, and deletes files that are older than `days`.
    pub(super) fn open(folder: PathBuf, days: u32) -> io::Result<Self> {
        Self::open_on(Zoned::now().date(), folder, days)
    }

    fn open_on(day: Date, folder: PathBuf, days: u32) -> io::Result<Self> {
        private::folder(&folder)?;
        let path = folder.join(format!("{BEGINNING}{day}{END}"));
        let daily = Self {
            file: private::append(&path)?,
            folder,
            days,
            day,
        };
        daily.delete_old();
        Ok(daily)
    }

    fn write_on(&mut self, today: Date, bytes: &[u8]) -> io::Result<usize> {
        if today != self.day {
            *self = Self::open_on(today, self.folder.clone(), self.days)?;
        }
        self.file.write(bytes)
    }

    /// A file that cannot be deleted is tried again tomorrow.
    fn delete_old(&self) {
        let days = i64::from(self.days.max(1)) - 1;
        let Ok(oldest) = self.day.checked_sub(days.days()) else {
            return;
        };
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let day = entry.file_name().to_str().and_then(day_of);
            if day.is_some_and(|day| day < oldest) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Write for Daily {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_on(Zoned::now().date(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn day_of(name: &str) -> Option<Date> {
    let day = name.strip_prefix(BEGINNING)?.strip_suffix(END)?;
    day.parse()
        .ok()
        .filter(|date: &Date| date.to_string() == day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_day_has_its_file_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let first = date(2026, 11, 29);
        let mut daily = Daily::open_on(first, folder.path().to_owned(), 3).unwrap();

        for days in 0..5 {
            daily.write_on(first + days.days(), b"line\n").unwrap();
            daily.write_on(first + days.days(), b"line\n").unwrap();
        }

        let kept = [
            "zephyr.2026-12-01.log",
            "zephyr.2026-12-02.log",
            "zephyr.2026-12-03.log",
        ];
        assert_eq!(names(&folder), kept);
        for name in kept {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            assert_eq!(text, "line\nline\n");
        }
    }

    #[test]
    fn a_file_of_today_is_gone_on_with_and_those_of_others_are_let_alone() {
        let folder = tempfile::tempdir().unwrap();
        let others = [
            "zephyr.2020-1-1.log",
            "zephyr.log",
            "zephyr.2020-01-01.log.gz",
            "journal.2020-01-01.log",
        ];
        for name in others {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let today = date(2026, 11, 21);
        let open = || Daily::open_on(today, folder.path().to_owned(), 0).unwrap();

        open().write_on(today, b"one\n").unwrap();
        open().write_on(today, b"two\n").unwrap();

        let text = fs::read_to_string(folder.path().join("zephyr.2026-11-21.log")).unwrap();
        assert_eq!(text, "one\ntwo\n");
        assert_eq!(names(&folder).len(), others.len() + 1);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it_even_if_that_was_not_so() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        let today = date(2026, 11, 21);
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

        Daily::open_on(today, logs.clone(), 1).unwrap();
        let file = logs.join("zephyr.2026-11-21.log");
        assert_eq!((mode(&logs), mode(&file)), (0o700, 0o600));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        Daily::open_on(today, logs, 1).unwrap();

        assert_eq!(mode(&file), 0o600);
    }
}
