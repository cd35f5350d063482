//! The state that every front-end shows.

use serde::{Deserialize, Serialize};
use zephyr_redact::Redacted;

use super::decision::{Decision, Mode, Strategy};
use super::endpoint::EndpointView;
use super::event::Event;
use super::live::LiveRequest;
use super::problem::Problem;
use super::status::OverallStatus;
use super::totals::{Drain, ProbeCosts, Totals};
use super::weighed::Weighed;
use crate::host::{Appearance, Host};
use crate::journal::status::JournalStatus;

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
    #[cfg_attr(test, ts(type = "string | null"))]
    pub config_path: Option<Redacted>,
    /// How things are as a whole. Front-ends show this, and derive nothing of their own.
    #[serde(default)]
    pub status: OverallStatus,
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
    /// The last time that a conversation's prompt cache was weighed against a faster endpoint, if it was in
    /// the last ten minutes.
    #[serde(default)]
    pub weighed: Option<Weighed>,
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
