//! Starts Zephyr: the tray program, or `zephyr serve` if there is no display. It uses the configured
//! endpoints, or simulated ones if there are none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use directories::ProjectDirs;

use crate::interface;
use crate::process::{cargo, run as run_to_end};
use crate::tools::{self, executable};
use crate::workspace::{root, target_dir};

/// Builds the program and replaces this process with it.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let (arguments, profile) = match arguments {
        ["--release", rest @ ..] => (rest, "release"),
        all => (all, "debug"),
    };
    tools::c_compiler()?;
    // Both programs contain it.
    tools::node()?;
    interface::build(&target_dir()?)?;
    let configured = configuration(arguments);
    let (package, name, mode): (_, _, &[&str]) = if has_display() {
        tools::window()?;
        let simulated: &[&str] = &["--demo", "--show"];
        let mode = if configured.is_some() { &[] } else { simulated };
        ("zephyr-desktop", "zephyr-desktop", mode)
    } else {
        let simulated: &[&str] = &["demo"];
        let mode = if configured.is_some() {
            &["serve"]
        } else {
            simulated
        };
        ("zephyr-cli", "zephyr", mode)
    };
    let mut build = cargo();
    build.args(["build", "--package", package, "--bin", name]);
    if profile == "release" {
        build.arg("--release");
    }
    run_to_end(build.current_dir(root()))?;

    let why = match configured {
        Some(path) => format!("configuration: {}", path.display()),
        None => "nothing is configured: simulated endpoints".to_owned(),
    };
    println!("{name} {} ({why})", mode.join(" "));
    let program = target_dir()?.join(profile).join(executable(name));
    become_program(Command::new(program).args(mode).args(arguments))
}

/// Whether there is a desktop for the icon. Only Linux systems may have none.
fn has_display() -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || named("DISPLAY") || named("WAYLAND_DISPLAY")
}

/// The file that `zephyr serve` would read, if it names an endpoint. This function searches the same places, but
/// for a trusted file in the working folder: name that one. If there is no file, `serve` writes a default, but
/// this chooses the demo.
fn configuration(arguments: &[&str]) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let named = argument(arguments)
        .map(PathBuf::from)
        .or_else(|| variable("ZEPHYR_CONFIG").map(PathBuf::from))
        .or_else(|| variable("CONFIG_FILE").map(PathBuf::from));
    if named.is_some() {
        return named;
    }
    let folders = ProjectDirs::from("", "", "zephyr")?;
    let platform = folders.config_dir().join("config.toml");
    names_a_group(&platform).then_some(platform)
}

/// The value of `--config`.
fn argument<'a>(arguments: &[&'a str]) -> Option<&'a str> {
    let position = arguments
        .iter()
        .position(|argument| argument.starts_with("--config"))?;
    match arguments[position].strip_prefix("--config=") {
        Some(value) => Some(value),
        None => arguments.get(position + 1).copied(),
    }
}

/// Whether a file differs from the default, in which everything is commented out.
fn names_a_group(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .any(|line| line.trim_start().starts_with("[[groups]]"))
}

#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;

    // After this, signals reach Zephyr itself.
    let error = command.exec();
    Err(error).context("zephyr cannot be started")
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<()> {
    let status = command.status().context("zephyr cannot be started")?;
    std::process::exit(status.code().unwrap_or(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_configuration_is_found_in_both_spellings() {
        assert_eq!(argument(&["--config", "a.toml"]), Some("a.toml"));
        assert_eq!(
            argument(&["--dashboard", "--config=b.toml"]),
            Some("b.toml")
        );
        assert_eq!(argument(&["--dashboard"]), None);
        assert_eq!(argument(&["--config"]), None);
    }

    #[test]
    fn the_commented_default_configures_nothing() {
        let example = root().join("config.toml.example");
        let default = std::env::temp_dir().join(format!("zephyr-xtask-{}", std::process::id()));
        let commented = fs::read_to_string(&example).unwrap().replace("[[", "#[[");
        fs::write(&default, commented).unwrap();

        assert!(names_a_group(&example));
        assert!(!names_a_group(&default));
        assert!(!names_a_group(Path::new("no/such/file")));
        fs::remove_file(default).unwrap();
    }
}
