//! A change of the file in one step, for programs that run no engine.

use std::path::Path;

use super::change::Change;
use super::file::{File, FileError};
use super::refusal::NotChanged;
use crate::problem::Problems;

/// Why a change was not made. Nothing has changed on disk.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Change(#[from] NotChanged),
    /// The reader refuses the changed text.
    #[error(transparent)]
    Invalid(#[from] Problems),
}

/// Makes the change in the configuration file at `path`. Blocks.
///
/// # Errors
///
/// The change was not made.
pub fn save(path: &Path, change: &Change) -> Result<(), SaveError> {
    let file = File::read(path)?;
    let outcome = change.applied(file.text())?.outcome?;
    file.write(&outcome.text)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use zephyr_control::SettingValue;

    use super::*;

    fn set(key: &str, value: SettingValue) -> Change {
        Change::Set(key.to_owned(), Some(value))
    }

    #[test]
    fn a_change_that_is_not_valid_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[server]\nport = 1\n").unwrap();
        let open = SettingValue::Text("0.0.0.0".to_owned());

        let error = save(&path, &set("server.host", open)).unwrap_err();

        assert!(error.to_string().contains("server.host"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"[server]\nport = 1\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_permissions_stay_what_they_were() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (
            folder.path().join("real"),
            folder.path().join("config.toml"),
        );
        fs::write(&file, "# mine\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let launch = set("desktop.launch_at_login", SettingValue::Switch(true));

        save(&link, &launch).unwrap();

        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, "# mine\n\n[desktop]\nlaunch_at_login = true\n");
    }
}
