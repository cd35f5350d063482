//! Where the workspace and its build products are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{cargo, printed};

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace")
}

/// The folder of the build products.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let metadata = metadata(&["--no-deps"])?;
    let folder = metadata["target_directory"].as_str();
    Ok(folder.context("Cargo names no target folder")?.into())
}

/// The folder in which Cargo keeps the sources of packages.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("CARGO_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let user = directories::BaseDirs::new().context("the user has no home folder")?;
    Ok(user.home_dir().join(".cargo"))
}

/// When the newest commit in a folder was made, in seconds since 1970.
pub(crate) fn commit_time(folder: &Path) -> Result<String> {
    let log = ["log", "-1", "--format=%ct"];
    let time = printed(Command::new("git").args(log).current_dir(folder))?;
    Ok(time.trim().to_owned())
}

/// What `cargo metadata` prints.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value> {
    let mut command = cargo();
    command
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .current_dir(root());
    let output = command.output().context("Cargo cannot be started")?;
    if !output.status.success() {
        anyhow::bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}
