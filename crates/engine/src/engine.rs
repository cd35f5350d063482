//! A running engine: listener, fleet, probes and settings, and the `Control` over them.

mod amend;
mod diagnose;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::stream;
use http::HeaderValue;
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use zephyr_control::{
    Command, Complaint, Configuration, Control, ControlError, ControlFuture, Diagnosis, Done,
    Drain, EndpointHistory, ErrorCode, EventKind, HistoryQuery, Host, Listening, Paging, Problem,
    ProblemKind, RequestDetail, RequestFilter, RequestPage, Snapshot, Snapshots, Tested,
    UsageQuery, UsageReport,
};
use zephyr_core::config::{HealthCheck, ProbeMode};
use zephyr_core::fleet::{Availability, ProbeResult};
use zephyr_core::{Config, EndpointId, Fleet};

use crate::awaited;
use crate::calendar;
use crate::clock::Clock;
use crate::dispatcher::Dispatcher;
use crate::live::{self, Live, Source};
use crate::memory::Keeper;
use crate::metrics::Metrics;
use crate::prober;
use crate::punctuality::Lateness;
use crate::remote::Remote;
use crate::request_id::RequestIds;
use crate::server;
use crate::upstream::{Network, Upstream};
use crate::view;
use crate::wake;
use zephyr_config::Loaded;
use zephyr_config::edit::change::Change;
use zephyr_journal::{self, Journal, QueryError};
use zephyr_secrets::vault::{Keychain, KeychainError, Store};

pub use diagnose::diagnose_once;

/// Least time between two snapshots of one stream.
const SNAPSHOT_INTERVAL: Duration = Duration::from_millis(250);

/// Longest time between two snapshots of one stream while there are requests to show.
const REQUESTS_INTERVAL: Duration = Duration::from_secs(1);

/// How long the last bytes of answers may take to leave at the end.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// How long the last write to the data folder may take.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// A running engine. Dropping it ends it at once; [`Engine::drain`] first lets requests finish.
pub struct Engine {
    shared: Arc<Shared>,
    stop_listening: CancellationToken,
    connections: TaskTracker,
    /// Ends the driver, the watcher and the listener when the engine is dropped.
    _tasks: DropGuard,
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The proxy's port cannot be had.
    #[error(
        "cannot listen on {address}: {source}; change server.port (or server.host) in the configuration, or stop what uses it"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// An endpoint's connections cannot be set up.
    #[error("endpoint {endpoint}: {reason}")]
    Endpoint {
        /// Its name.
        endpoint: String,
        /// What is wrong.
        reason: String,
    },
}

/// What starts an engine besides its configuration.
#[derive(Default)]
pub struct Options {
    /// Trusted besides the system's certificates; for tests.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Time for a request's head, in place of the usual one; for tests.
    pub head_timeout: Option<Duration>,
    /// Most connections of clients at once, in place of the usual number.
    pub max_connections: Option<usize>,
    /// Where keychain entries are, in place of the system's keychain.
    pub keychain: Option<Arc<dyn Store>>,
    /// The folder for what survives a restart; without one nothing does.
    pub data_dir: Option<PathBuf>,
    /// The address of the system bus, in place of the usual one; for tests.
    pub system_bus: Option<String>,
    /// A journal in place of its own; for tests.
    pub journal: Option<Journal>,
}

/// What every part of a running engine shares.
pub struct Shared {
    /// The fleet.
    pub dispatcher: Dispatcher,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The names of requests.
    pub request_ids: RequestIds,
    /// What is written down of them.
    pub journal: Journal,
    data_dir: Option<PathBuf>,
    keeper: Keeper,
    live: RwLock<Arc<Live>>,
    network: Network,
    source: Source,
    keychain: Arc<Keychain>,
    /// There may be something new in the keychain.
    keychain_news: Arc<Notify>,
    started: Instant,
    /// The address that was configured at the start; it stays in use.
    address: SocketAddr,
    status: Mutex<Status>,
    /// One reload at a time.
    reloading: tokio::sync::Mutex<()>,
    /// One change of the configuration file at a time.
    amending: tokio::sync::Mutex<()>,
    own_write: zephyr_config::OwnWrite,
    removed: Mutex<Option<amend::Removed>>,
}

/// What front-ends are shown besides the fleet.
#[derive(Default)]
struct Status {
    listening: Listening,
    /// Why a changed configuration is not in force; until a reload succeeds.
    rejected: Option<Problem>,
    /// Why changes are not noticed by themselves.
    unwatched: Option<Problem>,
    drain_until: Option<Instant>,
}

impl Engine {
    /// Starts the engine: binds the port, reads the credentials, begins to probe.
    ///
    /// # Errors
    ///
    /// The port is taken, or an endpoint's connections cannot be set up.
    pub async fn start(loaded: Loaded, source: Source) -> Result<Self, StartError> {
        Self::start_with(loaded, source, Options::default()).await
    }

    /// [`Self::start`] with options.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn start_with(
        loaded: Loaded,
        source: Source,
        options: Options,
    ) -> Result<Self, StartError> {
        let address = configured_address(&loaded.config);
        let listener = server::bind(address)
            .await
            .map_err(|source| StartError::Bind { address, source })?;
        let bound = listener
            .local_addr()
            .map_err(|source| StartError::Bind { address, source })?;
        let limits = server::Limits {
            head_timeout: options.head_timeout.unwrap_or(server::HEAD_TIMEOUT),
            connections: options.max_connections.unwrap_or(server::MAX_CONNECTIONS),
        };
        let system_bus = options.system_bus.clone();
        // Before `.env` is read, so that no change falls between.
        let watch = source
            .path()
            .map(|path| zephyr_config::watch(path).map(|watch| watch.since(&loaded)));
        let shared = Arc::new(Shared::new(loaded, source, options, bound).await?);
        let stop = CancellationToken::new();
        let stop_listening = stop.child_token();
        let connections = TaskTracker::new();
        let serving = server::serve(
            listener,
            Arc::clone(&shared),
            limits,
            connections.clone(),
            stop_listening.clone(),
        );
        spawn_tasks(&shared, serving, watch, system_bus, &stop);
        Ok(Self {
            shared,
            stop_listening,
            connections,
            _tasks: stop.drop_guard(),
        })
    }

    /// The handle for front-ends.
    pub fn control(&self) -> Arc<dyn Control> {
        Arc::new(Handle(Arc::clone(&self.shared)))
    }

    /// Where the proxy listens.
    pub fn proxy_addr(&self) -> SocketAddr {
        let listening = self.shared.status().listening.proxy.clone();
        listening
            .parse()
            .expect("written by this module from a SocketAddr")
    }

    /// Shows front-ends where the admin API is.
    pub fn set_admin_addr(&self, address: SocketAddr) {
        self.shared.status().listening.admin = Some(address.to_string());
        self.shared.dispatcher.touch();
    }

    /// The configuration in force.
    pub fn config(&self) -> Config {
        self.shared.live().config.clone()
    }

    /// The machine slept, or its network is another: whoever hears of it may say so.
    pub fn wake(&self) {
        self.shared.dispatcher.wake();
    }

    /// Takes no new request, and waits for those in flight, at most `server.graceful_switch_timeout_ms`;
    /// then ends them.
    pub async fn drain(&self) {
        let timeout = self.shared.live().config.server.drain_timeout;
        self.shared.status().drain_until = Some(Instant::now() + timeout);
        self.stop_listening.cancel();
        self.shared.dispatcher.turn_away();
        if tokio::time::timeout(timeout, self.shared.dispatcher.idle())
            .await
            .is_err()
        {
            self.shared.dispatcher.cut_all();
        }
        // Neither a client that does not take its last bytes nor a slow disk can hold the end up.
        let _ = tokio::time::timeout(LAST_BYTES, self.connections.wait()).await;
        let dispatcher = self.shared.dispatcher.clone();
        let written = self.shared.keeper.write(move || dispatcher.memory());
        let last = async { tokio::join!(written, self.shared.journal.close()) };
        let _ = tokio::time::timeout(LAST_WRITE, last).await;
    }
}

impl Shared {
    async fn new(
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
        let seed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let seed = u64::try_from(seed % u128::from(u64::MAX)).unwrap_or_default();
        let now = Instant::now();
        let mut fleet = Fleet::new(live.config.clone(), &live.without_credential(), seed, now);
        fleet.begin_day(calendar::today(now));
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
        Ok(Self {
            dispatcher: Dispatcher::new(
                fleet,
                remotes,
                keeper.clone(),
                journal.clone(),
                Arc::clone(&network.metrics),
            ),
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
            reloading: tokio::sync::Mutex::new(()),
            amending: tokio::sync::Mutex::new(()),
            own_write: zephyr_config::OwnWrite::default(),
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

    /// The state at this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let live = self.live();
        let totals = self.dispatcher.totals();
        let requests = self.dispatcher.requests(&Clock::now());
        let mut problems = live.problems.clone();
        problems.extend(self.journal.problems());
        let (listening, drain_until) = {
            let status = self.status();
            let moved = self.moved(&live.config);
            let first = [&status.rejected, &moved, &status.unwatched];
            problems.splice(0..0, first.into_iter().flatten().cloned());
            (status.listening.clone(), status.drain_until)
        };
        self.dispatcher.look(|state, clock| {
            let fleet = &state.fleet;
            let now = Instant::now();
            let preferred = fleet.preferred();
            Arc::new(Snapshot {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                taken_at_ms: clock.unix_ms(now),
                started_at_ms: clock.unix_ms(self.started),
                listening,
                config_path: self.source.path().map(|path| path.display().to_string()),
                mode: view::mode(fleet),
                paused: fleet.is_paused(),
                offline_since_ms: fleet.offline_since().map(|at| clock.unix_ms(at)),
                strategy: view::strategy(fleet.config().routing.strategy),
                current: preferred.map(|(id, _)| state.name(id)),
                decision: preferred.map(|(id, decision)| view::decision(fleet, id, decision, now)),
                endpoints: view::endpoints(fleet, clock),
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

    /// What to say while the configuration names another address than the one in use.
    fn moved(&self, config: &Config) -> Option<Problem> {
        let wanted = configured_address(config);
        (wanted != self.address).then(|| Problem {
            kind: ProblemKind::Port,
            message: format!(
                "server.host and server.port now say {wanted}; the old address stays in use"
            ),
            remedy: "restart Zephyr to listen on the new one".to_owned(),
        })
    }

    /// Reads the configuration again and takes it over without dropping a request.
    async fn reload(&self) -> Result<Done, ControlError> {
        if self.source.path().is_none() {
            let message = "this instance has no configuration file to read again";
            return Err(ControlError::new(ErrorCode::NotPossible, message));
        }
        let _one_at_a_time = self.reloading.lock().await;
        self.own_write.forget();
        let (source, old) = (self.source.clone(), self.live());
        let keychain = Arc::clone(&self.keychain);
        let read =
            tokio::task::spawn_blocking(move || live::reload(&source, &old, &keychain)).await;
        match read.map_err(|error| ControlError::new(ErrorCode::Internal, error.to_string()))? {
            Ok(live) => match self.check_connections(&live) {
                Ok(()) => {
                    self.status().rejected = None;
                    let applied = self.apply(&live);
                    Ok(Done { message: applied })
                }
                Err(error) => Err(self.reject(&error)),
            },
            Err(error) => Err(self.reject(&error)),
        }
    }

    /// Looks again for what the keychain withheld, and takes it over without dropping a request.
    pub async fn look_again(&self) {
        let _one_at_a_time = self.reloading.lock().await;
        let live = self.live();
        if live.withheld.is_empty() {
            return;
        }
        let (source, keychain) = (self.source.clone(), Arc::clone(&self.keychain));
        let look = move || live.look_again(&source, &keychain).map(Arc::new);
        match tokio::task::spawn_blocking(look).await {
            Ok(Some(live)) => drop(self.apply(&live)),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the keychain was not looked at"),
        }
    }

    /// Looks every credential up again, and takes them over without dropping a request.
    async fn renew_credentials(&self) {
        let _one_at_a_time = self.reloading.lock().await;
        let live = self.live();
        let (source, keychain) = (self.source.clone(), Arc::clone(&self.keychain));
        let look = move || Arc::new(live.renewed(&source, &keychain));
        match tokio::task::spawn_blocking(look).await {
            Ok(live) => drop(self.apply(&live)),
            Err(error) => tracing::error!(%error, "the credentials were not looked up"),
        }
    }

    /// Whether looking again by itself may find what the keychain withheld.
    pub fn awaits_keychain(&self) -> bool {
        self.live().withheld.values().any(KeychainError::may_pass)
    }

    /// Waits until there may be something new in the keychain.
    pub async fn keychain_news(&self) {
        self.keychain_news.notified().await;
    }

    /// Looks for what the keychain withheld; a locked one has the person asked.
    fn turn_to_keychain(&self) {
        self.keychain_news.notify_one();
        let is_locked = |error: &KeychainError| *error == KeychainError::Locked;
        if self.live().withheld.values().any(is_locked) {
            let news = Arc::clone(&self.keychain_news);
            self.keychain.ask(move || news.notify_one());
        }
    }

    /// Whether connections to every endpoint can be set up, so that the fleet never has one without.
    fn check_connections(&self, live: &Live) -> Result<(), StartError> {
        let timeout = live.config.failover.connect_timeout;
        for spec in &live.config.endpoints {
            Upstream::new(&self.network, spec, timeout).map_err(|error| StartError::Endpoint {
                endpoint: spec.name.clone(),
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }

    fn apply(&self, live: &Arc<Live>) -> String {
        let old = self.live();
        let known = self.dispatcher.look(|state, _| state.remotes.clone());
        let changed = live.changed_since(&old);
        let timeout_same =
            old.config.failover.connect_timeout == live.config.failover.connect_timeout;
        self.dispatcher.reconfigure(
            live.config.clone(),
            &live.without_credential(),
            &changed,
            |id, name| {
                let index = live
                    .config
                    .endpoints
                    .iter()
                    .position(|spec| spec.name == name)?;
                let same = known.get(&id).filter(|old_remote| {
                    timeout_same
                        && old_remote.index == index
                        && old_remote.format == live.config.validation.format()
                        && old_remote.spec == live.config.endpoints[index]
                        && old.secret(name) == live.secret(name)
                });
                match same {
                    Some(remote) => Some(Arc::clone(remote)),
                    None => remote(id, index, live, &self.network).ok().map(Arc::new),
                }
            },
        );
        self.metrics
            .keep(|name| live.config.endpoint(name).is_some());
        if let Some(settings) = journal_settings(live, &self.source, self.data_dir.as_deref()) {
            self.journal.configure(settings);
        }
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(live);
        self.keychain_news.notify_one();
        self.keeper.decided();
        self.dispatcher.touch();
        format!(
            "configuration reloaded: {} endpoints",
            live.config.endpoints.len()
        )
    }

    /// The running configuration stays; every front-end shows why.
    fn reject(&self, error: &dyn std::error::Error) -> ControlError {
        tracing::error!(
            "the changed configuration was rejected; the running one stays in force\n{error}"
        );
        self.status().rejected = Some(Problem {
            kind: ProblemKind::ConfigError,
            message: error.to_string(),
            remedy: "correct the file; it is read again as soon as it is saved".to_owned(),
        });
        self.dispatcher.note(EventKind::ConfigRejected);
        ControlError::new(ErrorCode::InvalidConfiguration, error.to_string())
    }

    async fn execute(&self, command: Command) -> Result<Done, ControlError> {
        if let Some(change) = Change::of(&command) {
            return self.amend(change).await;
        }
        let (event, message) = match command {
            Command::Use { endpoint } => {
                let id = self.find_usable(&endpoint)?;
                self.dispatcher.step(|state, now| state.fleet.pin(id, now));
                let message =
                    format!("{endpoint} is pinned; a request that fails there still fails over");
                (Some(EventKind::Pinned { endpoint }), message)
            }
            Command::Auto => {
                self.dispatcher.step(|state, now| state.fleet.unpin(now));
                (
                    Some(EventKind::Automatic),
                    "Zephyr chooses the endpoint".to_owned(),
                )
            }
            Command::Pause => {
                self.dispatcher.step(|state, now| state.fleet.pause(now));
                (
                    Some(EventKind::Paused),
                    "monitoring is paused; requests go on, and still fail over".to_owned(),
                )
            }
            Command::Resume => {
                self.dispatcher.step(|state, now| state.fleet.resume(now));
                (Some(EventKind::Resumed), "monitoring goes on".to_owned())
            }
            Command::Refresh => {
                self.turn_to_keychain();
                self.dispatcher.step(|state, now| {
                    state.fleet.refresh(now);
                    state.fleet.handle_timeout(now);
                });
                (None, "every endpoint is being probed".to_owned())
            }
            Command::Enable { endpoint } => {
                let id = self.find(&endpoint)?;
                self.dispatcher
                    .step(|state, now| state.fleet.enable(id, now));
                let message = format!("{endpoint} is switched on");
                (Some(EventKind::Enabled { endpoint }), message)
            }
            Command::Disable { endpoint } => {
                let id = self.find(&endpoint)?;
                self.dispatcher
                    .step(|state, now| state.fleet.disable(id, now));
                let message =
                    format!("{endpoint} is switched off; its requests in flight may finish");
                (Some(EventKind::Disabled { endpoint }), message)
            }
            Command::Reinstate { endpoint } => {
                let ids = match &endpoint {
                    Some(name) => vec![self.find(name)?],
                    None => self
                        .dispatcher
                        .look(|state, _| state.fleet.status().map(|status| status.id).collect()),
                };
                self.dispatcher.step(|state, now| {
                    for id in ids {
                        state.fleet.reinstate(id, now);
                    }
                });
                let whose = endpoint.as_deref().unwrap_or("every endpoint");
                (None, format!("{whose} may take requests again"))
            }
            Command::Reload => {
                let outcome = self.reload().await;
                self.turn_to_keychain();
                return outcome;
            }
            Command::StoreToken { reference, token } => {
                return self.store_token(reference, token).await;
            }
            Command::AddEndpoint { .. }
            | Command::EditEndpoint { .. }
            | Command::MoveEndpoint { .. }
            | Command::RemoveEndpoint { .. }
            | Command::Set { .. }
            | Command::ConnectClaudeCode
            | Command::DisconnectClaudeCode
            | Command::LaunchAtLogin { .. }
            | Command::Show
            | Command::Quit => {
                let message = "the program that runs this engine cannot do that";
                return Err(ControlError::new(ErrorCode::NotPossible, message));
            }
        };
        if let Some(event) = event {
            self.dispatcher.note(event);
            self.keeper.decided();
        }
        Ok(Done { message })
    }

    fn find(&self, name: &str) -> Result<EndpointId, ControlError> {
        self.dispatcher.look(|state, _| {
            state.fleet.find(name).ok_or_else(|| {
                let names: Vec<String> = state
                    .fleet
                    .status()
                    .map(|status| status.spec.name.clone())
                    .collect();
                let message = format!(
                    "no endpoint is named {name:?}; there are: {}",
                    names.join(", ")
                );
                ControlError::new(ErrorCode::UnknownEndpoint, message)
            })
        })
    }

    /// An endpoint that a person can choose: not one that they, or a missing credential, keep out.
    fn find_usable(&self, name: &str) -> Result<EndpointId, ControlError> {
        let id = self.find(name)?;
        let stands_in_the_way = self.dispatcher.look(|state, _| {
            let status = state.fleet.status_of(id)?;
            match status.availability {
                Availability::Disabled | Availability::Draining { .. } => Some(format!(
                    "{name} is switched off; `zephyr enable {name}` switches it on"
                )),
                Availability::Enabled if !status.has_credential => Some(format!(
                    "{name} has no credential; `zephyr status` says which one is missing"
                )),
                Availability::Enabled => None,
            }
        });
        match stands_in_the_way {
            Some(message) => Err(ControlError::new(ErrorCode::NotPossible, message)),
            None => Ok(id),
        }
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The engine's own `Control`.
struct Handle(Arc<Shared>);

impl Control for Handle {
    fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>> {
        Box::pin(async { Ok(self.0.snapshot()) })
    }

    fn snapshots(&self) -> ControlFuture<'_, Snapshots> {
        let shared = Arc::clone(&self.0);
        let mut changes = shared.dispatcher.changes();
        changes.mark_changed(); // The first snapshot comes at once.
        let snapshots = stream::unfold(
            (shared, changes, false),
            |(shared, mut changes, spaced)| async move {
                if spaced {
                    tokio::time::sleep(SNAPSHOT_INTERVAL).await;
                }
                if shared.dispatcher.has_requests() {
                    // Streams flow, and what has ended fades, without a change that anybody rings for.
                    let change = tokio::time::timeout(REQUESTS_INTERVAL, changes.changed()).await;
                    change.unwrap_or(Ok(())).ok()?;
                } else {
                    changes.changed().await.ok()?;
                }
                Some((shared.snapshot(), (shared, changes, true)))
            },
        );
        Box::pin(async { Ok(Box::pin(snapshots) as Snapshots) })
    }

    fn execute(&self, command: Command) -> ControlFuture<'_, Done> {
        Box::pin(self.0.execute(command))
    }

    fn metrics(&self) -> ControlFuture<'_, String> {
        Box::pin(async { Ok(self.0.metrics.text(self.0.snapshot())) })
    }

    fn configuration(&self) -> ControlFuture<'_, Configuration> {
        Box::pin(self.0.configuration())
    }

    fn check(&self, command: Command) -> ControlFuture<'_, Vec<Complaint>> {
        Box::pin(self.0.check(command))
    }

    fn requests(&self, filter: RequestFilter, paging: Paging) -> ControlFuture<'_, RequestPage> {
        Box::pin(async move { answer(self.0.journal.requests(filter, paging).await) })
    }

    fn request(&self, id: u64) -> ControlFuture<'_, RequestDetail> {
        Box::pin(async move { answer(self.0.journal.request(id).await) })
    }

    fn usage(&self, query: UsageQuery) -> ControlFuture<'_, UsageReport> {
        Box::pin(async move { answer(self.0.journal.usage(query).await) })
    }

    fn history(&self, query: HistoryQuery) -> ControlFuture<'_, Vec<EndpointHistory>> {
        Box::pin(async move { answer(self.0.journal.history(query).await) })
    }

    fn diagnose(&self, tested: Tested) -> ControlFuture<'_, Diagnosis> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            // Whoever asked may leave; what it costs is counted all the same.
            let diagnosed = tokio::spawn(async move { shared.diagnose(tested).await });
            let diagnosed = diagnosed.await;
            diagnosed.map_err(|error| ControlError::new(ErrorCode::Internal, error.to_string()))?
        })
    }
}

/// The journal's answer in the contract's terms.
fn answer<T>(answer: Result<T, QueryError>) -> Result<T, ControlError> {
    answer.map_err(|error| {
        let code = match error {
            QueryError::NoRequest(_) => ErrorCode::UnknownRequest,
            QueryError::NotKept => ErrorCode::NotPossible,
            QueryError::Unreadable(_) | QueryError::Body(_) | QueryError::Ending => {
                ErrorCode::Internal
            }
        };
        ControlError::new(code, error.to_string())
    })
}

fn spawn_tasks(
    shared: &Arc<Shared>,
    serving: impl Future<Output = ()> + Send + 'static,
    watch: Option<Result<zephyr_config::Watch, zephyr_config::WatchError>>,
    system_bus: Option<String>,
    stop: &CancellationToken,
) {
    let dispatcher = shared.dispatcher.clone();
    tokio::spawn(
        stop.clone()
            .run_until_cancelled_owned(async move { dispatcher.drive().await }),
    );
    tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
    shared.turn_to_keychain();
    tokio::spawn(
        stop.clone()
            .run_until_cancelled_owned(awaited::drive(Arc::clone(shared))),
    );
    let dispatcher = shared.dispatcher.clone();
    let listening = wake::listen(system_bus, move || dispatcher.wake());
    tokio::spawn(stop.clone().run_until_cancelled_owned(listening));
    let (dispatcher, keeper) = (shared.dispatcher.clone(), shared.keeper.clone());
    let keeping = async move { keeper.keep(move || dispatcher.memory()).await };
    tokio::spawn(stop.clone().run_until_cancelled_owned(keeping));
    let (dispatcher, journal) = (shared.dispatcher.clone(), shared.journal.clone());
    let telling = async move {
        loop {
            journal.news().await;
            dispatcher.touch();
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
                    // A rejected file has been reported by the reload itself.
                    let _ = shared.reload().await;
                }
            };
            tokio::spawn(stop.clone().run_until_cancelled_owned(watching));
        }
        Some(Err(error)) => {
            tracing::warn!(%error, "the configuration is not watched");
            shared.status().unwatched = Some(Problem {
                kind: ProblemKind::ConfigWarning,
                message: error.to_string(),
                remedy: "changes take effect with a reload (SIGHUP) or a restart".to_owned(),
            });
        }
        None => {}
    }
}

/// How one endpoint's probe ended.
#[derive(Clone, Debug)]
pub struct ProbeReport {
    /// Its name.
    pub endpoint: String,
    /// How long the answer took, or what went wrong, in words.
    pub result: Result<Duration, String>,
}

/// Probes the named endpoints (all of them, if none is named) once, in parallel, without an engine.
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
    let reports = chosen.into_iter().map(|remote| async {
        let endpoint = remote.spec.name.clone();
        let result = match live.why_without(&endpoint) {
            Some(missing) => Err(format!("no credential: {missing}; {}", missing.remedy())),
            None => {
                match prober::probe(remote, remote.spec.health_check.mode, &live.config.pricing)
                    .await
                    .result
                {
                    ProbeResult::Answered(latency) | ProbeResult::Reached(latency) => Ok(latency),
                    ProbeResult::Failed(outcome) => {
                        Err(outcome.fault().map(view::in_words).unwrap_or_default())
                    }
                }
            }
        };
        ProbeReport { endpoint, result }
    });
    Ok(futures_util::future::join_all(reports).await)
}

/// Runs the schedule of probes for so long, and says how punctual it was: every endpoint is connected to
/// every `interval`, which costs nothing, by the same code that probes at other times.
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
    // A connection needs no credential.
    let fleet = Fleet::new(live.config.clone(), &BTreeSet::new(), 0, Instant::now());
    let network = Network::new(Vec::new());
    let remotes = remotes(&fleet, &live, &network)?;
    let metrics = Arc::clone(&network.metrics);
    let dispatcher = Dispatcher::new(
        fleet,
        remotes,
        Keeper::default(),
        Journal::default(),
        metrics,
    );
    let _ = tokio::time::timeout(span, dispatcher.drive()).await;
    Ok(dispatcher.punctuality().lateness())
}

/// [`Live::prepare`], where it may block.
async fn prepare(
    loaded: Loaded,
    source: &Source,
    instance: &HeaderValue,
    keychain: &Arc<Keychain>,
) -> Live {
    let (source, instance) = (source.clone(), instance.clone());
    let keychain = Arc::clone(keychain);
    let prepare = move || Live::prepare(loaded, &source, instance, &keychain);
    let prepared = tokio::task::spawn_blocking(prepare).await;
    prepared.expect("looking up credentials does not panic")
}

fn remotes(
    fleet: &Fleet,
    live: &Live,
    network: &Network,
) -> Result<BTreeMap<EndpointId, Arc<Remote>>, StartError> {
    let mut remotes = BTreeMap::new();
    for (index, spec) in live.config.endpoints.iter().enumerate() {
        let id = fleet
            .find(&spec.name)
            .expect("the fleet was made of this configuration");
        let remote = remote(id, index, live, network).map_err(|reason| StartError::Endpoint {
            endpoint: spec.name.clone(),
            reason,
        })?;
        remotes.insert(id, Arc::new(remote));
    }
    Ok(remotes)
}

fn remote(id: EndpointId, index: usize, live: &Live, network: &Network) -> Result<Remote, String> {
    let spec = live.config.endpoints[index].clone();
    let secret = live.secret(&spec.name);
    let timeout = live.config.failover.connect_timeout;
    let format = live.config.validation.format();
    Remote::new(id, index, spec, format, secret, network, timeout)
        .map_err(|error| error.to_string())
}

/// What the journal is to keep, and where; `None`: there is no place for it.
fn journal_settings(
    live: &Live,
    source: &Source,
    data_dir: Option<&Path>,
) -> Option<zephyr_journal::Settings> {
    let logging = live.config.logging.clone();
    let folder = match &logging.directory {
        // Beside the file that names it.
        Some(named) => source
            .path()
            .and_then(Path::parent)
            .map_or_else(|| PathBuf::from(named), |beside| beside.join(named)),
        None => data_dir?.to_owned(),
    };
    Some(zephyr_journal::Settings {
        path: folder.join(zephyr_journal::FILE),
        logging,
        secrets: live.secrets(),
    })
}

fn configured_address(config: &Config) -> SocketAddr {
    SocketAddr::new(config.server.host, config.server.port)
}

/// Tells this instance from any other in a chain of Zephyrs.
fn instance_id() -> HeaderValue {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let id = format!("{:x}-{:x}", std::process::id(), now.as_nanos());
    HeaderValue::from_str(&id).expect("hexadecimal digits and a dash")
}
