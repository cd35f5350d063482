//! What was done to the settings, as sentences from the message catalogues.

use std::path::Path;

use serde::Serialize;
use zephyr_control::{Language, text};

use crate::key::Key;
use crate::outcome::{Change, Connected, Disconnected};
use crate::sessions::Session;

#[derive(Debug, Serialize)]
#[serde(tag = "status")]
enum Phrase {
    #[serde(rename = "claude_code_connected")]
    Connected {
        url: String,
        keys: String,
        settings: String,
    },
    #[serde(rename = "claude_code_connected_already")]
    ConnectedAlready { url: String, settings: String },
    #[serde(rename = "claude_code_not_connected")]
    NotConnected,
    #[serde(rename = "claude_code_restored")]
    Restored { keys: String, settings: String },
    #[serde(rename = "claude_code_removed")]
    Removed { settings: String },
    #[serde(rename = "claude_code_restored_already")]
    RestoredAlready { settings: String },
    #[serde(rename = "claude_code_left_alone")]
    LeftAlone { keys: String, settings: String },
    #[serde(rename = "claude_code_sessions_kept")]
    SessionsKept { sessions: String },
    #[serde(rename = "claude_code_sessions_left")]
    SessionsLeft { sessions: String },
}

/// What `connect` did, in words.
pub fn connected(connected: &Connected, language: Language) -> String {
    let settings = connected.settings.display().to_string();
    let url = connected.url.clone();
    let phrase = match connected.change {
        Change::None => Phrase::ConnectedAlready { url, settings },
        Change::Written | Change::Removed => Phrase::Connected {
            url,
            keys: names(&connected.keys),
            settings,
        },
    };
    lines(language, &[phrase])
}

/// What `disconnect` did, in words.
pub fn disconnected(disconnected: &Disconnected, language: Language) -> String {
    let phrases = match disconnected {
        Disconnected::NotConnected => vec![Phrase::NotConnected],
        Disconnected::AlreadyRestored { settings } => vec![Phrase::RestoredAlready {
            settings: settings.display().to_string(),
        }],
        Disconnected::LeftAlone { settings, keys } => vec![Phrase::LeftAlone {
            keys: names(keys),
            settings: settings.display().to_string(),
        }],
        Disconnected::Restored {
            settings,
            change,
            keys,
            left_alone,
        } => {
            let settings = settings.display().to_string();
            let first = match change {
                Change::Removed => Phrase::Removed {
                    settings: settings.clone(),
                },
                Change::Written | Change::None => Phrase::Restored {
                    keys: names(keys),
                    settings: settings.clone(),
                },
            };
            let left = (!left_alone.is_empty()).then(|| Phrase::LeftAlone {
                keys: names(left_alone),
                settings,
            });
            std::iter::once(first).chain(left).collect()
        }
    };
    lines(language, &phrases)
}

/// The sessions that keep sending their requests to Zephyr although the settings are restored, in words.
/// `None`: there are none.
pub fn sessions_kept(sessions: &[Session], language: Language) -> Option<String> {
    let sessions = listed(sessions)?;
    Some(text(language, &Phrase::SessionsKept { sessions }))
}

/// The sessions that get no answer any more because Zephyr ends, in words. `None`: there are none.
pub fn sessions_left(sessions: &[Session], language: Language) -> Option<String> {
    let sessions = listed(sessions)?;
    Some(text(language, &Phrase::SessionsLeft { sessions }))
}

fn listed(sessions: &[Session]) -> Option<String> {
    let one = |session: &Session| match &session.folder {
        Some(folder) => format!("{} ({})", session.pid, visible(folder)),
        None => session.pid.to_string(),
    };
    let all: Vec<String> = sessions.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// A path without characters that control a terminal.
fn visible(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().filter(|letter| !letter.is_control()).collect()
}

fn names(keys: &[Key]) -> String {
    let names: Vec<_> = keys.iter().map(|key| key.name()).collect();
    names.join(", ")
}

fn lines(language: Language, phrases: &[Phrase]) -> String {
    let lines = phrases.iter().map(|phrase| text(language, phrase) + "\n");
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn every_outcome_has_words_in_both_languages() {
        let settings = PathBuf::from("/home/somebody/.claude/settings.json");
        let keys = vec![Key::BaseUrl, Key::AuthToken];
        let connected_by = |change| Connected {
            settings: settings.clone(),
            url: "http://127.0.0.1:8080".to_owned(),
            keys: keys.clone(),
            change,
        };
        let restored = |change| Disconnected::Restored {
            settings: settings.clone(),
            change,
            keys: vec![Key::BaseUrl],
            left_alone: vec![Key::AuthToken],
        };

        for language in [Language::En, Language::Zh] {
            let said = [
                connected(&connected_by(Change::Written), language),
                connected(&connected_by(Change::None), language),
                disconnected(&restored(Change::Written), language),
                disconnected(&restored(Change::Removed), language),
                disconnected(
                    &Disconnected::AlreadyRestored {
                        settings: settings.clone(),
                    },
                    language,
                ),
                disconnected(
                    &Disconnected::LeftAlone {
                        settings: settings.clone(),
                        keys: keys.clone(),
                    },
                    language,
                ),
            ];
            for text in said {
                assert!(text.contains("settings.json"), "{text}");
            }
            let sessions = [
                Session {
                    pid: 41,
                    folder: Some(PathBuf::from("/home/me/a\u{1b}b")),
                },
                Session {
                    pid: 42,
                    folder: None,
                },
            ];
            for said in [sessions_kept, sessions_left] {
                let text = said(&sessions, language).unwrap();
                assert!(text.contains("41 (/home/me/ab), 42"), "{text}");
                assert_eq!(said(&[], language), None);
            }
            let nothing = disconnected(&Disconnected::NotConnected, language);
            assert!(nothing.contains("Claude Code"), "{nothing}");
        }
    }
}
