//! How an endpoint's host is reached.

use std::fmt;

/// How an endpoint's host is reached.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub enum ProxyRoute {
    /// As the system is configured (`HTTPS_PROXY`, `NO_PROXY`, the desktop's settings).
    #[default]
    System,
    /// Directly, regardless of the system's settings.
    Direct,
    /// Through this `http://` or `socks5://` proxy. The URL may carry credentials, so it is never shown.
    Via(String),
}

impl fmt::Debug for ProxyRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::Direct => f.write_str("Direct"),
            Self::Via(_) => f.write_str("Via(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_with_a_password_does_not_show_it() {
        let route = ProxyRoute::Via("socks5://me:hunter2@10.0.0.1:1080".to_owned());

        assert!(!format!("{route:?}").contains("hunter2"));
    }
}
