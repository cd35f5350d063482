//! An XDG desktop entry in the folder for programs that start with the session (Desktop Application
//! Autostart Specification 0.5).

use std::io;
use std::path::Path;

use super::path::{unwritable, writable};
use super::program::ARGUMENT;

#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "of Linux"))]
pub(super) const FILE: &str = "zephyr-desktop.desktop";

/// The entry that starts this program.
///
/// # Errors
///
/// `InvalidInput`: the path cannot be written.
pub(super) fn text(program: &Path) -> io::Result<String> {
    let path = writable(program)?;
    if path.contains('=') {
        // The specification forbids it: what is before it would be a variable of the environment.
        return Err(unwritable(program, "has an equals sign"));
    }
    Ok(format!(
        "[Desktop Entry]\nType=Application\nName=Zephyr\n\
         Comment=Keeps Claude clients working when API endpoints do not\n\
         Exec={} {ARGUMENT}\nIcon=zephyr-desktop\nTerminal=false\n\
         X-GNOME-Autostart-enabled=true\n",
        quoted(path)
    ))
}

/// Whether two entries start the same. The desktop's own settings may have added a line, such as
/// `Hidden=true`. It stays.
pub(super) fn starts_the_same(there: &str, wanted: &str) -> bool {
    exec_line(there) == exec_line(wanted)
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
    use super::*;

    #[test]
    fn a_path_with_spaces_is_one_argument() {
        let entry = text(Path::new("/opt/my programs/zephyr-desktop")).unwrap();

        assert_eq!(
            exec_line(&entry),
            Some("Exec=\"/opt/my programs/zephyr-desktop\" --at-login")
        );
    }

    #[test]
    fn what_is_special_in_an_exec_line_is_escaped() {
        assert_eq!(quoted("a$b"), r#""a\\$b""#);
        assert_eq!(quoted("a`b"), r#""a\\`b""#);
        assert_eq!(quoted("a\"b"), r#""a\\"b""#);
        assert_eq!(quoted("50%"), r#""50%%""#);
        assert_eq!(quoted(r"a\b"), r#""a\\\\b""#);
    }

    #[test]
    fn a_path_with_a_line_break_writes_no_line_of_its_own() {
        for path in [
            "/opt/a\nExec=evil",
            "/opt/a\rb",
            "/opt/a\tb",
            "/opt/LD_PRELOAD=x/zephyr",
        ] {
            let refused = text(Path::new(path)).unwrap_err();

            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
    }

    #[test]
    fn a_line_that_the_desktop_added_changes_nothing() {
        let wanted = text(Path::new("/usr/bin/zephyr-desktop")).unwrap();
        let moved = text(Path::new("/opt/zephyr-desktop")).unwrap();

        assert!(starts_the_same(&format!("{wanted}Hidden=true\n"), &wanted));
        assert!(!starts_the_same(&moved, &wanted));
    }
}
