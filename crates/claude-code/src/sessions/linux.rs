//! Running sessions, from `/proc`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::process::Process;

/// Linux reports times in this fraction of a second (`USER_HZ`), whatever it uses inside.
const TICKS: u64 = 100;

/// The sessions of this user.
pub(super) fn running() -> Vec<Process> {
    let Some(booted_ms) = booted_ms() else {
        return Vec::new();
    };
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders
        .filter_map(|folder| {
            let pid = folder.file_name().to_str()?.parse().ok()?;
            read(pid, &folder.path(), booted_ms)
        })
        .collect()
}

/// `None`: not a process of Claude Code, or not this user's.
fn read(pid: u32, folder: &Path, booted_ms: u64) -> Option<Process> {
    let name = fs::read_to_string(folder.join("comm")).ok()?;
    let command = fs::read(folder.join("cmdline")).ok()?;
    if !is_claude_code(name.trim_end(), &command) {
        return None;
    }
    let variables = fs::read(folder.join("environ")).ok()?;
    let path = |name| variable(&variables, name).map(PathBuf::from);
    let base_url = variable(&variables, "ANTHROPIC_BASE_URL");
    Some(Process {
        pid,
        folder: fs::read_link(folder.join("cwd")).ok(),
        began_ms: booted_ms + ticks(&fs::read_to_string(folder.join("stat")).ok()?)? * 1000 / TICKS,
        base_url: base_url.and_then(|url| url.into_string().ok()),
        config_dir: path("CLAUDE_CONFIG_DIR"),
        home: path("HOME"),
    })
}

/// By its name, or by the program or script that was started.
fn is_claude_code(name: &str, command: &[u8]) -> bool {
    let mut started = command
        .split(|byte| *byte == 0)
        .take(2)
        .map(OsStr::from_bytes);
    name == "claude"
        || started.any(|word| {
            let path = Path::new(word);
            path.file_name() == Some(OsStr::new("claude")) || path.ends_with("claude-code/cli.js")
        })
}

/// A variable, if it is not empty.
fn variable(variables: &[u8], name: &str) -> Option<OsString> {
    let mut all = variables.split(|byte| *byte == 0);
    let value = all.find_map(|one| one.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    (!value.is_empty()).then(|| OsString::from_vec(value.to_vec()))
}

/// How long after the start of the system a process began (proc_pid_stat(5), field 22; the name may contain
/// anything).
fn ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(19)?.parse().ok()
}

/// When the system started, in milliseconds since 1970.
fn booted_ms() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(line.trim().parse::<u64>().ok()? * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claude_code_is_known_by_what_was_started() {
        for (name, command, expected) in [
            (
                "claude",
                "/home/me/.local/share/claude/versions/2.1.329\0",
                true,
            ),
            ("2.1.329", "claude\0--resume\0", true),
            ("node", "/usr/bin/node\0/usr/bin/claude\0", true),
            (
                "node",
                "node\0/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js\0",
                true,
            ),
            ("vim", "vim\0notes\0claude\0", false),
            ("zephyr", "zephyr\0disconnect\0claude-code\0", false),
            ("cat", "cat\0/home/me/claude.txt\0", false),
            ("kthreadd", "", false),
        ] {
            assert_eq!(
                is_claude_code(name, command.as_bytes()),
                expected,
                "{command}"
            );
        }
    }

    #[test]
    fn variables_are_read_by_their_whole_name() {
        let variables = b"A_HOME=/no\0HOME=/home/me\0EMPTY=\0HOMES=/no\0";

        assert_eq!(variable(variables, "HOME"), Some("/home/me".into()));
        assert_eq!(variable(variables, "EMPTY"), None);
        assert_eq!(variable(variables, "OME"), None);
    }

    #[test]
    fn a_process_tells_when_it_began() {
        let stat = "4242 (a) b (c) S 1 4242 4242 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 0 0";

        assert_eq!(ticks(stat), Some(123_456));
        assert_eq!(ticks("4242 (cut) S 1"), None);
    }
}
