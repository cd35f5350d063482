//! A home of its own for a program: no configuration, no instance, no variables.
//!
//! The home is also the working folder and, on Linux, the platform's configuration folder. So what is written as
//! its `config.toml` is the user's own. Elsewhere a variable names it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub struct Home {
    folder: TempDir,
    path: PathBuf,
}

impl Home {
    /// With nothing in it.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zephyr");
        fs::create_dir(&path).unwrap();
        Self { folder, path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that holds the home.
    #[cfg(target_os = "linux")]
    pub fn around(&self) -> &Path {
        self.folder.path()
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

    /// Every command that does something, such as `token set`, as the help of the program lists them.
    #[cfg(target_os = "linux")]
    pub fn commands(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![String::new()];
        while let Some(path) = open.pop() {
            let words = path.split_whitespace().chain(["--help"]);
            let help = self.run(&words.collect::<Vec<_>>()).stdout;
            let help = String::from_utf8(help).unwrap();
            let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
            let below: Vec<String> = below
                .take_while(|line| !line.is_empty())
                .filter_map(|line| line.split_whitespace().next())
                .map(|word| format!("{path} {word}").trim().to_owned())
                .collect();
            if below.is_empty() {
                found.push(path);
            }
            open.extend(below);
        }
        assert!(found.len() > 20, "{found:?}");
        found
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
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("ZEPHYR_DATA_DIR", data_dir);
        let config = self.path().join("config.toml");
        if !cfg!(target_os = "linux") && config.exists() {
            command.env("ZEPHYR_CONFIG", config);
        }
        command
    }
}
