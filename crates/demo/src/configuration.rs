//! A configuration over simulated endpoints, in which everything is quick enough to watch.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use zephyr_core::Config;
use zephyr_core::config::{
    Auth, BaseUrl, Breaker, Endpoint, Failover, Group, HealthCheck, LogBody, Logging, Price,
    ProbeAs, ProxyRoute, Routing, Server,
};

use crate::endpoint::Sim;

const GROUP: &str = "simulated";

/// Simulated answers cost nothing.
const FREE: Price = Price {
    input: 0.0,
    output: 0.0,
    cache_write_5m: 0.0,
    cache_write_1h: 0.0,
    cache_read: 0.0,
};

/// A configuration over these endpoints, with the proxy on that port and the journal in `data_dir`.
pub(crate) fn configuration(endpoints: &[Sim], port: u16, data_dir: &Path) -> Config {
    let health_check = HealthCheck {
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(4),
        ..HealthCheck::default()
    };
    let endpoints = endpoints
        .iter()
        .map(|sim| endpoint(sim, &health_check))
        .collect();
    Config {
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
        logging: journal_in(data_dir),
        ..Config::default()
    }
}

fn journal_in(folder: &Path) -> Logging {
    Logging {
        directory: Some(folder.display().to_string()),
        request_body: LogBody::Truncated,
        response_body: LogBody::Truncated,
        ..Logging::default()
    }
}

fn endpoint(sim: &Sim, health_check: &HealthCheck) -> Endpoint {
    let url = BaseUrl::parse(&sim.url()).expect("a loopback URL is well-formed");
    let (name, flag) = match sim.name().rsplit_once(' ') {
        Some((name, flag)) if !flag.is_ascii() => (name, Some(flag.to_owned())),
        Some(_) | None => (sim.name(), None),
    };
    Endpoint {
        name: name.to_owned(),
        group: GROUP.to_owned(),
        url,
        flag,
        enabled: true,
        priority: 1,
        weight: 1,
        price: 1.0,
        auth: Auth::Passthrough,
        subscription_only: false,
        allow_insecure: false,
        probe_as: ProbeAs::Zephyr,
        proxy: ProxyRoute::Direct,
        health_check: health_check.clone(),
    }
}

/// The usual port, or 0 for a free one.
pub(crate) fn usual_or_free() -> u16 {
    let Server { host, port, .. } = Server::default();
    TcpListener::bind((host, port)).map_or(0, |_| port)
}
