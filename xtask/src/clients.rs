//! The tests with real clients (`tests/clients`): installs the clients, then runs the tests.
//!
//! The clients go to `clients` in the target folder. The lock file and the requirements pin their versions.
//! If they change, the clients are installed again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{cargo, run, run_tests};
use crate::tally::Tally;
use crate::tools::{self, executable};
use crate::workspace::root;

/// Runs them all, or those whose name contains `filter`.
pub(crate) fn test(target: &Path, filter: Option<&str>) -> Result<Tally> {
    let node_modules = node_clients(target)?;
    let python = python_clients(&target.join("clients").join("python"))?;
    let build = ["build", "--package", "zephyr-cli", "--bin", "zephyr"];
    run(cargo().args(build).current_dir(root()))?;

    let mut tests = cargo();
    tests
        .args([
            "test",
            "--package",
            "zephyr-clients-test",
            "--test",
            "clients",
        ])
        .arg("--")
        .args(filter)
        .env(
            "ZEPHYR_TEST_PROGRAM",
            target.join("debug").join(executable("zephyr")),
        )
        .env("ZEPHYR_TEST_NODE_MODULES", node_modules)
        .env("ZEPHYR_TEST_PYTHON", python)
        .current_dir(root());
    run_tests(&mut tests)
}

/// Installs the packages in `package-lock.json`. Returns the folder of the modules.
pub(crate) fn node_clients(target: &Path) -> Result<PathBuf> {
    let folder = &target.join("clients").join("node");
    let pinned = ["package.json", "package-lock.json"];
    let modules = folder.join("node_modules");
    install_once(folder, &pinned, || {
        for name in pinned {
            fs::copy(sources().join(name), folder.join(name))?;
        }
        // npm's version and settings decide whether it runs the scripts of packages. Only the script of
        // Claude Code is needed: it puts the program into place.
        run(tools::npm()
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder))?;
        let claude_code = modules.join("@anthropic-ai").join("claude-code");
        run(Command::new("node")
            .arg("install.cjs")
            .current_dir(claude_code))
    })?;
    Ok(modules)
}

/// Installs the packages in `requirements.txt`. Returns the Python that has them.
fn python_clients(folder: &Path) -> Result<PathBuf> {
    let python = if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    };
    let pinned = ["requirements.txt"];
    install_once(folder, &pinned, || {
        run(tools::python_command()
            .args(["-m", "venv", "--clear"])
            .arg(folder))?;
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        run(Command::new(&python)
            .args(install)
            .arg("--requirement")
            .arg(sources().join("requirements.txt")))
    })?;
    Ok(python)
}

/// Installs, unless the same pinned versions are already completely installed.
fn install_once(
    folder: &Path,
    pinned: &[&str],
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let mut versions = String::new();
    for name in pinned {
        let path = sources().join(name);
        versions += &fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    }
    let mark = folder.join("installed");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == versions) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    if mark.exists() {
        fs::remove_file(&mark)?;
    }
    install()?;
    fs::write(mark, versions)?;
    Ok(())
}

fn sources() -> PathBuf {
    root().join("tests").join("clients")
}
