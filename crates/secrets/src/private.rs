//! Files that nobody but the user may read, such as those in the data folder.
//!
//! Each file is written beside its place and then moved there, so a reader never sees half of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{NamedTempFile, PersistError, TempDir};

use crate::ownership;

/// Whether the file was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// The file is there now, with our contents.
    Created,
    /// Another file was there first. It is untouched.
    Existed,
}

/// Creates the file, unless there is one.
///
/// # Errors
///
/// The folder cannot be written to.
pub fn create(path: &Path, contents: &[u8]) -> io::Result<Creation> {
    folder(parent(path))?;
    match beside(path, contents)?.persist_noclobber(path) {
        Ok(_) => Ok(Creation::Created),
        Err(PersistError { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Creation::Existed)
        }
        Err(PersistError { error, .. }) => Err(error),
    }
}

/// Puts the file in the place of whatever was there.
///
/// # Errors
///
/// The folder cannot be written to. An earlier file is still there.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let new = beside(path, contents)?;
    ownership::keep_owner(new.as_file(), path);
    new.persist(path)?;
    Ok(())
}

/// Makes the folder and those above it, for nobody but the user. An existing folder stays as it is; on
/// Windows, one outside of the user's profile is closed to others if it is empty.
///
/// # Errors
///
/// One of them cannot be made, or another user has it. On Windows also: others have rights to a folder outside of
/// the profile.
pub fn folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return platform::adopt_folder(folder);
    }
    platform::create_folder(folder)
}

/// Creates an empty file to write into, if none is there.
///
/// # Errors
///
/// One is there, or the folder cannot be written to.
pub fn create_new(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    platform::private(options.write(true).create_new(true)).open(path)
}

/// Opens the file to write into, and creates it if none is there. Takes an existing file's rights away from
/// others.
///
/// # Errors
///
/// It cannot be written to, or another user has put it there.
pub fn open(path: &Path) -> io::Result<File> {
    platform::open(
        File::options().write(true).create(true).truncate(false),
        path,
    )
}

/// Opens the file to write at its end, and creates it if none is there. Takes an existing file's rights away
/// from others.
///
/// # Errors
///
/// It cannot be written to, or another user has put it there.
pub fn append(path: &Path) -> io::Result<File> {
    platform::open(File::options().append(true).create(true), path)
}

/// Takes away the rights of others to the file or folder. Symbolic links are followed.
///
/// # Errors
///
/// It is not there, or not ours.
pub fn tighten(path: &Path) -> io::Result<()> {
    platform::tighten(path)
}

/// A temporary folder for nobody but the user. It goes when the value is dropped.
///
/// # Errors
///
/// The system has no place for it.
pub fn temporary_folder(prefix: &str) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    platform::private_folder(builder.prefix(prefix)).tempdir()
}

/// What others may do with a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// They may read it, or list it.
    Readable,
    /// They may change it, or replace what is in it.
    Writable,
}

/// What other users may do with the file or folder, links followed. `None`: nothing, or there is none, or the
/// system does not tell. A group without further members counts as its user.
pub fn exposure(path: &Path) -> Option<Exposure> {
    platform::exposure(path)
}

fn beside(path: &Path, contents: &[u8]) -> io::Result<NamedTempFile> {
    let folder = parent(path);
    if !folder.is_dir() {
        platform::create_folder(folder)?;
    }
    // `tempfile` opens with `O_EXCL` and, on Unix, mode 0600.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn parent(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(unix)]
mod platform {
    use super::{Exposure, File, Path, fs, io};
    use rustix::fs::OFlags;
    use rustix::io::Errno;
    use rustix::process::geteuid;
    use std::fs::{Metadata, OpenOptions, Permissions};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};

    const OF_OTHERS: u32 = 0o077;
    const SET_BY_GROUP: u32 = 0o020;
    const SET_BY_EVERYBODY: u32 = 0o002;
    const STICKY: u32 = 0o1000;

    pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
        if let Some(above) = folder.ancestors().skip(1).find(|above| above.is_dir()) {
            adopt_folder(above)?;
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
    }

    /// Whoever has the folder, or may change what is in it, decides which files are found there.
    pub(super) fn adopt_folder(folder: &Path) -> io::Result<()> {
        let metadata = fs::metadata(folder)?;
        let mode = metadata.permissions().mode();
        let is_open = mode & SET_BY_EVERYBODY != 0 && mode & STICKY == 0;
        let is_of_root = metadata.uid() == 0 && !geteuid().is_root();
        if !is_ours(metadata.uid()) || (is_of_root && is_open) {
            return Err(of_others("the folder"));
        }
        Ok(())
    }

    /// A file that is ours, or a new one. A link counts if it is ours: somebody else's may lead anywhere.
    pub(super) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
        let link = fs::symlink_metadata(path);
        let is_our_link = link.is_ok_and(|link| link.is_symlink() && is_ours(link.uid()));
        if !is_our_link {
            // A pipe that somebody left there would be waited for.
            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            options.custom_flags(flags.bits().cast_signed());
        }
        let file = match private(options).open(path) {
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                return Err(of_others("the link"));
            }
            opened => opened?,
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || !is_ours(metadata.uid()) {
            return Err(of_others("the file"));
        }
        if metadata.permissions().mode() & OF_OTHERS != 0 {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }

    /// Root reads and writes what others have anyway.
    fn is_ours(user: u32) -> bool {
        let own = geteuid();
        own.is_root() || user == 0 || user == own.as_raw()
    }

    fn of_others(what: &str) -> io::Error {
        let message = format!(
            "{what} belongs to another user, or may be changed by others; name another place"
        );
        io::Error::new(io::ErrorKind::PermissionDenied, message)
    }

    pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
        options.mode(0o600)
    }

    pub(super) fn private_folder<'a, 'b, 'c>(
        builder: &'a mut tempfile::Builder<'b, 'c>,
    ) -> &'a mut tempfile::Builder<'b, 'c> {
        builder.permissions(Permissions::from_mode(0o700))
    }

    pub(super) fn tighten(path: &Path) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if metadata.permissions().mode() & OF_OTHERS == 0 {
            return Ok(());
        }
        let private = if metadata.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(path, Permissions::from_mode(private))
    }

    pub(super) fn exposure(path: &Path) -> Option<Exposure> {
        let metadata = fs::metadata(path).ok()?;
        let mut mode = metadata.permissions().mode();
        if mode & OF_OTHERS != 0 && group_is_the_owner(&metadata) {
            mode &= !0o070;
        }
        // In a folder with this bit, such as /tmp, nobody replaces the files of others.
        let is_shared_place = metadata.is_dir() && mode & STICKY != 0;
        if mode & (SET_BY_GROUP | SET_BY_EVERYBODY) != 0 && !is_shared_place {
            return Some(Exposure::Writable);
        }
        (mode & OF_OTHERS != 0).then_some(Exposure::Readable)
    }

    /// Whether the group is the one that many systems make for each user, with nobody else in it.
    fn group_is_the_owner(metadata: &Metadata) -> bool {
        let (user, group) = (metadata.uid().to_string(), metadata.gid().to_string());
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let groups = fs::read_to_string("/etc/group").unwrap_or_default();
        is_a_group_of_its_own(&user, &group, &users, &groups)
    }

    /// `users`, `groups`: in the format of /etc/passwd and /etc/group.
    pub(super) fn is_a_group_of_its_own(
        user: &str,
        group: &str,
        users: &str,
        groups: &str,
    ) -> bool {
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let in_group: Vec<_> = users
            .lines()
            .map(fields)
            .filter(|user| user.get(3).is_some_and(|primary| primary == group))
            .collect();
        let [only] = in_group.as_slice() else {
            return false;
        };
        let mut named = groups.lines().map(fields);
        let named = named.find(|line| line.get(2).is_some_and(|id| id == group));
        only.get(2).is_some_and(|id| id == user)
            && named.is_some_and(|line| {
                let members = line.get(3).map_or("", String::as_str);
                line.first() == only.first()
                    && (members.is_empty() || Some(members) == only.first().map(String::as_str))
            })
    }
}

/// What is in a folder has the folder's access list, so the folder is what counts.
#[cfg(windows)]
mod platform {
    use super::{Exposure, File, Path, fs, io};
    use crate::access_list;
    use std::fs::OpenOptions;

    pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
        access_list::create(folder)
    }

    pub(super) fn adopt_folder(folder: &Path) -> io::Result<()> {
        access_list::adopt(folder)
    }

    pub(super) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
        options.open(path)
    }

    pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    pub(super) fn private_folder<'a, 'b, 'c>(
        builder: &'a mut tempfile::Builder<'b, 'c>,
    ) -> &'a mut tempfile::Builder<'b, 'c> {
        builder
    }

    pub(super) fn tighten(path: &Path) -> io::Result<()> {
        fs::metadata(path).map(|_| ())
    }

    pub(super) fn exposure(_: &Path) -> Option<Exposure> {
        None
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use std::os::unix::fs::chown;
    use zephyr_as_user::{USER, as_user, give};

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn files_and_folders_are_tightened_also_behind_links() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        set_mode(&file, 0o666);
        set_mode(folder.path(), 0o777);

        tighten(&link).unwrap();
        tighten(folder.path()).unwrap();

        assert_eq!((mode(&file), mode(folder.path())), (0o600, 0o700));
    }

    #[test]
    fn what_others_may_read_or_write_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for (bits, expected) in [
            (0o600, None),
            (0o604, Some(Exposure::Readable)),
            (0o644, Some(Exposure::Readable)),
            (0o602, Some(Exposure::Writable)),
            (0o666, Some(Exposure::Writable)),
        ] {
            set_mode(&file, bits);
            assert_eq!(exposure(&file), expected, "{bits:o}");
        }
        for (bits, expected) in [
            (0o700, None),
            (0o755, Some(Exposure::Readable)),
            (0o757, Some(Exposure::Writable)),
            (0o1777, Some(Exposure::Readable)),
        ] {
            set_mode(folder.path(), bits);
            assert_eq!(exposure(folder.path()), expected, "{bits:o}");
        }
        assert_eq!(exposure(&folder.path().join("nothing")), None);
    }

    #[test]
    fn a_group_of_one_user_is_that_user() {
        let users = "root:x:0:0::/root:/bin/sh\nmia:x:1000:1000::/home/mia:/bin/sh\n\
                     tom:x:1001:100::/home/tom:/bin/sh\nkim:x:1002:100::/home/kim:/bin/sh\n";
        let groups = "root:x:0:\nmia:x:1000:\nusers:x:100:\nteam:x:200:mia\n";
        let own = |user, group| platform::is_a_group_of_its_own(user, group, users, groups);

        assert!(own("1000", "1000"));
        assert!(own("0", "0"));
        assert!(!own("1001", "100"), "two users have it");
        assert!(!own("1000", "200"), "a group for several");
        assert!(!own("1000", "0"), "the group of another user");
        assert!(!own("1000", "4711"), "an unknown group");
        let joined = groups.replace("mia:x:1000:", "mia:x:1000:tom");
        assert!(!platform::is_a_group_of_its_own(
            "1000", "1000", users, &joined
        ));
    }

    #[test]
    fn a_temporary_folder_is_the_users_own() {
        let folder = temporary_folder("zephyr-test-").unwrap();

        assert_eq!(mode(folder.path()), 0o700);
    }

    /// A folder of another user, who has put these into it: a file, a link to `mine`, a pipe.
    #[cfg(target_os = "linux")]
    fn of_another(mine: &Path) -> Option<tempfile::TempDir> {
        const ANOTHER: u32 = 54_322;
        let folder = tempfile::tempdir().unwrap();
        if !give(mine, USER) {
            return None;
        }
        fs::write(folder.path().join("file"), "").unwrap();
        symlink(mine, folder.path().join("link")).unwrap();
        let another = Some(ANOTHER);
        chown(folder.path().join("file"), another, another).unwrap();
        std::os::unix::fs::lchown(folder.path().join("link"), another, another).unwrap();
        fs::set_permissions(
            folder.path().join("file"),
            fs::Permissions::from_mode(0o666),
        )
        .unwrap();
        chown(folder.path(), another, another).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        Some(folder)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_another_user_has_put_there_is_not_written_into() {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mine = home.path().join("profile");
        fs::write(&mine, "mine").unwrap();
        let Some(planted) = of_another(&mine) else {
            return;
        };
        let planted = planted.path();

        as_user(|| {
            for name in ["file", "link"] {
                let path = planted.join(name);
                assert!(append(&path).is_err(), "{name}");
                assert!(open(&path).is_err(), "{name}");
            }
            assert!(folder(planted).is_err());
            assert!(folder(&planted.join("new/folder")).is_err());
        });
        assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
        assert!(!planted.join("new").exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_link_of_ones_own_is_followed_and_what_it_leads_to_is_closed() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&file, home.path().join("link")).unwrap();

        append(&home.path().join("link")).unwrap();

        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
