//! The settings that `connect` may set.

use serde::{Deserialize, Serialize};

/// A setting in the object `env`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// The URL that Claude Code sends its requests to.
    #[serde(rename = "ANTHROPIC_BASE_URL")]
    BaseUrl,
    /// The credential that it sends.
    #[serde(rename = "ANTHROPIC_AUTH_TOKEN")]
    AuthToken,
    /// The hosts that it reaches without a proxy.
    #[serde(rename = "NO_PROXY")]
    NoProxy,
    /// The same, under the name that clients read first.
    #[serde(rename = "no_proxy")]
    NoProxyLower,
}

impl Key {
    /// The key as written in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::BaseUrl => "ANTHROPIC_BASE_URL",
            Self::AuthToken => "ANTHROPIC_AUTH_TOKEN",
            Self::NoProxy => "NO_PROXY",
            Self::NoProxyLower => "no_proxy",
        }
    }
}
