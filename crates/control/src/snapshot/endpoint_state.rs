//! What an endpoint can do.

use serde::{Deserialize, Serialize};

/// What an endpoint can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// Takes requests.
    Ready,
    /// Cooldown over, not yet proven.
    Recovering,
    /// Circuit open after failures.
    Failing,
    /// Asked us to slow down.
    Throttled,
    /// Refuses the credential.
    Refused,
    /// Quota or credit used up.
    Exhausted,
    /// Finishes its requests.
    Draining,
    /// Switched off.
    Disabled,
    /// Its credential was not found.
    NoCredential,
}

impl EndpointState {
    /// Whether it takes requests.
    pub fn is_usable(self) -> bool {
        match self {
            Self::Ready | Self::Recovering => true,
            Self::Failing
            | Self::Throttled
            | Self::Refused
            | Self::Exhausted
            | Self::Draining
            | Self::Disabled
            | Self::NoCredential => false,
        }
    }
}
