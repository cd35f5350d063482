//! A notification.

use zephyr_control::{Language, text};

use super::news::Phrase;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// One line.
    pub(crate) summary: String,
    /// What happened, from which endpoint to which, and why.
    pub(crate) body: String,
}

impl Notice {
    /// For sessions of Claude Code that must be restarted. `body` names them.
    pub(crate) fn of_sessions(body: String, language: Language) -> Self {
        Self {
            summary: text(language, &Phrase::Sessions),
            body,
        }
    }
}
