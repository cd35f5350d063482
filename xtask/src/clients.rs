//! The tests with real clients (`tests/clients`): installs the clients, then runs the tests.
//!
//! The clients go to `clients` in the target folder. The lock file and the requirements pin their versions
//! and the hashes of their files; if these change, the clients are installed again. No package runs a program
//! of its own while it is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

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
        run(tools::npm()
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder))?;
        place_claude_code(&modules.join("@anthropic-ai"))
    })?;
    Ok(modules)
}

/// Puts Claude Code's program where its package has a placeholder. The install script of the package would do
/// the same.
fn place_claude_code(packages: &Path) -> Result<()> {
    let program = executable("claude");
    let native = packages.join(native_package()?).join(program);
    let placeholder = packages.join("claude-code").join("bin").join("claude.exe");
    // The program is large, so it is linked if the file system can.
    fs::remove_file(&placeholder).with_context(|| placeholder.display().to_string())?;
    if fs::hard_link(&native, &placeholder).is_err() {
        fs::copy(&native, &placeholder).with_context(|| native.display().to_string())?;
    }
    Ok(())
}

/// The package with Claude Code's program for this system.
fn native_package() -> Result<String> {
    let system = match std::env::consts::OS {
        "linux" => "linux",
        "macos" => "darwin",
        "windows" => "win32",
        other => bail!("there is no Claude Code for {other}"),
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("there is no Claude Code for {other}"),
    };
    let library = if cfg!(target_env = "musl") {
        "-musl"
    } else {
        ""
    };
    Ok(format!("claude-code-{system}-{processor}{library}"))
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
            "--require-hashes",
            // What has to be built runs a program of its own while it is installed.
            "--only-binary",
            ":all:",
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
