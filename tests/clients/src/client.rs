//! A client in a process of its own, from its start to its end.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// How one call ended, as the client's own user would see it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer's text, or what the client's error says.
    pub text: Result<String, String>,
    /// How many times an answer began.
    pub message_starts: usize,
}

/// Runs a client to its end; `read` gets each line of JSON that it prints. Nothing of this machine's
/// own settings for such clients reaches it.
pub(crate) async fn finish(command: Command, read: impl FnMut(&Value)) -> ExitStatus {
    finish_within(PATIENCE, command, read)
        .await
        .expect("the client should end")
}

/// The same for a client that may take this long. `None`: it took longer, and was killed.
pub(crate) async fn finish_within(
    limit: Duration,
    mut command: Command,
    mut read: impl FnMut(&Value),
) -> Option<ExitStatus> {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        let foreign = text.starts_with("ANTHROPIC_")
            || text.starts_with("CLAUDE")
            || text.ends_with("_PROXY");
        let ours = command.as_std().get_envs().any(|(set, _)| set == name);
        if foreign && !ours {
            command.env_remove(name);
        }
    }
    let mut client = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the client should start");
    let stdout = client.stdout.take().expect("stdout is piped");
    let to_its_end = async {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Ok(line) = serde_json::from_str(&line) {
                read(&line);
            }
        }
        client.wait().await
    };
    let ended = timeout(limit, to_its_end).await.ok();
    ended.map(|status| status.expect("the client's end should be known"))
}

/// Claude Code's own retries wait for several seconds in all.
const PATIENCE: Duration = Duration::from_secs(90);
