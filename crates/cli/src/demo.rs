//! `zephyr demo`: the real engine over simulated endpoints, with everything quick enough to watch.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::anyhow;
use zephyr_cli::status;
use zephyr_control::{Language, Snapshot};
use zephyr_core::Config;
use zephyr_core::config::{
    Auth, BaseUrl, Breaker, Endpoint, Failover, Group, HealthCheck, LogLevel, ProxyRoute, Routing,
    Server,
};
use zephyr_engine::Source;
use zephyr_engine::settings::Loaded;
use zephyr_testkit::Sim;

use crate::failure::Failure;
use crate::{logging, serve};

const GROUP: &str = "simulated";

/// Runs the demo until a signal ends it.
pub(crate) async fn demo(port: Option<u16>) -> Result<(), Failure> {
    logging::start(LogLevel::Info);
    let endpoints = Sim::fleet().await?;
    let loaded = Loaded {
        config: config(&endpoints, port.unwrap_or_else(usual_or_free))?,
        warnings: Vec::new(),
    };
    // Its own data folder: the demo must not pass for the instance that the user works with.
    let temporary = tempfile::Builder::new().prefix("zephyr-demo-").tempdir()?;
    let named = std::env::var_os("ZEPHYR_DATA_DIR").filter(|folder| !folder.is_empty());
    let data_dir = named.map_or_else(|| temporary.path().to_owned(), Into::into);
    let announce = |snapshot: &Snapshot, language: Language| {
        status::demo_started(snapshot, &data_dir, language)
    };
    serve::run(loaded, Source::Fixed, &data_dir, announce).await
}

fn config(endpoints: &[Sim], port: u16) -> Result<Config, Failure> {
    let health_check = HealthCheck {
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(4),
        // Simulated answers cost nothing.
        daily_budget_usd: f64::MAX,
        ..HealthCheck::default()
    };
    let endpoints = endpoints
        .iter()
        .map(|sim| endpoint(sim, &health_check))
        .collect::<Result<_, _>>()?;
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
        health_check,
        ..Config::default()
    })
}

fn endpoint(sim: &Sim, health_check: &HealthCheck) -> Result<Endpoint, Failure> {
    let url = BaseUrl::parse(&sim.url())
        .map_err(|error| Failure::Operation(anyhow!("{}: {error:?}", sim.url())))?;
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

/// The usual port, or 0 for a free one: somebody who only wants to look should not have to choose.
fn usual_or_free() -> u16 {
    let Server { host, port, .. } = Server::default();
    TcpListener::bind((host, port)).map_or(0, |_| port)
}
