//! Changes of the configuration file that forms ask for, and what forms show of the file.
//!
//! A change is written, and then the file is read again, as if a person had edited it. So there is only one
//! way for a configuration to come into force. A check of a change and the command for it report the same
//! errors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use zephyr_control::{
    Command, Complaint, Configuration, ControlError, Done, ErrorCode, Redacted, SecretText,
};

use super::removed::Removed;
use super::shared::Shared;
use zephyr_config::ConfigFile;
use zephyr_config::edit::NotChanged;
use zephyr_config::edit::change::{Change, Changed};
use zephyr_config::edit::file::{File, FileError};
use zephyr_config::form;
use zephyr_secrets::Secret;
use zephyr_secrets::vault::KeychainError;

/// The result of a change.
struct Amended {
    /// The fingerprint of the file after the change.
    fingerprint: u64,
    removed: Option<Removed>,
}

impl Shared {
    pub(super) async fn configuration(&self) -> Result<Configuration, ControlError> {
        let Some(path) = self.source.path().map(PathBuf::from) else {
            return Ok(form::without_file(&self.live().config));
        };
        blocking(move || {
            let file = File::read(&path).map_err(|error| unreadable(&error))?;
            let shown = form::configuration(file.text());
            let shown = shown.map_err(|problems| invalid(problems.to_string()))?;
            Ok(Configuration {
                path: Some(path.display().to_string()),
                ..shown
            })
        })
        .await
    }

    pub(super) async fn check(&self, command: Command) -> Result<Vec<Complaint>, ControlError> {
        let path = self.config_file()?.path().to_owned();
        if let Command::StoreToken { reference, token } = &command {
            return Ok(check_token(reference, token).err().into_iter().collect());
        }
        let Some(change) = Change::of(&command) else {
            let message = "only commands that change the configuration file can be checked";
            return Err(ControlError::new(ErrorCode::BadRequest, message));
        };
        blocking(move || {
            let file = File::read(&path).map_err(|error| unreadable(&error))?;
            Ok(match change.applied(file.text()) {
                Ok(changed) => changed.complaints,
                Err(why) => vec![change.complaint(&why)],
            })
        })
        .await
    }

    /// Writes the change, and reads the file again so that it takes effect.
    pub(super) async fn amend(&self, change: Change) -> Result<Done, ControlError> {
        let file = self.config_file()?;
        let _one_at_a_time = self.amending.lock().await;
        let message = done(&change);
        let renamed = match &change {
            Change::Edit(name, form) if form.name.trim() != name => {
                Some((name.clone(), form.name.trim().to_owned()))
            }
            Change::Add(_)
            | Change::Edit(..)
            | Change::Move(..)
            | Change::Remove(_)
            | Change::Set(..) => None,
        };
        let removed = self.last_removed().take();
        let amended = blocking(move || write(&file, &change, removed)).await?;
        *self.last_removed() = amended.removed;
        if let Some((from, to)) = renamed {
            self.door.step(|state, _| state.fleet.rename(&from, &to));
        }
        self.reload().await?;
        self.own_write.remember(amended.fingerprint);
        Ok(Done { message })
    }

    /// Stores a token in the keychain, and looks up every credential again.
    pub(super) async fn store_token(
        &self,
        reference: String,
        token: SecretText,
    ) -> Result<Done, ControlError> {
        let file = self.config_file()?;
        let secret = check_token(&reference, &token)
            .map_err(|complaint| ControlError::new(ErrorCode::BadRequest, complaint.message))?;
        let keychain = Arc::clone(&self.keychain);
        let name = reference.clone();
        let stored = blocking(move || Ok(keychain.keep(&name, &secret))).await?;
        if let Err(error) = stored {
            return Err(self.not_stored(&error, &file));
        }
        self.renew_credentials().await;
        let message = format!("the token is in the keychain as {reference}");
        Ok(Done { message })
    }

    /// Whether the keychain has a token of that name. If it does not say, a token cannot be stored either.
    pub(super) async fn has_token(&self, reference: String) -> Result<bool, ControlError> {
        let file = self.config_file()?;
        check_entry(&reference)
            .map_err(|complaint| ControlError::new(ErrorCode::BadRequest, complaint.message))?;
        let keychain = Arc::clone(&self.keychain);
        let names = BTreeSet::from([reference]);
        let found = blocking(move || Ok(keychain.look_up(&names))).await?;
        match found.into_values().next() {
            None | Some(Err(KeychainError::Missing { .. })) => Ok(false),
            Some(Ok(_) | Err(KeychainError::Unusable { .. })) => Ok(true),
            Some(Err(error)) => Err(self.not_stored(&error, &file)),
        }
    }

    /// Asks the person to unlock the keychain, if that is what it takes.
    fn not_stored(&self, error: &KeychainError, config: &ConfigFile) -> ControlError {
        if *error == KeychainError::Locked {
            let news = Arc::clone(&self.keychain_news);
            self.keychain.ask(move || news.notify_one());
        }
        let message = not_stored(error, &config.dotenv_path());
        ControlError::new(ErrorCode::NotPossible, message)
    }

    fn config_file(&self) -> Result<ConfigFile, ControlError> {
        self.source.file().cloned().ok_or_else(|| {
            let message = "this instance has no configuration file, so nothing can be saved; start \
                           `zephyr serve` or the tray program for that";
            ControlError::new(ErrorCode::NotPossible, message)
        })
    }

    fn last_removed(&self) -> MutexGuard<'_, Option<Removed>> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(
    config: &ConfigFile,
    change: &Change,
    removed: Option<Removed>,
) -> Result<Amended, ControlError> {
    let file = File::read(config.path()).map_err(|error| unreadable(&error))?;
    let text = match (change, removed) {
        (Change::Add(form), Some(removed))
            if **form == removed.endpoint && file.text() == removed.after =>
        {
            Some(removed.before)
        }
        _ => None,
    };
    let changed = match text {
        Some(text) => Changed::back_to(text),
        None => change.applied(file.text()),
    };
    let changed = changed.map_err(|why| {
        let code = match why {
            NotChanged::UnknownEndpoint(_) => ErrorCode::UnknownEndpoint,
            NotChanged::UnknownKey(_) | NotChanged::OtherKind(_) => ErrorCode::BadRequest,
            NotChanged::Apart(_) | NotChanged::Unwritable(_) => ErrorCode::NotPossible,
        };
        ControlError::new(code, in_words(&[change.complaint(&why)]))
    })?;
    let outcome = changed
        .outcome
        .map_err(|_| invalid(in_words(&changed.complaints)))?;
    config
        .change(file.text(), &outcome.text, || file.write(&outcome.text))
        .map_err(|error| unwritten(&error))?;
    let gone = match change {
        Change::Remove(name) => {
            let shown = form::configuration(file.text()).ok();
            let mut endpoints = shown.into_iter().flat_map(|shown| shown.endpoints);
            endpoints.find(|endpoint| endpoint.name == *name)
        }
        Change::Add(_) | Change::Edit(..) | Change::Move(..) | Change::Set(..) => None,
    };
    Ok(Amended {
        fingerprint: outcome.fingerprint(),
        removed: gone.map(|endpoint| Removed {
            endpoint,
            before: file.text().to_owned(),
            after: outcome.text,
        }),
    })
}

fn done(change: &Change) -> String {
    match change {
        Change::Add(form) => format!("{} is added", form.name.trim()),
        Change::Edit(_, form) => format!("{} is saved", form.name.trim()),
        Change::Move(name, _) => format!("{name} is moved"),
        Change::Remove(name) => format!("{name} is removed; its requests in flight may finish"),
        Change::Set(key, Some(_)) => format!("{key} is saved"),
        Change::Set(key, None) => format!("{key} has its default again"),
    }
}

fn check_token(reference: &str, token: &SecretText) -> Result<Secret, Complaint> {
    check_entry(reference)?;
    Secret::new(token.expose()).map_err(|why| {
        let message = format!("this is no token: {why}; copy it again, whole and in one line");
        about("token", message)
    })
}

fn check_entry(reference: &str) -> Result<(), Complaint> {
    zephyr_config::check_entry_name(reference).map_err(|error| {
        let message = format!("{error}; write a short name, such as \"primary\"");
        about("reference", message)
    })
}

fn about(field: &str, message: impl AsRef<str>) -> Complaint {
    Complaint {
        field: Some(field.to_owned()),
        message: Redacted::by_shape(message.as_ref()),
        is_warning: false,
    }
}

fn not_stored(error: &KeychainError, dotenv: &Path) -> String {
    let without_keychain = format!(
        "without one, write TOKEN_NAME=… into {} and choose the variable TOKEN_NAME here instead",
        dotenv.display()
    );
    let remedy = match error {
        KeychainError::Locked => {
            "unlock it in the password dialog that the system shows now, and save again".to_owned()
        }
        KeychainError::Absent { .. } => {
            format!("start one (on Linux gnome-keyring or KWallet); {without_keychain}")
        }
        KeychainError::Silent | KeychainError::Failed { .. } | KeychainError::Refused { .. } => {
            format!("{}; {without_keychain}", error.remedy())
        }
        KeychainError::Missing { .. } | KeychainError::Unusable { .. } => error.remedy(),
    };
    format!("the token was not stored: {error}; {remedy}")
}

/// The errors, one per line.
pub(super) fn in_words(complaints: &[Complaint]) -> String {
    let errors = complaints.iter().filter(|complaint| !complaint.is_warning);
    let lines: Vec<String> = errors
        .map(|complaint| match &complaint.field {
            Some(field) => format!("{field}: {}", complaint.message),
            None => complaint.message.to_string(),
        })
        .collect();
    lines.join("\n")
}

pub(super) fn invalid(message: impl AsRef<str>) -> ControlError {
    ControlError::new(ErrorCode::InvalidConfiguration, message)
}

pub(super) fn unreadable(error: &FileError) -> ControlError {
    invalid(error.to_string())
}

fn unwritten(error: &FileError) -> ControlError {
    ControlError::new(ErrorCode::NotPossible, error.to_string())
}

pub(super) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, ControlError> + Send + 'static,
) -> Result<T, ControlError> {
    let acted = tokio::task::spawn_blocking(act).await;
    acted.map_err(|error| ControlError::new(ErrorCode::Internal, error.to_string()))?
}
