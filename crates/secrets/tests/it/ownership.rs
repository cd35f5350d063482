//! Files that a user without rights replaces, and the messages to that user.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use zephyr_as_user::{USER, as_user, give};
use zephyr_secrets::ownership::{take_over, unwritable};

fn with_mode(mode: u32) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
    file
}

/// The outcome of `take_over` for a user without rights. `None` if the test does not run as root.
fn taken_over(
    old: &tempfile::NamedTempFile,
    new: &tempfile::NamedTempFile,
) -> Option<io::Result<()>> {
    let old = old.as_file().metadata().unwrap();
    let mut taken = None;
    as_user(|| taken = Some(take_over(new.as_file(), &old)));
    taken
}

#[test]
fn a_file_of_ours_with_a_foreign_group_gives_our_group_no_more_than_everybody() {
    for (before, after) in [(0o644, 0o644), (0o640, 0o600), (0o664, 0o644)] {
        let (old, new) = (with_mode(before), with_mode(0o600));
        if !give(old.path(), 0) || !give(new.path(), USER) {
            return;
        }

        let taken = taken_over(&old, &new);

        assert!(taken.unwrap().is_ok());
        let metadata = new.as_file().metadata().unwrap();
        assert_eq!((metadata.gid(), metadata.mode() & 0o7777), (USER, after));
    }
}

#[test]
fn a_file_of_somebody_else_is_not_replaced_and_they_are_named() {
    let (old, new) = (with_mode(0o666), with_mode(0o600));
    if !give(new.path(), USER) {
        return;
    }

    let error = taken_over(&old, &new).unwrap().unwrap_err();

    let text = unwritable(old.path(), &error);
    assert!(text.contains("belongs to root (group root)"), "{text}");
}
