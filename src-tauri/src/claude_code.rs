//! Claude Code's connection, as the tray offers it: connected while Zephyr runs, and restored when Zephyr
//! ends. So Claude Code never sends requests to a closed port.
//!
//! `zephyr_claude_code` decides what is written, and where.

use std::net::SocketAddr;
use std::path::Path;

use zephyr_claude_code::{
    self as claude_code, ClaudeCode, Disconnected, Error, Proxies, Resumed, Target, TargetError,
};
use zephyr_config::ConfigFile;
use zephyr_control::{ClaudeCode as State, Language, Problem, ProblemKind};
use zephyr_core::Config;
use zephyr_process::address::local_url;

/// What Claude Code should point to.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) config: Config,
    /// The configuration file. `None` for simulated endpoints.
    pub(crate) file: Option<ConfigFile>,
}

/// Why the settings were not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Settings(#[from] Error),
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// Claude Code's settings, and our record of them. Everything here blocks.
#[derive(Clone, Debug)]
pub(crate) struct Link(ClaudeCode);

impl Link {
    /// `None`: the machine has no home folder.
    pub(crate) fn locate(data_dir: &Path) -> Option<Self> {
        let found = ClaudeCode::locate(data_dir);
        found
            .inspect_err(|error| tracing::warn!("{error}"))
            .ok()
            .map(Self)
    }

    /// Where the settings point to.
    pub(crate) fn state(&self) -> State {
        self.0.state()
    }

    /// Watches the settings. `None`: the system cannot.
    pub(crate) fn watch(&self) -> Option<zephyr_config::Watch> {
        zephyr_config::watch(self.0.settings()).ok()
    }

    /// Points Claude Code at `proxy`. Returns a sentence about it.
    pub(crate) fn connect(&self, proxy: &Proxy, language: Language) -> Result<String, Refused> {
        let connected = self.0.connect(&target(proxy)?)?;
        Ok(claude_code::connected(&connected, language))
    }

    /// Restores the earlier settings, permanently. Returns a sentence about it.
    pub(crate) fn disconnect(&self, language: Language) -> Result<String, Refused> {
        let sessions = self.0.sessions(None);
        let disconnected = self.0.disconnect()?;
        let mut said = claude_code::disconnected(&disconnected, language);
        said.extend(claude_code::sessions_kept(&sessions, language));
        Ok(said)
    }

    /// Restores the earlier settings while Zephyr does not run. Returns a sentence about the sessions that
    /// keep sending their requests to `url`, if there are any.
    pub(crate) fn suspend(&self, url: &str, language: Language) -> Result<Option<String>, Refused> {
        let sessions = self.0.sessions(Some(url));
        match self.0.suspend()? {
            Disconnected::NotConnected | Disconnected::AlreadyRestored { .. } => {}
            Disconnected::Restored { .. } => tracing::info!("Claude Code's settings are restored"),
            Disconnected::LeftAlone { settings, .. } => tracing::warn!(
                settings = %settings.display(),
                "somebody has changed Claude Code's settings since; they were left alone"
            ),
        }
        Ok(claude_code::sessions_kept(&sessions, language))
    }

    /// A sentence about the sessions that get no answer once `url` closes, if there are any.
    pub(crate) fn left(&self, url: &str, language: Language) -> Option<String> {
        claude_code::sessions_left(&self.0.sessions(Some(url)), language)
    }

    /// Connects again what an earlier run left connected or suspended. Returns what a person should know.
    pub(crate) fn resume(&self, proxy: &Proxy) -> Option<Problem> {
        let resumed = target(proxy).map_err(Refused::from);
        match resumed.and_then(|target| Ok(self.0.resume(&target)?)) {
            Ok(Resumed::NotConnected | Resumed::Connected(_)) => None,
            Ok(Resumed::LeftAlone { settings, .. }) => Some(Problem::new(
                ProblemKind::ClaudeCode,
                format!(
                    "Claude Code was connected, and somebody has changed {} since; it was left alone",
                    settings.display()
                ),
                "choose \"Use with Claude Code\" to connect it again, or run `zephyr disconnect \
                 claude-code` to forget that it was",
            )),
            Err(error) => Some(trouble(&error)),
        }
    }
}

/// An error as front-ends show it.
pub(crate) fn trouble(error: &Refused) -> Problem {
    Problem::new(
        ProblemKind::ClaudeCode,
        format!("Claude Code's settings were not changed: {error}"),
        "then choose \"Use with Claude Code\" again",
    )
}

fn target(proxy: &Proxy) -> Result<Target, TargetError> {
    let url = local_url(proxy.address);
    let target = match &proxy.file {
        Some(file) => Target::configured(url, &proxy.config, file)?,
        None => Target::open(url)?,
    };
    Ok(target.past(Proxies::here()))
}
