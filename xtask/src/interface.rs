//! The interface of the window and of the browser page. Both programs contain it, so it is built first.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{cargo, run};
use crate::tools::{self, executable};
use crate::workspace::root;

/// Builds it into `ui/dist`.
pub(crate) fn build(target: &Path) -> Result<()> {
    let ui = root().join("ui");
    let lock = ui.join("package-lock.json");
    let pinned = fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
    let mark = target.join("ui-installed");
    let installed = fs::read_to_string(&mark).is_ok_and(|installed| installed == pinned);
    if !installed || !ui.join("node_modules").exists() {
        run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
        fs::create_dir_all(target)?;
        fs::write(mark, pinned)?;
    }
    run(npm().args(["run", "build"]))
}

/// Checks its types and its imports, and runs its own tests. It must be built first.
pub(crate) fn test() -> Result<()> {
    run(npm().args(["run", "check"]))?;
    run(npm().args(["run", "circles"]))?;
    run(npm().arg("test"))
}

/// Tests it in a browser, served by the program.
pub(crate) fn test_in_browser(target: &Path) -> Result<()> {
    run(cargo()
        .args(["build", "--package", "zephyr-cli"])
        .current_dir(root()))?;
    let program = target.join("debug").join(executable("zephyr"));
    run(npm()
        .args(["run", "e2e"])
        .env("ZEPHYR_TEST_PROGRAM", program)
        .env("ZEPHYR_TEST_SCREENSHOTS", target.join("ui-screenshots")))
}

fn npm() -> Command {
    let mut npm = tools::npm();
    npm.current_dir(root().join("ui"));
    npm
}
