//! One tray per data folder. A second start passes its request on to the first.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use zephyr_admin::instance::{self, Claim, Found, Role};
use zephyr_control::{Command, Control};
use zephyr_demo::Folder;

use crate::arguments::Arguments;

/// A program that has claimed the tray tells its address within this time.
const STARTING: Duration = Duration::from_secs(10);

/// The time between two looks for that address.
const LOOK: Duration = Duration::from_millis(50);

/// What happened to this start.
pub(crate) enum Earlier {
    /// It is the first.
    None(Claim),
    /// The request was passed on. The text says what happened.
    Told(String),
}

/// The data folder of a demo, if one is asked for.
pub(crate) fn demo_folder(arguments: &Arguments) -> Result<Option<Folder>> {
    let folder = arguments.demo.then(Folder::choose).transpose()?;
    Ok(folder)
}

/// The folder for what Zephyr writes.
pub(crate) fn data_dir(demo: Option<&Folder>) -> Result<PathBuf> {
    match demo {
        Some(folder) => Ok(folder.path().to_owned()),
        None => Ok(zephyr_config::data_dir()?),
    }
}

/// Claims the tray, or passes the request on.
pub(crate) async fn claim(data_dir: &Path, arguments: &Arguments) -> Result<Earlier> {
    if arguments.quit {
        return quit(data_dir).await;
    }
    let mut silent_since = Instant::now();
    loop {
        let claim = instance::claim_desktop(data_dir).context(
            "nothing can be kept in the data folder; name another one with ZEPHYR_DATA_DIR",
        )?;
        if let Some(claim) = claim {
            return Ok(Earlier::None(claim));
        }
        match instance::find_as(Role::Desktop, data_dir).await? {
            // The other program is ending. Its place is free once its requests have finished.
            Found::Running(running) if running.snapshot.drain.is_some() => {
                silent_since = Instant::now();
            }
            Found::Running(_) if arguments.at_login => {
                return Ok(Earlier::Told("Zephyr is running already".to_owned()));
            }
            Found::Running(running) => {
                running.client.execute(Command::Show).await?;
                let message = "Zephyr is running already; its window is opened";
                return Ok(Earlier::Told(message.to_owned()));
            }
            Found::Nothing | Found::Stale(_) if silent_since.elapsed() > STARTING => bail!(
                "another Zephyr has the tray of this data folder, and does not answer; end it first"
            ),
            Found::Nothing | Found::Stale(_) => {}
        }
        tokio::time::sleep(LOOK).await;
    }
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
