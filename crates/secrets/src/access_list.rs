//! Who may read a folder on Windows: its access list, which programs of the system read and write (`icacls`,
//! `whoami`), because nothing in this workspace is unsafe code.
//!
//! Windows closes the folder of a user's profile to other users, and what is made there inherits that. So a
//! folder in the profile is taken as it is. Any other folder is closed if it is new or empty, and otherwise
//! must be closed already: only the user, administrators and the system itself have rights to it. Files that
//! are made there inherit that, also one that replaces another, since it is made in the same folder.
//!
//! Two things are not seen: a folder in the profile that somebody opened to others by hand, and the owner of
//! another folder, who can open it again.

/// `NT AUTHORITY\SYSTEM`, by its number, since its name depends on the language.
const SYSTEM: &str = "S-1-5-18";

/// The group `BUILTIN\Administrators`.
const ADMINISTRATORS: &str = "S-1-5-32-544";

/// Who may have rights besides the user: the system, administrators and their first account, whoever made a
/// file, and its owner. By their short names and their numbers (Security Descriptor Definition Language, "SID
/// Strings").
const HARMLESS: [&str; 9] = [
    "SY",
    SYSTEM,
    "BA",
    ADMINISTRATORS,
    "LA",
    "CO",
    "S-1-3-0",
    "OW",
    "S-1-3-4",
];

/// Whether nobody but the user and those who may do everything anyhow has rights. `descriptor`: the access
/// list in the Security Descriptor Definition Language.
fn is_closed(descriptor: &str, user: &str) -> bool {
    let Some(list) = descriptor.trim().strip_prefix("D:") else {
        return false;
    };
    let (flags, entries) = list.split_at(list.find('(').unwrap_or(list.len()));
    // `NO_ACCESS_CONTROL` gives every right to everybody.
    if !flags.chars().all(|flag| "PAIR".contains(flag)) {
        return false;
    }
    entries.split('(').skip(1).all(|entry| {
        let fields: Vec<&str> = entry.trim_end_matches(')').split(';').collect();
        match fields.as_slice() {
            ["D", ..] => true,
            ["A", _, _, _, _, trustee] => trustee == &user || HARMLESS.contains(trustee),
            // Conditions, rights to properties: nothing that a folder of ours has.
            _ => false,
        }
    })
}

/// The access list in what `icacls /save` has written: a line with the name, then one with the list, in
/// UTF-16.
fn descriptor(saved: &[u8]) -> Option<String> {
    let units = saved.chunks_exact(2);
    let units = units.map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = String::from_utf16(&units.collect::<Vec<u16>>()).ok()?;
    let mut lines = text.lines().map(str::trim).skip(1);
    lines.find(|line| line.starts_with("D:")).map(str::to_owned)
}

/// The number of the user in what `whoami /user /fo csv /nh` prints: `"machine\name","S-1-5-21-…"`.
fn number(printed: &str) -> Option<&str> {
    let (_, last) = printed.trim().rsplit_once(',')?;
    let number = last.trim_matches('"');
    let is_number = number.strip_prefix("S-1-").is_some_and(|rest| {
        rest.chars()
            .all(|char| char == '-' || char.is_ascii_digit())
    });
    is_number.then_some(number)
}

/// The rights that close a folder, as `icacls` takes them: everything, also for what will be in it.
fn rights(user: &str) -> [String; 3] {
    [user, SYSTEM, ADMINISTRATORS].map(|who| format!("*{who}:(OI)(CI)F"))
}

#[cfg(windows)]
pub(crate) use system::{adopt, create};

#[cfg(windows)]
mod system {
    use std::env;
    use std::fs;
    use std::io;
    use std::os::windows::process::CommandExt;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use super::{descriptor, is_closed, number, rights};

    /// Without it, a tray program would flash a console window.
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;

    /// Makes a folder and those above it, closed to others.
    ///
    /// # Errors
    ///
    /// It cannot be made, or its file system has no access lists.
    pub(crate) fn create(folder: &Path) -> io::Result<()> {
        let folder = std::path::absolute(folder)?;
        let missing = folder.ancestors().take_while(|one| !one.exists());
        let topmost = missing.last().unwrap_or(&folder).to_owned();
        fs::create_dir_all(&folder)?;
        if is_in_profile(&folder) {
            return Ok(());
        }
        let user = user()?;
        close(&topmost, &user)?;
        if topmost != folder {
            // What was made before its parent was closed has inherited what that was before.
            close(&folder, &user)?;
        }
        must_be_closed(&folder, &user)
    }

    /// Takes a folder that is there already.
    ///
    /// # Errors
    ///
    /// Others have rights to it.
    pub(crate) fn adopt(folder: &Path) -> io::Result<()> {
        let folder = std::path::absolute(folder)?;
        if is_in_profile(&folder) {
            return Ok(());
        }
        let user = user()?;
        // Nobody can have relied on the rights to an empty folder.
        if fs::read_dir(&folder)?.next().is_none() {
            close(&folder, &user)?;
        }
        must_be_closed(&folder, &user)
    }

    fn must_be_closed(folder: &Path, user: &str) -> io::Result<()> {
        if is_closed(&access_list(folder)?, user) {
            return Ok(());
        }
        let [ours, system, administrators] = rights(user);
        Err(io::Error::other(format!(
            "other users may have rights to {0}, which is not in the folder of your profile: name a folder \
             there, or close this one with `icacls \"{0}\" /inheritance:r /grant:r {ours} {system} \
             {administrators}`",
            folder.display()
        )))
    }

    /// Whether the folder, with all links followed, is in the user's own.
    fn is_in_profile(folder: &Path) -> bool {
        let profile = env::home_dir().and_then(|profile| fs::canonicalize(profile).ok());
        let folder = fs::canonicalize(folder);
        profile.zip(folder.ok()).is_some_and(|(profile, folder)| {
            // A drive is nobody's profile.
            profile.parent().is_some() && folder != profile && folder.starts_with(&profile)
        })
    }

    fn close(folder: &Path, user: &str) -> io::Result<()> {
        let mut icacls = program("icacls.exe");
        icacls.arg(folder).args(["/inheritance:r", "/grant:r"]);
        run(icacls.args(rights(user)).arg("/q")).map(drop)
    }

    pub(super) fn access_list(path: &Path) -> io::Result<String> {
        let scratch = tempfile::tempdir()?;
        let file = scratch.path().join("access-list");
        run(program("icacls.exe").arg(path).arg("/save").arg(&file))?;
        let list = descriptor(&fs::read(file)?);
        list.ok_or_else(|| io::Error::other(format!("{} has no access list", path.display())))
    }

    pub(super) fn user() -> io::Result<String> {
        let printed = run(program("whoami.exe").args(["/user", "/fo", "csv", "/nh"]))?;
        let user = number(&printed).map(str::to_owned);
        user.ok_or_else(|| io::Error::other("the system does not say who the user is"))
    }

    /// A program of the system, never one of that name elsewhere.
    pub(super) fn program(name: &str) -> Command {
        let system = env::var_os("SystemRoot").map(PathBuf::from);
        let system = system.filter(|folder| folder.is_absolute());
        let system = system.unwrap_or_else(|| PathBuf::from(r"C:\Windows"));
        let mut command = Command::new(system.join("System32").join(name));
        command
            .stdin(Stdio::null())
            .creation_flags(CREATE_NO_WINDOW);
        command
    }

    pub(super) fn run(command: &mut Command) -> io::Result<String> {
        let output = command.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let name = command.get_program().display();
            let message = format!("{name} ended with {}: {}", output.status, said.trim());
            return Err(io::Error::other(message));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "S-1-5-21-1004336348-1177238915-682003330-1001";

    #[test]
    fn a_folder_of_the_user_administrators_and_the_system_is_closed() {
        let user = format!("(A;OICI;FA;;;{USER})");
        for list in [
            format!("D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA){user}"),
            format!("D:P{user}"),
            format!("D:AI(A;OICIID;FA;;;SY){user}"),
            format!("D:(D;OICI;FA;;;WD)(A;OICIIO;FA;;;CO){user}\r\n"),
            "D:P".to_owned(),
        ] {
            assert!(is_closed(&list, USER), "{list}");
        }
    }

    #[test]
    fn a_folder_that_anybody_else_has_a_right_to_is_not_closed() {
        let user = format!("(A;OICI;FA;;;{USER})");
        for list in [
            // Everybody, users, authenticated users, guests, another account, an application's container.
            format!("D:PAI{user}(A;OICI;0x1200a9;;;WD)"),
            format!("D:AI{user}(A;ID;LC;;;BU)"),
            format!("D:AI{user}(A;OICIIOID;SDGXGWGR;;;AU)"),
            format!("D:P{user}(A;;FR;;;BG)"),
            format!("D:P{user}(A;;FR;;;{USER}0)"),
            format!("D:P{user}(A;OICI;FR;;;S-1-15-2-1)"),
            // A condition, rights to a property.
            format!("D:P{user}(XA;;FR;;;BA;(Member_of {{SID(WD)}}))"),
            format!("D:P{user}(OA;;RP;bf967950-0de6-11d0-a285-00aa003049e2;;BA)"),
            "D:NO_ACCESS_CONTROL".to_owned(),
            String::new(),
            "O:BAG:BA".to_owned(),
        ] {
            assert!(!is_closed(&list, USER), "{list}");
        }
    }

    #[test]
    fn the_access_list_is_found_in_what_icacls_saves() {
        let utf16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };

        let saved = utf16("zephyr\r\nD:PAI(A;OICI;FA;;;SY)\r\n");

        assert_eq!(descriptor(&saved).unwrap(), "D:PAI(A;OICI;FA;;;SY)");
        assert_eq!(descriptor(&utf16("D:folder\r\n")), None);
        assert_eq!(descriptor(b""), None);
    }

    #[test]
    fn the_user_is_known_by_number() {
        let printed = format!("\"desk\\zoë, at home\",\"{USER}\"\r\n");

        assert_eq!(number(&printed), Some(USER));
        assert_eq!(number("\"desk\\zoe\",\"S-1-5 /grant\""), None);
        assert_eq!(number(""), None);
    }

    #[test]
    fn a_folder_is_closed_for_what_will_be_in_it_too() {
        let given = rights(USER);

        assert_eq!(given[0], format!("*{USER}:(OI)(CI)F"));
        assert!(given[1].contains(SYSTEM) && given[2].contains(ADMINISTRATORS));
    }
}

/// For a hosted Windows: Wine's `icacls` does nothing.
#[cfg(test)]
#[cfg(windows)]
mod windows_tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::is_closed;
    use super::system::{access_list, program, run, user};
    use crate::private;

    /// A folder outside of every profile, where Windows lets all users make folders and read them.
    struct Outside(PathBuf);

    impl Outside {
        fn named(name: &str) -> Self {
            let drive = std::env::var("SystemDrive").unwrap();
            let name = format!("zephyr-{name}-{}", std::process::id());
            Self(Path::new(&format!(r"{drive}\")).join(name))
        }
    }

    impl Drop for Outside {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn closed(path: &Path) -> bool {
        is_closed(&access_list(path).unwrap(), &user().unwrap())
    }

    #[test]
    fn a_new_folder_and_every_file_in_it_are_closed_to_others() {
        let outside = Outside::named("new");
        let folder = outside.0.join("data");
        let file = folder.join("admin-token");

        private::folder(&folder).unwrap();
        private::create(&file, b"first").unwrap();

        assert!(closed(&folder));
        assert!(closed(&outside.0));
        assert!(closed(&file));
        private::replace(&file, b"second").unwrap();
        assert!(closed(&file), "the file that replaced it");
        drop(private::append(&folder.join("log")).unwrap());
        assert!(closed(&folder.join("log")));
        private::folder(&folder).unwrap();
    }

    #[test]
    fn an_empty_folder_is_closed_and_one_that_others_use_is_refused() {
        let outside = Outside::named("there");
        fs::create_dir(&outside.0).unwrap();
        assert!(!closed(&outside.0), "drives are open to all users");

        private::folder(&outside.0).unwrap();
        assert!(closed(&outside.0));
        private::create(&outside.0.join("file"), b"").unwrap();
        let mut open = program("icacls.exe");
        run(open.arg(&outside.0).args(["/grant", "*S-1-1-0:(OI)(CI)RX"])).unwrap();

        let refused = private::folder(&outside.0).unwrap_err().to_string();
        assert!(refused.contains("/inheritance:r"), "{refused}");
        assert!(private::create(&outside.0.join("other"), b"").is_err());
    }

    #[test]
    fn a_folder_in_the_profile_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a").join("b");

        private::folder(folder.path()).unwrap();
        private::folder(&inner).unwrap();

        assert!(inner.is_dir());
        assert!(closed(&inner), "Windows closes profiles");
    }
}
