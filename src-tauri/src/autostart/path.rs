//! Whether a path can be written into the system's record.

use std::io;
use std::path::Path;

/// The path as text, if it is absolute and has none of the characters that no record can hold.
///
/// # Errors
///
/// `InvalidInput`: it cannot be written, with the reason.
pub(super) fn writable(program: &Path) -> io::Result<&str> {
    let text = program
        .to_str()
        .ok_or_else(|| unwritable(program, "is not in UTF-8"))?;
    if !program.is_absolute() {
        return Err(unwritable(program, "does not begin at the root"));
    }
    if text.chars().any(char::is_control) {
        return Err(unwritable(
            program,
            "has a line break or another control character",
        ));
    }
    Ok(text)
}

/// The error about a path that cannot be written.
pub(super) fn unwritable(program: &Path, why: &str) -> io::Error {
    let message = format!("the path of the program, {program:?}, {why}");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_path_that_no_record_can_hold_is_refused_with_the_reason() {
        let cases: [(&[u8], &str); 5] = [
            (b"/opt/a\nExec=evil", "control character"),
            (b"/opt/a\rb", "control character"),
            (b"/opt/a\x1bb", "control character"),
            (b"/opt/\xff", "UTF-8"),
            (b"zephyr-desktop", "the root"),
        ];
        for (path, why) in cases {
            let error = writable(Path::new(OsStr::from_bytes(path))).unwrap_err();

            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn an_unusual_path_can_be_written() {
        let path = "/home/zoë/R&D <50 %> $x/“zephyr”";

        assert_eq!(writable(Path::new(path)).unwrap(), path);
    }
}
