//! Launching at login, and the other parts of a configuration that this program carries out.

use std::io;
use std::path::{Path, PathBuf};

use zephyr_config::edit;
use zephyr_config::edit::change::Change;
use zephyr_control::{ControlError, Done, ErrorCode, Problem, ProblemKind, SettingValue};
use zephyr_core::Config;

use super::handle::{Supervisor, blocking};
use crate::autostart;
use crate::surroundings::Topic;

impl Supervisor {
    /// Applies the parts of a configuration that this program carries out. Without a file, nothing says what
    /// should happen at login, so nothing is changed there.
    pub(super) async fn adopt(&self, config: Config, file: Option<&Path>) {
        let enabled = file.map(|_| config.desktop.launch_at_login);
        let problem = match (enabled, self.0.program.clone()) {
            (Some(enabled), Some(program)) => {
                let outcome = blocking(move || autostart::set(&program, enabled)).await;
                outcome.err().map(|error| not_set_up(&error))
            }
            (None, _) | (Some(_), None) => None,
        };
        {
            let mut surroundings = self.surroundings();
            surroundings.host().launch_at_login = enabled;
            surroundings.set_problem(Topic::Login, problem);
        }
        self.0.config.send_replace(config);
        self.publish();
    }

    pub(super) async fn launch_at_login(&self, enabled: bool) -> Result<Done, ControlError> {
        let path = self.0.snapshots.borrow().config_path.clone();
        let Some(file) = path.map(|path| PathBuf::from(path.as_str())) else {
            let message = "this instance has no configuration file that could keep the setting";
            return Err(ControlError::new(ErrorCode::NotPossible, message));
        };
        let value = Some(SettingValue::Switch(enabled));
        let change = Change::Set("desktop.launch_at_login".to_owned(), value);
        let path = file.clone();
        let edited = blocking(move || edit::save(&path, &change)).await;
        edited.map_err(|error| ControlError::new(ErrorCode::NotPossible, error.to_string()))?;
        let mut config = self.0.config.borrow().clone();
        config.desktop.launch_at_login = enabled;
        self.adopt(config, Some(&file)).await;
        let message = if enabled {
            "Zephyr starts when you log in"
        } else {
            "Zephyr does not start when you log in"
        };
        Ok(Done {
            message: message.to_owned(),
        })
    }
}

fn not_set_up(error: &io::Error) -> Problem {
    let remedy = if error.kind() == io::ErrorKind::InvalidInput {
        "move Zephyr to a folder with a plain name, then try again"
    } else {
        "check that you may write to that place, then try again"
    };
    Problem::new(
        ProblemKind::Desktop,
        format!("launching at login could not be set up: {error}"),
        remedy,
    )
}
