//! `zephyr token …`: the secrets that the configuration names, in the system's keychain.
//!
//! A secret comes from a prompt or from stdin. It never comes from an argument, because every process may
//! read arguments. It is never shown. Only the entry that the command names is removed or renamed. A running
//! instance is told to read its credentials again.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use zephyr_admin::instance::{self, Found};
use zephyr_control::{Command, Control};
use zephyr_core::config::CredentialRef;
use zephyr_secrets::Secret;
use zephyr_secrets::shell_word::shell_word;
use zephyr_secrets::vault::{KeychainError, Store, SystemKeychain};
use zeroize::Zeroizing;

use crate::configuration::{self, credentials};
use crate::failure::Failure;
use crate::output;
use crate::terminal::{Align, Cell, columns};

/// `zephyr token set NAME`.
pub(crate) async fn set(config: Option<&Path>, name: &str) -> Result<(), Failure> {
    check_name(name)?;
    let secret = ask_for_secret(name)?;
    let kept = name.to_owned();
    in_keychain(move |keychain| keychain.set(&kept, &secret)).await?;
    output::print(&format!("stored in the keychain as {name}\n"))?;
    if References::read(config).of(name).is_empty() {
        output::print(&format!(
            "Nothing uses it yet: write auth_token_keychain = {} into config.toml.\n",
            quoted(name)
        ))?;
    }
    tell_running_instance().await
}

/// `zephyr token list`.
pub(crate) async fn list(config: Option<&Path>) -> Result<(), Failure> {
    let stored = in_keychain(|keychain| keychain.names()).await?;
    let references = References::read(config);
    if let Some(error) = &references.unreadable {
        output::remark(format_args!(
            "which endpoints use them is not known: {error}"
        ));
    }
    output::print(&table(&stored, &references))
}

/// `zephyr token remove NAME`.
pub(crate) async fn remove(config: Option<&Path>, name: &str) -> Result<(), Failure> {
    let removed = name.to_owned();
    in_keychain(move |keychain| keychain.remove(&removed)).await?;
    output::print(&format!("removed {name} from the keychain\n"))?;
    warn_of_dangling(config, name)?;
    tell_running_instance().await
}

/// `zephyr token rename OLD NEW`.
pub(crate) async fn rename(config: Option<&Path>, old: &str, new: &str) -> Result<(), Failure> {
    check_name(new)?;
    let (from, to) = (old.to_owned(), new.to_owned());
    in_keychain(move |keychain| move_entry(keychain, &from, &to))
        .await?
        .map_err(Failure::Operation)?;
    output::print(&format!("{old} is now {new} in the keychain\n"))?;
    warn_of_dangling(config, old)?;
    tell_running_instance().await
}

/// The outer error is the keychain's; the inner one is our own.
fn move_entry(
    keychain: &dyn Store,
    from: &str,
    to: &str,
) -> Result<anyhow::Result<()>, KeychainError> {
    let secret = keychain.get(from)?;
    match keychain.get(to) {
        Err(KeychainError::Missing { .. }) => {}
        Ok(_) | Err(KeychainError::Unusable { .. }) => {
            let remove = format!("zephyr token remove {}", shell_word(to));
            let taken = anyhow!("the keychain already has {to}; `{remove}` removes it");
            return Ok(Err(taken));
        }
        Err(error) => return Err(error),
    }
    keychain.set(to, &secret)?;
    keychain.remove(from)?;
    Ok(Ok(()))
}

fn check_name(name: &str) -> Result<(), Failure> {
    zephyr_config::check_entry_name(name).map_err(|error| match error {
        zephyr_config::EntryNameError::Secret => Failure::usage(
            "what stands where the entry's name belongs looks like the secret itself; remove it from \
             your shell's history, name the entry, for example `zephyr token set primary`, and paste \
             the secret when you are asked for it",
        ),
        zephyr_config::EntryNameError::Empty | zephyr_config::EntryNameError::Unprintable => {
            Failure::usage(format!("the name of the entry {error}"))
        }
    })
}

fn ask_for_secret(name: &str) -> Result<Secret, Failure> {
    let text = if io::stdin().is_terminal() {
        let prompt = format!("Secret for {name} (it is not shown): ");
        let typed = rpassword::prompt_password(prompt);
        typed.map_err(|error| Failure::operation(error, "the secret could not be read"))?
    } else {
        let mut text = String::new();
        let read = io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::operation(error, "the secret could not be read from stdin"))?;
        text
    };
    let text = Zeroizing::new(text);
    Secret::new(&text).map_err(|why| Failure::usage(format!("that is no secret to store: {why}")))
}

/// Calls `act`. If the keychain is locked, the person is asked to unlock it, and `act` is called once more.
async fn in_keychain<T: Send + 'static>(
    act: impl Fn(&dyn Store) -> Result<T, KeychainError> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(move || {
        let keychain = SystemKeychain;
        match act(&keychain) {
            Err(KeychainError::Locked) => {
                output::remark("the keychain is locked; its password dialog asks you to unlock it");
                keychain.unlock().and_then(|()| act(&keychain))
            }
            done => done,
        }
    });
    done.await?.map_err(|error| {
        let remedy = match &error {
            KeychainError::Locked => {
                "unlock it, in the system's password dialog or by logging in, and try again"
                    .to_owned()
            }
            KeychainError::Missing { .. } => "`zephyr token list` shows what it has".to_owned(),
            KeychainError::Unusable { .. }
            | KeychainError::Refused { .. }
            | KeychainError::Absent { .. }
            | KeychainError::Silent
            | KeychainError::Failed { .. } => error.remedy(),
        };
        Failure::Operation(anyhow!("{error}; {remedy}"))
    })
}

/// The entries that the configuration names, and what uses each of them.
#[derive(Default)]
struct References {
    path: PathBuf,
    users: BTreeMap<String, Vec<String>>,
    /// Why the file could not be read.
    unreadable: Option<zephyr_config::LoadError>,
}

impl References {
    /// The references of the configuration, if there is one. Storing secrets needs no configuration.
    fn read(explicit: Option<&Path>) -> Self {
        let Some(found) = zephyr_config::find(explicit, |name| env::var_os(name)) else {
            return Self::default();
        };
        let mut references = Self {
            path: found.file.path().to_owned(),
            ..Self::default()
        };
        configuration::tell(&found);
        match found.file.load() {
            Ok(loaded) => {
                for (whose, reference) in credentials(&loaded.config) {
                    if let CredentialRef::Keychain(name) = reference {
                        let users = references.users.entry(name.clone()).or_default();
                        users.push(whose);
                    }
                }
            }
            Err(error) => references.unreadable = Some(error),
        }
        references
    }

    fn of(&self, name: &str) -> &[String] {
        self.users.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

fn warn_of_dangling(config: Option<&Path>, name: &str) -> Result<(), Failure> {
    let references = References::read(config);
    let users = references.of(name);
    if users.is_empty() {
        return Ok(());
    }
    output::print(&format!(
        "{} still names {name}; without a credential now: {}\n",
        references.path.display(),
        users.join(", ")
    ))
}

fn table(stored: &BTreeSet<String>, references: &References) -> String {
    let names: BTreeSet<&String> = stored.iter().chain(references.users.keys()).collect();
    if names.is_empty() {
        return "nothing is stored, and nothing is referred to; `zephyr token set NAME` stores a \
                secret\n"
            .to_owned();
    }
    let left = |text: &str| Cell::new(text.to_owned(), Align::Left);
    let head = ["NAME", "STATE", "USED BY"].map(left);
    let rows = names.into_iter().map(|name| {
        let state = if stored.contains(name) {
            "stored"
        } else {
            "missing"
        };
        let users = match references.of(name) {
            [] if references.unreadable.is_some() => "unknown".to_owned(),
            [] => "nothing".to_owned(),
            users => users.join(", "),
        };
        [name.as_str(), state, &users].map(left)
    });
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// Tells a running instance, if there is one, to read its credentials again.
async fn tell_running_instance() -> Result<(), Failure> {
    let Ok(data_dir) = configuration::data_dir() else {
        return Ok(());
    };
    let Ok(Found::Running(running)) = instance::find(&data_dir).await else {
        return Ok(());
    };
    match running.client.execute(Command::Reload).await {
        Ok(_) => output::print("the running Zephyr has read its credentials again\n"),
        Err(error) => {
            output::remark(format_args!("the running Zephyr has not read it: {error}"));
            Ok(())
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_what_is_stored_and_what_is_referred_to() {
        let stored = BTreeSet::from(["日本".to_owned(), "primary".to_owned()]);
        let users = |name: &str, users: &[&str]| {
            let users = users.iter().map(|user| (*user).to_owned()).collect();
            (name.to_owned(), users)
        };
        let references = References {
            users: BTreeMap::from([
                users("primary", &["endpoint HK", "endpoint JP"]),
                users("backup", &["the client token"]),
            ]),
            ..References::default()
        };

        let text = table(&stored, &references);

        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "NAME     STATE    USED BY",
                "backup   missing  the client token",
                "primary  stored   endpoint HK, endpoint JP",
                "日本     stored   nothing",
            ]
        );
    }
}
