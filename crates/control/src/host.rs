//! What the program around the engine does on this machine, beside proxying.

use serde::{Deserialize, Serialize};

/// The program around the engine, and what it has to do with the rest of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Host {
    /// Which program it is.
    pub program: Program,
    /// Whether it starts at login; `None` where it has no login to start at.
    pub launch_at_login: Option<bool>,
    /// Whether Claude Code sends its requests here.
    pub claude_code: ClaudeCode,
}

/// A program that runs an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// `zephyr serve`: no desktop.
    #[default]
    Serve,
    /// `zephyr-desktop`: tray and window.
    Desktop,
}

/// Where Claude Code sends its requests, by its settings file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ClaudeCode {
    /// Not known: this program does not look, or the file cannot be read.
    #[default]
    Unknown,
    /// Elsewhere.
    Disconnected,
    /// To this Zephyr.
    Connected,
    /// `connect` was carried out, and somebody has changed the settings since.
    Changed,
}

/// How front-ends are to look, by the configuration. A front-end resolves `Auto` for itself: only it
/// knows its system's, or its browser's, preference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Appearance {
    /// `ui.language`.
    pub language: LanguageChoice,
    /// `ui.theme`.
    pub theme: ThemeChoice,
}

/// `ui.language`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LanguageChoice {
    /// The system's.
    #[default]
    Auto,
    /// English.
    En,
    /// 简体中文.
    Zh,
}

/// `ui.theme`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// The system's.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}
