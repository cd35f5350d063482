//! The command line in the registry's list of what starts with the session (Windows).

use std::io;
use std::path::Path;

use super::path::{unwritable, writable};

/// The program as the first word of a command line. Without quotes `C:\Program Files\…` would start
/// `C:\Program.exe`, if there is one.
///
/// # Errors
///
/// `InvalidInput`: the path cannot be written.
pub(super) fn quoted(program: &Path) -> io::Result<String> {
    let path = writable(program)?;
    if path.contains('"') {
        return Err(unwritable(program, "has a quotation mark"));
    }
    Ok(format!("\"{path}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = if cfg!(windows) { r"C:\" } else { "/" };

    #[test]
    fn a_path_with_spaces_is_one_word() {
        let path = format!("{ROOT}Program Files/zephyr-desktop.exe");

        assert_eq!(quoted(Path::new(&path)).unwrap(), format!("\"{path}\""));
    }

    #[test]
    fn a_path_that_would_end_its_word_is_refused() {
        let refused = quoted(Path::new(&format!("{ROOT}a\" --evil \"b"))).unwrap_err();

        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}
