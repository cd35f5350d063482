//! The proxy that the environment or the system names, and the hosts that are reached without it.

use std::env;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::no_proxy::NoProxy;

/// The proxy settings of the environment and the system.
pub(super) struct SystemProxy {
    proxies: Matcher,
    without: NoProxy,
}

impl SystemProxy {
    /// The current settings.
    pub(super) fn now() -> Self {
        Self {
            proxies: Matcher::from_system(),
            without: NoProxy::of(|name| env::var(name).ok()),
        }
    }

    /// The proxy for this URL.
    pub(super) fn intercept(&self, url: &Uri) -> Option<Intercept> {
        if self.without.has(url) {
            return None;
        }
        self.proxies.intercept(url)
    }
}
