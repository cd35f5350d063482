//! What is shown while no engine runs.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use zephyr_control::{
    Appearance, Host, JournalStatus, Listening, Mode, OverallStatus, ProbeCosts, Problem, Redacted,
    Snapshot, Strategy, Totals,
};

/// A snapshot of this program without an engine, with the reason why no engine runs.
pub(crate) fn nothing_runs(
    listening: Listening,
    config: Option<&Path>,
    problem: Option<Problem>,
) -> Snapshot {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    let problems: Vec<_> = problem.into_iter().collect();
    Snapshot {
        status: OverallStatus::without_engine(&problems),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at_ms: now_ms,
        started_at_ms: now_ms,
        listening,
        config_path: config.map(|path| Redacted::by_shape(&path.display().to_string())),
        mode: Mode::Auto,
        paused: false,
        offline_since_ms: None,
        weighed: None,
        strategy: Strategy::Latency,
        current: None,
        decision: None,
        endpoints: Vec::new(),
        events: Vec::new(),
        problems,
        totals: Totals::default(),
        probes: ProbeCosts::default(),
        drain: None,
        requests: Vec::new(),
        journal: JournalStatus::default(),
        host: Host::default(),
        appearance: Appearance::default(),
    }
}
