//! `[failover]`: what happens when an attempt fails.

use std::time::Duration;

use crate::classify::Rule;

/// `[failover]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failover {
    /// Whether a failed request moves on to another endpoint.
    pub enabled: bool,
    /// The maximum number of attempts for one request, including the first. `None`: one at every endpoint.
    pub max_attempts: Option<u32>,
    /// Limit for TCP, proxy and TLS handshakes together.
    pub connect_timeout: Duration,
    /// Whether the limits below are learned, or are as they are given.
    pub patience: Patience,
    /// Limit from sending a request to the first event of its stream.
    pub first_event_timeout: Duration,
    /// Limit between two chunks of an answer.
    pub idle_timeout: Duration,
    /// When a second attempt is sent beside a late first one.
    pub hedge: Hedge,
    /// Share of recent requests that may get such a second attempt, in percent.
    pub hedge_budget_percent: u32,
    /// Whether every endpoint is tried anyway when all circuits are open.
    pub last_resort: bool,
    /// `hold_seconds`: how long a request waits for an endpoint to return when nothing is up.
    pub max_wait: Duration,
    /// Whether requests also move on after any 4xx.
    pub on_client_errors: bool,
    /// Share of recent requests that may be further attempts, in percent.
    pub retry_budget_percent: u32,
    /// Requests with a larger body, in bytes, get one attempt.
    pub replay_limit: u64,
    /// Whether a request that was sent but never answered is repeated.
    pub retry_sent_requests: bool,
    /// Whether a request goes on without its thinking where nobody who may be asked can read that.
    pub repair_thinking: bool,
    /// The user's own rules: what an answer of a given status or wording means. The first that fits counts.
    pub rules: Vec<Rule>,
}

impl Default for Failover {
    fn default() -> Self {
        Self {
            enabled: true,
            max_attempts: None,
            connect_timeout: Duration::from_secs(5),
            patience: Patience::Auto,
            first_event_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(300),
            hedge: Hedge::Auto,
            hedge_budget_percent: 5,
            last_resort: true,
            max_wait: Duration::from_secs(10),
            on_client_errors: false,
            retry_budget_percent: 20,
            replay_limit: 32 * 1024 * 1024,
            retry_sent_requests: true,
            repair_thinking: false,
            rules: Vec::new(),
        }
    }
}

/// How long an endpoint may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Learned for each endpoint and model, never longer than the limits of the file.
    Auto,
    /// The limits of the file.
    Fixed,
}

/// When a second attempt is sent beside a late first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hedge {
    /// When the answer is later than nearly all before it.
    Auto,
    /// Never.
    Off,
    /// After this time.
    After(Duration),
}
