//! One tray per data folder: a second start does what it was asked through the first.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use zephyr_admin::instance::{self, Claim, Found, Role};
use zephyr_control::{Command, Control};
use zephyr_demo::Folder;

use crate::arguments::Arguments;

/// A program that has claimed the tray says within this time where it listens.
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

/// The data folder of a demo, if one is asked for.
pub(crate) fn demo_folder(arguments: &Arguments) -> Result<Option<Folder>> {
    let folder = arguments.demo.then(Folder::choose).transpose()?;
    Ok(folder)
}

/// The folder for what Zephyr writes.
pub(crate) fn data_dir(demo: Option<&Folder>) -> Result<PathBuf> {
    match demo {
        Some(folder) => Ok(folder.path().to_owned()),
        None => zephyr_config::data_dir().context(
            "there is no home folder to keep data in; name one with the variable ZEPHYR_DATA_DIR",
        ),
    }
}

/// Claims the tray, or passes on what was asked.
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
            // It is ending: its place is free as soon as its requests have finished.
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
