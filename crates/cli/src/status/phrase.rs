//! What the status view says besides reasons, events and states: the `status.` keys of the catalogues.

use serde::Serialize;
use zephyr_control::{Headline, Reason};

/// A phrase and its parameters, in the form that [`zephyr_control::text`] puts into words.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum Phrase<'a> {
    Heading {
        version: &'a str,
        proxy: &'a str,
        age: String,
    },
    InUse {
        endpoint: String,
        reason: &'a Reason,
    },
    InUseUnexplained {
        endpoint: String,
    },
    Overall {
        overall: String,
        headline: &'a Headline,
    },
    Automatic {
        strategy: String,
    },
    ByLatency,
    ByPriority,
    ByPrice,
    ByTurn,
    ByWeight,
    ByChance,
    Manual {
        endpoint: &'a str,
    },
    MonitoringPaused,
    Offline {
        span: String,
    },
    Ending {
        in_flight: u32,
        left: String,
    },
    Totals {
        requests: u64,
        in_flight: u32,
        failed_over: u64,
        failed: u64,
        aborted: u64,
        abandoned: u64,
    },
    Checks {
        spent: String,
        budget: f64,
    },
    ChecksFree {
        spent: String,
        budget: f64,
    },
    Timing {
        probes: usize,
        seconds: u64,
        mean: String,
        p95: String,
        max: String,
    },
    StageDns,
    StageTcp,
    StageTls,
    StageAuth,
    StageModel,
    StageFirstToken,
    StageCost {
        cost: String,
    },
    Waiting {
        count: u32,
    },
    Weighed {
        span: String,
        what: String,
    },
    WeighedStays {
        from: &'a str,
        to: &'a str,
        saved: String,
        cost: String,
    },
    WeighedMoved {
        from: &'a str,
        to: &'a str,
        saved: String,
        cost: String,
    },
    ColumnEndpoint,
    ColumnState,
    ColumnLatency,
    ColumnChecks,
    ColumnTtft,
    NotCompared {
        time: String,
    },
    Medians,
    ColumnInFlight,
    ColumnReason,
    ReasonUntil {
        reason: &'a Reason,
        left: String,
    },
    Until {
        left: String,
    },
    Problems,
    Lately,
    Ago {
        span: String,
        what: String,
    },
    Milliseconds {
        ms: String,
    },
    ExactSeconds {
        seconds: String,
    },
    NotRunning,
    EndedUncleanly {
        pid: u32,
    },
    StartIt,
    TryDemo,
    FindConfig,
    Started {
        version: &'a str,
    },
    PointClients {
        url: String,
    },
    AdminAt {
        admin: &'a str,
    },
    Opened {
        url: String,
    },
    OpenByHand {
        url: &'a str,
    },
    EndpointsAre {
        names: String,
    },
    ConfiguredBy {
        path: &'a str,
    },
    Attention {
        problem: String,
    },
    DemoStarted {
        version: &'a str,
    },
    DemoTry,
    DemoWatch,
}
