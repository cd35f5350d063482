//! `[web_admin]`: the admin port.

use std::net::IpAddr;

/// `[web_admin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAdmin {
    /// Whether the page is served. The API always is.
    pub enabled: bool,
    /// Address of the admin port; loopback only.
    pub host: IpAddr,
    /// The admin port. If it is taken, a free one is used.
    pub port: u16,
}

impl Default for WebAdmin {
    fn default() -> Self {
        Self {
            enabled: true,
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8081,
        }
    }
}
