//! The state that every front-end shows.

use serde::{Deserialize, Serialize};

use crate::{Appearance, Host, JournalStatus, Reason, RequestEnd};

/// Everything there is to show, at one moment.
///
/// Times are milliseconds since the Unix epoch, durations milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Snapshot {
    /// Version of the program.
    pub version: String,
    /// When this was true.
    pub taken_at_ms: u64,
    /// When the engine started.
    pub started_at_ms: u64,
    /// Where it listens.
    pub listening: Listening,
    /// The configuration file in force.
    pub config_path: Option<String>,
    /// Whether Zephyr chooses.
    pub mode: Mode,
    /// Whether probes and switches for speed are stopped.
    pub paused: bool,
    /// Since when nothing at all can be reached, which is this machine's network and no endpoint's fault.
    #[serde(default)]
    pub offline_since_ms: Option<u64>,
    /// How an endpoint is chosen.
    pub strategy: Strategy,
    /// The endpoint in use; none while requests are distributed or nothing is usable.
    pub current: Option<String>,
    /// Why that one, and why not the others.
    pub decision: Option<Decision>,
    /// Endpoints in the configuration's order.
    pub endpoints: Vec<EndpointView>,
    /// What happened lately, oldest first; `seq` has no gaps but where the oldest were dropped.
    pub events: Vec<Event>,
    /// What a person should look at, worst first.
    pub problems: Vec<Problem>,
    /// Counters since the start.
    pub totals: Totals,
    /// What checks cost.
    #[serde(default)]
    pub probes: ProbeCosts,
    /// Set while the program is about to end.
    pub drain: Option<Drain>,
    /// The requests in flight, oldest first, and those that ended in the last seconds; at most 200.
    #[serde(default)]
    pub requests: Vec<LiveRequest>,
    /// The journal.
    #[serde(default)]
    pub journal: JournalStatus,
    /// The program around the engine.
    #[serde(default)]
    pub host: Host,
    /// How front-ends are to look.
    #[serde(default)]
    pub appearance: Appearance,
}

impl Snapshot {
    /// The endpoint of that name.
    pub fn endpoint(&self, name: &str) -> Option<&EndpointView> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    /// Whether an engine runs. A program that waits for one to start has snapshots too, to say why.
    pub fn has_engine(&self) -> bool {
        !self.listening.proxy.is_empty()
    }

    /// How many endpoints would take a request now.
    pub fn usable(&self) -> usize {
        self.endpoints
            .iter()
            .filter(|endpoint| endpoint.state.is_usable())
            .count()
    }
}

/// The ports, `host:port` each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Listening {
    /// The proxy's; empty while no engine runs.
    pub proxy: String,
    /// The admin API's.
    pub admin: Option<String>,
}

/// Whether Zephyr chooses or a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Mode {
    /// Zephyr chooses.
    Auto,
    /// A person chose.
    Manual {
        /// The endpoint's name.
        endpoint: String,
    },
}

/// How an endpoint is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The fastest.
    Latency,
    /// The best priority.
    Priority,
    /// The cheapest.
    Price,
    /// One after the other.
    RoundRobin,
    /// One after the other, by weight.
    WeightedRoundRobin,
    /// Any.
    Random,
}

/// Why the endpoint in use is in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Decision {
    /// Why this one.
    pub why: Reason,
    /// Why not the others.
    pub others: Vec<NotChosen>,
}

/// An endpoint that was not chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NotChosen {
    /// Its name.
    pub endpoint: String,
    /// Why not.
    pub why: Reason,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EndpointView {
    /// What users see and type.
    pub name: String,
    /// Shown before the name.
    pub flag: Option<String>,
    /// The group it belongs to.
    pub group: String,
    /// Base URL.
    pub url: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// What it can do now.
    pub state: EndpointState,
    /// Why it is in that state, if there is something to say.
    pub reason: Option<Reason>,
    /// When that state ends by itself.
    pub until_ms: Option<u64>,
    /// Latency of probes, smoothed.
    pub latency_ms: Option<f64>,
    /// Latency of the last probes, oldest first; failed ones are `None`.
    pub latency_history: Vec<Option<f64>>,
    /// Time to first event of real streams, smoothed.
    pub ttft_ms: Option<f64>,
    /// The same by model, the model used last first.
    #[serde(default)]
    pub ttft_percentiles: Vec<TtftPercentiles>,
    /// What its checks have cost today, in USD, estimated.
    #[serde(default)]
    pub probe_cost_usd: f64,
    /// Its part of the attempts of the last five minutes, 0 to 1; `None`: there were none anywhere.
    #[serde(default)]
    pub share: Option<f64>,
    /// What its answers say of its quota, if they say anything.
    #[serde(default)]
    pub quota: Vec<QuotaWindow>,
    /// When it was last probed.
    pub last_check_ms: Option<u64>,
    /// What the last failure was.
    pub last_error: Option<Reason>,
    /// Attempts that are out.
    pub in_flight: u32,
    /// Attempts since the start.
    pub attempts: u64,
    /// Those that failed.
    pub failures: u64,
    /// `priority` of the configuration.
    pub priority: u32,
    /// `weight` of the configuration.
    pub weight: u32,
    /// `price` of the configuration.
    pub price: f64,
}

/// A limit of an endpoint, by the rate-limit headers of its last answer that had them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct QuotaWindow {
    /// `requests`, `tokens`, `input-tokens`, `output-tokens`, or a subscription's `5h`, `7d`.
    pub name: String,
    /// How much of it is left, 0 to 1.
    pub left: f64,
    /// The limit and what is left of it, where they are told as numbers.
    pub limit: Option<u64>,
    /// As above.
    pub remaining: Option<u64>,
    /// When it is full again, in milliseconds since 1970-01-01 UTC.
    pub resets_at_ms: Option<u64>,
}

/// A request in flight, or just ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LiveRequest {
    /// Its identifier.
    pub request: String,
    /// When it began.
    pub at_ms: u64,
    /// When it ended; `None`: it is in flight.
    pub ended_at_ms: Option<u64>,
    /// How it ended.
    pub end: Option<RequestEnd>,
    /// Path, without the query.
    pub path: String,
    /// The model asked for.
    pub model: Option<String>,
    /// The session it belongs to.
    pub session: Option<String>,
    /// Where it is now, or was last; `None`: it waits.
    pub endpoint: Option<String>,
    /// How many attempts it has had.
    pub attempts: u32,
    /// Whether its answer has begun to reach the client.
    pub streaming: bool,
    /// Output tokens so far; counted from the text's length until the endpoint tells the number.
    pub output_tokens: u64,
}

/// Times to first event of one model's streams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TtftPercentiles {
    /// The model.
    pub model: String,
    /// Streams so far.
    pub count: u64,
    /// Half of them began within this time.
    pub p50_ms: f64,
    /// 95 of 100 did.
    pub p95_ms: f64,
}

/// What an endpoint can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// Takes requests.
    Ready,
    /// Cooldown over, not yet proven.
    Recovering,
    /// Circuit open after failures.
    Failing,
    /// Asked us to slow down.
    Throttled,
    /// Refuses the credential.
    Refused,
    /// Quota or credit used up.
    Exhausted,
    /// Finishes its requests.
    Draining,
    /// Switched off.
    Disabled,
    /// Its credential was not found.
    NoCredential,
}

impl EndpointState {
    /// Whether it takes requests.
    pub fn is_usable(self) -> bool {
        match self {
            Self::Ready | Self::Recovering => true,
            Self::Failing
            | Self::Throttled
            | Self::Refused
            | Self::Exhausted
            | Self::Draining
            | Self::Disabled
            | Self::NoCredential => false,
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Event {
    /// Counts from 1.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// An endpoint is in use where none was.
    Chosen {
        /// Which.
        endpoint: String,
        /// Why.
        decision: Decision,
    },
    /// The endpoint in use changed.
    Switched {
        /// The one before.
        from: String,
        /// The one now.
        to: String,
        /// Why.
        decision: Decision,
    },
    /// A conversation moved to another endpoint, because that is worth more than its prompt cache.
    Moved {
        /// Where it was.
        from: String,
        /// Where it is now.
        to: String,
        /// Both sides of it.
        why: Reason,
    },
    /// A request went on to another endpoint before its client saw anything.
    FailedOver {
        /// Where it failed.
        from: String,
        /// Why.
        why: Reason,
    },
    /// A request was aborted after its client had seen a part of the answer.
    Aborted {
        /// Where it broke.
        endpoint: String,
        /// How.
        why: Reason,
    },
    /// An answer was wrong midway and was passed on, as the configuration asks for.
    PassedOn {
        /// Whose it was.
        endpoint: String,
        /// What was wrong.
        why: Reason,
    },
    /// An endpoint was taken out.
    TakenOut {
        /// Which.
        endpoint: String,
        /// Why.
        why: Reason,
        /// Until when, if it ends by itself.
        until_ms: Option<u64>,
    },
    /// An endpoint is back.
    Recovered {
        /// Which.
        endpoint: String,
    },
    /// Nothing is usable.
    AllDown,
    /// Something is usable again.
    SomethingUp,
    /// Nothing at all can be reached: this machine's network is gone.
    Offline,
    /// The network is back.
    Online,
    /// A person chose an endpoint.
    Pinned {
        /// Which.
        endpoint: String,
    },
    /// Zephyr chooses again.
    Automatic,
    /// Monitoring stopped.
    Paused,
    /// Monitoring goes on.
    Resumed,
    /// An endpoint was switched on.
    Enabled {
        /// Which.
        endpoint: String,
    },
    /// An endpoint was switched off.
    Disabled {
        /// Which.
        endpoint: String,
    },
    /// Checks have cost what they may cost a day: only free ones until midnight.
    BudgetReached {
        /// The limit, in USD.
        budget_usd: f64,
    },
    /// A changed configuration is in force.
    ConfigReloaded,
    /// A changed configuration has errors; the old one stays in force.
    ConfigRejected,
}

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Problem {
    /// What it is about.
    pub kind: ProblemKind,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// What a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The configuration file has errors; the running configuration stays.
    ConfigError,
    /// The configuration file has something of no effect.
    ConfigWarning,
    /// No endpoint is configured.
    NoEndpoints,
    /// A credential was not found.
    Credential,
    /// The keychain is locked, or there is none.
    Keychain,
    /// A port.
    Port,
    /// Claude Code's settings.
    ClaudeCode,
    /// The journal: its file, the disk it is on.
    Journal,
    /// The desktop: its tray, its notifications.
    Desktop,
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Totals {
    /// Requests forwarded.
    pub requests: u64,
    /// Attempts made for them.
    pub attempts: u64,
    /// Requests that another endpoint answered than the first asked.
    pub failed_over: u64,
    /// Requests whose client got an error that an endpoint or Zephyr made.
    pub failed: u64,
    /// Answers aborted midway.
    pub aborted: u64,
    /// Requests whose client left first.
    pub abandoned: u64,
    /// Requests being answered.
    pub in_flight: u32,
    /// Those of them that wait for an endpoint to return.
    #[serde(default)]
    pub waiting: u32,
}

/// What checks cost, in USD, estimated from the tokens that they use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProbeCosts {
    /// All of them together, today.
    pub today_usd: f64,
    /// `health_check.daily_budget_usd`.
    pub budget_usd: f64,
    /// Whether the budget is reached, so that only free checks are made until midnight.
    pub reached: bool,
}

/// The program waits for requests in flight before it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Drain {
    /// Requests still in flight.
    pub in_flight: u32,
    /// When it ends at the latest.
    pub until_ms: u64,
}
