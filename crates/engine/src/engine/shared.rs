//! What every part of a running engine shares.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use zephyr_config::{Loaded, OwnWrite};
use zephyr_control::{Listening, Problem, Snapshot};
use zephyr_core::Fleet;
use zephyr_journal::Journal;
use zephyr_secrets::Secret;
use zephyr_secrets::vault::Keychain;

use super::fleet_door::FleetDoor;
use super::live::{Live, Source};
use super::options::Options;
use super::remotes::{configured_address, instance_id, journal_settings, prepare, remotes};
use super::removed::Removed;
use super::start_error::StartError;
use crate::calendar;
use crate::endpoints::network::Network;
use crate::memory::Keeper;
use crate::metrics::Metrics;
use crate::request::request_id::RequestIds;
use crate::request::traffic::Traffic;

pub struct Shared {
    pub door: FleetDoor,
    pub traffic: Arc<Traffic>,
    pub metrics: Arc<Metrics>,
    pub request_ids: RequestIds,
    /// The records of requests and of endpoints.
    pub journal: Journal,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) keeper: Keeper,
    pub(super) live: RwLock<Arc<Live>>,
    pub(super) network: Network,
    pub(super) source: Source,
    pub(super) keychain: Arc<Keychain>,
    /// Notified when the keychain may have something new.
    pub(super) keychain_news: Arc<Notify>,
    pub(super) started: Instant,
    /// The address that was configured at the start. It stays in use.
    pub(super) address: SocketAddr,
    pub(super) status: Mutex<Status>,
    /// The last snapshot.
    pub(super) latest: Mutex<Option<Latest>>,
    /// Allows one reload at a time.
    pub(super) reloading: tokio::sync::Mutex<()>,
    /// Allows one change of the configuration file at a time.
    pub(super) amending: tokio::sync::Mutex<()>,
    pub(super) own_write: OwnWrite,
    pub(super) removed: Mutex<Option<Removed>>,
}

/// What front-ends are shown besides the fleet.
#[derive(Default)]
pub(super) struct Status {
    pub(super) listening: Listening,
    /// Why a changed configuration is not in force. Set until a reload succeeds.
    pub(super) rejected: Option<Problem>,
    /// Why changes of the file are not noticed.
    pub(super) unwatched: Option<Problem>,
    pub(super) drain_until: Option<Instant>,
}

/// The last snapshot, and its age.
pub(super) struct Latest {
    /// The number of the last change that it shows.
    pub(super) version: u64,
    pub(super) made: Instant,
    pub(super) snapshot: Arc<Snapshot>,
}

impl Shared {
    /// The folder for what survives a restart.
    pub fn data_dir(&self) -> Option<PathBuf> {
        self.data_dir.clone()
    }

    /// What a new engine shares. Its port is already bound.
    ///
    /// # Errors
    ///
    /// An endpoint's connections cannot be set up.
    pub(super) async fn new(
        loaded: Loaded,
        source: Source,
        options: Options,
        bound: SocketAddr,
    ) -> Result<Self, StartError> {
        let instance = instance_id();
        let address = configured_address(&loaded.config);
        let network = Network::new(options.extra_roots);
        network.set_ourselves(bound);
        let keychain = Arc::new(
            options
                .keychain
                .map_or_else(Keychain::system, Keychain::new),
        );
        let live = prepare(loaded, &source, &instance, &keychain).await;
        let known = options.known;
        known.learn(live.secrets().iter().map(Secret::expose));
        let seed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let seed = u64::try_from(seed % u128::from(u64::MAX)).unwrap_or_default();
        let now = Instant::now();
        let mut fleet = Fleet::new(live.config.clone(), &live.without_credential(), seed, now);
        fleet.begin_day(calendar::today().await);
        let data_dir = options.data_dir;
        let keeper = Keeper::new(data_dir.clone());
        let journal = options.journal.unwrap_or_else(|| {
            let settings = journal_settings(&live, &source, data_dir.as_deref());
            settings.map_or_else(Journal::default, |settings| {
                Journal::open(settings, Arc::clone(&network.metrics.journal))
            })
        });
        if let Some(memory) = keeper.load() {
            fleet.restore(memory, now);
        }
        let remotes = remotes(&fleet, &live, &network)?;
        let status = Status {
            listening: Listening {
                proxy: bound.to_string(),
                admin: None,
            },
            ..Status::default()
        };
        let metrics = &network.metrics;
        let door = FleetDoor::new(
            fleet,
            remotes,
            keeper.clone(),
            journal.clone(),
            Arc::clone(metrics),
            known.clone(),
        );
        let memory = live.config.server.memory_budget;
        let traffic = Traffic::new(
            door.clone(),
            journal.clone(),
            Arc::clone(metrics),
            (memory, known),
        );
        Ok(Self {
            door,
            traffic: Arc::new(traffic),
            metrics: Arc::clone(&network.metrics),
            request_ids: RequestIds::new(),
            journal,
            data_dir,
            keeper,
            live: RwLock::new(Arc::new(live)),
            network,
            source,
            keychain,
            keychain_news: Arc::default(),
            started: Instant::now(),
            address,
            status: Mutex::new(status),
            latest: Mutex::default(),
            reloading: tokio::sync::Mutex::new(()),
            amending: tokio::sync::Mutex::new(()),
            own_write: OwnWrite::default(),
            removed: Mutex::default(),
        })
    }

    /// The configuration in force.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the program is about to end.
    pub fn is_draining(&self) -> bool {
        self.status().drain_until.is_some()
    }

    pub(super) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
