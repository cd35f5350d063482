//! The whole validated configuration.

use std::collections::BTreeMap;

use super::breaker::Breaker;
use super::desktop::Desktop;
use super::endpoint::{Endpoint, Group};
use super::failover::Failover;
use super::health_check::HealthCheck;
use super::logging::Logging;
use super::notifications::Notifications;
use super::price::Price;
use super::routing::Routing;
use super::server::Server;
use super::ui::Ui;
use super::validation::Validation;
use super::web_admin::WebAdmin;

/// The whole configuration of a running Zephyr.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The proxy's own port and its limits.
    pub server: Server,
    /// Groups in the file's order.
    pub groups: Vec<Group>,
    /// Every endpoint of every group, in the file's order.
    pub endpoints: Vec<Endpoint>,
    /// How an endpoint is chosen.
    pub routing: Routing,
    /// What happens when an attempt fails.
    pub failover: Failover,
    /// When an endpoint is taken out, and for how long.
    pub breaker: Breaker,
    /// How endpoints are probed, if their group does not say otherwise.
    pub health_check: HealthCheck,
    /// Which defects of an answer count.
    pub validation: Validation,
    /// What is logged, and what the journal keeps.
    pub logging: Logging,
    /// The admin port.
    pub web_admin: WebAdmin,
    /// Language and theme.
    pub ui: Ui,
    /// Desktop notifications.
    pub notifications: Notifications,
    /// The tray application.
    pub desktop: Desktop,
    /// Prices that override the built-in table, by model.
    pub pricing: BTreeMap<String, Price>,
}

impl Config {
    /// The endpoint that is preferred until something has been measured: the first enabled one of the default
    /// group, or else the first of all.
    pub fn first_choice(&self) -> Option<&Endpoint> {
        let default = self.groups.iter().find(|group| group.default);
        let in_default =
            |endpoint: &&Endpoint| default.is_some_and(|group| group.name == endpoint.group);
        let mut enabled = self.endpoints.iter().filter(|endpoint| endpoint.enabled);
        enabled.clone().find(in_default).or_else(|| enabled.next())
    }

    /// The endpoint of that name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }
}
