//! What runs beside the requests as long as the engine runs.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use zephyr_control::{Problem, ProblemKind};

use super::awaited;
use super::shared::Shared;
use crate::wake;

pub(super) fn spawn_tasks(
    shared: &Arc<Shared>,
    serving: impl Future<Output = ()> + Send + 'static,
    watch: Option<Result<zephyr_config::Watch, zephyr_config::WatchError>>,
    system_bus: Option<String>,
    stop: &CancellationToken,
) {
    let door = shared.door.clone();
    tokio::spawn(
        stop.clone()
            .run_until_cancelled_owned(async move { door.drive().await }),
    );
    tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
    shared.turn_to_keychain();
    tokio::spawn(
        stop.clone()
            .run_until_cancelled_owned(awaited::drive(Arc::clone(shared))),
    );
    let door = shared.door.clone();
    let listening = wake::listen(system_bus, move || door.wake());
    tokio::spawn(stop.clone().run_until_cancelled_owned(listening));
    let (door, keeper) = (shared.door.clone(), shared.keeper.clone());
    let keeping = async move { keeper.keep(move || door.memory()).await };
    tokio::spawn(stop.clone().run_until_cancelled_owned(keeping));
    let (door, journal) = (shared.door.clone(), shared.journal.clone());
    let telling = async move {
        loop {
            journal.problems_changed().await;
            door.touch();
        }
    };
    tokio::spawn(stop.clone().run_until_cancelled_owned(telling));
    match watch {
        Some(Ok(mut watch)) => {
            watch.ignore(shared.own_write.clone());
            let shared = Arc::clone(shared);
            let watching = async move {
                loop {
                    watch.changed().await;
                    // The reload itself reports a rejected file.
                    let _ = shared.reload().await;
                }
            };
            tokio::spawn(stop.clone().run_until_cancelled_owned(watching));
        }
        Some(Err(error)) => {
            tracing::warn!(%error, "the configuration is not watched");
            shared.status().unwatched = Some(Problem::new(
                ProblemKind::ConfigWarning,
                error.to_string(),
                "changes take effect with a reload (SIGHUP) or a restart",
            ));
        }
        None => {}
    }
}
