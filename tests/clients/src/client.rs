//! The clients, each as its users get it, in a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::given;
use crate::zephyr::CLIENT_TOKEN;

/// A client program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Client {
    /// The `anthropic` package for Python.
    Python,
    /// `@anthropic-ai/sdk` for Node.
    TypeScript,
    /// `claude -p`, with the answer printed event by event.
    ClaudeCode,
}

/// What an SDK is asked to do. Claude Code knows no such choice: it always streams.
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
    pub message_starts: u64,
}

impl Client {
    /// Makes these calls one after the other at `base_url`, all with one client object. The SDKs are
    /// told not to retry, so that whatever goes wrong is seen.
    ///
    /// # Panics
    ///
    /// If the client does not end, or prints something else than it should.
    pub async fn calls(self, base_url: &str, calls: &[Call]) -> Vec<Outcome> {
        let drivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers");
        let mut command = match self {
            Self::Python => {
                let mut python = Command::new(given("ZEPHYR_TEST_PYTHON"));
                python.arg(drivers.join("python_sdk.py"));
                python
            }
            Self::TypeScript => {
                let mut node = Command::new("node");
                node.arg(drivers.join("typescript_sdk.cjs"));
                node.env("NODE_PATH", given("ZEPHYR_TEST_NODE_MODULES"));
                node
            }
            Self::ClaudeCode => {
                assert_eq!(calls, [Call::Stream], "claude -p makes one streamed call");
                return vec![claude_code(base_url).await];
            }
        };
        command.arg(base_url).arg(CLIENT_TOKEN);
        command.args(calls.iter().map(|call| match call {
            Call::Message => "message",
            Call::Stream => "stream",
        }));

        let output = finish(command).await;
        let outcomes: Vec<Outcome> = json_lines(&output).iter().map(sdk_outcome).collect();
        assert_eq!(outcomes.len(), calls.len(), "{self:?} printed:\n{output}");
        outcomes
    }
}

/// What a client said that got one answer and no error.
///
/// # Panics
///
/// If it is anything else.
pub fn said(outcomes: &[Outcome]) -> &str {
    match outcomes {
        [
            Outcome {
                text: Ok(text),
                message_starts: 1,
            },
        ] => text,
        other => panic!("expected one answer that began once: {other:?}"),
    }
}

/// One question, in a home of its own, with everything off that is not the question.
async fn claude_code(base_url: &str) -> Outcome {
    let home = tempfile::tempdir().expect("there should be room for a temporary folder");
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
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("USERPROFILE", home.path())
        .env("CLAUDE_CONFIG_DIR", home.path().join("claude"))
        .env("ANTHROPIC_BASE_URL", base_url)
        .env("ANTHROPIC_AUTH_TOKEN", CLIENT_TOKEN)
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1");

    let output = finish(command).await;
    let lines = json_lines(&output);
    let message_starts = lines
        .iter()
        .filter(|line| line["type"] == "stream_event" && line["event"]["type"] == "message_start")
        .count();
    let result = lines
        .iter()
        .find(|line| line["type"] == "result")
        .unwrap_or_else(|| panic!("Claude Code printed no result:\n{output}"));
    let text = result["result"].as_str().unwrap_or_default().to_owned();
    Outcome {
        text: if result["is_error"] == false {
            Ok(text)
        } else {
            Err(text)
        },
        message_starts: message_starts as u64,
    }
}

/// Runs a client to its end and returns what it printed. Nothing of this machine's own settings
/// for such clients reaches it.
async fn finish(mut command: Command) -> String {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        let foreign = ["ANTHROPIC_", "CLAUDE"]
            .iter()
            .any(|start| text.starts_with(start));
        let given = command
            .as_std()
            .get_envs()
            .any(|(set, value)| set == name && value.is_some());
        if (foreign || text.ends_with("_PROXY")) && !given {
            command.env_remove(name);
        }
    }
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, output)
        .await
        .expect("the client should end")
        .expect("the client should start");
    // Shown by the test runner if the test fails.
    println!("{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Claude Code's own retries wait for several seconds in all.
const PATIENCE: Duration = Duration::from_secs(90);

fn json_lines(output: &str) -> Vec<Value> {
    output
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn sdk_outcome(line: &Value) -> Outcome {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    Outcome {
        text: match text("error") {
            Some(error) => Err(error),
            None => Ok(text("text").unwrap_or_default()),
        },
        message_starts: line["message_starts"].as_u64().unwrap_or_default(),
    }
}
