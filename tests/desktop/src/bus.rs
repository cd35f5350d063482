//! The session bus: a daemon that starts nothing by itself.
//!
//! With the system's own settings, a call to a name that nobody has would start whatever is installed
//! for it, for instance a locked gnome-keyring. Here a name that a test has given to nobody is nobody's.

use std::path::Path;

use tokio::process::Command;
use zbus::Connection;
use zbus::connection::Builder;

use crate::process::{Leash, Process};
use crate::waiting::{patiently, until};

/// A bus of its own.
#[derive(Debug)]
pub(crate) struct Bus {
    _daemon: Process,
    address: String,
}

impl Bus {
    pub(crate) async fn start(folder: &Path, leash: &Leash) -> Self {
        let config = folder.join("bus.conf");
        let text = CONFIG.replace("FOLDER", &folder.to_string_lossy());
        std::fs::write(&config, text).expect("the test's folder should be writable");
        let mut command = Command::new("dbus-daemon");
        command
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"]);
        let mut daemon = Process::start("dbus-daemon", command, leash);
        let address = until("the bus's address", async || {
            announced(&mut daemon, |line| line.starts_with("unix:"))
        })
        .await;
        Self {
            _daemon: daemon,
            address,
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A connection of the test's own.
    pub(crate) async fn connect(&self) -> Connection {
        let builder = Builder::address(self.address()).expect("the daemon's address is valid");
        let connected = patiently("a connection to the bus", builder.build()).await;
        connected.expect("the bus should take a connection")
    }

    /// Waits until somebody has this name.
    pub(crate) async fn until_owned(&self, name: &str) {
        let connection = self.connect().await;
        let bus = zbus::fdo::DBusProxy::new(&connection).await;
        let bus = bus.expect("the bus should answer for itself");
        until(&format!("an owner of {name}"), async || {
            let name = name.try_into().expect("the name is a valid one");
            bus.name_has_owner(name).await.ok()?.then_some(())
        })
        .await;
    }
}

/// What a process announces on a line of its own, if it has by now. It may say other things as well.
///
/// # Panics
///
/// If it has ended without that.
pub(crate) fn announced(process: &mut Process, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let said = process.said();
    if let Some(line) = said.lines().find(|line| is_it(line)) {
        return Some(line.to_owned());
    }
    assert!(
        process.is_running(),
        "{process:?} ended instead of starting"
    );
    None
}

const CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=FOLDER</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;
