//! Reads the configuration file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zephyr_secrets::shell_word::shell_word;

use crate::loaded::{Loaded, fingerprint};
use crate::problem::{Problem, Problems};
use crate::read::parse;

/// The reason why a file gives no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}", unreadable(.path, .source))]
    Io { path: PathBuf, source: io::Error },
    /// The file has errors.
    #[error("{}", refused(.path, .problems))]
    Invalid { path: PathBuf, problems: Problems },
    /// The file is in a folder of others, and it or its `.env` is not as it was when it was trusted.
    #[error(
        "{} or the .env beside it has changed since it was trusted; look at both, then run \
         `zephyr config trust {}`",
        path.display(),
        shell_word(&path.display().to_string())
    )]
    Untrusted { path: PathBuf },
}

/// Reads and checks the file.
///
/// # Errors
///
/// The file cannot be read, or it has errors. The message says what its owner has to do.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let bytes = fs::read(path).map_err(|source| LoadError::Io {
        path: path.to_owned(),
        source,
    })?;
    load_bytes(path, bytes)
}

/// Checks what was read from `path`.
pub(crate) fn load_bytes(path: &Path, bytes: Vec<u8>) -> Result<Loaded, LoadError> {
    let fingerprint = Some(fingerprint(&bytes));
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

pub(crate) fn not_utf8(error: &std::string::FromUtf8Error) -> Problems {
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
