//! The tray program: builds its interface and itself, and runs its tests on private desktops
//! (`tests/desktop`).
//!
//! Those desktops are made of parts that Linux has. Elsewhere the programs are built, and that is all.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{cargo, run, run_tests};
use crate::tally::Tally;
use crate::tools::{self, executable};
use crate::workspace::root;

/// Runs them all, or those whose name contains `filter`.
pub(crate) fn test(target: &Path, filter: Option<&str>) -> Result<Tally> {
    build_interface(target)?;
    let build = ["build", "-p", "zephyr-desktop", "-p", "zephyr-cli"];
    run(cargo()
        .args(build)
        .args(["--bin", "zephyr-desktop"])
        .args(["--bin", "zephyr"])
        .current_dir(root()))?;
    if !cfg!(target_os = "linux") {
        println!("the tests of the desktop run on Linux only");
        return Ok(Tally::default());
    }
    let tests = ["test", "-p", "zephyr-desktop-test"];
    let names = ["--test", "harness", "--test", "desktop"];
    run_tests(
        in_desktop(cargo().args(tests).args(names), target, "debug")
            .arg("--")
            .args(filter),
    )
}

/// Measures the release build, and prints what it found.
pub(crate) fn measure(target: &Path) -> Result<()> {
    build_interface(target)?;
    let build = [
        "build",
        "--release",
        "-p",
        "zephyr-desktop",
        "-p",
        "zephyr-cli",
    ];
    run(cargo()
        .args(build)
        .args(["--bin", "zephyr-desktop"])
        .args(["--bin", "zephyr"])
        .current_dir(root()))?;
    let test = ["test", "-p", "zephyr-desktop-test", "--test", "measure"];
    run(in_desktop(cargo().args(test), target, "release").args([
        "--",
        "--nocapture",
        "--test-threads=1",
    ]))
}

/// What the window shows. It is built into the program, so it comes first.
pub(crate) fn build_interface(target: &Path) -> Result<()> {
    let ui = root().join("ui");
    let lock = ui.join("package-lock.json");
    let pinned = fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
    let mark = target.join("ui-installed");
    let installed = fs::read_to_string(&mark).is_ok_and(|installed| installed == pinned);
    if !installed || !ui.join("node_modules").exists() {
        run(npm(&ui).args(["ci", "--no-audit", "--no-fund"]))?;
        fs::create_dir_all(target)?;
        fs::write(mark, pinned)?;
    }
    run(npm(&ui).args(["run", "build"]))
}

/// Checks the interface's types and runs its own tests. It has to have been built before.
pub(crate) fn test_interface() -> Result<()> {
    let ui = root().join("ui");
    run(npm(&ui).args(["run", "check"]))?;
    run(npm(&ui).arg("test"))
}

fn npm(folder: &Path) -> Command {
    let mut npm = tools::npm();
    npm.current_dir(folder);
    npm
}

/// Tells the tests where the programs are, and where to keep pictures.
fn in_desktop<'a>(command: &'a mut Command, target: &Path, profile: &str) -> &'a mut Command {
    let programs = target.join(profile);
    command
        .env(
            "ZEPHYR_TEST_DESKTOP",
            programs.join(executable("zephyr-desktop")),
        )
        .env("ZEPHYR_TEST_PROGRAM", programs.join(executable("zephyr")))
        .env(
            "ZEPHYR_TEST_SCREENSHOTS",
            target.join("desktop-screenshots"),
        )
        .current_dir(root())
}
