//! All endpoints, and everything that decisions about them depend on. This is the only mutable state of a
//! running Zephyr that decides anything.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use super::conversations::Conversations;
use super::effect::Effect;
use super::endpoint::Endpoint;
use super::mode::Mode;
use super::queue::Queue;
use super::reason::Decision;
use super::rounds::Rounds;
use super::turns::Turns;
use super::weighed::Weighed;
use crate::budget::{HedgeBudget, RetryBudget};
use crate::config::Config;
use crate::endpoint_id::EndpointId;
use crate::rng::Rng;
use crate::spend::Spend;

/// All endpoints, and every decision about them.
#[derive(Debug)]
pub struct Fleet {
    pub(super) config: Config,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) next_id: u32,
    pub(super) mode: Mode,
    pub(super) paused: bool,
    pub(super) preferred: Option<EndpointId>,
    pub(super) decision: Option<Decision>,
    /// The endpoint that was preferred before this one, if one was until then.
    pub(super) left: Option<EndpointId>,
    pub(super) switched_at: Option<Instant>,
    /// Set while only the dwell prevents a switch to a better endpoint.
    pub(super) dwell_until: Option<Instant>,
    pub(super) all_down: bool,
    pub(super) offline_since: Option<Instant>,
    /// After a sleep: the network is blamed for failures until then.
    pub(super) grace_until: Option<Instant>,
    pub(super) conversations: Conversations,
    pub(super) weighed: Option<Weighed>,
    pub(super) budget: RetryBudget,
    pub(super) hedges: HedgeBudget,
    pub(super) spend: Spend,
    pub(super) rounds: Rounds,
    /// When a request was last in flight.
    pub(super) busy_at: Instant,
    pub(super) queue: Queue,
    pub(super) turns: Turns,
    pub(super) rng: Rng,
    pub(super) effects: VecDeque<Effect>,
}

impl Fleet {
    /// A fleet with the endpoints of the configuration. None is measured yet, and all probes are due.
    ///
    /// `seed` decides random choices and jitter. `without_credential` names the endpoints whose credential
    /// was not found.
    pub fn new(
        config: Config,
        without_credential: &BTreeSet<String>,
        seed: u64,
        now: Instant,
    ) -> Self {
        let mut fleet = Self {
            budget: RetryBudget::new(config.failover.retry_budget_percent),
            hedges: HedgeBudget::new(config.failover.hedge_budget_percent),
            config: Config::default(),
            endpoints: Vec::new(),
            next_id: 0,
            mode: Mode::Auto,
            paused: false,
            preferred: None,
            decision: None,
            left: None,
            switched_at: None,
            dwell_until: None,
            all_down: false,
            offline_since: None,
            grace_until: None,
            conversations: Conversations::default(),
            weighed: None,
            spend: Spend::default(),
            rounds: Rounds::new(now),
            busy_at: now,
            queue: Queue::new(now),
            turns: Turns::default(),
            rng: Rng::new(seed),
            effects: VecDeque::new(),
        };
        fleet.handle_config(config, without_credential, &BTreeSet::new(), now);
        fleet
    }

    pub(super) fn get(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }

    pub(super) fn get_mut(&mut self, id: EndpointId) -> Option<&mut Endpoint> {
        self.endpoints.iter_mut().find(|endpoint| endpoint.id == id)
    }
}
