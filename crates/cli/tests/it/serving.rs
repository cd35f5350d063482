//! `zephyr serve` as a process, in a home of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use zephyr_admin::instance::{self, Found, Running};
use zephyr_testkit::Endpoint;

use crate::home::Home;

impl Home {
    /// Free ports, no probes, and these tables.
    pub fn with(tables: &str) -> Self {
        let home = Self::new();
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

    /// Starts `zephyr serve` and waits until it says that it is ready.
    pub fn serve(&self) -> Serving {
        let serving = Serving::until(&mut self.zephyr(&["serve"]), " is ready.\n");
        serving.unwrap()
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
    /// Starts the command and waits until it has said this. `None`: it has ended before.
    pub fn until(command: &mut Command, ready: &str) -> Option<Self> {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(ready) {
            if stderr.read_line(&mut said).unwrap() == 0 {
                println!("it ended: {said}");
                child.wait().unwrap();
                return None;
            }
        }
        Some(Self { child, stderr })
    }

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
