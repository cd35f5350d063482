//! Simulated endpoints that slow down, fail and recover, and a configuration over them in which
//! everything is quick enough to watch. No key, no cost, no network.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use zephyr_config::Loaded;
use zephyr_core::Config;
use zephyr_core::config::{
    Auth, BaseUrl, Breaker, Endpoint, Failover, Group, HealthCheck, LogBody, Logging, Price,
    ProxyRoute, Routing, Server,
};
use zephyr_testkit::Sim;

const GROUP: &str = "simulated";

/// Simulated endpoints, as long as this value, and a configuration over them.
#[must_use]
pub struct Demo {
    config: Config,
    _endpoints: Vec<Sim>,
}

impl Demo {
    /// Starts the endpoints. Without a port the proxy's usual one is taken, or a free one: somebody who
    /// only wants to look should not have to choose. The journal is kept in `data_dir`, bodies and all: it
    /// is nobody's.
    ///
    /// # Errors
    ///
    /// The system has no ports left.
    pub async fn start(port: Option<u16>, data_dir: &Path) -> anyhow::Result<Self> {
        let endpoints = Sim::fleet().await?;
        Ok(Self {
            config: Config {
                logging: journal_in(data_dir),
                ..config(&endpoints, port.unwrap_or_else(usual_or_free))?
            },
            _endpoints: endpoints,
        })
    }

    /// What an engine over these endpoints is started with.
    pub fn loaded(&self) -> Loaded {
        Loaded {
            config: self.config.clone(),
            warnings: Vec::new(),
            fingerprint: None,
        }
    }
}

/// Simulated answers cost nothing.
const FREE: Price = Price {
    input: 0.0,
    output: 0.0,
    cache_write_5m: 0.0,
    cache_write_1h: 0.0,
    cache_read: 0.0,
};

fn config(endpoints: &[Sim], port: u16) -> anyhow::Result<Config> {
    let health_check = HealthCheck {
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(4),
        ..HealthCheck::default()
    };
    let endpoints = endpoints
        .iter()
        .map(|sim| endpoint(sim, &health_check))
        .collect::<anyhow::Result<_>>()?;
    Ok(Config {
        server: Server {
            port,
            drain_timeout: Duration::from_secs(10),
            ..Server::default()
        },
        groups: vec![Group {
            name: GROUP.to_owned(),
            default: true,
        }],
        endpoints,
        routing: Routing {
            min_dwell: Duration::from_secs(5),
            ..Routing::default()
        },
        failover: Failover {
            first_event_timeout: Duration::from_secs(10),
            ..Failover::default()
        },
        breaker: Breaker {
            cooldown: Duration::from_secs(5),
            max_cooldown: Duration::from_secs(15),
            ..Breaker::default()
        },
        pricing: BTreeMap::from([(health_check.model.clone(), FREE)]),
        health_check,
        ..Config::default()
    })
}

fn journal_in(folder: &Path) -> Logging {
    Logging {
        directory: Some(folder.display().to_string()),
        request_body: LogBody::Truncated,
        response_body: LogBody::Truncated,
        ..Logging::default()
    }
}

fn endpoint(sim: &Sim, health_check: &HealthCheck) -> anyhow::Result<Endpoint> {
    let url = BaseUrl::parse(&sim.url()).map_err(|error| anyhow!("{}: {error:?}", sim.url()))?;
    let (name, flag) = match sim.name().rsplit_once(' ') {
        Some((name, flag)) if !flag.is_ascii() => (name, Some(flag.to_owned())),
        Some(_) | None => (sim.name(), None),
    };
    Ok(Endpoint {
        name: name.to_owned(),
        group: GROUP.to_owned(),
        url,
        flag,
        enabled: true,
        priority: 1,
        weight: 1,
        price: 1.0,
        auth: Auth::Passthrough,
        proxy: ProxyRoute::Direct,
        health_check: health_check.clone(),
    })
}

/// The usual port, or 0 for a free one.
fn usual_or_free() -> u16 {
    let Server { host, port, .. } = Server::default();
    TcpListener::bind((host, port)).map_or(0, |_| port)
}
