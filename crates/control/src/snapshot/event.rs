//! What happened.

use serde::{Deserialize, Serialize};

use super::decision::Decision;
use crate::reason::Reason;

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
    /// Something was wrong with an answer, and its client has it all the same: it was complete, or the
    /// configuration asks for that.
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
