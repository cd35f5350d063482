//! What this program adds to the engine's snapshot: itself, and the desktop.

use std::collections::BTreeMap;
use std::sync::Arc;

use zephyr_control::{Host, Problem, Snapshot};

/// What a problem is about. There is one problem per topic, and a new one replaces the old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// No program shows the tray.
    Tray,
    /// Notifications cannot be shown.
    Notifications,
    /// Launching at login.
    Login,
    /// Claude Code's settings.
    ClaudeCode,
}

/// The engine's last snapshot, and what is added to it.
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

    /// Sets the engine's snapshot.
    pub(crate) fn set_base(&mut self, base: Arc<Snapshot>) {
        self.base = base;
    }

    /// What the program says about itself.
    pub(crate) fn host(&mut self) -> &mut Host {
        &mut self.host
    }

    /// Notes a problem. `None`: it is gone. Returns whether that is new.
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

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let mut snapshot = Snapshot::clone(&self.base);
        snapshot.host = self.host.clone();
        snapshot.problems.extend(self.problems.values().cloned());
        snapshot.status = snapshot.status.with_problems(&snapshot.problems);
        Arc::new(snapshot)
    }
}
