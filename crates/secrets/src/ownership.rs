//! Owner, group and mode of a file that replaces another one, and the explanation if it cannot.

use std::error::Error as StdError;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;

/// The reason for not replacing a file although the system would permit it.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(not(unix), expect(dead_code, reason = "looked at on Unix alone"))]
enum Loss {
    /// The new file would belong to us, the old one belongs to somebody else.
    #[error(
        "it belongs to {owner}, and a new file in its place would not; give it to the user who runs Zephyr, \
         with chown"
    )]
    Owner { owner: String },
    /// Its other names would keep the old text.
    #[error(
        "it has {names} names (hard links), and only this one would get the new text; make the others symbolic \
         links to it, or change the file by hand"
    )]
    Names { names: u64 },
}

/// Gives the new file the owner, the group and the mode of the old one. If we are no member of the old
/// group, the new file has our group. Its members then get no more rights than everybody has.
///
/// # Errors
///
/// The owner cannot be kept, or the old file has further names.
pub fn take_over(new: &File, old: &Metadata) -> io::Result<()> {
    take_over_as(new, old, mode(old).unwrap_or_default())
}

/// Like [`take_over`], but with this mode in place of the old file's. Systems without modes ignore it.
///
/// # Errors
///
/// The owner cannot be kept, or the old file has further names.
pub fn take_over_as(new: &File, old: &Metadata, mode: u32) -> io::Result<()> {
    platform::take_over(new, old, mode)
}

/// The mode of a file. `None` on systems without modes.
pub fn mode(file: &Metadata) -> Option<u32> {
    platform::mode(file)
}

/// Sets the mode of a file. Systems without modes ignore it.
///
/// # Errors
///
/// The file is not there, or not ours.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    platform::set_mode(path, mode)
}

/// A mode without the rights of everybody but the owner.
pub fn for_the_owner(mode: u32) -> u32 {
    mode & 0o700
}

/// Gives the new file the owner and the group of the file at `path`, as far as possible. So a user's file
/// stays the user's when root replaces it.
pub fn keep_owner(new: &File, path: &Path) {
    platform::keep_owner(new, path);
}

/// The name of the user with this number, or the number.
pub fn user_name(id: u32) -> String {
    platform::user_name(id)
}

/// The message about a file that could not be written, with the reason and a remedy.
pub fn unwritable(path: &Path, error: &io::Error) -> String {
    let shown = path.display();
    if let Some(loss) = error
        .get_ref()
        .and_then(<dyn StdError + Send + Sync>::downcast_ref::<Loss>)
    {
        return format!("{shown} cannot be written: {loss}");
    }
    let is_full = matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    );
    if is_full {
        return format!("{shown} cannot be written: {error}; check the free space");
    }
    if error.kind() == ErrorKind::PermissionDenied {
        return format!(
            "{shown} cannot be written: the system does not permit it{}; let the user who runs Zephyr write \
             there, with chown or chmod",
            platform::owners(path)
        );
    }
    format!("{shown} cannot be written: {error}; check its folder, then try again")
}

#[cfg(unix)]
mod platform {
    use std::fs::{self, File, Metadata, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    use std::path::Path;

    use super::Loss;

    const SET_GROUP_ID: u32 = 0o2000;
    const OF_GROUP: u32 = 0o070;
    const OF_OTHERS: u32 = 0o007;

    pub(super) fn take_over(new: &File, old: &Metadata, mode: u32) -> io::Result<()> {
        if old.nlink() > 1 {
            return Err(io::Error::other(Loss::Names { names: old.nlink() }));
        }
        let ours = new.metadata()?;
        if old.uid() != ours.uid() {
            fchown(new, Some(old.uid()), None)
                .map_err(|_| io::Error::other(Loss::Owner { owner: owner(old) }))?;
        }
        let mut mode = mode;
        if old.gid() != ours.gid() && fchown(new, None, Some(old.gid())).is_err() {
            let of_everybody = (mode >> 3) & mode & OF_OTHERS;
            mode = (mode & !(SET_GROUP_ID | OF_GROUP)) | (of_everybody << 3);
        }
        // The mode comes last, since a change of owner clears special bits.
        new.set_permissions(Permissions::from_mode(mode))
    }

    pub(super) fn mode(file: &Metadata) -> Option<u32> {
        Some(file.permissions().mode() & 0o7777)
    }

    pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    pub(super) fn keep_owner(new: &File, path: &Path) {
        let (Ok(old), Ok(ours)) = (fs::metadata(path), new.metadata()) else {
            return;
        };
        if old.uid() != ours.uid() {
            // Without the right to it, the file becomes ours.
            let _ = fchown(new, Some(old.uid()), Some(old.gid()));
        }
    }

    pub(super) fn owners(path: &Path) -> String {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let of = |path: &Path| fs::metadata(path).map(|metadata| owner(&metadata)).ok();
        match (of(path), of(folder.unwrap_or(Path::new(".")))) {
            (Some(file), Some(folder)) => {
                format!(" (the file belongs to {file}, its folder to {folder})")
            }
            (None, Some(folder)) => format!(" (its folder belongs to {folder})"),
            (_, None) => String::new(),
        }
    }

    pub(super) fn user_name(id: u32) -> String {
        name("/etc/passwd", id)
    }

    fn owner(metadata: &Metadata) -> String {
        format!(
            "{} (group {})",
            name("/etc/passwd", metadata.uid()),
            name("/etc/group", metadata.gid())
        )
    }

    /// The name of this number, or the number itself. Users of a directory service are in neither file.
    fn name(list: &str, id: u32) -> String {
        let number = id.to_string();
        let list = fs::read_to_string(list).unwrap_or_default();
        let is_meant = |line: &&str| line.split(':').nth(2) == Some(number.as_str());
        let line = list.lines().find(is_meant);
        let name = line.and_then(|line| line.split(':').next());
        name.map_or(number.clone(), str::to_owned)
    }
}

/// A new file has the access rules of its folder, as the former one had.
#[cfg(not(unix))]
mod platform {
    use std::fs::{File, Metadata};
    use std::io;
    use std::path::Path;

    pub(super) fn take_over(new: &File, old: &Metadata, _: u32) -> io::Result<()> {
        new.set_permissions(old.permissions())
    }

    pub(super) fn mode(_: &Metadata) -> Option<u32> {
        None
    }

    pub(super) fn set_mode(_: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn keep_owner(_: &File, _: &Path) {}

    pub(super) fn user_name(id: u32) -> String {
        id.to_string()
    }

    pub(super) fn owners(_: &Path) -> String {
        String::new()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    use super::*;

    /// A user and a group that do not exist here.
    const NOBODY: u32 = 54_321;

    fn with_mode(mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file()
            .set_permissions(Permissions::from_mode(mode))
            .unwrap();
        file
    }

    #[test]
    fn a_file_with_a_second_name_is_not_replaced_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "").unwrap();
        fs::hard_link(&one, &other).unwrap();
        let new = with_mode(0o600);

        let error = take_over(new.as_file(), &fs::metadata(&one).unwrap()).unwrap_err();

        let text = unwritable(&one, &error);
        assert!(text.contains("2 names (hard links)"), "{text}");
    }

    #[test]
    fn a_new_file_has_the_mode_of_the_old_one() {
        let (old, new) = (with_mode(0o640), with_mode(0o600));

        take_over(new.as_file(), &old.as_file().metadata().unwrap()).unwrap();

        assert_eq!(new.as_file().metadata().unwrap().mode() & 0o7777, 0o640);
    }

    #[test]
    fn a_new_file_can_be_the_owners_alone() {
        for (before, after) in [(0o644, 0o600), (0o4755, 0o700), (0o600, 0o600)] {
            let (old, new) = (with_mode(before), with_mode(0o600));
            let old = old.as_file().metadata().unwrap();

            take_over_as(new.as_file(), &old, for_the_owner(mode(&old).unwrap())).unwrap();

            let new = new.as_file().metadata().unwrap();
            assert_eq!(mode(&new), Some(after), "{before:o}");
        }
    }

    #[test]
    fn root_keeps_the_owner_and_the_group() {
        let (old, new, private) = (with_mode(0o640), with_mode(0o600), with_mode(0o600));
        if chown(old.path(), Some(NOBODY), Some(NOBODY + 1)).is_err() {
            println!("skipped: only root may give files away");
            return;
        }

        take_over(new.as_file(), &old.as_file().metadata().unwrap()).unwrap();
        keep_owner(private.as_file(), old.path());

        for file in [new, private] {
            let metadata = file.as_file().metadata().unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (NOBODY, NOBODY + 1));
        }
    }

    #[test]
    fn what_the_system_forbids_names_owner_and_group() {
        let folder = tempfile::tempdir().unwrap();
        let denied = io::Error::from(ErrorKind::PermissionDenied);

        let text = unwritable(&folder.path().join("config.toml"), &denied);
        let full = unwritable(folder.path(), &ErrorKind::StorageFull.into());

        assert!(text.contains("its folder belongs to"), "{text}");
        assert!(text.contains("(group "), "{text}");
        assert!(full.contains("free space"), "{full}");
    }
}
