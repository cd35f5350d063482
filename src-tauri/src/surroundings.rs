//! What this program adds to the engine's snapshot: itself, and the desktop around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use zephyr_control::{Host, Problem, Snapshot};

/// What there can be a problem with. There is one problem per topic: a new one replaces the old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Nothing shows the tray.
    Tray,
    /// Notifications reach nobody.
    Notifications,
    /// Launching at login.
    Login,
    /// Claude Code's settings.
    ClaudeCode,
}

/// The last snapshot of the engine, and what is added to it.
#[derive(Debug)]
pub(crate) struct Surroundings {
    base: Arc<Snapshot>,
    host: Host,
    problems: BTreeMap<Topic, Problem>,
}

impl Surroundings {
    pub(crate) fn new(base: Snapshot, host: Host) -> Self {
        Self {
            base: Arc::new(base),
            host,
            problems: BTreeMap::new(),
        }
    }

    /// Takes over what the engine says.
    pub(crate) fn set_base(&mut self, base: Arc<Snapshot>) {
        self.base = base;
    }

    /// What the program says of itself.
    pub(crate) fn host(&mut self) -> &mut Host {
        &mut self.host
    }

    /// Notes a problem, or that it is gone. Returns whether that is new.
    pub(crate) fn set_problem(&mut self, topic: Topic, problem: Option<Problem>) -> bool {
        if self.problems.get(&topic) == problem.as_ref() {
            return false;
        }
        match problem {
            Some(problem) => drop(self.problems.insert(topic, problem)),
            None => drop(self.problems.remove(&topic)),
        }
        true
    }

    /// Everything there is to show.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let mut snapshot = Snapshot::clone(&self.base);
        snapshot.host = self.host.clone();
        snapshot.problems.extend(self.problems.values().cloned());
        Arc::new(snapshot)
    }
}
