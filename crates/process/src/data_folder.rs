//! The data folder, for nobody but its user.
//!
//! What Zephyr makes there is private from the beginning. What an earlier release, a copy or a wide umask left
//! open is closed at every start. A folder that holds other things than Zephyr's is left as it is: somebody may
//! share it on purpose.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use zephyr_secrets::private::{self, Exposure};

/// What Zephyr writes into its data folder. The platform's configuration folder may be the same.
const NAMES: &[&str] = &[
    ".env",
    "admin-token",
    "claude-code.json",
    "claude-code.json.new",
    "claude-code.lock",
    "client-tokens",
    "client-tokens.lock",
    "config.toml",
    "desktop.json",
    "desktop.lock",
    "instance.json",
    LOGS,
    "metrics-token",
    "state.json",
    "trusted.json",
];
/// The beginnings of further names: the journal with its log and its damaged predecessors, and files that are
/// moved into their place as soon as they are whole.
const BEGINNINGS: &[&str] = &["journal.db", ".tmp"];
const LOGS: &str = "logs";

/// Makes the data folder, and takes away the rights of others to it and to what is ours there. What cannot be
/// changed is said in the log.
///
/// # Errors
///
/// The folder cannot be made.
pub fn secure(folder: &Path) -> io::Result<()> {
    private::folder(folder)?;
    let folder = fs::canonicalize(folder)?;
    let names: Vec<_> = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    let logs = fs::read_dir(folder.join(LOGS)).into_iter().flatten();
    let logs = logs.flatten().map(|entry| entry.path());
    let ours = names.iter().filter(|name| is_ours(name));
    let ours = ours.map(|name| folder.join(name)).chain(logs);
    // What a link leads to may be anything. Whoever opens it as ours tightens it then.
    for path in ours.filter(|path| !path.is_symlink()) {
        tighten(&path);
    }
    if names.iter().all(|name| is_ours(name)) {
        tighten(&folder);
    }
    if private::exposure(&folder) == Some(Exposure::Writable) {
        tracing::warn!(
            folder = %folder.display(),
            "security: other users can change the data folder, and so steer Zephyr; take their rights away (chmod 700)"
        );
    }
    Ok(())
}

fn tighten(path: &Path) {
    match private::tighten(path) {
        Ok(()) => {}
        // Another program of ours has removed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(
            path = %path.display(),
            %error,
            "other users may have rights to this, and they cannot be taken away"
        ),
    }
}

fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    NAMES.contains(&name)
        || BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(LOGS)).unwrap();
        set_mode(&folder.path().join(LOGS), 0o777);
        for name in names.iter().chain(&["logs/zephyr.2026-12-01.log"]) {
            fs::write(folder.path().join(name), "").unwrap();
            set_mode(&folder.path().join(name), 0o666);
        }
        set_mode(folder.path(), 0o777);
        folder
    }

    #[test]
    fn what_was_left_open_is_closed() {
        let names = [
            "admin-token",
            "journal.db",
            "journal.db-wal",
            "journal.db-shm",
            "journal.db.bad.1",
            "client-tokens",
            "desktop.lock",
        ];
        let folder = folder_with(&names);

        secure(folder.path()).unwrap();

        for name in names.iter().chain(&["logs/zephyr.2026-12-01.log"]) {
            assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
        }
        assert_eq!(mode(&folder.path().join(LOGS)), 0o700);
        assert_eq!(mode(folder.path()), 0o700);
    }

    #[test]
    fn a_folder_with_things_of_others_is_left_and_only_ours_are_closed() {
        let folder = folder_with(&["admin-token", "report.ods"]);

        secure(folder.path()).unwrap();

        assert_eq!(mode(folder.path()), 0o777);
        assert_eq!(mode(&folder.path().join("report.ods")), 0o666);
        assert_eq!(mode(&folder.path().join("admin-token")), 0o600);
    }

    #[test]
    fn what_a_link_leads_to_is_left() {
        let folder = folder_with(&[]);
        let elsewhere = tempfile::tempdir().unwrap();
        let page = elsewhere.path().join("index.html");
        fs::write(&page, "").unwrap();
        set_mode(&page, 0o644);
        std::os::unix::fs::symlink(&page, folder.path().join("state.json")).unwrap();

        secure(folder.path()).unwrap();

        assert_eq!(mode(&page), 0o644);
    }

    #[test]
    fn a_folder_that_is_missing_is_made_for_the_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("share/zephyr");

        secure(&data).unwrap();

        assert_eq!(mode(&data), 0o700);
    }
}
