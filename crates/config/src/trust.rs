//! Which configuration files in folders of others the user has trusted.
//!
//! A repository may bring a `config.toml`. It names where credentials go and which program is started, so it
//! counts only after a person has looked at it. Trust is for one path and one content, the `.env` beside the
//! file included: any change of either ends it, as with direnv. The list is in the data folder, which only the
//! user may read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use zephyr_secrets::environment::dotenv_path;
use zephyr_secrets::private;

/// The name of a configuration file.
pub(crate) const FILE_NAME: &str = "config.toml";
/// The file in the data folder.
const LIST: &str = "trusted.json";
/// The most files on the list. The one that was trusted first goes first.
const MOST: usize = 100;

/// The list of trusted files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    list: PathBuf,
}

/// A file and its `.env` at one moment. It may hold secrets.
pub(crate) struct Contents {
    pub(crate) config: Vec<u8>,
    /// `None`: there is no such file.
    pub(crate) dotenv: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    sha256: String,
}

impl Trust {
    /// The list in this data folder.
    pub fn of(data_dir: &Path) -> Self {
        Self {
            list: data_dir.join(LIST),
        }
    }

    /// Trusts the file as it is now. `path` may be its folder. Returns the file's absolute path.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the list cannot be written.
    pub fn give(&self, path: &Path) -> io::Result<PathBuf> {
        let file = if path.is_dir() {
            path.join(FILE_NAME)
        } else {
            path.to_owned()
        };
        let contents = Contents::read(&file)?;
        let path = identity(&file)?;
        self.note(&path, &contents.fingerprint())?;
        Ok(path)
    }

    /// Whether the file is trusted as it is now.
    pub fn holds(&self, path: &Path) -> bool {
        self.read(path).is_some()
    }

    /// Whether the file was ever trusted, and is on the list still.
    pub fn knows(&self, path: &Path) -> bool {
        identity(path).is_ok_and(|path| self.entries().iter().any(|entry| entry.path == path))
    }

    /// The contents of the file, if they are trusted.
    pub(crate) fn read(&self, path: &Path) -> Option<Contents> {
        let known = self.entries();
        let identity = identity(path).ok()?;
        let known = known.iter().find(|entry| entry.path == identity)?;
        let contents = Contents::read(path).ok()?;
        (contents.fingerprint() == known.sha256).then_some(contents)
    }

    /// Trusts this content of the file, which the user has just made by a change of ours.
    pub(crate) fn renew(&self, path: &Path, contents: &Contents) -> io::Result<()> {
        self.note(&identity(path)?, &contents.fingerprint())
    }

    fn note(&self, path: &Path, sha256: &str) -> io::Result<()> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.path != path);
        entries.push(Entry {
            path: path.to_owned(),
            sha256: sha256.to_owned(),
        });
        let surplus = entries.len().saturating_sub(MOST);
        entries.drain(..surplus);
        private::replace(&self.list, &serde_json::to_vec_pretty(&entries)?)
    }

    /// A list that cannot be read trusts nothing.
    fn entries(&self) -> Vec<Entry> {
        let json = fs::read(&self.list).unwrap_or_default();
        serde_json::from_slice(&json).unwrap_or_default()
    }
}

impl Contents {
    fn read(path: &Path) -> io::Result<Self> {
        let dotenv = dotenv_path(path);
        Ok(Self {
            config: read_file(path)?,
            dotenv: match read_file(&dotenv) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
        })
    }

    fn fingerprint(&self) -> String {
        let mut context = Context::new(&SHA256);
        // The lengths keep the end of one file from passing for the beginning of the other.
        for part in [Some(&self.config), self.dotenv.as_ref()] {
            match part {
                Some(bytes) => {
                    context.update(&[1]);
                    context.update(&(bytes.len() as u64).to_le_bytes());
                    context.update(bytes);
                }
                None => context.update(&[0]),
            }
        }
        let digest = context.finish();
        digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Something else, such as a pipe, might keep us waiting for ever.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a file",
        ));
    }
    fs::read(path)
}

/// The file's place, without links to its folder. A link in the place of the file is a file of its own there,
/// because the `.env` beside the link belongs to it.
fn identity(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    Ok(fs::canonicalize(folder)?.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        trust: Trust,
    }

    impl Scene {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let trust = Trust::of(&folder.path().join("data"));
            let scene = Self { folder, trust };
            scene.write("config.toml", "[ui]\n");
            scene
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join("repository").join(name)
        }

        fn write(&self, name: &str, text: &str) {
            fs::create_dir_all(self.path("")).unwrap();
            fs::write(self.path(name), text).unwrap();
        }

        fn holds(&self) -> bool {
            self.trust.holds(&self.path("config.toml"))
        }
    }

    #[test]
    fn trust_ends_with_any_change_and_comes_back_with_the_content() {
        let scene = Scene::new();
        let before = scene.holds();

        scene.trust.give(&scene.path("config.toml")).unwrap();
        let given = scene.holds();
        scene.write("config.toml", "[ui]\n ");
        let changed = scene.holds();
        scene.write("config.toml", "[ui]\n");

        assert_eq!((before, given, changed), (false, true, false));
        assert!(scene.holds());
        assert!(scene.trust.knows(&scene.path("config.toml")));
        assert!(!scene.trust.knows(&scene.path("other.toml")));
    }

    #[test]
    fn the_dotenv_beside_the_file_is_a_part_of_what_is_trusted() {
        let scene = Scene::new();
        scene.trust.give(&scene.path("")).unwrap();

        scene.write(".env", "");
        let empty_one = scene.holds();
        scene.write(".env", "A=1\n");
        scene.trust.give(&scene.path("config.toml")).unwrap();
        let given = scene.holds();
        scene.write(".env", "A=2\n");
        let changed = scene.holds();
        fs::remove_file(scene.path(".env")).unwrap();
        let removed = scene.holds();

        assert_eq!(
            (empty_one, given, changed, removed),
            (false, true, false, false)
        );
    }

    #[test]
    fn the_end_of_one_file_does_not_pass_for_the_other() {
        let contents = |config: &str, dotenv: Option<&str>| {
            let contents = Contents {
                config: config.into(),
                dotenv: dotenv.map(|text| text.into()),
            };
            contents.fingerprint()
        };

        assert_ne!(contents("ab", Some("c")), contents("a", Some("bc")));
        assert_ne!(contents("a", Some("")), contents("a", None));
        assert_eq!(contents("a", Some("b")), contents("a", Some("b")));
    }

    #[test]
    fn the_same_content_elsewhere_is_not_trusted() {
        let scene = Scene::new();
        scene.trust.give(&scene.path("config.toml")).unwrap();
        let elsewhere = scene.folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::copy(scene.path("config.toml"), elsewhere.join("config.toml")).unwrap();

        assert!(!scene.trust.holds(&elsewhere.join("config.toml")));
        #[cfg(unix)]
        {
            let link = elsewhere.join("link");
            std::os::unix::fs::symlink(scene.path("config.toml"), &link).unwrap();
            assert!(!scene.trust.holds(&link));
            let folder = scene.folder.path().join("linked");
            std::os::unix::fs::symlink(scene.path(""), &folder).unwrap();
            assert!(
                scene.trust.holds(&folder.join("config.toml")),
                "the same file"
            );
        }
    }

    #[test]
    fn the_list_is_short_private_and_survives_nonsense() {
        let scene = Scene::new();
        let list = scene.folder.path().join("data/trusted.json");
        fs::create_dir(scene.folder.path().join("data")).unwrap();
        fs::write(&list, "nonsense").unwrap();
        for number in 0..=MOST {
            let name = format!("{number}.toml");
            scene.write(&name, "");
            scene.trust.give(&scene.path(&name)).unwrap();
        }

        assert_eq!(scene.trust.entries().len(), MOST);
        assert!(!scene.trust.holds(&scene.path("0.toml")));
        assert!(scene.trust.holds(&scene.path("1.toml")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(list).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_file_is_not_trusted() {
        let scene = Scene::new();

        assert!(scene.trust.give(&scene.path("nothing.toml")).is_err());
        fs::create_dir(scene.path(".env")).unwrap();
        assert!(scene.trust.give(&scene.path("config.toml")).is_err());
    }
}
