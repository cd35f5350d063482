//! Where a program is that a key or we ourselves name.
//!
//! A name is looked up in the absolute folders of `PATH` only. A relative or empty entry there means the working
//! folder, which may be somebody else's repository.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The program with this absolute path, or with this name in an absolute folder of `PATH`.
pub fn find_program(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    find_in(Path::new(program.as_ref()), env::var_os("PATH").as_deref())
}

fn find_in(program: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    if program.is_absolute() {
        return is_program(program).then(|| program.to_owned());
    }
    if program.components().count() != 1 {
        return None;
    }
    path.into_iter()
        .flat_map(env::split_paths)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    let with_extension = match path.extension() {
        Some(_) => path.to_owned(),
        None => path.with_extension(env::consts::EXE_EXTENSION),
    };
    fs::metadata(with_extension).is_ok_and(|found| found.is_file() && is_executable(&found))
}

#[cfg(unix)]
fn is_executable(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_found: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_program_is_a_file_that_may_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir_all(bin.join("folder")).unwrap();
        for (name, mode) in [("claude", 0o755), ("notes", 0o644)] {
            fs::write(bin.join(name), "").unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let absolute = |name: &str| bin.join(name).display().to_string();
        let path = env::join_paths([Path::new("/nowhere"), &bin]).unwrap();

        for (program, expected) in [
            ("claude".to_owned(), true),
            (absolute("claude"), true),
            ("notes".to_owned(), false),
            (absolute("notes"), false),
            ("folder".to_owned(), false),
            (absolute("folder"), false),
            ("codex".to_owned(), false),
            (absolute("codex"), false),
            ("./claude".to_owned(), false),
            ("bin/claude".to_owned(), false),
        ] {
            let found = find_in(Path::new(&program), Some(&path));
            assert_eq!(found.is_some(), expected, "{program}");
        }
        assert_eq!(find_in(Path::new("claude"), None), None);
        let named = absolute("claude");
        assert_eq!(find_in(Path::new(&named), None), Some(named.into()));
    }

    #[test]
    fn no_program_of_the_working_folder_is_found_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("claude");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        // The same folder, as it is called from the working folder.
        let up = env::current_dir()
            .unwrap()
            .components()
            .map(|_| "..")
            .collect::<PathBuf>();
        let relative = up.join(folder.path().strip_prefix("/").unwrap());
        let find = |path: &Path| find_in(Path::new("claude"), Some(path.as_os_str()));

        assert!(is_program(&relative.join("claude")));
        assert_eq!(find(folder.path()), Some(program));
        assert_eq!(find(&relative), None);
    }
}
