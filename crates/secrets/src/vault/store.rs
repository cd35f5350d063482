//! A place that stores secrets by name, and its errors.

use std::collections::BTreeSet;

use crate::secret::{Secret, SecretError};
use crate::shell_word::shell_word;

/// A place that stores secrets by name, such as the system's keychain. Every call may block.
pub trait Store: Send + Sync {
    /// The secret of that name. Asks no person, so it can be called again and again.
    ///
    /// # Errors
    ///
    /// The store gives none.
    fn get(&self, name: &str) -> Result<Secret, KeychainError>;

    /// Stores the secret under that name, in place of an earlier one. Asks no person.
    ///
    /// # Errors
    ///
    /// The secret cannot be stored.
    fn set(&self, name: &str, secret: &Secret) -> Result<(), KeychainError>;

    /// Removes the secret of that name. Asks no person.
    ///
    /// # Errors
    ///
    /// The secret is not there, or it cannot be removed.
    fn remove(&self, name: &str) -> Result<(), KeychainError>;

    /// The names of all secrets of Zephyr. Asks no person.
    ///
    /// # Errors
    ///
    /// The store does not tell.
    fn names(&self) -> Result<BTreeSet<String>, KeychainError>;

    /// Asks the person to unlock the store. Returns when they have answered.
    ///
    /// # Errors
    ///
    /// The person said no, or nobody can be asked.
    fn unlock(&self) -> Result<(), KeychainError>;
}

/// The reason why a keychain gives no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// The keychain has no entry of that name.
    #[error("the keychain has no entry {name}")]
    Missing {
        /// The name.
        name: String,
    },
    /// No header can carry the secret.
    #[error("the keychain entry {name} cannot be sent: {why}")]
    Unusable {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: SecretError,
    },
    /// A person has to unlock the keychain first.
    #[error("the keychain is locked")]
    Locked,
    /// A person or the system's rules refused access.
    #[error("the keychain lets Zephyr read nothing: {why}")]
    Refused {
        /// What the system says.
        why: String,
    },
    /// This system has no keychain.
    #[error("there is no keychain: {why}")]
    Absent {
        /// What was missing.
        why: String,
    },
    /// The keychain did not answer in time.
    #[error("the keychain does not answer")]
    Silent,
    /// Something else.
    #[error("the keychain failed: {why}")]
    Failed {
        /// What the system says.
        why: String,
    },
}

/// The entries that a [`KeychainError`] concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One entry. The others may be fine.
    Entry,
    /// All entries.
    Everything,
}

impl KeychainError {
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
            // Another look would ask the person the same question again.
            Self::Refused { .. } => false,
        }
    }

    pub(super) fn about(&self, name: &str) -> String {
        match self.extent() {
            Extent::Entry => self.to_string(),
            Extent::Everything => format!("keychain entry {name}: {self}"),
        }
    }

    /// What to do.
    pub fn remedy(&self) -> String {
        match self {
            Self::Missing { name } => format!("store it with `zephyr token set {}`", shell_word(name)),
            Self::Unusable { name, .. } => {
                format!("store it again with `zephyr token set {}`", shell_word(name))
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
