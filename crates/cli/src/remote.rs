//! The commands that talk to the running instance.

use std::io;
use std::path::Path;

use zephyr_admin::instance::{self, Found, Running};
use zephyr_control::{Command, Control, Language, Snapshot};
use zephyr_core::config;
use zephyr_process::colours::Colours;
use zephyr_process::language;

use crate::configuration::{self, data_dir};
use crate::failure::Failure;
use crate::output;
use crate::{names, status};

/// `zephyr` alone.
pub(crate) async fn overview(config: Option<&Path>) -> Result<(), Failure> {
    let ended = match instance::find(&data_dir()?).await? {
        Found::Running(running) => return show(&running.snapshot, config),
        Found::Stale(instance) => Some(instance.pid),
        Found::Nothing => None,
    };
    output::print(&status::not_running(language_in(config), ended))
}

/// `zephyr status`.
pub(crate) async fn status(config: Option<&Path>) -> Result<(), Failure> {
    show(&find().await?.snapshot, config)
}

/// `zephyr status --json`.
pub(crate) async fn status_json() -> Result<(), Failure> {
    let running = find().await?;
    let json = serde_json::to_string_pretty(&*running.snapshot)?;
    output::print(&(json + "\n"))
}

/// Sends a command that needs no endpoint.
pub(crate) async fn steer(command: Command) -> Result<(), Failure> {
    execute(&find().await?, command).await
}

/// Sends a command about the endpoint with the typed name.
pub(crate) async fn steer_one(
    typed: &str,
    command: impl FnOnce(String) -> Command,
) -> Result<(), Failure> {
    let running = find().await?;
    let endpoints = running.snapshot.endpoints.iter();
    let name = names::resolve(typed, endpoints.map(|endpoint| endpoint.name.as_str()))?;
    execute(&running, command(name.to_owned())).await
}

async fn execute(running: &Running, command: Command) -> Result<(), Failure> {
    let done = running.client.execute(command).await?;
    output::print(&(done.message + "\n"))
}

/// The running instance.
pub(crate) async fn find() -> Result<Running, Failure> {
    Ok(instance::find(&data_dir()?).await?.running()?)
}

fn show(snapshot: &Snapshot, config: Option<&Path>) -> Result<(), Failure> {
    let colours = Colours::of(&io::stdout());
    let language = language_of(config, snapshot);
    output::print(&status::view(snapshot, language, colours))
}

/// The language in the named file, or else in the file that the instance reads.
pub(crate) fn language_of(config: Option<&Path>, snapshot: &Snapshot) -> Language {
    match config {
        Some(_) => language_in(config),
        None => spoken_in(snapshot.config_path.as_deref().map(Path::new)),
    }
}

/// The language in the named file.
pub(crate) fn language_in(config: Option<&Path>) -> Language {
    let located = config.and_then(|path| zephyr_config::find(Some(path), |_| None));
    if let Some(located) = &located {
        configuration::tell(located);
    }
    spoken_in(config)
}

/// If the file cannot be read, the status must still be shown.
fn spoken_in(file: Option<&Path>) -> Language {
    let loaded = file.and_then(|path| zephyr_config::load(path).ok());
    language::spoken(loaded.map_or(config::Language::Auto, |loaded| loaded.config.ui.language))
}
