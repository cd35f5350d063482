//! What measured figures depend on: the day, the commit and the machine.

use std::process::Command;

use crate::process::output;
use crate::workspace::root;

/// In a sentence.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rust = output(Command::new("rustc").arg("--version")).unwrap_or_default();
    let day = output(Command::new("date").args(["-u", "+%F"])).unwrap_or_default();
    let head = output(
        Command::new("git")
            .args(["rev-parse", "--short", "HEAD"])
            .current_dir(root()),
    )
    .unwrap_or_default();
    format!(
        "{day}, after commit {head}; {} {}, {cores} cores, {rust}, release build.",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
