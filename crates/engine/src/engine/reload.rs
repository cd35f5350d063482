//! A configuration that changes while requests run: it is read again, checked, and put into force.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use zephyr_control::{ControlError, Done, ErrorCode, EventKind, Problem, ProblemKind};
use zephyr_secrets::Secret;
use zephyr_secrets::vault::KeychainError;

use super::live::{self, Live};
use super::remotes::{connect, journal_settings, remote};
use super::shared::Shared;
use super::start_error::StartError;
use crate::endpoints::connections::Connections;

impl Shared {
    /// Reads the configuration again and puts it into force without dropping a request.
    pub(super) async fn reload(&self) -> Result<Done, ControlError> {
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
            Ok(live) => match self.connections(&live) {
                Ok(connections) => {
                    self.status().rejected = None;
                    let applied = self.apply(&live, &connections);
                    Ok(Done { message: applied })
                }
                Err(error) => Err(self.reject(&error)),
            },
            Err(error) => Err(self.reject(&error)),
        }
    }

    /// Looks again for what the keychain withheld, and puts it into force without dropping a request.
    pub async fn look_again(&self) {
        let _one_at_a_time = self.reloading.lock().await;
        let live = self.live();
        if live.withheld.is_empty() {
            return;
        }
        let (source, keychain) = (self.source.clone(), Arc::clone(&self.keychain));
        let look = move || live.look_again(&source, &keychain).map(Arc::new);
        match tokio::task::spawn_blocking(look).await {
            Ok(Some(live)) => self.take_over(&live),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the keychain was not looked at"),
        }
    }

    /// Looks up every credential again, and puts them into force without dropping a request.
    pub(super) async fn renew_credentials(&self) {
        let _one_at_a_time = self.reloading.lock().await;
        let live = self.live();
        let (source, keychain) = (self.source.clone(), Arc::clone(&self.keychain));
        let look = move || Arc::new(live.renewed(&source, &keychain));
        match tokio::task::spawn_blocking(look).await {
            Ok(live) => self.take_over(&live),
            Err(error) => tracing::error!(%error, "the credentials were not looked up"),
        }
    }

    /// Puts a configuration into force that has the same endpoints as the current one.
    fn take_over(&self, live: &Arc<Live>) {
        match self.connections(live) {
            Ok(connections) => drop(self.apply(live, &connections)),
            Err(error) => tracing::error!(%error, "the credentials were not taken over"),
        }
    }

    /// Whether a further look may find what the keychain withheld.
    pub fn awaits_keychain(&self) -> bool {
        self.live().withheld.values().any(KeychainError::may_pass)
    }

    /// Waits until there may be something new in the keychain.
    pub async fn keychain_news(&self) {
        self.keychain_news.notified().await;
    }

    /// Looks for what the keychain withheld. If it is locked, the person is asked to unlock it.
    pub(super) fn turn_to_keychain(&self) {
        self.keychain_news.notify_one();
        let is_locked = |error: &KeychainError| *error == KeychainError::Locked;
        if self.live().withheld.values().any(is_locked) {
            let news = Arc::clone(&self.keychain_news);
            self.keychain.ask(move || news.notify_one());
        }
    }

    /// The connections to every endpoint, by its name, so that the fleet never has an endpoint without any.
    /// Warm connections stay if their address and their way there are unchanged.
    fn connections(&self, live: &Live) -> Result<BTreeMap<String, Arc<Connections>>, StartError> {
        let old = self.live();
        let known = self.door.look(|state, _| state.remotes.clone());
        let timeout = live.config.failover.connect_timeout;
        let is_timeout_same = old.config.failover.connect_timeout == timeout;
        let mut connections = BTreeMap::new();
        for spec in &live.config.endpoints {
            let warm = known.values().find(|known| {
                is_timeout_same
                    && known.spec.name == spec.name
                    && known.spec.url == spec.url
                    && known.spec.proxy == spec.proxy
                    && known.spec.allow_insecure == spec.allow_insecure
            });
            let to_it = match warm {
                Some(known) => Arc::clone(&known.connections),
                None => Arc::new(connect(&self.network, spec, timeout)?),
            };
            connections.insert(spec.name.clone(), to_it);
        }
        Ok(connections)
    }

    fn apply(&self, live: &Arc<Live>, connections: &BTreeMap<String, Arc<Connections>>) -> String {
        let old = self.live();
        let known = self.door.look(|state, _| state.remotes.clone());
        let changed = live.changed_since(&old);
        let secrets = live.secrets();
        self.traffic.known.learn(secrets.iter().map(Secret::expose));
        self.door.reconfigure(
            live.config.clone(),
            &live.without_credential(),
            &changed,
            |id, name| {
                let index = live
                    .config
                    .endpoints
                    .iter()
                    .position(|spec| spec.name == name)?;
                let connections = connections.get(name)?;
                let same = known.get(&id).filter(|known| {
                    Arc::ptr_eq(&known.connections, connections)
                        && known.index == index
                        && known.format == live.config.validation.format()
                        && known.spec == live.config.endpoints[index]
                        && old.secret(name) == live.secret(name)
                });
                match same {
                    Some(remote) => Some(Arc::clone(remote)),
                    None => remote(id, index, live, Arc::clone(connections))
                        .ok()
                        .map(Arc::new),
                }
            },
        );
        self.metrics
            .keep(|name| live.config.endpoint(name).is_some());
        if let Some(settings) = journal_settings(live, &self.source, self.data_dir.as_deref()) {
            self.journal.configure(settings);
        }
        self.traffic.budget.set(live.config.server.memory_budget);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(live);
        self.keychain_news.notify_one();
        self.keeper.decided();
        self.door.touch();
        format!(
            "configuration reloaded: {} endpoints",
            live.config.endpoints.len()
        )
    }

    /// The running configuration stays in force, and every front-end shows the reason.
    fn reject(&self, error: &dyn std::error::Error) -> ControlError {
        tracing::error!(
            "the changed configuration was rejected; the running one stays in force\n{error}"
        );
        self.status().rejected = Some(Problem::new(
            ProblemKind::ConfigError,
            error.to_string(),
            "correct the file; it is read again as soon as it is saved",
        ));
        self.door.note(EventKind::ConfigRejected);
        ControlError::new(ErrorCode::InvalidConfiguration, error.to_string())
    }
}
