//! `zephyr open`: the running instance's page in the browser, signed in.

use std::env;
use std::path::Path;

use zephyr_admin::instance::{self, Found, Role, Running};
use zephyr_control::Language;

use crate::configuration::data_dir;
use crate::failure::Failure;
use crate::status;
use crate::{output, remote};

/// `zephyr open`.
pub(crate) async fn open(config: Option<&Path>) -> Result<(), Failure> {
    let running = find().await?;
    let url = running.client.sign_in_url().await?;
    let language: Language = remote::language_of(config, &running.snapshot);
    if has_browser() && browser::open(&url) {
        output::print(&status::opened(running.client.address(), language))
    } else {
        output::print(&status::open_by_hand(&url, language))
    }
}

/// `zephyr open --print`.
pub(crate) async fn print() -> Result<(), Failure> {
    let url = find().await?.client.sign_in_url().await?;
    output::print(&(url + "\n"))
}

/// The engine's page. Without an engine: the page of a tray program that waits for one.
async fn find() -> Result<Running, Failure> {
    let data_dir = data_dir()?;
    let found = match instance::find(&data_dir).await? {
        Found::Running(running) => return Ok(running),
        found @ (Found::Stale(_) | Found::Nothing) => found,
    };
    match instance::find_as(Role::Desktop, &data_dir).await? {
        Found::Running(running) => Ok(running),
        Found::Stale(_) | Found::Nothing => Ok(found.running()?),
    }
}

/// Whether there is a desktop to open a browser on. Without one, a text browser would take over the terminal.
fn has_browser() -> bool {
    let named = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]
            .into_iter()
            .any(named)
}

/// The launchers are looked up by their names, and start further programs by theirs. In the current folder, which
/// may be somebody else's, none of those is looked for.
#[cfg(all(unix, not(target_os = "macos")))]
mod browser {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    pub(super) fn open(url: &str) -> bool {
        open::commands(url).into_iter().any(|launcher| {
            let Some(program) = zephyr_config::find_program(launcher.get_program()) else {
                return false;
            };
            let started = Command::new(program)
                .args(launcher.get_args())
                .current_dir("/")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn();
            started.is_ok()
        })
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod browser {
    pub(super) fn open(url: &str) -> bool {
        open::that_detached(url).is_ok()
    }
}
