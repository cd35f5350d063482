//! Whether there is a program that a key names.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// Whether this can be started: an absolute path, or a name in `PATH`. A relative path cannot, because a
/// check runs in a folder of its own.
pub(super) fn is_there(program: &str) -> bool {
    is_there_in(program, env::var_os("PATH").as_deref())
}

fn is_there_in(program: &str, path: Option<&OsStr>) -> bool {
    let program = Path::new(program);
    if program.is_absolute() {
        return is_program(program);
    }
    let is_name = program.components().count() == 1;
    let folders = path.into_iter().flat_map(env::split_paths);
    is_name
        && folders
            .map(|folder| folder.join(program))
            .any(|path| is_program(&path))
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

#[cfg(all(test, unix))]
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
            assert_eq!(is_there_in(&program, Some(&path)), expected, "{program}");
        }
        assert!(!is_there_in("claude", None));
        assert!(is_there_in(&absolute("claude"), None));
    }
}
