//! The clients, each as its users get it, in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::given::given;
use crate::zephyr::CLIENT_TOKEN;

/// An SDK, driven by the few lines of a program in `drivers`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sdk {
    /// The `anthropic` package.
    Python,
    /// `@anthropic-ai/sdk`.
    TypeScript,
}

/// What an SDK is asked to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Call {
    /// A message as one JSON answer.
    Message,
    /// A message as a stream.
    Stream,
}

/// How one call ended, as the client's own user would see it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer's text, or what the client's error says.
    pub text: Result<String, String>,
    /// How many times an answer began.
    pub message_starts: usize,
}

impl Sdk {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Python, Self::TypeScript];

    /// Makes these calls one after the other at `base_url`, all with one client object. It is told
    /// not to retry, so that whatever goes wrong is seen.
    ///
    /// # Panics
    ///
    /// If the driver does not end, or does not print an outcome for each call.
    pub async fn calls(self, base_url: &str, calls: &[Call]) -> Vec<Outcome> {
        let drivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers");
        let mut driver = match self {
            Self::Python => {
                let mut python = Command::new(given("ZEPHYR_TEST_PYTHON"));
                python.arg(drivers.join("python_sdk.py"));
                python
            }
            Self::TypeScript => {
                let mut node = Command::new("node");
                node.arg(drivers.join("typescript_sdk.cjs"))
                    .env("NODE_PATH", given("ZEPHYR_TEST_NODE_MODULES"));
                node
            }
        };
        driver.args([base_url, CLIENT_TOKEN]);
        driver.args(calls.iter().map(|call| match call {
            Call::Message => "message",
            Call::Stream => "stream",
        }));

        let mut outcomes = Vec::new();
        finish(driver, |line| outcomes.push(sdk_outcome(line))).await;
        assert_eq!(outcomes.len(), calls.len(), "{self:?}: {outcomes:?}");
        outcomes
    }
}

/// Asks Claude Code one question, in a home of its own, with everything off that is not the question.
/// `watch` sees each event of the stream at the time when Claude Code shows it.
///
/// # Panics
///
/// If it does not end, or prints no result.
pub async fn claude_code(base_url: &str, watch: impl FnMut(&Value)) -> Outcome {
    let home = tempfile::tempdir().expect("there should be room for a temporary folder");
    let mut command = claude_code_in(home.path());
    command
        .env("ANTHROPIC_BASE_URL", base_url)
        .env("ANTHROPIC_AUTH_TOKEN", CLIENT_TOKEN);
    one_question(command, watch).await
}

/// The same with nothing but the settings in [`config_dir`] of that home to tell it where to ask.
///
/// # Panics
///
/// If it does not end, or prints no result.
pub async fn claude_code_by_its_settings(home: &Path) -> Outcome {
    one_question(claude_code_in(home), |_| {}).await
}

/// What Claude Code is told as `CLAUDE_CONFIG_DIR` in that home.
pub fn config_dir(home: &Path) -> PathBuf {
    home.join("claude")
}

fn claude_code_in(home: &Path) -> Command {
    let program = Path::new(&given("ZEPHYR_TEST_NODE_MODULES"))
        .join("@anthropic-ai/claude-code/bin/claude.exe");
    let mut command = Command::new(program);
    command
        .args(["-p", "Hello", "--verbose"])
        .args([
            "--output-format",
            "stream-json",
            "--include-partial-messages",
        ])
        .current_dir(home)
        .env("HOME", home)
        .env("USERPROFILE", home)
        .env("CLAUDE_CONFIG_DIR", config_dir(home))
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1");
    command
}

async fn one_question(command: Command, mut watch: impl FnMut(&Value)) -> Outcome {
    let mut message_starts = 0;
    let mut result = None;
    finish(command, |line| match line["type"].as_str() {
        Some("stream_event") => {
            message_starts += usize::from(line["event"]["type"] == "message_start");
            watch(&line["event"]);
        }
        Some("result") => {
            let text = line["result"].as_str().unwrap_or_default().to_owned();
            result = Some(if line["is_error"] == false {
                Ok(text)
            } else {
                Err(text)
            });
        }
        Some(_) | None => {}
    })
    .await;
    Outcome {
        text: result.expect("Claude Code should print a result"),
        message_starts,
    }
}

/// Runs a client to its end; `read` gets each line of JSON that it prints. Nothing of this machine's
/// own settings for such clients reaches it.
async fn finish(mut command: Command, mut read: impl FnMut(&Value)) {
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
    timeout(PATIENCE, to_its_end)
        .await
        .expect("the client should end")
        .expect("the client's end should be known");
}

/// Claude Code's own retries wait for several seconds in all.
const PATIENCE: Duration = Duration::from_secs(90);

fn sdk_outcome(line: &Value) -> Outcome {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    Outcome {
        text: match text("error") {
            Some(error) => Err(error),
            None => Ok(text("text").unwrap_or_default()),
        },
        message_starts: line["message_starts"]
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or_default(),
    }
}
