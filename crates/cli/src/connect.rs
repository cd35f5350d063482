//! `zephyr connect` and `zephyr disconnect`: Claude Code's settings, pointed at Zephyr and back.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::anyhow;
use tokio::task::spawn_blocking;
use zephyr_admin::instance::{self, Found, Running};
use zephyr_claude_code::{self as claude_code, ClaudeCode, Credential, Proxies, Target};
use zephyr_config::{ConfigFile, Loaded};
use zephyr_control::Language;
use zephyr_core::config;
use zephyr_process::address::local_url;
use zephyr_process::holder::Holder;
use zephyr_process::language;

use crate::failure::Failure;
use crate::{configuration, output, remote};

/// `zephyr connect claude-code`.
pub(crate) async fn connect(config: Option<&Path>) -> Result<(), Failure> {
    let zephyr = Zephyr::find(config).await?;
    if let Runs::No = zephyr.runs {
        refuse_port_of_others(zephyr.proxy).await?;
    }
    let claude_code = ClaudeCode::locate(&configuration::data_dir()?)?;
    let language = zephyr.language();
    let runs = zephyr.runs;
    let connected = spawn_blocking(move || {
        let target = zephyr.target()?;
        let connected = claude_code.connect(&target)?;
        Ok::<_, Failure>((connected, target.keeps_login()))
    });
    let (connected, keeps_login) = connected.await??;
    output::print(&claude_code::connected(&connected, language))?;
    if keeps_login {
        output::remark(
            "an endpoint has auth_type = \"passthrough\", so Claude Code keeps its own login",
        );
    }
    if let Runs::No = runs {
        output::remark("Zephyr is not running; start it with `zephyr serve`");
    }
    Ok(())
}

/// Fails if a program of another user listens where Zephyr will. It would get what Claude Code sends.
async fn refuse_port_of_others(proxy: SocketAddr) -> Result<(), Failure> {
    let holder = spawn_blocking(move || Holder::of(proxy)).await?;
    if !holder.is_foreign() {
        return Ok(());
    }
    Err(Failure::Operation(anyhow!(
        "port {} is used by {holder}, which would get what Claude Code sends; end that program, or change \
         server.port in the configuration",
        proxy.port()
    )))
}

/// `zephyr connect claude-code --print`.
pub(crate) async fn print(config: Option<&Path>) -> Result<(), Failure> {
    let zephyr = Zephyr::find(config).await?;
    let credential = match &zephyr.configured {
        Some((loaded, _)) => Credential::of(&loaded.config),
        None => Credential::Own,
    };
    let claude_code = ClaudeCode::locate(&configuration::data_dir()?)?;
    let url = local_url(zephyr.proxy);
    let defaults = config::Config::default();
    let configured = zephyr.configured.as_ref();
    let asked = configured.map_or(&defaults, |(loaded, _)| &loaded.config);
    claude_code::check_url(&url, asked)?;
    output::print(&claude_code::printed(
        &claude_code,
        &url,
        credential,
        &Proxies::here(),
    )?)
}

/// `zephyr disconnect claude-code`.
pub(crate) async fn disconnect(config: Option<&Path>) -> Result<(), Failure> {
    let claude_code = ClaudeCode::locate(&configuration::data_dir()?)?;
    let disconnecting = spawn_blocking(move || {
        let sessions = claude_code.sessions(None);
        claude_code.disconnect().map(|done| (done, sessions))
    });
    let (disconnected, sessions) = disconnecting.await??;
    let language = remote::language_in(config);
    output::print(&claude_code::disconnected(&disconnected, language))?;
    if let Some(kept) = claude_code::sessions_kept(&sessions, language) {
        output::remark(kept);
    }
    Ok(())
}

/// Lists on stderr the sessions of Claude Code that get no answer once `proxy` closes.
pub(crate) async fn tell_sessions(data_dir: &Path, proxy: SocketAddr, language: Language) {
    let Ok(claude_code) = ClaudeCode::locate(data_dir) else {
        return; // Without a home folder there are no sessions.
    };
    let url = local_url(proxy);
    let sessions = spawn_blocking(move || claude_code.sessions(Some(&url))).await;
    if let Some(left) = claude_code::sessions_left(&sessions.unwrap_or_default(), language) {
        output::remark(left);
    }
}

/// The instance that clients should use: the running one, or else the one that the file configures.
struct Zephyr {
    proxy: SocketAddr,
    runs: Runs,
    /// `None`: it runs without a configuration file, as the demo does.
    configured: Option<(Loaded, ConfigFile)>,
}

#[derive(Clone, Copy)]
enum Runs {
    Yes,
    No,
}

impl Zephyr {
    async fn find(config: Option<&Path>) -> Result<Self, Failure> {
        let running = match instance::find(&configuration::data_dir()?).await? {
            Found::Running(running) => Some(running),
            Found::Stale(_) | Found::Nothing => None,
        };
        let Some(Running {
            instance, snapshot, ..
        }) = running
        else {
            return Self::configured(config);
        };
        let its_own = snapshot.config_path.as_deref().map(Path::new);
        let configured = match (config, its_own) {
            (Some(_), _) => Some(configuration::read(config)?),
            (None, Some(path)) => Some(configuration::read_of_instance(path)?),
            (None, None) => None,
        };
        Ok(Self {
            proxy: instance.proxy,
            runs: Runs::Yes,
            configured,
        })
    }

    fn configured(config: Option<&Path>) -> Result<Self, Failure> {
        let (loaded, file) = configuration::read(config)?;
        let server = &loaded.config.server;
        if server.port == 0 {
            return Err(Failure::Operation(anyhow!(
                "server.port is 0, so the port is known only while Zephyr runs; start it with \
                 `zephyr serve`"
            )));
        }
        Ok(Self {
            proxy: SocketAddr::new(server.host, server.port),
            runs: Runs::No,
            configured: Some((loaded, file)),
        })
    }

    fn language(&self) -> Language {
        let configured = self.configured.as_ref();
        language::spoken(configured.map_or(config::Language::Auto, |(loaded, _)| {
            loaded.config.ui.language
        }))
    }

    /// Blocks.
    fn target(&self) -> Result<Target, Failure> {
        let url = local_url(self.proxy);
        let target = match &self.configured {
            Some((loaded, file)) => Target::configured(url, &loaded.config, file)?,
            None => Target::open(url)?,
        };
        Ok(target.past(Proxies::here()))
    }
}
