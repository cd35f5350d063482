//! Claude Code, as its users get it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::client::{Outcome, finish, finish_within};
use crate::given::given;
use crate::zephyr::CLIENT_TOKEN;

/// How a task ended, and when.
#[derive(Clone, Debug)]
pub struct Work {
    /// From the start of the program to its end.
    pub took: Duration,
    /// It ended in time, with exit code 0.
    pub finished: bool,
    /// What it printed as its result, be it an answer or an error.
    pub text: Option<String>,
}

/// A start of Claude Code, with everything off that is not the question.
#[derive(Debug)]
#[must_use]
pub struct ClaudeCode {
    command: Command,
    /// Kept until the question is answered.
    home: Option<TempDir>,
}

impl ClaudeCode {
    /// In a home of its own, told by its environment to ask at `base_url`.
    ///
    /// # Panics
    ///
    /// If there is no room for a home.
    pub fn at(base_url: &str) -> Self {
        let home = tempfile::tempdir().expect("there should be room for a temporary folder");
        let claude_code = Self::by_the_settings_in(home.path()).envs(&[
            ("ANTHROPIC_BASE_URL", base_url),
            ("ANTHROPIC_AUTH_TOKEN", CLIENT_TOKEN),
        ]);
        Self {
            home: Some(home),
            ..claude_code
        }
    }

    /// With nothing but the settings in [`config_dir`] of that home to tell it where to ask.
    pub fn by_the_settings_in(home: &Path) -> Self {
        let program = Path::new(&given("ZEPHYR_TEST_NODE_MODULES"))
            .join("@anthropic-ai/claude-code/bin/claude.exe");
        let mut command = Command::new(program);
        command
            .current_dir(home)
            .env("HOME", home)
            .env("USERPROFILE", home)
            .env("CLAUDE_CONFIG_DIR", config_dir(home))
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1");
        Self {
            command,
            home: None,
        }
    }

    /// Asks this model.
    pub fn model(mut self, name: &str) -> Self {
        self.command.args(["--model", name]);
        self
    }

    /// Sets variables of its environment.
    pub fn envs(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    /// Puts a file into its home, which is the folder that it works in.
    ///
    /// # Panics
    ///
    /// If it has no home of its own, or the file cannot be written.
    pub fn with_file(self, name: &str, text: &str) -> Self {
        let home = self.home.as_ref().expect("it should have a home");
        std::fs::write(home.path().join(name), text).expect("its home should be writable");
        self
    }

    /// Does what it is asked to, however it ends. It is killed after `limit`.
    pub async fn work(mut self, task: &str, limit: Duration) -> Work {
        self.command
            .args(["-p", task, "--verbose", "--output-format", "stream-json"]);
        let mut text = None;
        let started = Instant::now();
        let exit = finish_within(limit, self.command, |line| {
            if line["type"] == "result" {
                text = line["result"].as_str().map(str::to_owned);
            }
        })
        .await;
        Work {
            took: started.elapsed(),
            finished: exit.is_some_and(|exit| exit.success()),
            text,
        }
    }

    /// Asks one question.
    ///
    /// # Panics
    ///
    /// If Claude Code does not end, prints no result, or ends with another exit code than its result calls
    /// for.
    pub async fn ask(self, question: &str) -> Outcome {
        self.ask_and_watch(question, |_| {}).await
    }

    /// The same; `watch` sees each event of the stream at the time when Claude Code shows it.
    ///
    /// # Panics
    ///
    /// As [`ClaudeCode::ask`].
    pub async fn ask_and_watch(mut self, question: &str, mut watch: impl FnMut(&Value)) -> Outcome {
        self.command.args(["-p", question, "--verbose"]).args([
            "--output-format",
            "stream-json",
            "--include-partial-messages",
        ]);
        let mut message_starts = 0;
        let mut result = None;
        let exit = finish(self.command, |line| match line["type"].as_str() {
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
        drop(self.home);
        let text = result.expect("Claude Code should print a result");
        assert_eq!(exit.success(), text.is_ok(), "{exit}: {text:?}");
        Outcome {
            text,
            message_starts,
        }
    }
}

/// What Claude Code is told as `CLAUDE_CONFIG_DIR` in that home.
pub fn config_dir(home: &Path) -> PathBuf {
    home.join("claude")
}
