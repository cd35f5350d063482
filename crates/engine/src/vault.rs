//! Where secrets come from: the only module that turns a credential reference into a secret.
//!
//! Today that is the environment and the `.env` beside the configuration. The OS keychain will be one
//! more [`Store`]; nothing else has to know.

use zephyr_core::config::CredentialRef;

use crate::secret::Secret;
use crate::settings::Environment;

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
    /// The program was built without a keychain, or the system has none.
    #[error("keychain entry {name}: this program has no keychain")]
    NoKeychain {
        /// The entry.
        name: String,
    },
}

impl VaultError {
    /// What to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Environment { .. } => {
                "add it to the .env beside the configuration, or set it and restart"
            }
            Self::NoKeychain { .. } => "name an environment variable instead, with auth_token_env",
        }
    }
}

/// A place that keeps secrets by name, such as the OS keychain.
pub trait Store: Send + Sync {
    /// The secret of that name. May block.
    ///
    /// # Errors
    ///
    /// Says why there is none, and what to do.
    fn get(&self, name: &str) -> Result<Secret, VaultError>;
}

/// Every place that keeps secrets.
pub struct Vault {
    environment: Environment,
    keychain: Option<Box<dyn Store>>,
}

impl Vault {
    /// A vault of the environment alone.
    pub fn new(environment: Environment) -> Self {
        Self {
            environment,
            keychain: None,
        }
    }

    /// The same vault with a keychain behind it.
    #[must_use]
    pub fn with_keychain(mut self, keychain: Box<dyn Store>) -> Self {
        self.keychain = Some(keychain);
        self
    }

    /// The secret that `reference` names. May block.
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
            CredentialRef::Keychain(name) => match &self.keychain {
                Some(keychain) => keychain.get(name),
                None => Err(VaultError::NoKeychain { name: name.clone() }),
            },
        }
    }
}
