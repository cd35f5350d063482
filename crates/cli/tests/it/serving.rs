//! `zephyr serve` as a process, in a home of its own.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;
use zephyr_admin::instance::{self, Found, Running};
use zephyr_testkit::Endpoint;

/// A home with a configuration and a data folder of its own.
pub struct Home(TempDir);

impl Home {
    /// Free ports, no probes, and these tables.
    pub fn with(tables: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.configure(&format!(
            "[server]\nport = 0\n[web_admin]\nport = 0\n[health_check]\nmode = \"off\"\n{tables}"
        ));
        home
    }

    /// With one endpoint, called A.
    pub fn over(endpoint: &Endpoint) -> Self {
        Self::with(&format!(
            "[[groups]]\nname = \"primary\"\nauth_type = \"passthrough\"\n\
             endpoints = [{{ name = \"A\", url = \"{}\", proxy = \"direct\" }}]\n",
            endpoint.url()
        ))
    }

    pub fn configure(&self, text: &str) {
        fs::write(self.0.path().join("config.toml"), text).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn zephyr(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zephyr"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .env("ZEPHYR_DATA_DIR", self.data_dir());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.zephyr(arguments).output().unwrap()
    }

    /// Starts `zephyr serve` and waits until it says that it is ready.
    pub fn serve(&self) -> Serving {
        let mut child = self
            .zephyr(&["serve"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(" is ready.\n") {
            let read = stderr.read_line(&mut said).unwrap();
            assert_ne!(read, 0, "it ended: {said}");
        }
        Serving { child, stderr }
    }

    pub async fn found(&self) -> Found {
        instance::find(&self.data_dir()).await.unwrap()
    }

    pub async fn running(&self) -> Running {
        self.found().await.running().unwrap()
    }
}

/// A running `zephyr serve`; killed when dropped.
pub struct Serving {
    pub child: Child,
    pub stderr: BufReader<ChildStderr>,
}

impl Serving {
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        // The shell's own: a minimal system has no program of this name.
        let kill = Command::new("sh")
            .args(["-c", r#"kill -s "$0" "$1""#, name, &pid])
            .status();
        assert!(kill.unwrap().success());
    }

    /// Its exit code, and what else it said.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
