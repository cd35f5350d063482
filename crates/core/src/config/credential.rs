//! Where credentials are found, and how they are sent. A secret itself is never here.

use std::fmt;

/// Where a secret is found. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialRef {
    /// An environment variable, or a line of the `.env` beside the configuration.
    Env(String),
    /// An entry of the OS keychain.
    Keychain(String),
}

impl fmt::Display for CredentialRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Keychain(name) => write!(f, "keychain entry {name}"),
        }
    }
}

/// The credential that an endpoint gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The client's own headers, unchanged.
    Passthrough,
    /// A credential of ours. The client's own credential is removed.
    Ours {
        /// Which header carries it.
        header: AuthHeader,
        /// Where the secret is.
        credential: CredentialRef,
    },
}

/// The header that carries a credential of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthHeader {
    /// `auth_token`: `Authorization: Bearer …`.
    Bearer,
    /// `api_key`: `x-api-key: …`.
    ApiKey,
}
