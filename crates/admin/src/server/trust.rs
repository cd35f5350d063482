//! What a browser that is signed in may do without a question, and what has to be confirmed.
//!
//! A session is worth less than the admin token: it is in a browser, among pages and extensions. It may look,
//! steer and change. What [`zephyr_control::privilege`] calls dangerous waits in [`Confirmations`] for the
//! operating system's user.
//!
//! What is done with one's own token needs no question ([`super::memory`]).

use std::time::Instant;

use serde::Serialize;
use zephyr_control::privilege::needs_configuration;
use zephyr_control::privilege::{Class, Danger, Effect, Flow, Known, Source, Unshowable};
use zephyr_control::{Command, ControlError, Diagnosis, Done, ErrorCode, Tested};

use super::api::Api;
use super::confirmations::{Demanded, Fingerprint};
use super::failure::Failure;
use super::memory::Memory;
use super::visitors::SessionId;
use crate::protocol::path;

/// Carries out a command of a browser.
pub(super) async fn execute(
    api: &Api,
    session: SessionId,
    command: Command,
) -> Result<Done, Failure> {
    if Known::default().class_of(&command) == Class::Steer {
        return Ok(api.control.execute(command).await?);
    }
    let _until_it_has_taken_effect = api.memories.one_change().await;
    let mut known = api.memories.known(session, Instant::now());
    if needs_configuration(&command) {
        known.configuration = Some(api.control.configuration().await?);
    }
    if let Command::StoreToken { reference, .. } = &command {
        known.entry_is_new = !api.control.has_token(reference.clone()).await?;
    }
    let class = known.class_of(&command);
    if let Class::Dangerous(danger) = class {
        let effect = Effect::of(&command, known.configuration.as_ref());
        demand(api, session, (path::COMMANDS, &command), (effect, danger))?;
    }
    let memory = memory_of(&command, class, &known);
    let done = api.control.execute(command).await?;
    if let Some(memory) = memory {
        api.memories.remember(session, memory, Instant::now());
    }
    Ok(done)
}

/// Makes a test for a browser.
pub(super) async fn diagnose(
    api: &Api,
    session: SessionId,
    tested: Tested,
) -> Result<Diagnosis, Failure> {
    let is_without_token = matches!(&tested, Tested::Draft { token: None, .. });
    if is_without_token {
        let mut known = api.memories.known(session, Instant::now());
        known.configuration = Some(api.control.configuration().await?);
        if let Class::Dangerous(danger) = known.class_of_test(&tested) {
            let effect = Effect::of_test(&tested, known.configuration.as_ref());
            demand(api, session, (path::DIAGNOSE, &tested), (effect, danger))?;
        }
    }
    Ok(api.control.diagnose(tested).await?)
}

/// Goes on if the operating system's user has confirmed this.
fn demand(
    api: &Api,
    session: SessionId,
    (path, asked): (&str, &impl Serialize),
    (effect, danger): (Option<Result<Effect, Unshowable>>, Danger),
) -> Result<(), Failure> {
    let impossible = |message: &str| ControlError::new(ErrorCode::NotPossible, message);
    let Some(Ok(effect)) = effect else {
        let message = "this is too long to be confirmed; change it in the configuration file";
        return Err(impossible(message).into());
    };
    let fingerprint = Fingerprint::of(path, asked)
        .map_err(|error| ControlError::new(ErrorCode::Internal, error.to_string()))?;
    let what = (effect, danger);
    match api
        .confirmations
        .demand(session, &fingerprint, what, Instant::now())?
    {
        Demanded::Confirmed => Ok(()),
        Demanded::Refused => Err(impossible("this was refused on this computer").into()),
        Demanded::Asked(confirmation) => {
            let message = format!(
                "a browser may not do this by itself: type `zephyr confirm {}` in a terminal, or \
                 choose that number in the tray's menu if the tray program serves this page",
                confirmation.number
            );
            let mut error = ControlError::new(ErrorCode::NeedsConfirmation, message);
            error.confirmation = Some(confirmation);
            Err(error.into())
        }
    }
}

fn memory_of(command: &Command, class: Class, known: &Known) -> Option<Memory> {
    match command {
        // The name as it is: another spelling may be another entry.
        Command::StoreToken { reference, .. } if class == Class::Change => {
            Some(Memory::Own(Source::Entry {
                name: reference.clone(),
            }))
        }
        Command::RemoveEndpoint { name } => {
            let configuration = known.configuration.as_ref()?;
            let endpoints = configuration.endpoints.iter();
            let gone = endpoints.filter(|endpoint| endpoint.name == *name);
            let flows = gone.flat_map(|gone| Flow::of(gone, &configuration.groups));
            Some(Memory::Former(flows.collect()))
        }
        Command::StoreToken { .. }
        | Command::Use { .. }
        | Command::Auto
        | Command::Pause
        | Command::Resume
        | Command::Refresh
        | Command::Enable { .. }
        | Command::Disable { .. }
        | Command::Reinstate { .. }
        | Command::Reload
        | Command::AddEndpoint { .. }
        | Command::EditEndpoint { .. }
        | Command::MoveEndpoint { .. }
        | Command::Set { .. }
        | Command::ConnectClaudeCode
        | Command::DisconnectClaudeCode
        | Command::LaunchAtLogin { .. }
        | Command::Show
        | Command::Quit => None,
    }
}
