//! `[health_check]`: how endpoints are probed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `[health_check]`, also per group.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    /// What a probe does.
    pub mode: ProbeMode,
    /// The model that a `message` or `count_tokens` probe names.
    pub model: String,
    /// Time between two probes of one endpoint.
    pub interval: Duration,
    /// Whether the interval follows the load.
    pub dynamic_scaling: bool,
    /// The shortest interval under load.
    pub min_interval: Duration,
    /// The longest interval when idle.
    pub max_interval: Duration,
    /// A probe that takes longer has failed.
    pub timeout: Duration,
    /// What probes may cost per day, in USD.
    pub daily_budget_usd: f64,
    /// The Claude CLI, for [`ProbeMode::ClaudeCli`].
    pub claude_binary_path: String,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            mode: ProbeMode::Message,
            model: "claude-haiku-4-5".to_owned(),
            interval: Duration::from_secs(60),
            dynamic_scaling: false,
            min_interval: Duration::from_secs(30),
            max_interval: Duration::from_secs(3600),
            timeout: Duration::from_secs(15),
            daily_budget_usd: 0.50,
            claude_binary_path: "claude".to_owned(),
        }
    }
}

/// What probes look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProbeAs {
    /// Like Zephyr's own requests.
    #[default]
    Zephyr,
    /// Like those of Claude Code, for endpoints that admit no other program.
    ClaudeCode,
}

/// What a probe does, and so what it proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeMode {
    /// One real call with one token of output. It tests the inference path itself.
    Message,
    /// A free token count. It tests the credential, the model and the parsing of the body.
    CountTokens,
    /// The list of models. It tests the credential and the router.
    Models,
    /// A TCP connection, with TLS for `https`. It tests the network and the certificate.
    Connect,
    /// A greeting through the Claude CLI.
    ClaudeCli,
    /// No probes. Only real traffic shows how the endpoint is.
    Off,
}

impl ProbeMode {
    /// Whether success shows that messages are answered. Only that closes a circuit that failed messages have
    /// opened.
    pub fn proves_messages(self) -> bool {
        match self {
            Self::Message | Self::ClaudeCli => true,
            Self::CountTokens | Self::Models | Self::Connect | Self::Off => false,
        }
    }

    /// Whether success shows that the credential is accepted.
    pub fn proves_credential(self) -> bool {
        match self {
            Self::Message | Self::ClaudeCli | Self::CountTokens | Self::Models => true,
            Self::Connect | Self::Off => false,
        }
    }
}
