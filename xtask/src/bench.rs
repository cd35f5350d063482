//! The benchmark: Zephyr's release build compared with a bare forwarder, nginx and HAProxy.
//!
//! Makes the release build. `tests/bench` measures it.

use anyhow::Result;

use crate::process::{cargo, run};
use crate::tools;
use crate::workspace::{root, target_dir};

/// Measures everything, or only what `arguments` select: `--rounds N` and parts of names.
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    tools::c_compiler()?;
    let packages = ["-p", "zephyr-cli", "-p", "zephyr-bench"];
    run(cargo()
        .args(["build", "--release"])
        .args(packages)
        .current_dir(root()))?;
    let release = target_dir()?.join("release");
    let zephyr = release
        .join("zephyr")
        .with_extension(std::env::consts::EXE_EXTENSION);
    run(std::process::Command::new(release.join("zephyr-bench"))
        .arg("run")
        .arg(zephyr)
        .args(arguments))
}
