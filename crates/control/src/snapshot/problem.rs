//! What a person should look at.

use serde::{Deserialize, Serialize};
use zephyr_redact::{Redacted, Redactor};

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Problem {
    /// What it is about.
    pub kind: ProblemKind,
    /// What is wrong.
    #[cfg_attr(test, ts(type = "string"))]
    pub message: Redacted,
    /// What to do.
    #[cfg_attr(test, ts(type = "string"))]
    pub remedy: Redacted,
}

impl Problem {
    /// A problem in these words, without what looks like a credential.
    pub fn new(kind: ProblemKind, message: impl AsRef<str>, remedy: impl AsRef<str>) -> Self {
        Self {
            kind,
            message: Redacted::by_shape(message.as_ref()),
            remedy: Redacted::by_shape(remedy.as_ref()),
        }
    }

    /// The same without the secrets that are known here.
    pub fn redacted(&self, redactor: &Redactor) -> Self {
        Self {
            kind: self.kind,
            message: redactor.text(&self.message),
            remedy: redactor.text(&self.remedy),
        }
    }
}

impl ProblemKind {
    /// Whether it is worth a mark at the overall status, and not only a line in the list.
    pub fn needs_attention(self) -> bool {
        match self {
            Self::ConfigError
            | Self::Credential
            | Self::Keychain
            | Self::Port
            | Self::ClaudeCode
            | Self::Journal
            | Self::Desktop => true,
            // The overall status itself says that there are no endpoints.
            Self::ConfigWarning | Self::NoEndpoints => false,
        }
    }
}

/// What a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The configuration file has errors; the running configuration stays.
    ConfigError,
    /// The configuration file has something of no effect.
    ConfigWarning,
    /// No endpoint is configured.
    NoEndpoints,
    /// A credential was not found.
    Credential,
    /// The keychain is locked, or there is none.
    Keychain,
    /// A port.
    Port,
    /// Claude Code's settings.
    ClaudeCode,
    /// The journal: its file, the disk it is on.
    Journal,
    /// The desktop: its tray, its notifications.
    Desktop,
}
