//! The tray program: builds it and runs its tests on private desktops (`tests/desktop`).
//!
//! These desktops exist only on Linux. On other systems the programs are only built.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::interface;
use crate::process::{cargo, run, run_tests};
use crate::tally::Tally;
use crate::tools::executable;
use crate::workspace::root;

/// Runs all tests, or those whose name contains `filter`. The interface must be built first. It is not built
/// here, because that would compile both programs again.
pub(crate) fn test(target: &Path, filter: Option<&str>) -> Result<Tally> {
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

/// Measures the release build, and prints the results.
pub(crate) fn measure(target: &Path) -> Result<()> {
    interface::build(target)?;
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

/// Tells the tests where the programs are, and where to save pictures.
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
