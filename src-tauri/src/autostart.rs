//! Launching at login: `desktop.launch_at_login` decides, and this module carries it out.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// The system starts the program at login with this argument. Then no window opens.
const ARGUMENT: &str = "--at-login";

/// The program that the system should start: this one, or the AppImage that it was unpacked from.
pub(crate) fn program() -> Option<PathBuf> {
    let image = env::var_os("APPIMAGE").filter(|path| !path.is_empty());
    image.map(PathBuf::from).or_else(|| env::current_exe().ok())
}

/// Makes the system start `program` at login, or not. If it is so already, nothing is changed. Blocks.
///
/// # Errors
///
/// The system's place for such settings cannot be written.
pub(crate) fn set(program: &Path, enabled: bool) -> io::Result<()> {
    if enabled {
        platform::enable(program)
    } else {
        platform::disable()
    }
}

/// An XDG desktop entry in the folder for programs that start with the session (Desktop Application
/// Autostart Specification 0.5).
#[cfg(target_os = "linux")]
mod platform {
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};

    use zephyr_secrets::private;

    use crate::autostart::ARGUMENT;

    const FILE: &str = "zephyr-desktop.desktop";

    pub(super) fn enable(program: &Path) -> io::Result<()> {
        let path = path()?;
        let wanted = entry(program);
        if let Ok(there) = fs::read_to_string(&path)
            && exec_line(&there) == exec_line(&wanted)
        {
            // The desktop's own settings may have added a line, such as `Hidden=true`. It stays.
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
        let configured = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute());
        let folder = configured.or_else(|| Some(std::env::home_dir()?.join(".config")));
        let folder = folder.ok_or_else(|| io::Error::other("there is no home folder"))?;
        Ok(folder.join("autostart").join(FILE))
    }

    fn entry(program: &Path) -> String {
        format!(
            "[Desktop Entry]\nType=Application\nName=Zephyr\n\
             Comment=Keeps Claude clients working when API endpoints do not\n\
             Exec={} {ARGUMENT}\nIcon=zephyr-desktop\nTerminal=false\n\
             X-GNOME-Autostart-enabled=true\n",
            quoted(&program.display().to_string())
        )
    }

    fn exec_line(entry: &str) -> Option<&str> {
        entry.lines().find(|line| line.starts_with("Exec="))
    }

    /// An argument in the form for `Exec` (Desktop Entry Specification 1.5): in quotes, with a backslash
    /// before special characters, with each backslash doubled as in every value, and with `%` doubled.
    fn quoted(argument: &str) -> String {
        let mut quoted = String::from('"');
        for char in argument.chars() {
            match char {
                '"' | '`' | '$' => quoted.extend(["\\\\", char.encode_utf8(&mut [0; 4])]),
                '\\' => quoted.push_str("\\\\\\\\"),
                '%' => quoted.push_str("%%"),
                other => quoted.push(other),
            }
        }
        quoted.push('"');
        quoted
    }

    #[cfg(test)]
    mod tests {
        use crate::autostart::platform::*;

        #[test]
        fn a_path_with_spaces_is_one_argument() {
            let entry = entry(Path::new("/opt/my programs/zephyr-desktop"));

            assert_eq!(
                exec_line(&entry),
                Some("Exec=\"/opt/my programs/zephyr-desktop\" --at-login")
            );
        }

        #[test]
        fn what_is_special_in_an_exec_line_is_escaped() {
            assert_eq!(quoted("a$b"), r#""a\\$b""#);
            assert_eq!(quoted("a\"b"), r#""a\\"b""#);
            assert_eq!(quoted("50%"), r#""50%%""#);
            assert_eq!(quoted(r"a\b"), r#""a\\\\b""#);
        }
    }
}

/// A login item on macOS, a value in the registry on Windows.
#[cfg(not(target_os = "linux"))]
mod platform {
    use std::io;
    use std::path::Path;

    use auto_launch::{AutoLaunch, AutoLaunchBuilder};

    use crate::autostart::ARGUMENT;

    pub(super) fn enable(program: &Path) -> io::Result<()> {
        let item = item(program)?;
        if item.is_enabled().map_err(io::Error::other)? {
            return Ok(());
        }
        item.enable().map_err(io::Error::other)
    }

    pub(super) fn disable() -> io::Result<()> {
        let item = item(&std::env::current_exe()?)?;
        if !item.is_enabled().map_err(io::Error::other)? {
            return Ok(());
        }
        item.disable().map_err(io::Error::other)
    }

    fn item(program: &Path) -> io::Result<AutoLaunch> {
        AutoLaunchBuilder::new()
            .set_app_name("Zephyr")
            .set_app_path(&program.to_string_lossy())
            .set_args(&[ARGUMENT])
            .build()
            .map_err(io::Error::other)
    }
}
