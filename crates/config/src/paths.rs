//! The places of the configuration and of the data.
//!
//! A file that somebody named is taken without a look. Reading it will tell if it is missing. A `config.toml`
//! in the working folder counts only if it is [trusted](crate::Trust): the folder may be a repository that
//! somebody else has written. Otherwise it is passed over, and the user's own file counts. A default is written
//! only if nobody named a file and none is in the usual places.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use zephyr_secrets::private;

use crate::example::commented_default;
use crate::file::ConfigFile;
use crate::trust::{FILE_NAME, Trust};

/// The configuration file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub file: ConfigFile,
    pub origin: Origin,
    /// A `config.toml` in the working folder that is not read, because nobody has trusted it as it is.
    pub passed_over: Option<PathBuf>,
}

impl Located {
    /// What a person should be told about this choice, a sentence each. Nothing about the usual place.
    pub fn notices(&self) -> Vec<String> {
        let path = absolute(self.file.path());
        let path = path.display();
        let passed_over = self.passed_over.as_deref().map(|passed_over| {
            format!(
                "{} is not read: a file in the current folder counts only after `zephyr config trust`, as it was \
                 then, or if it is named with --config",
                absolute(passed_over).display()
            )
        });
        let is_usual = is_usual(self.file.path());
        let read = match self.origin {
            Origin::Argument | Origin::Variable("ZEPHYR_CONFIG") if is_usual => None,
            Origin::Argument => Some(format!("the configuration is {path} (--config)")),
            Origin::Variable("CONFIG_FILE") => Some(format!(
                "the configuration is {path} ($CONFIG_FILE; other programs use that variable too: if it is meant \
                 for one of them, set ZEPHYR_CONFIG to the file for Zephyr)"
            )),
            Origin::Variable(name) => Some(format!("the configuration is {path} (${name})")),
            Origin::WorkingDirectory => Some(format!(
                "the configuration is {path} (in the current folder, and trusted)"
            )),
            Origin::Platform => None,
            Origin::Written => Some(format!(
                "there was no configuration file; wrote one to {path}. Put your endpoints in it."
            )),
        };
        passed_over.into_iter().chain(read).collect()
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The reason for reading this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Named by `--config`.
    Argument,
    /// Named by this environment variable.
    Variable(&'static str),
    /// `config.toml` in the working directory, which is trusted.
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

/// Why there is no folder for data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataDirError {
    /// The platform names none.
    #[error("there is no home folder to keep data in; name one with ZEPHYR_DATA_DIR")]
    NoFolder,
    /// It would be another one in every folder, and in a foreign folder somebody else's.
    #[error("ZEPHYR_DATA_DIR is {}, which is relative; name the whole path", .0.display())]
    Relative(PathBuf),
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
    Places::here().locate(explicit, env)
}

/// Finds the configuration file like [`locate`], but never writes a default.
pub fn find(explicit: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Option<Located> {
    Places::here().find(explicit, env).found
}

/// Whether this is the user's own file in the platform's configuration folder.
pub fn is_usual(path: &Path) -> bool {
    let folder = project().map(|project| project.config_dir().to_owned());
    folder.is_some_and(|folder| is_same(path, &folder.join(FILE_NAME)))
}

/// The folder for Zephyr's data: `ZEPHYR_DATA_DIR`, otherwise the platform's. It may not exist yet.
///
/// # Errors
///
/// There is no home folder, or the variable has a relative path.
pub fn data_dir() -> Result<PathBuf, DataDirError> {
    data_dir_in(
        |name| std::env::var_os(name),
        project().map(|project| project.data_local_dir().to_owned()),
    )
}

/// Where files are looked for.
struct Places {
    working_folder: PathBuf,
    /// The platform's configuration folder.
    folder: Option<PathBuf>,
    trust: Option<Trust>,
}

/// What a search gave.
struct Search {
    found: Option<Located>,
    passed_over: Option<PathBuf>,
}

impl Places {
    fn here() -> Self {
        Self {
            working_folder: PathBuf::new(),
            folder: project().map(|project| project.config_dir().to_owned()),
            // Without a folder that is surely the user's own, nothing is trusted.
            trust: data_dir().ok().map(|data_dir| Trust::of(&data_dir)),
        }
    }

    fn locate(
        &self,
        explicit: Option<&Path>,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Located, LocateError> {
        let Search { found, passed_over } = self.find(explicit, env);
        if let Some(found) = found {
            return Ok(found);
        }
        let folder = self.folder.as_ref().ok_or(LocateError::NoFolder)?;
        let path = folder.join(FILE_NAME);
        let found = |origin| Located {
            file: ConfigFile::named(path.clone()),
            origin,
            passed_over: passed_over.clone(),
        };
        match write_new(&path, &commented_default()) {
            Ok(()) => Ok(found(Origin::Written)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(found(Origin::Platform))
            }
            Err(source) => Err(LocateError::Unwritable { path, source }),
        }
    }

    fn find(&self, explicit: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Search {
        let named = explicit.map(|path| (path.to_owned(), Origin::Argument));
        let named = named.or_else(|| {
            ["ZEPHYR_CONFIG", "CONFIG_FILE"]
                .into_iter()
                .find_map(|name| {
                    let path = env(name).filter(|path| !path.is_empty())?;
                    Some((PathBuf::from(path), Origin::Variable(name)))
                })
        });
        if let Some((path, origin)) = named {
            return Search::found(ConfigFile::named(path), origin, None);
        }
        let usual = self.folder.as_ref().map(|folder| folder.join(FILE_NAME));
        let usual = usual.filter(|path| path.exists());
        let here = self.working_folder.join(FILE_NAME);
        let mut passed_over = None;
        if here.is_file() && !usual.as_deref().is_some_and(|usual| is_same(&here, usual)) {
            let trust = self.trust.as_ref();
            match trust.filter(|trust| trust.holds(&here)) {
                Some(trust) => {
                    let file = ConfigFile::trusted(here, trust.clone());
                    return Search::found(file, Origin::WorkingDirectory, None);
                }
                None => passed_over = Some(here),
            }
        }
        match usual {
            Some(path) => Search::found(ConfigFile::named(path), Origin::Platform, passed_over),
            None => Search {
                found: None,
                passed_over,
            },
        }
    }
}

impl Search {
    fn found(file: ConfigFile, origin: Origin, passed_over: Option<PathBuf>) -> Self {
        let found = Located {
            file,
            origin,
            passed_over: passed_over.clone(),
        };
        Self {
            found: Some(found),
            passed_over,
        }
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        (Ok(_) | Err(_), _) => false,
    }
}

fn data_dir_in(
    env: impl Fn(&str) -> Option<OsString>,
    folder: Option<PathBuf>,
) -> Result<PathBuf, DataDirError> {
    match env("ZEPHYR_DATA_DIR").filter(|path| !path.is_empty()) {
        Some(named) => {
            let named = PathBuf::from(named);
            if named.is_absolute() {
                Ok(named)
            } else {
                Err(DataDirError::Relative(named))
            }
        }
        None => folder.ok_or(DataDirError::NoFolder),
    }
}

/// Writes a file that is whole as soon as it appears. An existing file is never replaced.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if path.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    private::folder(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "zephyr")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<OsString> {
        None
    }

    /// A working folder, and a home with the user's own folders.
    struct Scene {
        folder: tempfile::TempDir,
        places: Places,
    }

    impl Scene {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let within = |name: &str| folder.path().join(name);
            fs::create_dir(within("here")).unwrap();
            let places = Places {
                working_folder: within("here"),
                folder: Some(within("home/zephyr")),
                trust: Some(Trust::of(&within("data"))),
            };
            Self { folder, places }
        }

        /// With a file in the working folder and one in the platform's.
        fn with_both() -> Self {
            let scene = Self::new();
            scene.write(&scene.here(), "# here\n");
            scene.write(&scene.usual(), "# usual\n");
            scene
        }

        fn write(&self, path: &Path, text: &str) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn here(&self) -> PathBuf {
            self.folder.path().join("here/config.toml")
        }

        fn usual(&self) -> PathBuf {
            self.folder.path().join("home/zephyr/config.toml")
        }

        fn trust(&self) -> &Trust {
            self.places.trust.as_ref().unwrap()
        }
    }

    #[test]
    fn what_is_named_more_directly_outranks_what_lies_around() {
        let scene = Scene::with_both();
        scene.trust().give(&scene.here()).unwrap();
        let locate = |explicit: Option<&str>, names: &'static [&'static str]| {
            let env = move |name: &str| names.contains(&name).then(|| OsString::from(name));
            scene.places.locate(explicit.map(Path::new), env).unwrap()
        };

        let by_argument = locate(Some("mine.toml"), &["ZEPHYR_CONFIG", "CONFIG_FILE"]);
        let by_variable = locate(None, &["ZEPHYR_CONFIG", "CONFIG_FILE"]);
        let by_old_variable = locate(None, &["CONFIG_FILE"]);
        let by_place = locate(None, &[]);

        assert_eq!(by_argument.file.path(), Path::new("mine.toml"));
        assert_eq!(by_argument.origin, Origin::Argument);
        assert_eq!(by_variable.origin, Origin::Variable("ZEPHYR_CONFIG"));
        assert_eq!(by_old_variable.origin, Origin::Variable("CONFIG_FILE"));
        assert_eq!(by_old_variable.file.path(), Path::new("CONFIG_FILE"));
        assert_eq!(by_place.origin, Origin::WorkingDirectory);
        for (located, word) in [
            (&by_argument, "--config"),
            (&by_variable, "$ZEPHYR_CONFIG"),
            (&by_old_variable, "other programs"),
            (&by_place, "trusted"),
        ] {
            let [notice] = &located.notices()[..] else {
                panic!("{located:?}");
            };
            let path = absolute(located.file.path()).display().to_string();
            assert!(notice.contains(word) && notice.contains(&path), "{notice}");
        }
    }

    #[test]
    fn an_empty_variable_names_nothing() {
        let scene = Scene::with_both();
        let empty = |_: &str| Some(OsString::new());

        let located = scene.places.locate(None, empty).unwrap();

        assert_eq!(located.origin, Origin::Platform);
    }

    #[test]
    fn a_file_in_the_working_folder_is_passed_over_unless_it_is_trusted() {
        let scene = Scene::with_both();
        let locate = || scene.places.locate(None, nothing).unwrap();

        let before = locate();
        scene.trust().give(&scene.here()).unwrap();
        let trusted = locate();
        scene.write(&scene.here(), "# changed\n");
        let changed = locate();

        for located in [&before, &changed] {
            assert_eq!(located.file.path(), scene.usual());
            assert_eq!(located.origin, Origin::Platform);
            assert_eq!(located.passed_over, Some(scene.here()));
            let [notice] = &located.notices()[..] else {
                panic!("{located:?}");
            };
            assert!(notice.contains("zephyr config trust"), "{notice}");
        }
        assert_eq!(trusted.file.path(), scene.here());
        assert_eq!(trusted.passed_over, None);
    }

    #[test]
    fn without_a_home_a_file_in_the_working_folder_is_no_way_out() {
        let mut scene = Scene::with_both();
        scene.places.folder = None;
        scene.places.trust = None;

        let error = scene.places.locate(None, nothing).unwrap_err();

        assert!(matches!(error, LocateError::NoFolder));
    }

    #[test]
    fn the_usual_folder_may_be_the_working_folder() {
        let mut scene = Scene::with_both();
        scene.places.working_folder = scene.folder.path().join("home/zephyr");

        let located = scene.places.locate(None, nothing).unwrap();

        assert_eq!(located.origin, Origin::Platform);
        assert!(located.notices().is_empty());
    }

    #[test]
    fn without_any_file_a_commented_default_is_written_once() {
        let scene = Scene::new();

        let first = scene.places.locate(None, nothing).unwrap();
        let second = scene.places.locate(None, nothing).unwrap();

        assert_eq!(first.origin, Origin::Written);
        assert_eq!(second.origin, Origin::Platform);
        assert_eq!(first.file, second.file);
        assert_eq!(
            fs::read_to_string(scene.usual()).unwrap(),
            commented_default()
        );
        assert_eq!(
            fs::read_dir(scene.usual().parent().unwrap())
                .unwrap()
                .count(),
            1
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&scene.usual()), 0o600);
            assert_eq!(mode(scene.usual().parent().unwrap()), 0o700);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_with_its_path() {
        let mut scene = Scene::new();
        let file = scene.folder.path().join("file");
        fs::write(&file, "").unwrap();

        scene.places.folder = Some(file.join("zephyr"));
        let error = scene.places.locate(None, nothing).unwrap_err();
        scene.places.folder = None;
        let homeless = scene.places.locate(None, nothing).unwrap_err();

        assert!(error.to_string().contains("config.toml"), "{error}");
        assert!(error.to_string().contains("--config"), "{error}");
        assert!(matches!(homeless, LocateError::NoFolder));
    }

    #[test]
    fn the_data_folder_can_be_named_in_the_environment() {
        let elsewhere = std::env::temp_dir();
        let named = |_: &str| Some(elsewhere.clone().into_os_string());
        let relative = |_: &str| Some(OsString::from("data"));
        let platform = Some(PathBuf::from("/home/me/.local/share/zephyr"));

        assert_eq!(data_dir_in(named, platform.clone()), Ok(elsewhere.clone()));
        assert_eq!(
            data_dir_in(relative, platform.clone()),
            Err(DataDirError::Relative("data".into()))
        );
        assert_eq!(data_dir_in(nothing, None), Err(DataDirError::NoFolder));
        assert_eq!(data_dir_in(nothing, platform.clone()).ok(), platform);
    }
}
