//! Environment variables: the process's own first, then the `.env` beside the configuration.
//!
//! The process's environment is read and never changed. Every reload reads the file again and makes a new
//! [`Environment`], which has the changed credentials.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::secret::{Secret, SecretError};

/// The content of a `.env` file.
#[derive(Default)]
pub struct Dotenv {
    values: HashMap<String, Zeroizing<String>>,
    unreadable: Vec<UnreadableLine>,
}

/// A line of a `.env` file that is ignored, because it is not of the form NAME=value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableLine {
    /// Counted from 1. `None` if it is not known.
    pub line: Option<usize>,
}

impl Dotenv {
    /// What these bytes of a file say.
    ///
    /// # Errors
    ///
    /// They are not UTF-8.
    pub fn of(bytes: Vec<u8>) -> io::Result<Self> {
        let text = String::from_utf8(bytes).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            io::Error::new(io::ErrorKind::InvalidData, "this is not UTF-8 text")
        })?;
        Ok(Self::parse(&Zeroizing::new(text)))
    }

    /// Lines that cannot be read. Their content is not kept.
    pub fn unreadable(&self) -> &[UnreadableLine] {
        &self.unreadable
    }

    fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut read = Self::default();
        for item in dotenvy::from_read_iter(text.as_bytes()) {
            match item {
                // The first of two lines with the same name counts, as in claude-zephyr.
                Ok((name, value)) => {
                    read.values.entry(name).or_insert(Zeroizing::new(value));
                }
                Err(error) => read.unreadable.push(unreadable_line(text, &error)),
            }
        }
        read
    }
}

impl fmt::Debug for Dotenv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// The path of the `.env` beside that configuration file.
pub fn dotenv_path(config: &Path) -> PathBuf {
    config.with_file_name(".env")
}

/// Reads a `.env` file. A missing file counts as an empty one.
///
/// # Errors
///
/// The file exists and cannot be read.
pub fn dotenv(path: &Path) -> io::Result<Dotenv> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Dotenv::parse(&Zeroizing::new(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Dotenv::default()),
        Err(error) => Err(error),
    }
}

/// The variables that may hold credentials.
pub struct Environment {
    process: Box<Lookup>,
    file: Dotenv,
}

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// The reason why a variable gives no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The variable is missing or empty, in the process's environment and in `.env`.
    #[error("it is not set")]
    NotSet,
    /// The value cannot be sent in a header.
    #[error(transparent)]
    Unusable(SecretError),
}

impl Environment {
    /// Variables of the process count more than those of the file.
    pub fn new(file: Dotenv) -> Self {
        Self {
            process: Box::new(|name| std::env::var_os(name)),
            file,
        }
    }

    /// The secret in that variable, if there is a usable one.
    pub fn get(&self, name: &str) -> Option<Secret> {
        self.lookup(name).ok()
    }

    /// The secret in that variable.
    ///
    /// # Errors
    ///
    /// The message says what is wrong with the variable, and never its value.
    pub fn lookup(&self, name: &str) -> Result<Secret, Unavailable> {
        match self.in_process(name) {
            Err(Unavailable::NotSet) => self.in_file(name),
            found => found,
        }
    }

    /// Lines of `.env` that cannot be read.
    pub fn unreadable(&self) -> &[UnreadableLine] {
        self.file.unreadable()
    }

    fn in_process(&self, name: &str) -> Result<Secret, Unavailable> {
        let value = (self.process)(name).ok_or(Unavailable::NotSet)?;
        let text = value.into_string();
        let text = text.map_err(|_| Unavailable::Unusable(SecretError::Unsendable))?;
        secret(&Zeroizing::new(text))
    }

    fn in_file(&self, name: &str) -> Result<Secret, Unavailable> {
        secret(self.file.values.get(name).ok_or(Unavailable::NotSet)?)
    }
}

/// An environment of exactly these variables, whatever the process has.
impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let values = variables
            .into_iter()
            .map(|(name, value)| (name.into(), Zeroizing::new(value.into())))
            .collect();
        Self {
            process: Box::new(|_| None),
            file: Dotenv {
                values,
                unreadable: Vec::new(),
            },
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

fn secret(text: &str) -> Result<Secret, Unavailable> {
    Secret::new(text).map_err(|error| match error {
        SecretError::Empty => Unavailable::NotSet,
        SecretError::Unsendable => Unavailable::Unusable(error),
    })
}

/// Only the place is kept. The error's own text repeats the line, which may hold a secret.
fn unreadable_line(text: &str, error: &dotenvy::Error) -> UnreadableLine {
    let line = if let dotenvy::Error::LineParse(content, _) = error {
        text.find(content.trim_end())
    } else {
        None
    };
    let number = |start: usize| text[..start].matches('\n').count() + 1;
    UnreadableLine {
        line: line.map(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(process: &'static [(&'static str, &'static str)], file: &str) -> Environment {
        let lookup = move |name: &str| {
            let found = process.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Environment {
            process: Box::new(lookup),
            file: Dotenv::parse(file),
        }
    }

    #[test]
    fn the_process_outranks_the_file() {
        let environment = environment(&[("MAIN", "from-process")], "MAIN=from-file\nOTHER=other\n");

        assert_eq!(environment.get("MAIN"), Secret::new("from-process").ok());
        assert_eq!(environment.get("OTHER"), Secret::new("other").ok());
        assert_eq!(environment.lookup("THIRD"), Err(Unavailable::NotSet));
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let environment = environment(&[("MAIN", " ")], "MAIN=from-file\nEMPTY=\n");

        assert_eq!(environment.get("MAIN"), Secret::new("from-file").ok());
        assert_eq!(environment.lookup("EMPTY"), Err(Unavailable::NotSet));
    }

    #[test]
    fn a_variable_that_cannot_be_sent_says_so() {
        let environment = environment(&[], "MAIN=\"two\\nlines\"\n");

        assert_eq!(
            environment.lookup("MAIN"),
            Err(Unavailable::Unusable(SecretError::Unsendable))
        );
    }

    #[test]
    fn quotes_comments_exports_and_a_byte_order_mark_are_understood() {
        let text = "\u{feff}# secrets\nexport A=plain # note\nB='sin gle'\nC=\"dou#ble\"\r\n";

        let environment = environment(&[], text);

        assert_eq!(environment.get("A"), Secret::new("plain").ok());
        assert_eq!(environment.get("B"), Secret::new("sin gle").ok());
        assert_eq!(environment.get("C"), Secret::new("dou#ble").ok());
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_without_its_content() {
        let environment = environment(&[], "A=1\nsk-ant-hunter2 hunter3\nB=2\n");

        let [unreadable] = environment.unreadable() else {
            panic!("one line: {:?}", environment.unreadable());
        };
        assert_eq!(unreadable.line, Some(2));
        assert!(!format!("{unreadable:?}").contains("hunter"));
        assert_eq!(environment.get("B"), Secret::new("2").ok());
    }

    #[test]
    fn a_missing_file_is_empty_and_debug_shows_names_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = dotenv_path(&folder.path().join("config.toml"));
        let missing = dotenv(&path).unwrap();
        fs::write(&path, "MAIN=hunter2\n").unwrap();

        let present = Environment::new(dotenv(&path).unwrap());

        assert!(missing.values.is_empty());
        let shown = format!("{present:?}");
        assert!(
            shown.contains("MAIN") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn an_environment_can_be_made_of_given_variables_alone() {
        let environment = Environment::from_iter([("MAIN", "given")]);

        assert_eq!(environment.get("MAIN"), Secret::new("given").ok());
        assert_eq!(environment.get("PATH"), None);
    }
}
