//! Runs the Claude CLI once against an endpoint, and leaves nothing of it behind.
//!
//! The program gets its own environment: the endpoint's URL and credential (in the environment, never in an
//! argument that other users can list), an empty home in a folder that is removed afterwards, no updates, no
//! traffic but the one call, and no retries. It runs in a process group of its own. When it has ended, or
//! when its time is over, the rest of the group is killed. The runtime waits for the program itself, so no
//! zombie stays. Without process groups (Windows), only the program itself is ended.
//!
//! Its start-up is part of the latency, so this latency is comparable only with other runs of the CLI.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use zephyr_core::config::ProxyRoute;
use zephyr_core::price::Usage;
use zephyr_secrets::private;

use crate::endpoints::credentials::Credential;
use crate::endpoints::remote::Remote;

/// The program prints less than this, in bytes.
const OUTPUT_LIMIT: u64 = 1024 * 1024;

/// The variables of our environment that the program needs.
const KEPT: [&str; 10] = [
    "PATH",
    "LANG",
    "LC_ALL",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    // Windows programs do not start without these.
    "SystemRoot",
    "SystemDrive",
    "ComSpec",
    "PATHEXT",
];

const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// How the program ended, and what it used, if it said so.
pub(super) struct Ended {
    pub(super) result: Result,
    pub(super) usage: Option<Usage>,
}

pub(super) enum Result {
    Answered,
    /// The endpoint refused with this status.
    Status(u16),
    /// In words.
    Failed(String),
    TimedOut,
}

/// Why the program did not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unstartable {
    #[error("the Claude CLI gets no credential from an endpoint with auth_type \"passthrough\"")]
    NoCredential,
    #[error("a folder for the Claude CLI cannot be made: {0}")]
    Folder(io::Error),
    #[error(
        "{program} cannot be started: {source}; correct health_check.claude_binary_path, or choose another mode"
    )]
    Program { program: String, source: io::Error },
}

/// Asks the program for one short answer.
pub(super) async fn run(
    remote: &Remote,
    limit: Duration,
) -> std::result::Result<Ended, Unstartable> {
    let folder = tokio::task::spawn_blocking(|| private::temporary_folder("zephyr-")).await;
    let folder = folder
        .map_err(io::Error::other)
        .and_then(|made| made)
        .map_err(Unstartable::Folder)?;
    let mut command = command(remote, folder.path())?;
    let program = remote.spec.health_check.claude_binary_path.clone();
    let child = command
        .spawn()
        .map_err(|source| Unstartable::Program { program, source })?;
    let mut group = Group::of(child);
    let ended = match tokio::time::timeout(limit, group.finish()).await {
        Ok(Ok((status, output))) => judge(status, &output),
        Ok(Err(error)) => failed(error.to_string()),
        Err(_) => Ended {
            result: Result::TimedOut,
            usage: None,
        },
    };
    group.kill();
    // Reaps the program. It was killed, so this takes no time.
    let _ = group.child.wait().await;
    let _ = tokio::task::spawn_blocking(move || folder.close()).await;
    Ok(ended)
}

fn command(remote: &Remote, home: &Path) -> std::result::Result<Command, Unstartable> {
    let check = &remote.spec.health_check;
    let program = &check.claude_binary_path;
    let found = zephyr_config::find_program(program).ok_or_else(|| Unstartable::Program {
        program: program.clone(),
        source: io::ErrorKind::NotFound.into(),
    })?;
    let mut command = Command::new(found);
    command
        .args(["-p", "ping", "--output-format", "json", "--model"])
        .arg(&check.model)
        .current_dir(home)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let kept = |name: &&'static str| Some((*name, std::env::var_os(name)?));
    command.envs(KEPT.iter().filter_map(kept));
    match &remote.spec.proxy {
        ProxyRoute::System => {
            command.envs(PROXIES.iter().filter_map(kept));
        }
        ProxyRoute::Direct => {}
        ProxyRoute::Via(proxy) => {
            command.env("HTTPS_PROXY", proxy).env("HTTP_PROXY", proxy);
        }
    }
    for variable in ["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"] {
        command.env(variable, home);
    }
    for variable in ["TMPDIR", "TEMP", "TMP"] {
        command.env(variable, home);
    }
    command
        .env("CLAUDE_CONFIG_DIR", home.join("claude"))
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("CLAUDE_CODE_MAX_RETRIES", "0")
        .env("DISABLE_AUTOUPDATER", "1")
        .env("ANTHROPIC_BASE_URL", remote.spec.url.to_string());
    let (variable, value) = match &remote.credential {
        Credential::Passthrough => return Err(Unstartable::NoCredential),
        Credential::Bearer(value) => ("ANTHROPIC_AUTH_TOKEN", value),
        Credential::ApiKey(value) => ("ANTHROPIC_API_KEY", value),
    };
    let secret = value.to_str().unwrap_or_default();
    command.env(variable, secret.strip_prefix("Bearer ").unwrap_or(secret));
    Ok(command)
}

/// The program and everything that it started. Dropping this kills all of it, and the runtime then reaps the
/// program.
struct Group {
    child: Child,
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

impl Group {
    fn of(child: Child) -> Self {
        Self {
            #[cfg(unix)]
            id: child
                .id()
                .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)),
            child,
        }
    }

    /// Waits until the program ends, and takes what it printed. After that, nothing of it runs any more.
    async fn finish(&mut self) -> io::Result<(ExitStatus, Vec<u8>)> {
        let mut output = Vec::new();
        let stdout = self.child.stdout.take();
        let mut stdout = stdout.map(|stdout| stdout.take(OUTPUT_LIMIT));
        let reading = async {
            match &mut stdout {
                Some(stdout) => stdout.read_to_end(&mut output).await.map(drop),
                None => Ok(()),
            }
        };
        tokio::pin!(reading);
        let mut is_read = false;
        let status = loop {
            tokio::select! {
                status = self.child.wait() => break status?,
                read = &mut reading, if !is_read => {
                    read?;
                    is_read = true;
                }
            }
        };
        self.kill(); // A process that it left may hold the pipe open.
        if !is_read {
            reading.await?;
        }
        Ok((status, output))
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(id) = self.id.take() {
            // An error only means that no process is left.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

fn judge(status: ExitStatus, output: &[u8]) -> Ended {
    let report: Value = serde_json::from_slice(output).unwrap_or_default();
    let usage = Usage::read(&report["usage"]).filter(|usage| usage.prompt() > 0);
    let refused = report["api_error_status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| *status >= 300);
    let result = match refused {
        Some(refused) => Result::Status(refused),
        None if report["is_error"] == true => Result::Failed("it reported an error".to_owned()),
        None if status.success() => Result::Answered,
        None => Result::Failed(status.to_string()),
    };
    Ended { result, usage }
}

fn failed(detail: String) -> Ended {
    Ended {
        result: Result::Failed(detail),
        usage: None,
    }
}
