//! Probes without a running engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zephyr_config::Loaded;
use zephyr_core::Fleet;
use zephyr_core::config::{HealthCheck, ProbeMode};
use zephyr_core::fleet::ProbeResult;
use zephyr_journal::Journal;
use zephyr_secrets::redact::Known;
use zephyr_secrets::vault::Keychain;

use super::fleet_door::FleetDoor;
use super::live::Source;
use super::remotes::{instance_id, prepare, remotes};
use super::start_error::StartError;
use crate::endpoints::network::Network;
use crate::endpoints::remote::Remote;
use crate::memory::Keeper;
use crate::probe::likeness::LastSeen;
use crate::probe::prober::{self, Terms};
use crate::probe::punctuality::Lateness;
use crate::view;

#[derive(Clone, Debug)]
pub struct ProbeReport {
    pub endpoint: String,
    /// How long the answer took, or what went wrong in words.
    pub result: Result<Duration, String>,
}

/// Probes the named endpoints once, in parallel, without an engine. With no names it probes all of them.
///
/// # Errors
///
/// An endpoint's connections cannot be set up.
pub async fn probe_once(
    loaded: Loaded,
    source: &Source,
    names: &[String],
) -> Result<Vec<ProbeReport>, StartError> {
    let live = prepare(
        loaded,
        source,
        &instance_id(),
        &Arc::new(Keychain::system()),
    )
    .await;
    let fleet = Fleet::new(
        live.config.clone(),
        &live.without_credential(),
        0,
        Instant::now(),
    );
    let remotes = remotes(&fleet, &live, &Network::new(Vec::new()))?;
    let asked_for = |remote: &&Arc<Remote>| names.is_empty() || names.contains(&remote.spec.name);
    let mut chosen: Vec<&Arc<Remote>> = remotes.values().filter(asked_for).collect();
    chosen.sort_by_key(|remote| remote.index);
    let redactor = live.redactor();
    let redactor = &redactor;
    let reports = chosen.into_iter().map(|remote| async {
        let endpoint = remote.spec.name.clone();
        let result = match live.why_without(&endpoint) {
            Some(missing) => Err(format!("no credential: {missing}; {}", missing.remedy())),
            None => {
                let mode = remote.spec.health_check.mode;
                let terms = Terms::of(&live.config, &LastSeen::default());
                match prober::probe(remote, mode, &terms).await.result {
                    ProbeResult::Answered(latency) | ProbeResult::Reached(latency) => Ok(latency),
                    ProbeResult::Failed(outcome) => {
                        let seen = outcome.fault();
                        Err(seen
                            .map(|seen| view::words(seen, redactor).into_string())
                            .unwrap_or_default())
                    }
                }
            }
        };
        ProbeReport { endpoint, result }
    });
    Ok(futures_util::future::join_all(reports).await)
}

/// Runs the schedule of probes for that time, and says how punctual it was. It connects to every endpoint
/// every `interval`, which costs nothing, with the code of the real probes.
///
/// # Errors
///
/// An endpoint's connections cannot be set up.
pub async fn test_timing(
    mut loaded: Loaded,
    source: &Source,
    interval: Duration,
    span: Duration,
) -> Result<Lateness, StartError> {
    for spec in &mut loaded.config.endpoints {
        spec.health_check = HealthCheck {
            mode: ProbeMode::Connect,
            interval,
            dynamic_scaling: false,
            timeout: interval,
            ..HealthCheck::default()
        };
    }
    let keychain = Arc::new(Keychain::system());
    let live = prepare(loaded, source, &instance_id(), &keychain).await;
    // Connecting needs no credential.
    let fleet = Fleet::new(live.config.clone(), &BTreeSet::new(), 0, Instant::now());
    let network = Network::new(Vec::new());
    let remotes = remotes(&fleet, &live, &network)?;
    let metrics = Arc::clone(&network.metrics);
    let door = FleetDoor::new(
        fleet,
        remotes,
        Keeper::default(),
        Journal::default(),
        metrics,
        Known::default(),
    );
    let _ = tokio::time::timeout(span, door.drive()).await;
    Ok(door.punctuality().lateness())
}
