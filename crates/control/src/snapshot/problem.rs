//! What a person should look at.

use serde::{Deserialize, Serialize};

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Problem {
    /// What it is about.
    pub kind: ProblemKind,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
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
