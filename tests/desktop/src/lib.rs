//! The tray program on a desktop of its own, as a user would have it, without a screen.
//!
//! A [`Desktop`] is private to a test: an X server, a session bus, a home folder, and on the bus what a
//! desktop has there: a tray host and a notification daemon (both here, in the test's process), and
//! gnome-keyring. Each part can be missing, and can come later. [`Zephyr`] is the built program; a
//! [`Tray`] reads and clicks its menu as a panel does, over D-Bus; a [`Window`] is read and clicked
//! through WebKitWebDriver. Nothing is between them and the program that a test could bend.
//!
//! `cargo xtask desktop` builds the programs and says in the environment where they are. Not for: what
//! the menu says in each state; that is a pure function, tested where it is.
//!
//! Tests wait for events, and fail after [`PATIENCE`](zephyr_testkit::PATIENCE) if they do not come.
//! Files, processes and windows announce nothing, so these are looked at again and again (`until`).
//! Whatever a test has started ends with it, even if the test itself is killed.
#![cfg(target_os = "linux")]

mod bus;
mod configuration;
mod desktop;
mod given;
mod icon;
mod keyring;
mod notifications;
mod process;
mod screen;
mod tray;
mod waiting;
mod watcher;
mod webdriver;
mod window;
mod zephyr;

pub use configuration::Configuration;
pub use desktop::{Desktop, Part};
pub use icon::Icon;
pub use keyring::{Keyring, Lock};
pub use notifications::{Notification, Notifications};
pub use process::{Cost, Ended, Process};
pub use tray::{Item, Kind, Menu, Tray};
pub use waiting::until;
pub use watcher::TrayHost;
pub use window::Window;
pub use zephyr::{Ran, Zephyr};
