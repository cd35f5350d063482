//! What Claude Code notices of endpoints that fail: the job with every fault, and the page about it.
//!
//! Makes the release build of Zephyr, and installs Claude Code. `tests/clients` does the rest.

use anyhow::Result;

use crate::clients;
use crate::machine::machine;
use crate::process::{cargo, run};
use crate::tools::{self, executable};
use crate::workspace::{root, target_dir};

/// Tries every fault and writes `docs/unnoticed.md`, or tries only what `arguments` select.
pub(crate) fn unnoticed(arguments: &[&str]) -> Result<()> {
    tools::c_compiler()?;
    tools::node()?;
    let target = target_dir()?;
    let node_modules = clients::node_clients(&target)?;
    let build = ["build", "--release", "-p", "zephyr-cli", "--bin", "zephyr"];
    run(cargo().args(build).current_dir(root()))?;

    let mut trials = cargo();
    trials
        .args(["run", "--quiet", "-p", "zephyr-clients-test"])
        .args(["--bin", "zephyr-unnoticed", "--"])
        .args(arguments)
        .arg("--logs")
        .arg(target.join("unnoticed"))
        .env(
            "ZEPHYR_TEST_PROGRAM",
            target.join("release").join(executable("zephyr")),
        )
        .env("ZEPHYR_TEST_NODE_MODULES", node_modules)
        .current_dir(root());
    let is_whole = !arguments.iter().any(|word| SELECTING.contains(word));
    if is_whole {
        trials
            .arg("--page")
            .arg(root().join("docs").join("unnoticed.md"))
            .arg("--machine")
            .arg(machine());
    }
    run(&mut trials)
}

/// With one of these the page would be about a part of the faults only.
const SELECTING: [&str; 4] = ["--only", "--warm", "--cold", "--list"];
