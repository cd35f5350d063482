//! The validated configuration: what every other part may rely on.
//!
//! It does not have the file's shape. Whoever reads the file collects every error with its line and key
//! first, and only then builds these types; so names are unique here, durations are durations, and what
//! cannot be represented cannot be wrong. Defaults are the `Default` implementations of these types and
//! stand nowhere else.
//!
//! No secret is in here: a credential is a reference to an environment variable or a keychain entry.

mod base_url;
mod breaker;
mod credential;
mod desktop;
mod endpoint;
mod failover;
mod health_check;
mod logging;
mod notifications;
mod price;
mod proxy;
mod routing;
mod server;
mod ui;
mod validation;
mod web_admin;
mod whole;

pub use base_url::{BaseUrl, BaseUrlError};
pub use breaker::{Breaker, BreakerPolicy};
pub use credential::{Auth, AuthHeader, CredentialRef};
pub use desktop::Desktop;
pub use endpoint::{Endpoint, Group};
pub use failover::Failover;
pub use health_check::{HealthCheck, ProbeAs, ProbeMode};
pub use logging::{LogBody, LogLevel, LogRequests, Logging};
pub use notifications::Notifications;
pub use price::Price;
pub use proxy::ProxyRoute;
pub use routing::{Routing, Strategy};
pub use server::Server;
pub use ui::{Language, Theme, Ui};
pub use validation::Validation;
pub use web_admin::WebAdmin;
pub use whole::Config;
