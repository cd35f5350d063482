//! Files that a user without rights saves.

use std::fs;
use std::path::PathBuf;

use zephyr_as_user::{USER, as_user, give};
use zephyr_config::edit::file::File;

fn folder_with(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_file_of_ours_with_a_foreign_group_is_written() {
    let (folder, path) = folder_with("[ui]\n");
    if !give(folder.path(), USER) || !give(&path, 0) {
        return;
    }

    as_user(|| File::read(&path).unwrap().write("[desktop]\n").unwrap());

    assert_eq!(fs::read(&path).unwrap(), b"[desktop]\n");
}

#[test]
fn a_file_or_folder_of_somebody_else_is_named_with_owner_and_group() {
    let (folder, path) = folder_with("[ui]\n");
    let write = |theirs: &str| {
        as_user(|| {
            let error = File::read(&path).unwrap().write("[desktop]\n").unwrap_err();
            assert!(error.to_string().contains(theirs), "{error}");
        });
    };
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), mode).unwrap();

    if give(&path, USER) {
        write("its folder to root (group root)");
    }
    fs::remove_file(&path).unwrap();
    fs::write(&path, "[ui]\n").unwrap();
    if give(folder.path(), USER) {
        write("it belongs to root (group root)");
    }

    assert_eq!(fs::read(&path).unwrap(), b"[ui]\n");
}
