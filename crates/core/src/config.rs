//! The validated configuration: what every other part may rely on.
//!
//! It is not the file's shape. `engine::settings` reads the file, collects every error with its line
//! and key, and only then builds these types; so here names are unique, durations are durations, and
//! what cannot be represented cannot be wrong. Defaults are the `Default` implementations below and
//! stand nowhere else.
//!
//! No secret is in here: a credential is a reference to an environment variable or a keychain entry.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::messages::Format;

/// Everything a running Zephyr is told.
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
    /// Probing, where an endpoint's group says nothing else.
    pub health_check: HealthCheck,
    /// Which defects of an answer count.
    pub validation: Validation,
    /// What is written down.
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
    /// The endpoint preferred until something has been measured: the default group's first that is
    /// enabled, else the first of all.
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

/// `[server]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Address the proxy listens on.
    pub host: IpAddr,
    /// Port the proxy listens on; 0 lets the system choose.
    pub port: u16,
    /// What clients must send; `None`: open, on loopback only.
    pub client_token: Option<CredentialRef>,
    /// How much faster another endpoint must be before it is switched to.
    pub switch_threshold: Duration,
    /// How long a drain waits for requests in flight.
    pub drain_timeout: Duration,
    /// Largest body of a messages or `count_tokens` call, in bytes.
    pub max_body: u64,
    /// `Host` names accepted besides the loopback ones.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may call the proxy.
    pub allowed_origins: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            client_token: None,
            switch_threshold: Duration::from_millis(50),
            drain_timeout: Duration::from_secs(30),
            max_body: 64 * MIB,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
        }
    }
}

/// `[[groups]]`: endpoints that share settings and a credential.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Unique among groups.
    pub name: String,
    /// Whether its first endpoint is preferred until something has been measured.
    pub default: bool,
}

/// One base URL with its credential reference, and all that the group settles for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Unique among all endpoints; what users see and type.
    pub name: String,
    /// The group it belongs to.
    pub group: String,
    /// Where requests go.
    pub url: BaseUrl,
    /// Shown before the name; often a flag emoji.
    pub flag: Option<String>,
    /// Whether it may be used at all.
    pub enabled: bool,
    /// Smaller is preferred by [`Strategy::Priority`].
    pub priority: u32,
    /// Share of the requests under [`Strategy::WeightedRoundRobin`]; at least 1.
    pub weight: u32,
    /// Relative price; smaller is preferred by [`Strategy::Price`].
    pub price: f64,
    /// Which credential it gets.
    pub auth: Auth,
    /// How it is reached.
    pub proxy: ProxyRoute,
    /// How it is probed.
    pub health_check: HealthCheck,
}

/// Scheme, authority and path prefix of an endpoint; never with credentials, query or fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    https: bool,
    authority: String,
    path: String,
}

/// Why a text is no base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseUrlError {
    /// `api.example.com` instead of `https://api.example.com`.
    NoScheme,
    /// Neither `http` nor `https`.
    UnknownScheme,
    /// `https://user:secret@…`: the secret would be shown wherever the URL is.
    Credentials,
    /// A base URL cannot carry a query or a fragment: the client's path is put behind it.
    QueryOrFragment,
    /// No host, or characters that no URL may have.
    Malformed,
}

impl BaseUrl {
    /// Reads a base URL; a trailing slash is dropped.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(BaseUrlError::NoScheme)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(BaseUrlError::UnknownScheme),
        };
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_end);
        if authority.contains('@') {
            return Err(BaseUrlError::Credentials);
        }
        if path.contains(['?', '#']) {
            return Err(BaseUrlError::QueryOrFragment);
        }
        let uri: http::Uri = text.parse().map_err(|_| BaseUrlError::Malformed)?;
        let host = uri.host().ok_or(BaseUrlError::Malformed)?;
        let port =
            authority[authority.find(host).map_or(0, |at| at + host.len())..].strip_prefix(':');
        if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(BaseUrlError::Malformed);
        }
        Ok(Self {
            https,
            authority: authority.to_ascii_lowercase(),
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// The same URL with `prefix` put behind its path.
    #[must_use]
    pub fn join(&self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let mut joined = self.clone();
        if !prefix.is_empty() {
            joined.path.push('/');
            joined.path.push_str(prefix);
        }
        joined
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// Host, and port if one was given.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host alone; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        let host = match self.authority.rfind(':') {
            Some(colon) if !self.authority.ends_with(']') => &self.authority[..colon],
            Some(_) | None => &self.authority,
        };
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, by the scheme where none was given.
    pub fn port(&self) -> u16 {
        let explicit = match self.authority.rfind(':') {
            Some(colon) if !self.authority.ends_with(']') => {
                self.authority[colon + 1..].parse().ok()
            }
            Some(_) | None => None,
        };
        explicit.unwrap_or(if self.https { 443 } else { 80 })
    }

    /// What stands before the client's path: empty, or `/prefix` without a slash at its end.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a secret is to be found; never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialRef {
    /// An environment variable, or a line of the `.env` beside the configuration.
    Env(String),
    /// An entry of the OS keychain.
    Keychain(String),
}

impl fmt::Display for CredentialRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Keychain(name) => write!(f, "keychain entry {name}"),
        }
    }
}

/// What an endpoint is sent as a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The client's own headers, untouched.
    Passthrough,
    /// Ours; the client's never leaves.
    Ours {
        /// Which header carries it.
        header: AuthHeader,
        /// Where the secret is.
        credential: CredentialRef,
    },
}

/// The header that carries a credential of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthHeader {
    /// `auth_token`: `Authorization: Bearer …`.
    Bearer,
    /// `api_key`: `x-api-key: …`.
    ApiKey,
}

/// How an endpoint's host is reached.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub enum ProxyRoute {
    /// As the system is configured (`HTTPS_PROXY`, `NO_PROXY`, the desktop's settings).
    #[default]
    System,
    /// Directly, whatever the system says.
    Direct,
    /// Through this `http://` or `socks5://` proxy. May carry credentials, so never shown whole.
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

/// `[routing]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    /// How an endpoint is chosen.
    pub strategy: Strategy,
    /// Whether a conversation stays on its endpoint while that is fit.
    pub sticky_sessions: bool,
    /// How long after its last request a conversation is remembered.
    pub sticky_ttl: Duration,
    /// Least time between two switches for speed.
    pub min_dwell: Duration,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            strategy: Strategy::Latency,
            sticky_sessions: true,
            sticky_ttl: Duration::from_secs(300),
            min_dwell: Duration::from_secs(30),
        }
    }
}

/// How an endpoint is chosen among those that may take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The fastest, with hysteresis.
    Latency,
    /// The smallest `priority`; equals by latency.
    Priority,
    /// The smallest `price`; equals by latency.
    Price,
    /// One after the other.
    RoundRobin,
    /// One after the other, in proportion to `weight`.
    WeightedRoundRobin,
    /// Any, uniformly.
    Random,
}

impl Strategy {
    /// Whether requests are spread over all endpoints, so that none is *the* one in use.
    pub fn distributes(self) -> bool {
        match self {
            Self::RoundRobin | Self::WeightedRoundRobin | Self::Random => true,
            Self::Latency | Self::Priority | Self::Price => false,
        }
    }
}

/// `[failover]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failover {
    /// Whether a failing request moves on to another endpoint.
    pub enabled: bool,
    /// Most attempts of one request, the first included.
    pub max_attempts: u32,
    /// TCP, proxy and TLS handshakes together.
    pub connect_timeout: Duration,
    /// From sending a request to its stream's first event.
    pub first_event_timeout: Duration,
    /// Between two chunks of an answer.
    pub idle_timeout: Duration,
    /// Whether every endpoint is tried anyway when all circuits are open.
    pub last_resort: bool,
    /// How long a request waits for an endpoint to return when nothing is up.
    pub max_wait: Duration,
    /// Whether every 4xx also moves on.
    pub on_client_errors: bool,
    /// Share of recent requests that may be further attempts, in percent.
    pub retry_budget_percent: u32,
    /// Larger bodies get one attempt, in bytes.
    pub replay_limit: u64,
    /// Whether a request that was sent but never answered is repeated.
    pub retry_sent_requests: bool,
}

impl Default for Failover {
    fn default() -> Self {
        Self {
            enabled: true,
            max_attempts: 3,
            connect_timeout: Duration::from_secs(5),
            first_event_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(300),
            last_resort: true,
            max_wait: Duration::from_secs(10),
            on_client_errors: false,
            retry_budget_percent: 20,
            replay_limit: 32 * MIB,
            retry_sent_requests: true,
        }
    }
}

/// `[breaker]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaker {
    /// When a circuit trips.
    pub policy: BreakerPolicy,
    /// First cooldown; doubles with every trip in a row.
    pub cooldown: Duration,
    /// Longest cooldown, also the bound on a Retry-After.
    pub max_cooldown: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            policy: BreakerPolicy::Consecutive {
                max_failures: BreakerPolicy::MAX_FAILURES,
            },
            cooldown: Duration::from_secs(60),
            max_cooldown: Duration::from_secs(600),
        }
    }
}

/// When a circuit trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerPolicy {
    /// So many failures in a row.
    Consecutive {
        /// At least 1.
        max_failures: u32,
    },
    /// Within `window` at least `min_failures`, and nothing but failures.
    Window {
        /// How far back outcomes count.
        window: Duration,
        /// At least 1.
        min_failures: u32,
    },
}

impl BreakerPolicy {
    /// Default of [`BreakerPolicy::Consecutive`].
    pub const MAX_FAILURES: u32 = 3;
    /// Default of [`BreakerPolicy::Window`].
    pub const WINDOW: Duration = Duration::from_secs(140);
    /// Default of [`BreakerPolicy::Window`].
    pub const MIN_FAILURES: u32 = 2;
}

/// `[health_check]`, also per group.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    /// What a probe does.
    pub mode: ProbeMode,
    /// The model that a `message` or `count_tokens` probe names.
    pub model: String,
    /// Time between two probes of one endpoint.
    pub interval: Duration,
    /// Whether the interval follows the load.
    pub dynamic_scaling: bool,
    /// Shortest interval under load.
    pub min_interval: Duration,
    /// Longest interval when idle.
    pub max_interval: Duration,
    /// A probe is over after this.
    pub timeout: Duration,
    /// What probes may cost a day, in USD.
    pub daily_budget_usd: f64,
    /// The Claude CLI, for [`ProbeMode::ClaudeCli`].
    pub claude_binary_path: String,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            mode: ProbeMode::Message,
            model: "claude-haiku-4-5".to_owned(),
            interval: Duration::from_secs(60),
            dynamic_scaling: false,
            min_interval: Duration::from_secs(30),
            max_interval: Duration::from_secs(3600),
            timeout: Duration::from_secs(15),
            daily_budget_usd: 0.50,
            claude_binary_path: "claude".to_owned(),
        }
    }
}

/// What a probe does, and so what it proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeMode {
    /// One real call with one token of output: the inference path itself.
    Message,
    /// A free token count: credential, model and body parsing.
    CountTokens,
    /// The list of models: credential and router.
    Models,
    /// A TCP connection, with TLS for `https`: the network and the certificate.
    Connect,
    /// The Claude CLI, as the ancestor did.
    ClaudeCli,
    /// Nothing: only real traffic tells.
    Off,
}

impl ProbeMode {
    /// Whether its success shows that messages are answered, which is what closes a circuit that
    /// failing messages opened.
    pub fn proves_messages(self) -> bool {
        match self {
            Self::Message | Self::ClaudeCli => true,
            Self::CountTokens | Self::Models | Self::Connect | Self::Off => false,
        }
    }

    /// Whether its success shows that the credential is accepted.
    pub fn proves_credential(self) -> bool {
        match self {
            Self::Message | Self::ClaudeCli | Self::CountTokens | Self::Models => true,
            Self::Connect | Self::Off => false,
        }
    }
}

/// `[validation]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// Whether an answer must be of the Messages format.
    pub strict_format: bool,
    /// Whether the events of a stream are looked at.
    pub streaming: bool,
    /// Whether an answer found invalid midway is aborted.
    pub disconnect_on_invalid: bool,
}

impl Validation {
    /// What counts as an answer.
    pub fn format(&self) -> Format {
        if self.strict_format {
            Format::Messages
        } else {
            Format::Any
        }
    }
}

impl Default for Validation {
    fn default() -> Self {
        Self {
            strict_format: true,
            streaming: true,
            disconnect_on_invalid: true,
        }
    }
}

/// `[logging]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// Least severity that is written: `trace`, `debug`, `info`, `warn` or `error`.
    pub level: LogLevel,
    /// Which requests the journal keeps.
    pub request_types: LogRequests,
    /// How much of a request's body it keeps.
    pub request_body: LogBody,
    /// How much of an answer's body it keeps.
    pub response_body: LogBody,
    /// Where; `None`: the platform's data folder.
    pub directory: Option<String>,
    /// Days after which records go.
    pub retention_days: u32,
    /// Size above which the oldest records go, in bytes.
    pub max_size: u64,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            request_types: LogRequests::All,
            request_body: LogBody::None,
            response_body: LogBody::None,
            directory: None,
            retention_days: 14,
            max_size: 512 * MIB,
        }
    }
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Every chunk.
    Trace,
    /// Every attempt.
    Debug,
    /// What a user would notice.
    Info,
    /// What somebody should look at.
    Warn,
    /// What stopped something from working.
    Error,
}

/// Which requests are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogRequests {
    /// Those that failed.
    Failed,
    /// Those that succeeded.
    Success,
    /// Every one.
    All,
}

/// How much of a body is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogBody {
    /// Nothing.
    None,
    /// Its beginning.
    Truncated,
    /// All of it.
    Full,
}

/// `[web_admin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAdmin {
    /// Whether the page is served; the API always is.
    pub enabled: bool,
    /// Address of the admin port; loopback only.
    pub host: IpAddr,
    /// The admin port; a busy one is replaced by a free one.
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

/// `[ui]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ui {
    /// Language of every front-end.
    pub language: Language,
    /// Colours of the window and the page.
    pub theme: Theme,
}

/// Language of every front-end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// The system's.
    #[default]
    Auto,
    /// English.
    En,
    /// 简体中文.
    Zh,
}

/// Colours of the window and the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// The system's.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// `[notifications]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notifications {
    /// The endpoint in use changed.
    pub on_switch: bool,
    /// No endpoint is usable.
    pub on_all_down: bool,
    /// Something is usable again.
    pub on_recovery: bool,
    /// The network is gone.
    pub on_offline: bool,
    /// A credential was refused, a quota is used up.
    pub on_refused: bool,
    /// The probe budget is used up.
    pub on_budget: bool,
    /// Least time between two notifications.
    pub min_interval: Duration,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            on_switch: true,
            on_all_down: true,
            on_recovery: true,
            on_offline: true,
            on_refused: true,
            on_budget: true,
            min_interval: Duration::from_secs(3),
        }
    }
}

/// `[desktop]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desktop {
    /// Whether the tray application starts with the session.
    pub launch_at_login: bool,
    /// Whether it starts without its window.
    pub start_hidden: bool,
    /// Whether Claude Code's settings are put back on quit.
    pub restore_claude_code_on_quit: bool,
}

impl Default for Desktop {
    fn default() -> Self {
        Self {
            launch_at_login: false,
            start_hidden: true,
            restore_claude_code_on_quit: true,
        }
    }
}

/// One model's rates, in USD per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Fresh input.
    pub input: f64,
    /// Output, thinking included.
    pub output: f64,
    /// Written to the five-minute cache.
    pub cache_write_5m: f64,
    /// Written to the one-hour cache.
    pub cache_write_1h: f64,
    /// Read from the cache.
    pub cache_read: f64,
}

const MIB: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_keeps_scheme_authority_and_path() {
        let url = BaseUrl::parse("https://Relay.example.com:8443/anthropic/").unwrap();

        assert_eq!(url.to_string(), "https://relay.example.com:8443/anthropic");
        assert_eq!((url.host(), url.port()), ("relay.example.com", 8443));
        assert_eq!(url.join("/v2/").path(), "/anthropic/v2");
    }

    #[test]
    fn an_ipv6_host_is_told_apart_from_its_port() {
        let with_port = BaseUrl::parse("http://[::1]:9000").unwrap();
        let without = BaseUrl::parse("http://[::1]").unwrap();

        assert_eq!((with_port.host(), with_port.port()), ("::1", 9000));
        assert_eq!((without.host(), without.port()), ("::1", 80));
    }

    #[test]
    fn what_is_no_base_url_says_why() {
        let cases = [
            ("api.example.com", BaseUrlError::NoScheme),
            ("ftp://api.example.com", BaseUrlError::UnknownScheme),
            (
                "https://me:secret@api.example.com",
                BaseUrlError::Credentials,
            ),
            (
                "https://api.example.com/?key=1",
                BaseUrlError::QueryOrFragment,
            ),
            ("https://", BaseUrlError::Malformed),
            ("https://a b", BaseUrlError::Malformed),
            ("https://api.example.com:99999", BaseUrlError::Malformed),
        ];

        for (text, why) in cases {
            assert_eq!(BaseUrl::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_proxy_with_a_password_does_not_show_it() {
        let route = ProxyRoute::Via("socks5://me:hunter2@10.0.0.1:1080".to_owned());

        assert!(!format!("{route:?}").contains("hunter2"));
    }
}
