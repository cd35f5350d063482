//! The state of a running engine in the contract's terms.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use zephyr_control::{Drain, Host, Problem, ProblemKind, Snapshot};
use zephyr_core::Config;

use super::remotes::configured_address;
use super::shared::{Latest, Shared};
use crate::clock::Clock;
use crate::view;

/// How long a snapshot is used while requests make progress without any change that is announced.
const FRESH: Duration = Duration::from_millis(200);

impl Shared {
    /// The current state. While nothing changes, all callers get the same snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, now) = (self.door.version(), Instant::now());
        if let Some(latest) = &*latest
            && latest.version == version
            && now.saturating_duration_since(latest.made) < FRESH
        {
            return Arc::clone(&latest.snapshot);
        }
        let snapshot = self.make_snapshot();
        *latest = Some(Latest {
            version,
            made: now,
            snapshot: Arc::clone(&snapshot),
        });
        snapshot
    }

    fn make_snapshot(&self) -> Arc<Snapshot> {
        let live = self.live();
        let totals = self.traffic.totals();
        let requests = self.traffic.requests(&Clock::now());
        let (redactor, ours) = (self.traffic.known.redactor(), self.traffic.known.ours());
        let mut problems = live.problems.clone();
        problems.extend(self.journal.problems());
        let (listening, drain_until) = {
            let status = self.status();
            let moved = self.moved(&live.config);
            let first = [&status.rejected, &moved, &status.unwatched];
            problems.splice(0..0, first.into_iter().flatten().cloned());
            (status.listening.clone(), status.drain_until)
        };
        let problems: Vec<Problem> = problems
            .iter()
            .map(|problem| problem.redacted(&ours))
            .collect();
        self.door.look(|state, clock| {
            let fleet = &state.fleet;
            let now = Instant::now();
            let preferred = fleet.preferred();
            Arc::new(Snapshot {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                taken_at_ms: clock.unix_ms(now),
                started_at_ms: clock.unix_ms(self.started),
                listening,
                config_path: self
                    .source
                    .path()
                    .map(|path| ours.text(&path.display().to_string())),
                status: view::status(fleet, now).with_problems(&problems),
                mode: view::mode(fleet),
                paused: fleet.is_paused(),
                offline_since_ms: fleet.offline_since().map(|at| clock.unix_ms(at)),
                strategy: view::strategy(fleet.config().routing.strategy),
                current: preferred.map(|(id, _)| state.name(id)),
                decision: preferred
                    .map(|(id, decision)| view::decision(fleet, id, decision, now, &redactor)),
                weighed: view::weighed(fleet, clock),
                endpoints: view::endpoints(fleet, clock, (&redactor, &ours)),
                events: state.log.events(),
                problems,
                totals,
                probes: view::probe_costs(fleet),
                drain: drain_until.map(|until| Drain {
                    in_flight: totals.in_flight,
                    until_ms: clock.unix_ms(until),
                }),
                requests,
                journal: self.journal.status(),
                host: Host::default(),
                appearance: view::appearance(&live.config.ui),
            })
        })
    }

    /// The problem to show while the configuration names another address than the one in use.
    fn moved(&self, config: &Config) -> Option<Problem> {
        let wanted = configured_address(config);
        (wanted != self.address).then(|| {
            Problem::new(
                ProblemKind::Port,
                format!(
                    "server.host and server.port now say {wanted}; the old address stays in use"
                ),
                "restart Zephyr to listen on the new one",
            )
        })
    }
}
