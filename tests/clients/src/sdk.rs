//! The SDKs, each as its users get it.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::client::{Outcome, finish};
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
        finish(driver, |line| outcomes.push(outcome(line))).await;
        assert_eq!(outcomes.len(), calls.len(), "{self:?}: {outcomes:?}");
        outcomes
    }
}

fn outcome(line: &Value) -> Outcome {
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
