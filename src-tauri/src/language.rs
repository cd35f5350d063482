//! The language of the tray and of notifications.

use zephyr_cli::language;
use zephyr_control::{Language, LanguageChoice, Snapshot};
use zephyr_core::config;

/// As configured, else the system's.
pub(crate) fn of(snapshot: &Snapshot) -> Language {
    let configured = match snapshot.appearance.language {
        LanguageChoice::Auto => config::Language::Auto,
        LanguageChoice::En => config::Language::En,
        LanguageChoice::Zh => config::Language::Zh,
    };
    language::choose(configured, language::system_locale().as_deref())
}
