//! A notification.

use zephyr_control::{Language, text};

use super::news::Phrase;

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// One line.
    pub(crate) summary: String,
    /// What, from where to where, and why.
    pub(crate) body: String,
}

impl Notice {
    /// Of sessions of Claude Code that have to be started again; `body` names them.
    pub(crate) fn of_sessions(body: String, language: Language) -> Self {
        Self {
            summary: text(language, &Phrase::Sessions),
            body,
        }
    }
}
