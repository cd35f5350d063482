//! The configuration file: where it is, what it says, what is wrong with it, and when it changes.
//!
//! From text to [`zephyr_core::config::Config`] in one pass that never stops at an error: every wrong
//! value is reported with its line, its key and what to write instead, and stands as its default until
//! the end. Errors refuse the file as a whole; warnings do not. Keys are read by typed readers, not by
//! a derived decoder, because a derived one gives up at the first error and cannot say which keys are
//! unknown.
//!
//! Not for secrets: a credential is a reference here, and a plain secret in the file is refused.
//! [`Environment`] resolves references to environment variables.

mod address;
pub mod change;
#[cfg(test)]
mod comments;
mod credential;
mod dotenv;
pub mod edit;
mod fleet;
pub mod form;
mod keys;
mod paths;
mod plain_secret;
mod problem;
mod report;
mod rewrite;
mod sections;
mod table;
mod watch;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use zephyr_core::config::Config;

pub use credential::{EntryNameError, check_entry_name};
pub use dotenv::{Dotenv, Environment, Unavailable, dotenv, dotenv_path};
pub use paths::{LocateError, Located, Origin, commented_default, data_dir, find, locate};
pub use problem::{Problem, Problems};
pub use watch::{OwnWrite, Watch, WatchError, watch};

use report::Report;
use table::Table;

/// The annotated example, which is also the source of the commented default.
pub const EXAMPLE: &str = include_str!("../../../../config.toml.example");

/// A valid configuration, with what is odd about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What the file says.
    pub config: Config,
    /// By line.
    pub warnings: Vec<Problem>,
    /// What a file was read from held; tells a [`Watch`] what has changed since.
    pub fingerprint: Option<u64>,
}

/// Why a file gives no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("{}", unreadable(.path, .source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It can be read and is wrong.
    #[error("{}", refused(.path, .problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every error in it.
        problems: Problems,
    },
}

/// Reads and checks the file.
///
/// # Errors
///
/// Says what the file's owner has to do.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let bytes = fs::read(path).map_err(|source| LoadError::Io {
        path: path.to_owned(),
        source,
    })?;
    let fingerprint = Some(watch::fingerprint(&bytes));
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&error));
    text.and_then(|text| parse(&text))
        .map(|loaded| Loaded {
            fingerprint,
            ..loaded
        })
        .map_err(|problems| LoadError::Invalid {
            path: path.to_owned(),
            problems,
        })
}

/// Reads and checks the text of a configuration file.
///
/// # Errors
///
/// Every error of the text at once.
pub fn parse(text: &str) -> Result<Loaded, Problems> {
    let report = Report::new(text);
    let config = read(text, &report);
    let warnings = report.settle()?;
    Ok(Loaded {
        config,
        warnings,
        fingerprint: None,
    })
}

fn read(text: &str, report: &Report<'_>) -> Config {
    match DeTable::parse(text) {
        Ok(document) => {
            plain_secret::refuse(document.get_ref(), report);
            sections::config(&Table::root(report, document.get_ref()))
        }
        Err(error) => {
            report.error(
                error.span().map(|span| span.start),
                "",
                format!("this is not TOML: {}", error.message()),
                "correct this line first, the rest was not read",
            );
            Config::default()
        }
    }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Problems {
    let readable = error.utf8_error().valid_up_to();
    let before = error.as_bytes().iter().take(readable);
    let problem = Problem {
        line: Some(before.filter(|byte| **byte == b'\n').count() + 1),
        key: String::new(),
        message: "this is not UTF-8 text".to_owned(),
        remedy: "save the file as UTF-8".to_owned(),
    };
    Problems::from(problem)
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    if error.kind() == io::ErrorKind::NotFound {
        return format!(
            "there is no configuration file {path}; create it, or name another with --config"
        );
    }
    format!(
        "the configuration file {path} cannot be read; check that it is a file and that you may read it"
    )
}

fn refused(path: &Path, problems: &Problems) -> String {
    let errors = match problems.count() {
        1 => "an error".to_owned(),
        count => format!("{count} errors"),
    };
    let mut text = format!("the configuration file {} has {errors}:", path.display());
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accepted and on purpose not shown in the example.
    const ALIASES: &[&str] = &[
        "retry",
        "groups[].api_key_env",
        "groups[].endpoints[].api_key_env",
    ];

    /// Keys that no reader asks for, because nothing reads them yet.
    const UNREAD: &[&str] = &[
        "groups[].endpoints[].headers",
        "groups[].endpoints[].model_map",
    ];

    fn known_keys() -> Vec<String> {
        let report = Report::new(EXAMPLE);
        read(EXAMPLE, &report);
        let mut known = report.known();
        known.extend(UNREAD.iter().map(|key| (*key).to_owned()));
        known.into_iter().collect()
    }

    /// The lines of the example between the header of this table and the next one.
    fn section(header: &str) -> Vec<&'static str> {
        let lines = EXAMPLE.lines().skip_while(|line| *line != header).skip(1);
        lines.take_while(|line| !line.starts_with('[')).collect()
    }

    #[test]
    fn the_example_gives_the_defaults_without_a_warning() {
        let loaded = parse(EXAMPLE).unwrap();

        assert_eq!(loaded.warnings, []);
        assert!(loaded.config.endpoints.len() >= 2);
        let without_fleet = Config {
            groups: Vec::new(),
            endpoints: Vec::new(),
            ..loaded.config
        };
        assert_eq!(without_fleet, Config::default());
    }

    #[test]
    fn the_example_has_every_known_key() {
        let inherited = |key: &str| keys::INHERITED.iter().any(|(row, _)| *row == key);
        for key in known_keys() {
            if ALIASES.contains(&key.as_str()) || inherited(&key) || key.contains("].health_check.")
            {
                continue;
            }
            let (table, name) = key.rsplit_once('.').unwrap_or(("", &key));
            let is_shown = if table.is_empty() {
                EXAMPLE.contains(&format!("[{name}]"))
            } else if table.contains("endpoints[]") || table.contains('*') {
                let header = if table.contains('*') {
                    "[pricing]"
                } else {
                    "[[groups]]"
                };
                let is_other = |char: char| !char.is_ascii_alphanumeric() && char != '_';
                let mut words = section(header)
                    .into_iter()
                    .flat_map(|line| line.split(is_other));
                words.any(|word| word == name)
            } else {
                let header = match table {
                    "groups[]" => "[[groups]]".to_owned(),
                    _ => format!("[{table}]"),
                };
                let active = format!("{name} = ");
                let optional = format!("# {name} = ");
                let mut lines = section(&header).into_iter();
                lines.any(|line| line.starts_with(&active) || line.starts_with(&optional))
            };

            assert!(is_shown, "{key} is missing from config.toml.example");
        }
    }

    #[test]
    fn every_row_about_a_key_without_effect_names_a_key_that_exists() {
        let known = known_keys();

        for (row, _) in keys::NOT_YET {
            let key = row.split('=').next().unwrap_or(row);
            let key = key.strip_suffix(".*").unwrap_or(key);
            assert!(known.iter().any(|known| known == key), "{row}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("config.toml");

        let error = load(&missing).unwrap_err();
        let is_folder = load(folder.path()).unwrap_err();

        let text = error.to_string();
        assert!(
            text.contains("config.toml") && text.contains("--config"),
            "{text}"
        );
        assert!(matches!(is_folder, LoadError::Io { .. }));
    }

    #[test]
    fn a_file_with_errors_lists_them_under_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[server]\nport = -1\nhost = 3\n").unwrap();

        let text = load(&path).unwrap_err().to_string();

        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("config.toml has 2 errors:"), "{text}");
        assert!(lines[1].contains("line 2: server.port"), "{text}");
        assert!(lines[2].contains("line 3: server.host"), "{text}");
    }

    #[test]
    fn a_file_that_is_no_text_names_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, b"# fine\n# \xff\n").unwrap();

        let LoadError::Invalid { problems, .. } = load(&path).unwrap_err() else {
            panic!("the file can be read");
        };

        assert_eq!(problems.iter().next().unwrap().line, Some(2));
    }
}
