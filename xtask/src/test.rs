//! All tests, and the parts of them that CI runs in parallel. Quick steps come first.

use anyhow::{Result, bail};

use crate::clients;
use crate::desktop;
use crate::direction;
use crate::interface;
use crate::modules;
use crate::process::{cargo, run, run_tests};
use crate::steps::Steps;
use crate::tally::Tally;
use crate::tools;
use crate::workspace::{metadata, root, target_dir};

/// Runs all tests but the long ones.
pub(crate) fn test() -> Result<()> {
    let target = target_dir()?;
    let mut steps = Steps::default();
    steps.step("tools", || {
        tools::rust_components()?;
        tools::c_compiler()?;
        tools::message_bus()?;
        tools::node()?;
        tools::python()?;
        tools::desktop()?;
        tools::browser()
    })?;
    steps.step("format", check_format)?;
    steps.step("direction", check_direction)?;
    steps.step("modules", check_modules)?;
    steps.step("deny", || {
        let deny = tools::cargo_deny(&target)?;
        // The advisories come from a database on the network, so only the hosted CI checks them.
        run(tools::in_target(deny, &target)
            .args(["--all-features", "check", "bans", "licenses", "sources"])
            .current_dir(root()))
    })?;
    // Both programs contain the interface. Without it the tray program cannot be compiled.
    steps.step("interface", || {
        interface::build(&target)?;
        interface::test()
    })?;
    steps.step("clippy", check_lints)?;
    steps.counted("test", test_crates)?;
    steps.step("doc", check_documentation)?;
    steps.counted("clients", || clients::test(&target, None))?;
    steps.counted("desktop", || desktop::test(&target, None))?;
    steps.step("browser", || interface::test_in_browser(&target))?;
    steps.summarise();
    Ok(())
}

/// Runs everything that starts no program of ours. `cargo-deny` itself checks the licences.
pub(crate) fn lint() -> Result<()> {
    let target = target_dir()?;
    let mut steps = Steps::default();
    steps.step("tools", || {
        tools::rust_components()?;
        tools::c_compiler()?;
        tools::node()?;
        tools::window()
    })?;
    steps.step("format", check_format)?;
    steps.step("direction", check_direction)?;
    steps.step("modules", check_modules)?;
    steps.step("interface", || {
        interface::build(&target)?;
        interface::test()
    })?;
    steps.step("clippy", check_lints)?;
    steps.step("doc", check_documentation)?;
    steps.summarise();
    Ok(())
}

/// Runs the tests of every crate: everything that works on systems other than Linux too.
pub(crate) fn crates() -> Result<()> {
    let target = target_dir()?;
    let mut steps = Steps::default();
    steps.step("tools", || {
        tools::c_compiler()?;
        tools::message_bus()?;
        tools::node()?;
        tools::window()
    })?;
    steps.step("interface", || interface::build(&target))?;
    steps.counted("test", test_crates)?;
    steps.summarise();
    Ok(())
}

/// Checks which crates and modules import which. It takes seconds and builds nothing.
pub(crate) fn imports() -> Result<()> {
    let metadata = metadata(&[])?;
    let mut wrong = direction::violations(&metadata)?;
    wrong.extend(modules::violations(&metadata)?);
    none_wrong("imports that must not be", &wrong)
}

fn check_format() -> Result<()> {
    run(cargo()
        .args(["fmt", "--all", "--check"])
        .current_dir(root()))
}

fn check_direction() -> Result<()> {
    let wrong = direction::violations(&metadata(&[])?)?;
    none_wrong("dependencies against docs/architecture.md", &wrong)
}

fn check_modules() -> Result<()> {
    let wrong = modules::violations(&metadata(&["--no-deps"])?)?;
    none_wrong("modules against .github/CONTRIBUTING.md", &wrong)
}

fn check_lints() -> Result<()> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    run(cargo().args(arguments).current_dir(root()))?;
    // `--all-targets` leaves out the tests that a plain `cargo test` leaves out.
    let kept_out = [
        ("zephyr-clients-test", "clients"),
        ("zephyr-desktop-test", "harness"),
        ("zephyr-desktop-test", "desktop"),
        ("zephyr-desktop-test", "measure"),
    ];
    let mut clippy = cargo();
    clippy.arg("clippy");
    for (package, test) in kept_out {
        clippy.args(["--package", package, "--test", test]);
    }
    run(clippy.args(["--", "-D", "warnings"]).current_dir(root()))
}

fn test_crates() -> Result<Tally> {
    run_tests(cargo().args(["test", "--workspace"]).current_dir(root()))
}

fn check_documentation() -> Result<()> {
    run(cargo()
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .current_dir(root()))
}

fn none_wrong(what: &str, wrong: &[String]) -> Result<()> {
    if !wrong.is_empty() {
        bail!("{what}:\n{}", wrong.join("\n"));
    }
    Ok(())
}

/// Runs the tests with real clients. `filter`: a part of their names.
pub(crate) fn clients(filter: Option<&str>) -> Result<()> {
    let target = target_dir()?;
    let mut steps = Steps::default();
    steps.step("tools", || {
        tools::c_compiler()?;
        tools::node()?;
        tools::python()
    })?;
    steps.counted("clients", || clients::test(&target, filter))?;
    steps.summarise();
    Ok(())
}

/// Runs the tests of the tray program. `filter`: a part of their names.
pub(crate) fn desktop(filter: Option<&str>) -> Result<()> {
    let target = target_dir()?;
    let mut steps = Steps::default();
    steps.step("tools", || {
        tools::c_compiler()?;
        tools::node()?;
        tools::desktop()
    })?;
    steps.step("interface", || interface::build(&target))?;
    steps.counted("desktop", || desktop::test(&target, filter))?;
    steps.summarise();
    Ok(())
}

/// Runs the tests of the interface in a browser.
pub(crate) fn browser() -> Result<()> {
    let target = target_dir()?;
    let mut steps = Steps::default();
    steps.step("tools", || {
        tools::c_compiler()?;
        tools::node()?;
        tools::browser()
    })?;
    steps.step("interface", || interface::build(&target))?;
    steps.step("browser", || interface::test_in_browser(&target))?;
    steps.summarise();
    Ok(())
}

/// Measures the tray program.
pub(crate) fn measure_desktop() -> Result<()> {
    tools::c_compiler()?;
    tools::node()?;
    tools::desktop()?;
    desktop::measure(&target_dir()?)
}
