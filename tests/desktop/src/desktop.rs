//! A desktop for one test.

use std::ffi::OsString;
use std::fs::{DirBuilder, create_dir_all};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use crate::bus::{Bus, announced};
use crate::notifications::Notifications;
use crate::process::{Leash, Process};
use crate::screen::Screen;
use crate::waiting::until;
use crate::watcher::TrayHost;

/// Something that a desktop has, and may lack.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// An X server.
    Display,
    /// A session bus; without it there is nothing that lives on one, either.
    Bus,
    /// What shows tray icons.
    TrayHost,
    /// What shows notifications.
    Notifications,
}

/// A display, a session bus and a home that nobody else has. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Desktop {
    tray_host: Option<TrayHost>,
    notifications: Option<Notifications>,
    display: Option<Display>,
    bus: Option<Bus>,
    environment: Vec<(&'static str, OsString)>,
    // Ends whatever is left and deletes the folder, so it comes last.
    leash: Leash,
    folder: PathBuf,
}

impl Desktop {
    /// Has every [`Part`]. It has no keyring until one is started.
    ///
    /// # Panics
    ///
    /// If a part does not start; so do all the other functions here.
    pub async fn complete() -> Self {
        Self::lacking(&[]).await
    }

    /// Has every [`Part`] but these.
    pub async fn lacking(missing: &[Part]) -> Self {
        let has = |part| !missing.contains(&part);
        let folder = tempfile::Builder::new().prefix("zephyr-desktop-").tempdir();
        let folder = folder.expect("there should be room for a temporary folder");
        let leash = Leash::with(folder.path());
        let folder = TempDir::keep(folder);
        let mut environment = environment(&folder);

        let mut display = None;
        if has(Part::Display) {
            let started = Display::start(&leash).await;
            environment.push(("DISPLAY", started.name.clone().into()));
            display = Some(started);
        }
        let mut bus = None;
        if has(Part::Bus) {
            let started = Bus::start(&folder, &leash).await;
            environment.push(("DBUS_SESSION_BUS_ADDRESS", started.address().into()));
            bus = Some(started);
        }
        let mut desktop = Self {
            tray_host: None,
            notifications: None,
            display,
            bus,
            environment,
            leash,
            folder,
        };
        if has(Part::Bus) && has(Part::TrayHost) {
            desktop.start_tray_host().await;
        }
        if has(Part::Bus) && has(Part::Notifications) {
            desktop.start_notifications().await;
        }
        desktop
    }

    /// Starts what shows tray icons.
    pub async fn start_tray_host(&mut self) {
        self.tray_host = Some(TrayHost::start(self.bus()).await);
    }

    /// Ends what shows tray icons, as a panel that crashes.
    pub fn stop_tray_host(&mut self) {
        self.tray_host = None;
    }

    /// Starts what shows notifications.
    pub async fn start_notifications(&mut self) {
        self.notifications = Some(Notifications::start(self.bus()).await);
    }

    /// What shows tray icons.
    pub fn tray_host(&self) -> &TrayHost {
        let host = self.tray_host.as_ref();
        host.expect("the test should have started a tray host")
    }

    /// The notifications that were shown.
    pub fn notifications(&self) -> &Notifications {
        let notifications = self.notifications.as_ref();
        notifications.expect("the test should have started a notification daemon")
    }

    /// How many windows are visible.
    pub fn windows(&self) -> usize {
        self.screen().windows()
    }

    /// Waits until this many windows are visible.
    pub async fn until_windows(&self, count: usize) {
        let screen = self.screen();
        until(&format!("{count} windows"), async || {
            (screen.windows() == count).then_some(())
        })
        .await;
    }

    /// Closes every window, as clicks on the crosses in their frames do, and waits until they are gone.
    pub async fn close_windows(&self) {
        let screen = self.screen();
        until("the windows to close", async || {
            // One that has only just appeared may miss it, as it may miss a click.
            screen.close_windows();
            (screen.windows() == 0).then_some(())
        })
        .await;
    }

    /// Asks every window to close, as a click on the cross in its frame does.
    pub fn ask_windows_to_close(&self) {
        self.screen().close_windows();
    }

    fn screen(&self) -> Screen {
        let display = self.display.as_ref();
        Screen::of(&display.expect("the test should have a display").name)
    }

    pub(crate) fn bus(&self) -> &Bus {
        let bus = self.bus.as_ref();
        bus.expect("the test should have a session bus")
    }

    /// A command that sees this desktop, and of this machine nothing else.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home())
            .stdin(Stdio::null());
        command
    }

    /// Starts a command.
    pub fn start(&self, name: &str, command: Command) -> Process {
        Process::start(name, command, &self.leash)
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Where programs keep their settings; not the customary `~/.config`, so that a program that
    /// ignores `XDG_CONFIG_HOME` is noticed.
    pub fn config_home(&self) -> PathBuf {
        self.home().join("settings")
    }

    /// Where programs keep what lives as long as the session.
    pub(crate) fn runtime_dir(&self) -> PathBuf {
        self.folder.join("run")
    }
}

#[derive(Debug)]
struct Display {
    _server: Process,
    name: String,
}

impl Display {
    async fn start(leash: &Leash) -> Self {
        let mut command = Command::new("Xvfb");
        // It takes a free display and says which.
        command.args(["-displayfd", "1", "-screen", "0", SCREEN]);
        command.args(["-nolisten", "tcp", "-noreset"]);
        let mut server = Process::start("Xvfb", command, leash);
        let number = until("the display's number", async || {
            announced(&mut server, |line| line.parse::<u32>().is_ok())
        })
        .await;
        Self {
            _server: server,
            name: format!(":{number}"),
        }
    }
}

const SCREEN: &str = "1280x900x24";

fn environment(folder: &Path) -> Vec<(&'static str, OsString)> {
    let home = folder.join("home");
    let run = folder.join("run");
    let folders = [
        ("HOME", home.clone()),
        ("XDG_CONFIG_HOME", home.join("settings")),
        ("XDG_DATA_HOME", home.join("data")),
        ("XDG_STATE_HOME", home.join("state")),
        ("XDG_CACHE_HOME", home.join("cache")),
    ];
    for (_, path) in &folders {
        create_dir_all(path).expect("the test's folder should be writable");
    }
    // What uses it refuses one that others may read.
    let made = DirBuilder::new().mode(0o700).create(&run);
    made.expect("the test's folder should be writable");

    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = folders.map(|(name, path)| (name, path.into_os_string()));
    let mut environment: Vec<_> = named.into();
    environment.push(("XDG_RUNTIME_DIR", run.into_os_string()));
    environment.push(("PATH", path));
    environment.extend(PLAIN.map(|(name, value)| (name, value.into())));
    environment
}

/// No accessibility bus, no file-system daemon, no settings daemon, no graphics card.
const PLAIN: [(&str, &str); 9] = [
    ("GDK_BACKEND", "x11"),
    ("GIO_USE_VFS", "local"),
    ("GSETTINGS_BACKEND", "memory"),
    ("GTK_A11Y", "none"),
    ("LANG", "C.UTF-8"),
    ("LIBGL_ALWAYS_SOFTWARE", "1"),
    ("NO_AT_BRIDGE", "1"),
    ("XDG_SESSION_TYPE", "x11"),
    ("RUST_BACKTRACE", "1"),
];
