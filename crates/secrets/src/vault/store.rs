//! A place that keeps secrets by name, and why it may give none.

use std::collections::BTreeSet;

use crate::secret::{Secret, SecretError};
use crate::shell_word::shell_word;

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
