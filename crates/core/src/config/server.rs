//! `[server]`: the proxy's own port and its limits.

use std::net::IpAddr;
use std::time::Duration;

use super::credential::CredentialRef;

/// `[server]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Address the proxy listens on.
    pub host: IpAddr,
    /// Port the proxy listens on; 0 lets the system choose.
    pub port: u16,
    /// The token that clients must send. `None`: no token, on loopback only.
    pub client_token: Option<CredentialRef>,
    /// How much faster another endpoint must be before a switch to it.
    pub switch_threshold: Duration,
    /// How long a drain waits for requests in flight.
    pub drain_timeout: Duration,
    /// Largest body of a messages or `count_tokens` call, in bytes.
    pub max_body: u64,
    /// `Host` names that are accepted besides the loopback names.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may call the proxy.
    pub allowed_origins: Vec<String>,
    /// Whether programs of other users of this machine may use the proxy and the admin port.
    pub allow_other_users: bool,
    /// The most bytes of requests and answers that are kept in memory at once, for another attempt or until they
    /// have proven real.
    pub memory_budget: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            client_token: None,
            switch_threshold: Duration::from_millis(50),
            drain_timeout: Duration::from_secs(30),
            max_body: 64 * 1024 * 1024,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            allow_other_users: false,
            memory_budget: 256 * 1024 * 1024,
        }
    }
}
