//! One endpoint, with all settings from its group.

use super::base_url::BaseUrl;
use super::credential::Auth;
use super::health_check::{HealthCheck, ProbeAs};
use super::proxy::ProxyRoute;

/// `[[groups]]`: endpoints that share settings and a credential.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Unique among groups.
    pub name: String,
    /// Whether its first endpoint is preferred until something has been measured.
    pub default: bool,
}

/// One base URL with its credential reference, and all settings from its group.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Unique among all endpoints. Users see and type it.
    pub name: String,
    /// The group it belongs to.
    pub group: String,
    /// Where requests go.
    pub url: BaseUrl,
    /// Shown before the name, often a flag emoji.
    pub flag: Option<String>,
    /// Whether it may be used at all.
    pub enabled: bool,
    /// Smaller is preferred by [`Strategy::Priority`](super::Strategy::Priority).
    pub priority: u32,
    /// The share of requests under [`Strategy::WeightedRoundRobin`](super::Strategy::WeightedRoundRobin); at
    /// least 1.
    pub weight: u32,
    /// Relative price; smaller is preferred by [`Strategy::Price`](super::Strategy::Price).
    pub price: f64,
    /// Which credential it gets.
    pub auth: Auth,
    /// Whether it gets no request that would spend its subscription's extra usage.
    pub subscription_only: bool,
    /// How it is reached.
    pub proxy: ProxyRoute,
    /// Whether it may get requests and credentials in clear text over a network that is not private.
    pub allow_insecure: bool,
    /// What its probes look like.
    pub probe_as: ProbeAs,
    /// How it is probed.
    pub health_check: HealthCheck,
}
