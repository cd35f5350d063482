//! The system's record of what it starts at login.

use std::io;
use std::path::Path;

/// Makes the system start `program` at login, or not. If it is so already, nothing is changed. Blocks.
///
/// # Errors
///
/// The system's place for such settings cannot be written, or (`InvalidInput`) the path cannot be written
/// there.
pub(crate) fn set(program: &Path, enabled: bool) -> io::Result<()> {
    if enabled {
        platform::enable(program)
    } else {
        platform::disable()
    }
}

/// A file in the user's own folder for such files.
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod platform {
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};

    use zephyr_secrets::private;

    #[cfg(target_os = "linux")]
    use crate::autostart::desktop_entry as kind;
    #[cfg(target_os = "macos")]
    use crate::autostart::launch_agent as kind;

    pub(super) fn enable(program: &Path) -> io::Result<()> {
        let path = path()?;
        let wanted = kind::text(program)?;
        if let Ok(there) = fs::read_to_string(&path)
            && kind::starts_the_same(&there, &wanted)
        {
            return Ok(());
        }
        // Whoever may change it decides what the session starts.
        private::replace(&path, wanted.as_bytes())
    }

    pub(super) fn disable() -> io::Result<()> {
        match fs::remove_file(path()?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn path() -> io::Result<PathBuf> {
        let folder = folder().ok_or_else(|| io::Error::other("there is no home folder"))?;
        Ok(folder.join(kind::FILE))
    }

    #[cfg(target_os = "linux")]
    fn folder() -> Option<PathBuf> {
        let configured = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute());
        let folder = configured.or_else(|| Some(std::env::home_dir()?.join(".config")))?;
        Some(folder.join("autostart"))
    }

    #[cfg(target_os = "macos")]
    fn folder() -> Option<PathBuf> {
        Some(std::env::home_dir()?.join("Library").join("LaunchAgents"))
    }
}

/// A value in the user's part of the registry.
#[cfg(windows)]
mod platform {
    use std::io;
    use std::path::Path;

    use auto_launch::{AutoLaunch, AutoLaunchBuilder, WindowsEnableMode};

    use crate::autostart::program::ARGUMENT;
    use crate::autostart::registry;

    pub(super) fn enable(program: &Path) -> io::Result<()> {
        // Also if there is a value: an earlier version wrote the path without quotes.
        item(program)?.enable().map_err(io::Error::other)
    }

    pub(super) fn disable() -> io::Result<()> {
        let item = item(&std::env::current_exe()?)?;
        if !item.is_enabled().map_err(io::Error::other)? {
            return Ok(());
        }
        item.disable().map_err(io::Error::other)
    }

    /// It joins path and arguments with spaces.
    fn item(program: &Path) -> io::Result<AutoLaunch> {
        AutoLaunchBuilder::new()
            .set_app_name("Zephyr")
            .set_app_path(&registry::quoted(program)?)
            .set_args(&[ARGUMENT])
            // Otherwise an administrator would start it for every user of the machine.
            .set_windows_enable_mode(WindowsEnableMode::CurrentUser)
            .build()
            .map_err(io::Error::other)
    }
}
