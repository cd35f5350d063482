//! The secrets of all sources at one moment.

use std::collections::BTreeMap;

use zephyr_core::config::CredentialRef;

use super::keychain::Keychain;
use super::store::{Extent, KeychainError};
use crate::environment::Environment;
use crate::secret::Secret;

/// The reason why a reference leads to no secret.
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

/// The secrets of environment and keychain at the time of opening.
pub struct Vault {
    environment: Environment,
    keychain: BTreeMap<String, Result<Secret, KeychainError>>,
}

impl Vault {
    /// Asks the keychain for the entries that `references` name. Blocks, for a few seconds at most.
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

    /// Keeps the earlier secrets while the keychain as a whole gives none, for example because it is locked.
    /// An entry that was removed stays removed.
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
    /// The reference leads to no secret.
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

    /// The keychain's secrets, by name.
    pub fn given(&self) -> BTreeMap<String, Secret> {
        let given = self.keychain.iter().filter_map(|(name, found)| {
            let secret = found.as_ref().ok()?;
            Some((name.clone(), secret.clone()))
        });
        given.collect()
    }

    /// The entries that the keychain did not give, by name.
    pub fn withheld(&self) -> BTreeMap<String, KeychainError> {
        let withheld = self.keychain.iter().filter_map(|(name, found)| {
            let error = found.as_ref().err()?;
            Some((name.clone(), error.clone()))
        });
        withheld.collect()
    }
}
