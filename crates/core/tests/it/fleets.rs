//! Configurations of simulated fleets.

use zephyr_core::Config;
use zephyr_core::config::{
    Auth, AuthHeader, BaseUrl, CredentialRef, Endpoint, Group, HealthCheck, ProbeAs, ProxyRoute,
};

/// Endpoints with these names in one group, all with these checks.
pub fn config(names: &[&str], health_check: &HealthCheck) -> Config {
    let endpoint = |name: &&str| Endpoint {
        name: (*name).to_owned(),
        group: "main".to_owned(),
        url: BaseUrl::parse(&format!("https://{name}.example.com")).unwrap(),
        flag: None,
        enabled: true,
        priority: 1,
        weight: 1,
        price: 1.0,
        auth: Auth::Ours {
            header: AuthHeader::Bearer,
            credential: CredentialRef::Env("TOKEN".to_owned()),
        },
        subscription_only: false,
        allow_insecure: false,
        probe_as: ProbeAs::Zephyr,
        proxy: ProxyRoute::Direct,
        health_check: health_check.clone(),
    };
    Config {
        groups: vec![Group {
            name: "main".to_owned(),
            default: true,
        }],
        endpoints: names.iter().map(endpoint).collect(),
        ..Config::default()
    }
}
