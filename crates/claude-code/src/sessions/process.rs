//! A running session, and which settings it has read.

use std::path::{Path, PathBuf};

/// The system reports the start of a process, and its own start, to the second.
const UNSURE_MS: u64 = 2000;

/// A session that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub pid: u32,
    /// Its working folder.
    pub folder: Option<PathBuf>,
}

/// A process of Claude Code. Its variables contain secrets, so only these are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) folder: Option<PathBuf>,
    /// When it began, in milliseconds since 1970.
    pub(super) began_ms: u64,
    /// `ANTHROPIC_BASE_URL`.
    pub(super) base_url: Option<String>,
    /// `CLAUDE_CONFIG_DIR`.
    pub(super) config_dir: Option<PathBuf>,
    /// `HOME`.
    pub(super) home: Option<PathBuf>,
}

/// The conditions for sessions that send their requests to Zephyr.
#[derive(Clone, Debug, Default)]
pub(super) struct Begun {
    /// They began with one of these in `ANTHROPIC_BASE_URL`.
    pub(super) urls: Vec<String>,
    /// Or they began with this settings file, at this time or later, in milliseconds since 1970.
    pub(super) settings: Option<(PathBuf, u64)>,
}

impl Process {
    /// Whether one of the conditions holds.
    pub(super) fn is(&self, begun: &Begun) -> bool {
        self.has_url(&begun.urls)
            || begun
                .settings
                .as_ref()
                .is_some_and(|(settings, since_ms)| self.has_read(settings, *since_ms))
    }

    pub(super) fn into_session(self) -> Session {
        Session {
            pid: self.pid,
            folder: self.folder,
        }
    }

    fn has_url(&self, urls: &[String]) -> bool {
        let plain = |url: &str| url.trim_end_matches('/').to_owned();
        let own = self.base_url.as_deref().map(plain);
        own.is_some_and(|own| urls.iter().any(|url| plain(url) == own))
    }

    fn has_read(&self, settings: &Path, since_ms: u64) -> bool {
        self.settings().as_deref() == Some(settings)
            && self.began_ms.saturating_add(UNSURE_MS) >= since_ms
    }

    fn settings(&self) -> Option<PathBuf> {
        let folder = match &self.config_dir {
            Some(named) => self.folder.clone().unwrap_or_default().join(named),
            None => self.home.as_ref()?.join(".claude"),
        };
        Some(folder.join("settings.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_ours_by_its_variable_or_by_the_settings_that_it_has_read() {
        let begun = Begun {
            urls: vec!["http://127.0.0.1:8080".to_owned()],
            settings: Some((PathBuf::from("/home/me/.claude/settings.json"), 100_000)),
        };
        let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
        for (base_url, home, config_dir, began_ms, expected) in [
            ("http://127.0.0.1:8080", "/home/me", "", 0, true),
            ("http://127.0.0.1:8080/", "/elsewhere", "", 0, true),
            ("http://127.0.0.1:8081", "/home/me", "", 0, false),
            ("", "/home/me", "", 150_000, true),
            ("", "/home/me", "", 98_000, true),
            ("", "/home/me", "", 97_999, false),
            ("", "/home/you", "", 150_000, false),
            ("", "/home/me", "/home/me/other", 150_000, false),
            ("", "/elsewhere", "/home/me/.claude", 150_000, true),
            ("", "/elsewhere", ".claude", 150_000, true),
            ("", "", "", 150_000, false),
            ("https://relay.example", "/home/me", "", 150_000, true),
        ] {
            let process = Process {
                pid: 7,
                folder: path("/home/me"),
                began_ms,
                base_url: (!base_url.is_empty()).then(|| base_url.to_owned()),
                config_dir: path(config_dir),
                home: path(home),
            };

            let row = format!("{base_url} {home} {config_dir} {began_ms}");
            assert_eq!(process.is(&begun), expected, "{row}");
            assert!(!process.is(&Begun::default()), "{row}");
        }
    }
}
