//! The places of the configuration and of the data.
//!
//! A file that somebody named is taken without a look. Reading it will tell if it is missing. A default is
//! written only if nobody named a file and none is in the usual places.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::example::commented_default;

/// The configuration file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub path: PathBuf,
    pub origin: Origin,
}

/// The reason for reading this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Named by `--config`.
    Argument,
    /// Named by this environment variable.
    Variable(&'static str),
    /// `config.toml` in the working directory.
    WorkingDirectory,
    /// In the platform's configuration folder.
    Platform,
    /// In the platform's configuration folder, where a default was written just now.
    Written,
}

/// The reason for having no file to read.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// The platform names no configuration folder.
    #[error(
        "there is no configuration file, and no home folder to write one to; name one with --config"
    )]
    NoFolder,
    /// No file exists, and the default could not be written.
    #[error(
        "there is no configuration file, and a default could not be written to {}; \
         create it, or name another with --config",
        path.display()
    )]
    Unwritable {
        /// Where it should have been.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Finds the configuration file, or writes a default where none exists. `env` looks up a variable of
/// the environment.
///
/// # Errors
///
/// There is no file, and none can be written.
pub fn locate(
    explicit: Option<&Path>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<Located, LocateError> {
    let folder = project().map(|project| project.config_dir().to_owned());
    locate_in(explicit, env, Path::new(""), folder.as_deref())
}

/// Finds the configuration file like [`locate`], but never writes a default.
pub fn find(explicit: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Option<Located> {
    let folder = project().map(|project| project.config_dir().to_owned());
    find_in(explicit, env, Path::new(""), folder.as_deref())
}

/// The folder for Zephyr's data: `ZEPHYR_DATA_DIR`, otherwise the platform's. It may not exist yet. `None`
/// if there is no home folder.
pub fn data_dir() -> Option<PathBuf> {
    data_dir_in(
        |name| std::env::var_os(name),
        project().map(|project| project.data_local_dir().to_owned()),
    )
}

fn locate_in(
    explicit: Option<&Path>,
    env: impl Fn(&str) -> Option<OsString>,
    working_directory: &Path,
    folder: Option<&Path>,
) -> Result<Located, LocateError> {
    if let Some(found) = find_in(explicit, env, working_directory, folder) {
        return Ok(found);
    }
    let path = folder.ok_or(LocateError::NoFolder)?.join(FILE_NAME);
    let found = |origin| Located {
        path: path.clone(),
        origin,
    };
    match write_new(&path, &commented_default()) {
        Ok(()) => Ok(found(Origin::Written)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(found(Origin::Platform)),
        Err(source) => Err(LocateError::Unwritable { path, source }),
    }
}

fn find_in(
    explicit: Option<&Path>,
    env: impl Fn(&str) -> Option<OsString>,
    working_directory: &Path,
    folder: Option<&Path>,
) -> Option<Located> {
    let found = |path: &Path, origin| {
        Some(Located {
            path: path.to_owned(),
            origin,
        })
    };
    if let Some(path) = explicit {
        return found(path, Origin::Argument);
    }
    for name in ["ZEPHYR_CONFIG", "CONFIG_FILE"] {
        if let Some(path) = env(name).filter(|path| !path.is_empty()) {
            return found(Path::new(&path), Origin::Variable(name));
        }
    }
    let here = working_directory.join(FILE_NAME);
    if here.is_file() {
        return found(&here, Origin::WorkingDirectory);
    }
    let path = folder?.join(FILE_NAME);
    path.exists().then(|| found(&path, Origin::Platform))?
}

fn data_dir_in(env: impl Fn(&str) -> Option<OsString>, folder: Option<PathBuf>) -> Option<PathBuf> {
    let named = env("ZEPHYR_DATA_DIR").filter(|path| !path.is_empty());
    named.map(PathBuf::from).or(folder)
}

/// Writes a file that is whole as soon as it appears. An existing file is never replaced.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if path.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "zephyr")
}

const FILE_NAME: &str = "config.toml";

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<OsString> {
        None
    }

    #[test]
    fn what_is_named_more_directly_outranks_what_lies_around() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), "").unwrap();
        let locate = |explicit: Option<&str>, names: &'static [&'static str]| {
            let env = move |name: &str| names.contains(&name).then(|| OsString::from(name));
            let explicit = explicit.map(Path::new);
            locate_in(explicit, env, folder.path(), Some(folder.path())).unwrap()
        };

        let by_argument = locate(Some("mine.toml"), &["ZEPHYR_CONFIG", "CONFIG_FILE"]);
        let by_variable = locate(None, &["ZEPHYR_CONFIG", "CONFIG_FILE"]);
        let by_old_variable = locate(None, &["CONFIG_FILE"]);
        let by_place = locate(None, &[]);

        assert_eq!(by_argument.path, Path::new("mine.toml"));
        assert_eq!(by_argument.origin, Origin::Argument);
        assert_eq!(by_variable.origin, Origin::Variable("ZEPHYR_CONFIG"));
        assert_eq!(by_old_variable.origin, Origin::Variable("CONFIG_FILE"));
        assert_eq!(by_old_variable.path, Path::new("CONFIG_FILE"));
        assert_eq!(by_place.origin, Origin::WorkingDirectory);
    }

    #[test]
    fn an_empty_variable_names_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), "").unwrap();
        let empty = |_: &str| Some(OsString::new());

        let located = locate_in(None, empty, folder.path(), None).unwrap();

        assert_eq!(located.origin, Origin::WorkingDirectory);
    }

    #[test]
    fn without_any_file_a_commented_default_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home/zephyr");

        let first = locate_in(None, nothing, folder.path(), Some(&home)).unwrap();
        let second = locate_in(None, nothing, folder.path(), Some(&home)).unwrap();

        assert_eq!(first.origin, Origin::Written);
        assert_eq!(second.origin, Origin::Platform);
        assert_eq!(first.path, second.path);
        assert_eq!(
            fs::read_to_string(&first.path).unwrap(),
            commented_default()
        );
        assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();

        let error =
            locate_in(None, nothing, folder.path(), Some(&file.join("zephyr"))).unwrap_err();
        let homeless = locate_in(None, nothing, folder.path(), None).unwrap_err();

        assert!(error.to_string().contains("config.toml"), "{error}");
        assert!(error.to_string().contains("--config"), "{error}");
        assert!(matches!(homeless, LocateError::NoFolder));
    }

    #[test]
    fn the_data_folder_can_be_named_in_the_environment() {
        let named = |_: &str| Some(OsString::from("/tmp/elsewhere"));
        let platform = Some(PathBuf::from("/home/me/.local/share/zephyr"));

        assert_eq!(
            data_dir_in(named, platform.clone()),
            Some(PathBuf::from("/tmp/elsewhere"))
        );
        assert_eq!(data_dir_in(nothing, platform.clone()), platform);
    }
}
