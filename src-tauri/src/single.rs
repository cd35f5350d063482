//! One tray per data folder: a second start does what it was asked through the first.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use zephyr_cli::instance::{self, Claim, Found, Role, Running};
use zephyr_control::{Command, Control};
use zephyr_engine::settings;

use crate::arguments::Arguments;

/// Somebody who has claimed the tray says within this time where they listen.
const STARTING: Duration = Duration::from_secs(10);

/// How often that is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// What became of this start.
pub(crate) enum Earlier {
    /// It is the first.
    None(Claim),
    /// What was asked has been passed on; what there is to say about it.
    Told(String),
}

/// A data folder for a demo, which must not pass for the instance that the user works with.
pub(crate) fn demo_folder(arguments: &Arguments) -> Result<Option<TempDir>> {
    let named = std::env::var_os("ZEPHYR_DATA_DIR").is_some_and(|folder| !folder.is_empty());
    if !arguments.demo || named {
        return Ok(None);
    }
    let folder = tempfile::Builder::new().prefix("zephyr-demo-").tempdir()?;
    Ok(Some(folder))
}

/// The folder for what Zephyr writes.
pub(crate) fn data_dir(temporary: Option<&TempDir>) -> Result<PathBuf> {
    match temporary {
        Some(folder) => Ok(folder.path().to_owned()),
        None => settings::data_dir().context(
            "there is no home folder to keep data in; name one with the variable ZEPHYR_DATA_DIR",
        ),
    }
}

/// Claims the tray, or passes on what was asked.
pub(crate) async fn claim(data_dir: &Path, arguments: &Arguments) -> Result<Earlier> {
    if arguments.quit {
        return quit(data_dir).await;
    }
    if let Some(claim) = instance::claim_desktop(data_dir)? {
        return Ok(Earlier::None(claim));
    }
    let running = tokio::time::timeout(STARTING, appearing(data_dir)).await;
    let running = running.context(
        "another Zephyr has the tray of this data folder, and does not answer; end it first",
    )??;
    if arguments.at_login {
        return Ok(Earlier::Told("Zephyr is running already".to_owned()));
    }
    running.client.execute(Command::Show).await?;
    let message = "Zephyr is running already; its window is opened";
    Ok(Earlier::Told(message.to_owned()))
}

async fn quit(data_dir: &Path) -> Result<Earlier> {
    match instance::find_as(Role::Desktop, data_dir).await? {
        Found::Running(running) => {
            let done = running.client.execute(Command::Quit).await?;
            Ok(Earlier::Told(done.message))
        }
        Found::Nothing | Found::Stale(_) => Ok(Earlier::Told("Zephyr is not running".to_owned())),
    }
}

async fn appearing(data_dir: &Path) -> Result<Running> {
    loop {
        match instance::find_as(Role::Desktop, data_dir).await {
            Ok(Found::Running(running)) => return Ok(running),
            Ok(Found::Nothing | Found::Stale(_)) => tokio::time::sleep(LOOK).await,
            Err(error) => bail!(error),
        }
    }
}
