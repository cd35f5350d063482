//! What an endpoint can do.

use serde::{Deserialize, Serialize};

/// What an endpoint can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// Takes requests.
    Ready,
    /// Takes requests, but its last check, or the last requests, failed.
    Faltering,
    /// Nothing at all can be reached now, and it is not to blame.
    Unreachable,
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
    /// Whether it answers, as far as is known: it takes requests, and the last news of it is no failure.
    pub fn answers(self) -> bool {
        self == Self::Ready
    }

    /// Whether it takes requests.
    pub fn is_usable(self) -> bool {
        match self {
            Self::Ready | Self::Faltering | Self::Recovering => true,
            Self::Unreachable
            | Self::Failing
            | Self::Throttled
            | Self::Refused
            | Self::Exhausted
            | Self::Draining
            | Self::Disabled
            | Self::NoCredential => false,
        }
    }
}
