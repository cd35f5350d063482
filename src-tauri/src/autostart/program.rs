//! What the system should start at login: this program, or the AppImage that it was unpacked from.

use std::env;
use std::path::PathBuf;

/// The system starts the program at login with this argument. Then no window opens.
pub(super) const ARGUMENT: &str = "--at-login";

/// The program that the system should start.
pub(crate) fn program() -> Option<PathBuf> {
    let running = env::current_exe().ok()?;
    Some(image::of(&running).unwrap_or(running))
}

#[cfg(target_os = "linux")]
mod image {
    use std::env;
    use std::ffi::OsString;
    use std::fs::{self, Metadata};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::{Path, PathBuf};

    const ROOT: u32 = 0;
    const WRITABLE_BY_OTHERS: u32 = 0o002;
    const EXECUTABLE: u32 = 0o111;

    /// The AppImage that the running program comes from, as its runtime says in the environment.
    ///
    /// What an AppImage starts inherits these variables, a terminal or an editor for example, and so does
    /// whatever is started there. So they count only if the running program lies in the folder that they name.
    pub(super) fn of(running: &Path) -> Option<PathBuf> {
        let user = rustix::process::geteuid().as_raw();
        named(
            running,
            env::var_os("APPIMAGE")?,
            env::var_os("APPDIR")?,
            user,
        )
    }

    fn named(running: &Path, image: OsString, folder: OsString, user: u32) -> Option<PathBuf> {
        let folder = fs::canonicalize(absolute(folder)?).ok()?;
        // The root of the system holds every program.
        let holds = folder.parent().is_some() && running.starts_with(&folder);
        let image = absolute(image)?;
        let trusted = fs::metadata(&image).is_ok_and(|image| is_trusted(&image, user));
        let found = (holds && trusted).then_some(image);
        if found.is_none() {
            tracing::info!("APPIMAGE names another program; this one is started at login");
        }
        found
    }

    fn absolute(path: OsString) -> Option<PathBuf> {
        Some(PathBuf::from(path)).filter(|path| path.is_absolute())
    }

    /// Whether nobody but the user and the system's administrator can change it.
    fn is_trusted(image: &Metadata, user: u32) -> bool {
        let mode = image.permissions().mode();
        image.is_file()
            && (image.uid() == user || image.uid() == ROOT)
            && mode & WRITABLE_BY_OTHERS == 0
            && mode & EXECUTABLE != 0
    }

    #[cfg(test)]
    mod tests {
        use std::fs::Permissions;

        use tempfile::TempDir;

        use super::*;

        struct Mounted {
            folder: TempDir,
            running: PathBuf,
            image: PathBuf,
            user: u32,
        }

        fn mounted() -> Mounted {
            let folder = tempfile::tempdir().unwrap();
            let at = fs::canonicalize(folder.path()).unwrap();
            let image = at.join("Zephyr.AppImage");
            fs::write(&image, "").unwrap();
            fs::set_permissions(&image, Permissions::from_mode(0o755)).unwrap();
            fs::create_dir_all(at.join("mount")).unwrap();
            Mounted {
                running: at.join("mount/usr/bin/zephyr-desktop"),
                user: fs::metadata(&image).unwrap().uid(),
                image,
                folder,
            }
        }

        impl Mounted {
            fn at(&self, path: &str) -> OsString {
                self.folder.path().join(path).into_os_string()
            }

            fn named(&self, image: OsString, folder: OsString) -> Option<PathBuf> {
                named(&self.running, image, folder, self.user)
            }
        }

        #[test]
        fn the_appimage_that_the_program_comes_from_is_started() {
            let mounted = mounted();

            let found = mounted.named(mounted.at("Zephyr.AppImage"), mounted.at("mount"));

            assert_eq!(found.unwrap(), Path::new(&mounted.at("Zephyr.AppImage")));
        }

        #[test]
        fn the_appimage_of_the_terminal_is_none_of_ours() {
            let mounted = mounted();
            fs::create_dir(mounted.at("editor")).unwrap();
            let image = || mounted.at("Zephyr.AppImage");

            assert_eq!(mounted.named(image(), mounted.at("editor")), None);
            assert_eq!(mounted.named(image(), mounted.at("gone")), None);
            assert_eq!(mounted.named(image(), "/".into()), None);
            assert_eq!(mounted.named(image(), "mount".into()), None);
            assert_eq!(mounted.named(image(), "".into()), None);
        }

        #[test]
        fn an_appimage_that_another_user_can_change_is_not_started() {
            let mounted = mounted();
            let set = |mode| {
                fs::set_permissions(&mounted.image, Permissions::from_mode(mode)).unwrap();
                mounted.named(mounted.at("Zephyr.AppImage"), mounted.at("mount"))
            };

            assert_eq!(set(0o757), None);
            assert_eq!(set(0o644), None, "it is no program");
            assert!(set(0o775).is_some());
            assert_eq!(
                mounted.named(mounted.at("mount"), mounted.at("mount")),
                None
            );
            assert_eq!(
                mounted.named("Zephyr.AppImage".into(), mounted.at("mount")),
                None
            );
        }

        #[test]
        fn an_appimage_belongs_to_the_user_or_to_root() {
            let mounted = mounted();
            let image = fs::metadata(&mounted.image).unwrap();

            assert!(is_trusted(&image, image.uid()));
            assert_eq!(is_trusted(&image, image.uid() + 1), image.uid() == ROOT);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod image {
    use std::path::{Path, PathBuf};

    /// There are no AppImages.
    pub(super) fn of(_running: &Path) -> Option<PathBuf> {
        None
    }
}
