//! A home with Claude Code's settings, and what is to be set in them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use zephyr_claude_code::{ClaudeCode, Target};
use zephyr_config::ConfigFile;
use zephyr_secrets::client_token::ClientTokens;

/// A home and a data folder of their own.
pub struct Home(pub TempDir);

impl Home {
    /// Without a settings file, and without the folder for one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn with(text: &str) -> Self {
        let home = Self::new();
        home.write(text);
        home
    }

    pub fn settings(&self) -> PathBuf {
        self.0.path().join("claude/settings.json")
    }

    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn record(&self) -> PathBuf {
        self.data().join("claude-code.json")
    }

    pub fn claude_code(&self) -> ClaudeCode {
        ClaudeCode::at(&self.settings(), &self.data()).unwrap()
    }

    pub fn write(&self, text: &str) {
        fs::create_dir_all(self.settings().parent().unwrap()).unwrap();
        fs::write(self.settings(), text).unwrap();
    }

    pub fn text(&self) -> String {
        fs::read_to_string(self.settings()).unwrap()
    }

    /// The token of this installation, which `connect` writes.
    pub fn own_token(&self) -> String {
        let tokens = ClientTokens::load(&self.data()).unwrap();
        tokens.current().unwrap().expose().to_owned()
    }

    pub fn env(&self) -> Value {
        env_of(&self.text())
    }
}

pub fn env_of(text: &str) -> Value {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let settings: Value = serde_json::from_str(text).unwrap();
    settings["env"].clone()
}

pub fn target(port: u16) -> Target {
    target_of("", port)
}

pub fn target_of(config: &str, port: u16) -> Target {
    let loaded = zephyr_config::parse(config).unwrap();
    let url = format!("http://127.0.0.1:{port}");
    Target::configured(url, &loaded.config, &ConfigFile::named("config.toml")).unwrap()
}
