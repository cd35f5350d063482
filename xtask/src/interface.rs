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
    build_in(root(), target)
}

/// The same in another folder that holds the workspace.
pub(crate) fn build_in(workspace: &Path, target: &Path) -> Result<()> {
    let ui = workspace.join("ui");
    let lock = ui.join("package-lock.json");
    let pinned = fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
    let mark = target.join("ui-installed");
    let installed = fs::read_to_string(&mark).is_ok_and(|installed| installed == pinned);
    if !installed || !ui.join("node_modules").exists() {
        // No package runs a program of its own while it is installed.
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(tools::npm().args(install).current_dir(&ui))?;
        fs::create_dir_all(target)?;
        fs::write(mark, pinned)?;
    }
    run(tools::npm().args(["run", "build"]).current_dir(&ui))
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
