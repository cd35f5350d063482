//! Where secrets come from: the only module that turns a credential reference into a secret.
//!
//! There are two places: the environment with the `.env` beside the configuration, and the system's
//! keychain. A [`Vault`] is what both hold at one moment. The keychain is asked when it is opened, once
//! for everything, for a bounded time, and not at all if no reference names it; nothing here asks a
//! person for anything.
//!
//! | module | is |
//! | --- | --- |
//! | `keychain` | a [`Store`], asked for a bounded time |
//! | `system` | the system's own [`Store`], and how its entries are named |
//! | `platform` | what differs by system |

mod keychain;
mod platform;
mod system;

use std::collections::{BTreeMap, BTreeSet};

use zephyr_core::config::CredentialRef;

use crate::secret::{Secret, SecretError};
use crate::settings::Environment;

pub use keychain::Keychain;
pub use system::{SERVICE, SystemKeychain};

/// A place that keeps secrets by name, such as the system's keychain. Every call may block.
pub trait Store: Send + Sync {
    /// The secret of that name. Asks no person, so that it can be called again and again.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    fn get(&self, name: &str) -> Result<Secret, KeychainError>;

    /// Keeps the secret under that name, in place of an earlier one. Asks no person.
    ///
    /// # Errors
    ///
    /// Says why it cannot be kept.
    fn set(&self, name: &str, secret: &Secret) -> Result<(), KeychainError>;

    /// Forgets the secret of that name. Asks no person.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be removed.
    fn remove(&self, name: &str) -> Result<(), KeychainError>;

    /// The names of all secrets here that are ours. Asks no person.
    ///
    /// # Errors
    ///
    /// Says why they cannot be told.
    fn names(&self) -> Result<BTreeSet<String>, KeychainError>;

    /// Asks the person to unlock it; returns when they have answered.
    ///
    /// # Errors
    ///
    /// They said no, or nobody can be asked.
    fn unlock(&self) -> Result<(), KeychainError>;
}

/// Why a keychain gives no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// It has no entry of that name.
    #[error("the keychain has no entry {name}")]
    Missing {
        /// The name.
        name: String,
    },
    /// It has one that no header can carry.
    #[error("the keychain entry {name} cannot be sent: {why}")]
    Unusable {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: SecretError,
    },
    /// It gives nothing until a person unlocks it.
    #[error("the keychain is locked")]
    Locked,
    /// A person, or the system's rules, kept it from us.
    #[error("the keychain lets Zephyr read nothing: {why}")]
    Refused {
        /// What the system says.
        why: String,
    },
    /// There is none.
    #[error("there is no keychain: {why}")]
    Absent {
        /// What was missing.
        why: String,
    },
    /// It did not answer in time.
    #[error("the keychain does not answer")]
    Silent,
    /// Something else.
    #[error("the keychain failed: {why}")]
    Failed {
        /// What the system says.
        why: String,
    },
}

/// Whom a [`KeychainError`] concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One entry; the others may be fine.
    Entry,
    /// Whatever is in the keychain.
    Everything,
}

impl KeychainError {
    /// Whom it concerns.
    pub fn extent(&self) -> Extent {
        match self {
            Self::Missing { .. } | Self::Unusable { .. } => Extent::Entry,
            Self::Locked
            | Self::Refused { .. }
            | Self::Absent { .. }
            | Self::Silent
            | Self::Failed { .. } => Extent::Everything,
        }
    }

    /// Whether looking again may help without disturbing anybody.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::Unusable { .. }
            | Self::Locked
            | Self::Absent { .. }
            | Self::Silent
            | Self::Failed { .. } => true,
            // Reading again would put the same question to the person again.
            Self::Refused { .. } => false,
        }
    }

    fn about(&self, name: &str) -> String {
        match self.extent() {
            Extent::Entry => self.to_string(),
            Extent::Everything => format!("keychain entry {name}: {self}"),
        }
    }

    /// What to do.
    pub fn remedy(&self) -> String {
        match self {
            Self::Missing { name } => format!("store it with `zephyr token set {}`", shell(name)),
            Self::Unusable { name, .. } => {
                format!("store it again with `zephyr token set {}`", shell(name))
            }
            Self::Locked => "unlock it, in the system's password dialog or by logging in; Zephyr \
                 notices by itself"
                .to_owned(),
            Self::Refused { .. } => {
                "allow Zephyr to use it when the system asks; `zephyr refresh` asks again".to_owned()
            }
            Self::Absent { .. } => {
                "start one (on Linux a Secret Service, such as gnome-keyring or KWallet), which Zephyr \
                 notices by itself; or name an environment variable, with auth_token_env"
                    .to_owned()
            }
            Self::Silent => {
                "look for a password dialog that waits for an answer, or start the keychain again; \
                 Zephyr notices by itself"
                    .to_owned()
            }
            Self::Failed { .. } => {
                "look at the keychain with the system's own program for it; or name an environment \
                 variable, with auth_token_env"
                    .to_owned()
            }
        }
    }
}

/// A name as one word of a command line.
pub fn shell(name: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | ':' | '/');
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    let separator = if name.starts_with('-') { "-- " } else { "" };
    format!("{separator}'{}'", name.replace('\'', r"'\''"))
}

/// Why a reference leads to no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The environment has nothing usable under that name.
    #[error("environment variable {name}: {why}")]
    Environment {
        /// The variable.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The keychain gives nothing under that name.
    #[error("{}", .error.about(.name))]
    Keychain {
        /// The entry.
        name: String,
        /// What is wrong.
        error: KeychainError,
    },
}

impl VaultError {
    /// What to do.
    pub fn remedy(&self) -> String {
        match self {
            Self::Environment { .. } => {
                "add it to the .env beside the configuration, or set it and restart".to_owned()
            }
            Self::Keychain { error, .. } => error.remedy(),
        }
    }
}

/// What every place that keeps secrets held when it was opened.
pub struct Vault {
    environment: Environment,
    keychain: BTreeMap<String, Result<Secret, KeychainError>>,
}

impl Vault {
    /// Looks up what `references` name in the keychain. Blocks, for a few seconds at most.
    pub fn open<'r>(
        environment: Environment,
        keychain: &Keychain,
        references: impl IntoIterator<Item = &'r CredentialRef>,
    ) -> Self {
        let names = references
            .into_iter()
            .filter_map(|reference| match reference {
                CredentialRef::Keychain(name) => Some(name.clone()),
                CredentialRef::Env(_) => None,
            });
        Self {
            keychain: keychain.look_up(&names.collect()),
            environment,
        }
    }

    /// Fills in what was known before for whatever a keychain withholds as a whole: one that is locked,
    /// or closes itself, takes nothing away. An entry that was removed stays removed.
    #[must_use]
    pub fn or_known(mut self, known: &BTreeMap<String, Secret>) -> Self {
        for (name, found) in &mut self.keychain {
            if let Err(error) = found
                && error.extent() == Extent::Everything
                && let Some(secret) = known.get(name)
            {
                *found = Ok(secret.clone());
            }
        }
        self
    }

    /// The secret that `reference` names.
    ///
    /// # Errors
    ///
    /// Says why there is none, and what to do.
    pub fn get(&self, reference: &CredentialRef) -> Result<Secret, VaultError> {
        match reference {
            CredentialRef::Env(name) => {
                let found = self.environment.lookup(name);
                found.map_err(|why| VaultError::Environment {
                    name: name.clone(),
                    why: why.to_string(),
                })
            }
            CredentialRef::Keychain(name) => {
                let missing = || Err(KeychainError::Missing { name: name.clone() });
                let found = self.keychain.get(name).cloned().unwrap_or_else(missing);
                found.map_err(|error| VaultError::Keychain {
                    name: name.clone(),
                    error,
                })
            }
        }
    }

    /// What the keychain gave, by name.
    pub fn given(&self) -> BTreeMap<String, Secret> {
        let given = self.keychain.iter().filter_map(|(name, found)| {
            let secret = found.as_ref().ok()?;
            Some((name.clone(), secret.clone()))
        });
        given.collect()
    }

    /// What the keychain did not give, by name.
    pub fn withheld(&self) -> BTreeMap<String, KeychainError> {
        let withheld = self.keychain.iter().filter_map(|(name, found)| {
            let error = found.as_ref().err()?;
            Some((name.clone(), error.clone()))
        });
        withheld.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_command_line() {
        let cases = [
            ("primary", "primary"),
            ("日本", "日本"),
            ("my group", "'my group'"),
            ("it's", r"'it'\''s'"),
            ("$(rm -rf)", "'$(rm -rf)'"),
            ("-v", "-- '-v'"),
            ("", "''"),
        ];

        for (name, word) in cases {
            assert_eq!(shell(name), word);
        }
    }
}
