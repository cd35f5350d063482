//! A running engine: how it starts, drains and ends.

use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use zephyr_config::Loaded;
use zephyr_control::Control;
use zephyr_core::Config;

use super::control::Handle;
use super::live::Source;
use super::options::Options;
use super::remotes::configured_address;
use super::shared::Shared;
use super::start_error::StartError;
use super::tasks::spawn_tasks;
use crate::clients::listener;

/// How long the last bytes of answers may take at the end.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// How long the last write to the data folder may take.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// A running engine. Dropping it ends it at once. [`Engine::drain`] lets requests finish first.
pub struct Engine {
    shared: Arc<Shared>,
    stop_listening: CancellationToken,
    connections: TaskTracker,
    /// Ends the driver, the watcher and the listener when the engine is dropped.
    _tasks: DropGuard,
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

    /// Like [`Self::start`], with options.
    ///
    /// # Errors
    ///
    /// The same as for [`Self::start`].
    pub async fn start_with(
        loaded: Loaded,
        source: Source,
        options: Options,
    ) -> Result<Self, StartError> {
        let address = configured_address(&loaded.config);
        let listener = listener::bind(address)
            .await
            .map_err(|source| StartError::Bind { address, source })?;
        let bound = listener
            .local_addr()
            .map_err(|source| StartError::Bind { address, source })?;
        let limits = listener::Limits {
            head_timeout: options.head_timeout.unwrap_or(listener::HEAD_TIMEOUT),
            connections: options.max_connections.unwrap_or(listener::MAX_CONNECTIONS),
        };
        let system_bus = options.system_bus.clone();
        // Before `.env` is read, so that no change in between is missed.
        let watch = match source.path().map(PathBuf::from) {
            Some(path) => match spawn_blocking(move || zephyr_config::watch(&path)).await {
                Ok(watch) => Some(watch),
                Err(error) => resume_unwind(error.into_panic()),
            },
            None => None,
        };
        let watch = watch.map(|watch| watch.map(|watch| watch.since(&loaded)));
        let shared = Arc::new(Shared::new(loaded, source, options, bound).await?);
        let stop = CancellationToken::new();
        let stop_listening = stop.child_token();
        let connections = TaskTracker::new();
        let serving = listener::serve(
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

    pub fn control(&self) -> Arc<dyn Control> {
        Arc::new(Handle(Arc::clone(&self.shared)))
    }

    pub fn proxy_addr(&self) -> SocketAddr {
        let listening = self.shared.status().listening.proxy.clone();
        listening
            .parse()
            .expect("written by this module from a SocketAddr")
    }

    /// Tells front-ends where the admin API listens.
    pub fn set_admin_addr(&self, address: SocketAddr) {
        self.shared.status().listening.admin = Some(address.to_string());
        self.shared.door.touch();
    }

    /// The configuration in force.
    pub fn config(&self) -> Config {
        self.shared.live().config.clone()
    }

    /// Any part of the program may call this when the machine slept or its network changed.
    pub fn wake(&self) {
        self.shared.door.wake();
    }

    /// Stops taking requests and waits for those in flight, at most `server.graceful_switch_timeout_ms`. Then
    /// it ends them.
    pub async fn drain(&self) {
        let timeout = self.shared.live().config.server.drain_timeout;
        self.shared.status().drain_until = Some(Instant::now() + timeout);
        self.stop_listening.cancel();
        self.shared.door.turn_away();
        if tokio::time::timeout(timeout, self.shared.traffic.counters.idle())
            .await
            .is_err()
        {
            self.shared.door.cut_all();
        }
        // These limits keep a client that does not read, or a slow disk, from delaying the end.
        let _ = tokio::time::timeout(LAST_BYTES, self.connections.wait()).await;
        let door = self.shared.door.clone();
        let written = self.shared.keeper.write(move || door.memory());
        let last = async { tokio::join!(written, self.shared.journal.close()) };
        let _ = tokio::time::timeout(LAST_WRITE, last).await;
    }
}
