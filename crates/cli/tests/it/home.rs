//! A home of its own for a program: no configuration, no instance, no variables.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub struct Home(TempDir);

impl Home {
    /// With nothing in it.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn write(&self, name: &str, text: &str) -> &Self {
        fs::write(self.path().join(name), text).unwrap();
        self
    }

    pub fn configure(&self, text: &str) {
        self.write("config.toml", text);
    }

    /// What `zephyr` says to these arguments.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.zephyr(arguments).output().unwrap()
    }

    pub fn zephyr(&self, arguments: &[&str]) -> Command {
        self.zephyr_over(&self.data_dir(), arguments)
    }

    /// With another data folder than its own.
    pub fn zephyr_over(&self, data_dir: &Path, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_zephyr"), data_dir);
        command.args(arguments);
        command
    }

    /// Any program.
    pub fn command(&self, program: &str, data_dir: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("ZEPHYR_DATA_DIR", data_dir);
        command
    }
}
