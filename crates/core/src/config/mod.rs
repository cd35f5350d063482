//! The validated configuration. Every other part may rely on it.
//!
//! It does not have the structure of the file. The reader of the file first collects every error with its
//! line and key, and builds these types only if there is none. So names are unique here, durations are
//! durations, and a wrong value has no representation. The defaults are the `Default` implementations of
//! these types, and are written nowhere else.
//!
//! There is no secret here: a credential is a reference to an environment variable or a keychain entry.

mod base_url;
mod breaker;
mod credential;
mod desktop;
mod endpoint;
mod failover;
mod health_check;
mod logging;
mod notifications;
mod place;
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
pub use failover::{Failover, Hedge, Patience};
pub use health_check::{HealthCheck, ProbeAs, ProbeMode};
pub use logging::{LogBody, LogLevel, LogRequests, Logging};
pub use notifications::Notifications;
pub use place::Place;
pub use price::Price;
pub use proxy::ProxyRoute;
pub use routing::{Routing, Strategy};
pub use server::Server;
pub use ui::{Language, Theme, Ui};
pub use validation::Validation;
pub use web_admin::WebAdmin;
pub use whole::Config;
