//! What an engine makes of a configuration: endpoints with their credentials and connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use zephyr_config::Loaded;
use zephyr_core::config::Endpoint;
use zephyr_core::{Config, EndpointId, Fleet};
use zephyr_secrets::vault::Keychain;

use super::live::{Live, Source};
use super::start_error::StartError;
use crate::endpoints::connections::Connections;
use crate::endpoints::network::Network;
use crate::endpoints::remote::Remote;

/// Runs [`Live::prepare`] where it may block.
pub(super) async fn prepare(
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

/// Every endpoint of the configuration, by its identity in the fleet.
pub(super) fn remotes(
    fleet: &Fleet,
    live: &Live,
    network: &Network,
) -> Result<BTreeMap<EndpointId, Arc<Remote>>, StartError> {
    let mut remotes = BTreeMap::new();
    for (index, spec) in live.config.endpoints.iter().enumerate() {
        let id = fleet
            .find(&spec.name)
            .expect("the fleet was made of this configuration");
        let timeout = live.config.failover.connect_timeout;
        let connections = Arc::new(connect(network, spec, timeout)?);
        let remote = remote(id, index, live, connections)?;
        remotes.insert(id, Arc::new(remote));
    }
    Ok(remotes)
}

/// The endpoint at that place of the configuration, with these connections.
pub(super) fn remote(
    id: EndpointId,
    index: usize,
    live: &Live,
    connections: Arc<Connections>,
) -> Result<Remote, StartError> {
    let spec = live.config.endpoints[index].clone();
    let secret = live.secret(&spec.name);
    let format = live.config.validation.format();
    let name = spec.name.clone();
    Remote::new(id, index, spec, format, secret, connections).map_err(|error| {
        StartError::Endpoint {
            endpoint: name,
            reason: error.to_string(),
        }
    })
}

pub(super) fn connect(
    network: &Network,
    spec: &Endpoint,
    timeout: Duration,
) -> Result<Connections, StartError> {
    Connections::new(network, spec, timeout).map_err(|error| StartError::Endpoint {
        endpoint: spec.name.clone(),
        reason: error.to_string(),
    })
}

/// What the journal keeps, and where. `None`: there is no place for it.
pub(super) fn journal_settings(
    live: &Live,
    source: &Source,
    data_dir: Option<&Path>,
) -> Option<zephyr_journal::Settings> {
    let logging = live.config.logging.clone();
    let folder = match &logging.directory {
        // A relative path starts at the folder of the configuration file.
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

/// Where the configuration wants the proxy to listen.
pub(super) fn configured_address(config: &Config) -> SocketAddr {
    SocketAddr::new(config.server.host, config.server.port)
}

/// Tells this instance from all others in a chain of Zephyrs.
pub(super) fn instance_id() -> HeaderValue {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let id = format!("{:x}-{:x}", std::process::id(), now.as_nanos());
    HeaderValue::from_str(&id).expect("hexadecimal digits and a dash")
}
