//! A configuration file, with the condition under which it may be read.

use std::io;
use std::path::{Path, PathBuf};

use zephyr_secrets::environment::{Dotenv, dotenv, dotenv_path};
use zephyr_secrets::private::{Exposure, exposure};

use crate::load::{LoadError, load, load_bytes};
use crate::loaded::Loaded;
use crate::problem::Problem;
use crate::trust::{Contents, Trust};

/// A configuration file. One that was found in the working folder is read only while it is trusted, also when
/// it is read again later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    path: PathBuf,
    /// `None`: a person named it, or it is the user's own.
    trust: Option<Trust>,
}

impl ConfigFile {
    /// A file that counts whatever is in it.
    pub fn named(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            trust: None,
        }
    }

    /// A file that counts only while it is on this list, as it is.
    pub fn trusted(path: impl Into<PathBuf>, trust: Trust) -> Self {
        Self {
            path: path.into(),
            trust: Some(trust),
        }
    }

    /// The file that a running instance reads. `trust`: the list of its data folder. If the list knows the file,
    /// it counts only while it is trusted.
    pub fn of_instance(path: impl Into<PathBuf>, trust: Trust) -> Self {
        let path = path.into();
        let trust = trust.knows(&path).then_some(trust);
        Self { path, trust }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same file by its absolute path, for programs in other folders.
    ///
    /// # Errors
    ///
    /// The working folder is gone.
    pub fn absolute(self) -> io::Result<Self> {
        Ok(Self {
            path: std::path::absolute(self.path)?,
            trust: self.trust,
        })
    }

    /// Reads and checks the file. Blocks.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has errors, or is not trusted any more.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        match &self.trust {
            None => load(&self.path),
            Some(trust) => {
                let contents = trust.read(&self.path).ok_or_else(|| self.untrusted())?;
                load_bytes(&self.path, contents.config)
            }
        }
    }

    /// Reads the `.env` beside the file. A missing one counts as an empty one. Blocks.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is not trusted any more.
    pub fn dotenv(&self) -> io::Result<Dotenv> {
        match &self.trust {
            None => dotenv(&self.dotenv_path()),
            Some(trust) => match trust.read(&self.path) {
                Some(contents) => contents
                    .dotenv
                    .map_or_else(|| Ok(Dotenv::default()), Dotenv::of),
                None => Err(io::Error::other(self.untrusted())),
            },
        }
    }

    /// Where that `.env` is.
    pub fn dotenv_path(&self) -> PathBuf {
        dotenv_path(&self.path)
    }

    /// Makes a change of ours to the file, which has the text `from`. A file that was trusted before is so
    /// afterwards. Blocks.
    ///
    /// # Errors
    ///
    /// It is not trusted any more, or `write` fails.
    pub fn change<E: From<LoadError>>(
        &self,
        from: &str,
        to: &str,
        write: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(trust) = &self.trust else {
            return write();
        };
        let before = trust.read(&self.path);
        let before = before.filter(|contents| contents.config == from.as_bytes());
        let before = before.ok_or_else(|| self.untrusted())?;
        write()?;
        let after = Contents {
            config: to.as_bytes().to_vec(),
            dotenv: before.dotenv,
        };
        let renewed = trust.renew(&self.path, &after);
        renewed.map_err(|source| {
            LoadError::Io {
                path: self.path.clone(),
                source,
            }
            .into()
        })
    }

    /// What other users may do with the file, its folder and its `.env`, as warnings. On Unix only.
    pub fn exposures(&self) -> Vec<Exposed> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        let all = [folder, self.path.clone(), self.dotenv_path()];
        all.into_iter().filter_map(Exposed::of).collect()
    }

    fn untrusted(&self) -> LoadError {
        LoadError::Untrusted {
            path: self.path.clone(),
        }
    }
}

impl From<PathBuf> for ConfigFile {
    fn from(path: PathBuf) -> Self {
        Self::named(path)
    }
}

/// A file or folder that other users can read or change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Where it is.
    pub path: PathBuf,
    /// What they can do.
    pub exposure: Exposure,
}

impl Exposed {
    /// `None`: nobody else can do anything with it, or there is none.
    pub fn of(path: PathBuf) -> Option<Self> {
        let exposure = exposure(&path)?;
        Some(Self { path, exposure })
    }

    /// As a warning, with what to do.
    pub fn warning(&self) -> Problem {
        let mode = if self.path.is_dir() { "700" } else { "600" };
        let shown = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let shown = shown.display();
        let (what, why) = match self.exposure {
            Exposure::Readable => ("other users can read", ""),
            Exposure::Writable => (
                "security: other users can change",
                ", and so decide where your tokens go and which program is started",
            ),
        };
        Problem {
            line: None,
            key: String::new(),
            message: format!("{what} {shown}{why}"),
            remedy: format!("run `chmod {mode} {shown}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn trusted(text: &str) -> (tempfile::TempDir, ConfigFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        fs::write(folder.path().join(".env"), "TOKEN=ours\n").unwrap();
        let trust = Trust::of(&folder.path().join("data"));
        trust.give(&path).unwrap();
        (folder, ConfigFile::trusted(path, trust))
    }

    #[test]
    fn what_has_changed_since_it_was_trusted_is_not_read() {
        let (folder, file) = trusted("[ui]\n");
        let before = (file.load().is_ok(), file.dotenv().is_ok());

        fs::write(folder.path().join(".env"), "TOKEN=theirs\n").unwrap();

        let error = file.load().unwrap_err();
        assert_eq!(before, (true, true));
        assert!(matches!(error, LoadError::Untrusted { .. }));
        assert!(error.to_string().contains("zephyr config trust"), "{error}");
        assert!(file.dotenv().is_err());
    }

    #[test]
    fn a_change_of_ours_stays_trusted_and_never_covers_one_of_others() {
        let (_folder, file) = trusted("[ui]\n");
        let write = |text: &'static str| {
            let path = file.path().to_owned();
            move || {
                fs::write(&path, text).unwrap();
                Ok::<_, LoadError>(())
            }
        };

        file.change("[ui]\n", "[log]\n", write("[log]\n")).unwrap();
        let ours = file.load().is_ok();
        fs::write(file.path(), "[theirs]\n").unwrap();
        let theirs = file.change("[theirs]\n", "[more]\n", write("[more]\n"));

        assert!(ours);
        assert!(matches!(theirs, Err(LoadError::Untrusted { .. })));
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "[theirs]\n");
        assert!(file.load().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_others_can_do_is_told_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, file) = trusted("");
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set(folder.path(), 0o700);
        set(file.path(), 0o600);
        set(&file.dotenv_path(), 0o600);
        let private = file.exposures();

        set(folder.path(), 0o757);
        set(&file.dotenv_path(), 0o644);
        let exposed = file.exposures();

        assert!(private.is_empty(), "{private:?}");
        let told: Vec<String> = exposed
            .iter()
            .map(|one| one.warning().to_string())
            .collect();
        let [folders, dotenv] = &told[..] else {
            panic!("{told:?}");
        };
        assert!(
            folders.contains("security") && folders.contains("chmod 700"),
            "{folders}"
        );
        assert!(
            dotenv.contains("can read") && dotenv.contains("chmod 600"),
            "{dotenv}"
        );
    }
}
