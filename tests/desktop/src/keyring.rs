//! gnome-keyring: unlocked, or locked with nobody to ask for the password.

use std::io::Write;
use std::process::Stdio;

use tokio::process::Command;

use crate::desktop::Desktop;
use crate::process::{Ended, Process};

/// Whether a keyring can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lock {
    /// As after a login with a password.
    Unlocked,
    /// As after a login without one.
    Locked,
}

/// A running keyring; it ends when dropped.
#[derive(Debug)]
pub struct Keyring {
    daemon: Process,
}

impl Keyring {
    pub(crate) async fn start(desktop: &Desktop, lock: Lock) -> Self {
        match lock {
            Lock::Unlocked => Self::daemon(desktop, &["--unlock"]).await,
            Lock::Locked => {
                // A keyring exists once it was unlocked; the next daemon finds it locked.
                let unlocked = Self::daemon(desktop, &["--unlock"]).await;
                unlocked.stop().await;
                Self::daemon(desktop, &[]).await
            }
        }
    }

    /// Ends it, as at a logout.
    pub async fn stop(self) {
        self.daemon.terminate();
        self.daemon.ended().await;
    }

    async fn daemon(desktop: &Desktop, how: &[&str]) -> Self {
        let control = desktop.runtime_dir().join("keyring");
        let mut command = desktop.command("gnome-keyring-daemon");
        command
            .args(["--foreground", "--components=secrets"])
            .arg(format!("--control-directory={}", control.display()))
            .args(how)
            .stdin(input("password"));
        let daemon = desktop.start("gnome-keyring", command);
        desktop.bus().until_owned("org.freedesktop.secrets").await;
        Self { daemon }
    }
}

impl Desktop {
    /// Starts a keyring; it ends when it is dropped, and what is stored stays for the next.
    pub async fn start_keyring(&self, lock: Lock) -> Keyring {
        Keyring::start(self, lock).await
    }

    /// What the keyring has under this name, by a program that is not ours.
    pub async fn stored(&self, reference: &str) -> Option<String> {
        let mut lookup = self.command("secret-tool");
        lookup.arg("lookup").args(attributes(reference));
        let ended = self.start("secret-tool", lookup).ended().await;
        (ended.code == Some(0)).then(|| ended.said.trim_end().to_owned())
    }

    /// Stores a secret in the keyring, by a program that is not ours.
    pub async fn store(&self, reference: &str, secret: &str) -> Ended {
        let mut store = self.command("secret-tool");
        store.args(["store", "--label", reference]);
        store.args(attributes(reference));
        self.run_with_input("secret-tool", store, secret).await
    }

    /// Runs a command to its end, with this as its standard input.
    pub async fn run_with_input(&self, name: &str, mut command: Command, text: &str) -> Ended {
        command.stdin(input(text));
        self.start(name, command).ended().await
    }
}

/// A standard input of this text. It has to be short enough for a pipe to hold.
fn input(text: &str) -> Stdio {
    let (reader, mut writer) = std::io::pipe().expect("there should be a pipe to be had");
    let written = writer.write_all(text.as_bytes());
    written.expect("a pipe that nobody has closed takes a few bytes");
    Stdio::from(reader)
}

fn attributes(reference: &str) -> [&str; 4] {
    ["service", "zephyr", "username", reference]
}
