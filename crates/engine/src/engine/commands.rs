//! The commands of front-ends.

use zephyr_config::edit::change::Change;
use zephyr_control::{Command, ControlError, Done, ErrorCode, EventKind};
use zephyr_core::EndpointId;
use zephyr_core::fleet::Availability;

use super::shared::Shared;

impl Shared {
    /// Executes a command.
    pub(super) async fn execute(&self, command: Command) -> Result<Done, ControlError> {
        if let Some(change) = Change::of(&command) {
            return self.amend(change).await;
        }
        let (event, message) = match command {
            Command::Use { endpoint } => {
                let id = self.find_usable(&endpoint)?;
                self.door.step(|state, now| state.fleet.pin(id, now));
                let message =
                    format!("{endpoint} is pinned; a request that fails there still fails over");
                (Some(EventKind::Pinned { endpoint }), message)
            }
            Command::Auto => {
                self.door.step(|state, now| state.fleet.unpin(now));
                (
                    Some(EventKind::Automatic),
                    "Zephyr chooses the endpoint".to_owned(),
                )
            }
            Command::Pause => {
                self.door.step(|state, now| state.fleet.pause(now));
                (
                    Some(EventKind::Paused),
                    "monitoring is paused; requests go on, and still fail over".to_owned(),
                )
            }
            Command::Resume => {
                self.door.step(|state, now| state.fleet.resume(now));
                (Some(EventKind::Resumed), "monitoring goes on".to_owned())
            }
            Command::Refresh => {
                self.turn_to_keychain();
                self.door.step(|state, now| {
                    state.fleet.refresh(now);
                    state.fleet.handle_timeout(now);
                });
                (None, "every endpoint is being probed".to_owned())
            }
            Command::Enable { endpoint } => {
                let id = self.find(&endpoint)?;
                self.door.step(|state, now| state.fleet.enable(id, now));
                let message = format!("{endpoint} is switched on");
                (Some(EventKind::Enabled { endpoint }), message)
            }
            Command::Disable { endpoint } => {
                let id = self.find(&endpoint)?;
                self.door.step(|state, now| state.fleet.disable(id, now));
                let message =
                    format!("{endpoint} is switched off; its requests in flight may finish");
                (Some(EventKind::Disabled { endpoint }), message)
            }
            Command::Reinstate { endpoint } => {
                let ids = match &endpoint {
                    Some(name) => vec![self.find(name)?],
                    None => self
                        .door
                        .look(|state, _| state.fleet.status().map(|status| status.id).collect()),
                };
                self.door.step(|state, now| {
                    for id in ids {
                        state.fleet.reinstate(id, now);
                    }
                });
                let whose = endpoint.as_deref().unwrap_or("every endpoint");
                (None, format!("{whose} may take requests again"))
            }
            Command::Reload => {
                let outcome = self.reload().await;
                self.turn_to_keychain();
                return outcome;
            }
            Command::StoreToken { reference, token } => {
                return self.store_token(reference, token).await;
            }
            Command::AddEndpoint { .. }
            | Command::EditEndpoint { .. }
            | Command::MoveEndpoint { .. }
            | Command::RemoveEndpoint { .. }
            | Command::Set { .. }
            | Command::ConnectClaudeCode
            | Command::DisconnectClaudeCode
            | Command::LaunchAtLogin { .. }
            | Command::Show
            | Command::Quit => {
                let message = "the program that runs this engine cannot do that";
                return Err(ControlError::new(ErrorCode::NotPossible, message));
            }
        };
        if let Some(event) = event {
            self.door.note(event);
            self.keeper.decided();
        }
        Ok(Done { message })
    }

    pub(super) fn find(&self, name: &str) -> Result<EndpointId, ControlError> {
        self.door.look(|state, _| {
            state.fleet.find(name).ok_or_else(|| {
                let names: Vec<String> = state
                    .fleet
                    .status()
                    .map(|status| status.spec.name.clone())
                    .collect();
                let message = format!(
                    "no endpoint is named {name:?}; there are: {}",
                    names.join(", ")
                );
                ControlError::new(ErrorCode::UnknownEndpoint, message)
            })
        })
    }

    /// The endpoint that a person may choose. Not one that a person has disabled, and not one without its
    /// credential.
    fn find_usable(&self, name: &str) -> Result<EndpointId, ControlError> {
        let id = self.find(name)?;
        let stands_in_the_way = self.door.look(|state, _| {
            let status = state.fleet.status_of(id)?;
            match status.availability {
                Availability::Disabled | Availability::Draining { .. } => Some(format!(
                    "{name} is switched off; `zephyr enable {name}` switches it on"
                )),
                Availability::Enabled if !status.has_credential => Some(format!(
                    "{name} has no credential; `zephyr status` says which one is missing"
                )),
                Availability::Enabled => None,
            }
        });
        match stands_in_the_way {
            Some(message) => Err(ControlError::new(ErrorCode::NotPossible, message)),
            None => Ok(id),
        }
    }
}
