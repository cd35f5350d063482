//! What the settings should say: where Zephyr listens, and which credential to send.
//!
//! The credential is the client token, if one is configured. Otherwise it is a token of this installation's own
//! ([`zephyr_secrets::client_token`]), because Claude Code sends no request without a credential, and Zephyr
//! replaces it. With a passthrough endpoint no token is set: the credential is then the user's own, and a token
//! in the settings would override their login.
//!
//! Two things are never written: an address that is not this machine's, and a secret that is not a client token.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use http::Uri;
use zephyr_config::ConfigFile;
use zephyr_core::config::{Auth, Config, CredentialRef};
use zephyr_secrets::Secret;
use zephyr_secrets::environment::Environment;
use zephyr_secrets::vault::{Keychain, Vault, VaultError};

use crate::document::Document;
use crate::key::Key;
use crate::proxies::Proxies;
use crate::record::{Raw, Record};

/// What a person may write by hand, if no client token is configured: Zephyr takes any word.
pub(crate) const PLACEHOLDER: &str = "zephyr";

/// What the settings should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: String,
    token: Token,
    proxies: Proxies,
}

/// The credential that Claude Code should send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// The user's own. Nothing is set.
    Login,
    /// A token of this installation.
    Own,
    /// The configured client token.
    Client(&'a CredentialRef),
}

/// Why the settings cannot point there.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The file beside the configuration cannot be read.
    #[error("{} cannot be read", path.display())]
    Environment {
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The reference leads to no token.
    #[error("the client token: {0}; {remedy}", remedy = .0.remedy())]
    Vault(#[from] VaultError),
    /// The address is not one of this machine's own.
    #[error(
        "Zephyr is told to listen on {url}, and clients are sent to this machine's own (loopback) address only; \
         set server.host to \"127.0.0.1\" or \"0.0.0.0\", or name the host in server.allowed_hosts"
    )]
    Elsewhere { url: String },
    /// An endpoint gets the same secret.
    #[error(
        "the client token is the credential of endpoint {endpoint} as well, and is not given to clients; name a \
         secret of its own in server.client_token_env or server.client_token_keychain"
    )]
    OfEndpoint { endpoint: String },
    /// The secret is one for Anthropic's API.
    #[error(
        "the client token is a key for Anthropic's API, and is not given to clients; name a secret of its own in \
         server.client_token_env or server.client_token_keychain"
    )]
    OfAnthropic,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Login,
    /// The installation's, which is not known here.
    Own,
    Client(Secret),
}

impl<'a> Credential<'a> {
    /// The credential that this configuration asks for.
    pub fn of(config: &'a Config) -> Self {
        let mut endpoints = config.endpoints.iter();
        if endpoints.any(|endpoint| endpoint.auth == Auth::Passthrough) {
            return Self::Login;
        }
        match &config.server.client_token {
            Some(reference) => Self::Client(reference),
            None => Self::Own,
        }
    }
}

impl Target {
    /// The proxy at `url`, with the configuration that was read from `file`. Blocks, because the keychain
    /// does.
    ///
    /// # Errors
    ///
    /// The URL leads elsewhere, or there is a client token that cannot be read or given away.
    pub fn configured(
        url: String,
        config: &Config,
        file: &ConfigFile,
    ) -> Result<Self, TargetError> {
        check_url(&url, config)?;
        let token = match Credential::of(config) {
            Credential::Login => Token::Login,
            Credential::Own => Token::Own,
            Credential::Client(reference) => Token::Client(client_token(reference, config, file)?),
        };
        Ok(Self {
            url,
            token,
            proxies: Proxies::default(),
        })
    }

    /// The proxy at `url`, which has no configuration file.
    ///
    /// # Errors
    ///
    /// The URL leads elsewhere.
    pub fn open(url: String) -> Result<Self, TargetError> {
        check_url(&url, &Config::default())?;
        Ok(Self::unchecked(url))
    }

    pub(crate) fn unchecked(url: String) -> Self {
        Self {
            url,
            token: Token::Own,
            proxies: Proxies::default(),
        }
    }

    /// Whether it needs this installation's token.
    pub(crate) fn wants_own_token(&self) -> bool {
        self.token == Token::Own
    }

    /// The same target with this installation's token.
    #[must_use]
    pub(crate) fn with_own_token(&self, token: &Secret) -> Self {
        Self {
            token: Token::Client(token.clone()),
            ..self.clone()
        }
    }

    /// The same target with these proxies. Requests to it use none of them.
    #[must_use]
    pub fn past(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the user's own login stays in use.
    pub fn keeps_login(&self) -> bool {
        self.token == Token::Login
    }

    /// Every key to set, in order, with the URL first. `former`: the settings without anything of ours.
    /// `older`: the record of an earlier connection.
    pub(crate) fn values(
        &self,
        former: Option<&Document<'_>>,
        older: Option<&Record>,
    ) -> Vec<(Key, Raw)> {
        let token = match &self.token {
            // Without a token of its own, this target is only asked for its other values.
            Token::Login | Token::Own => None,
            Token::Client(secret) => Some(secret.expose()),
        };
        let url = (Key::BaseUrl, Raw::string(&self.url));
        let token = token.map(|token| (Key::AuthToken, Raw::string(token)));
        let bypass = self.proxies.bypass(&self.url, former, older);
        std::iter::once(url).chain(token).chain(bypass).collect()
    }
}

/// Whether clients may be sent to `url`: it is this machine's own, or the user has named its host as one by
/// which Zephyr is called.
///
/// # Errors
///
/// It is neither.
pub fn check_url(url: &str, config: &Config) -> Result<(), TargetError> {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let is_loopback = match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    };
    let mut allowed = config.server.allowed_hosts.iter();
    if is_loopback || (!host.is_empty() && allowed.any(|name| name.eq_ignore_ascii_case(&host))) {
        return Ok(());
    }
    Err(TargetError::Elsewhere {
        url: url.to_owned(),
    })
}

/// The secret behind the reference, if it is one for clients alone.
fn client_token(
    reference: &CredentialRef,
    config: &Config,
    file: &ConfigFile,
) -> Result<Secret, TargetError> {
    let dotenv = file.dotenv().map_err(|source| TargetError::Environment {
        path: file.dotenv_path(),
        source,
    })?;
    let of_endpoints = config.endpoints.iter().filter_map(|endpoint| {
        let Auth::Ours { credential, .. } = &endpoint.auth else {
            return None;
        };
        Some((endpoint, credential))
    });
    let wanted = of_endpoints.clone().map(|(_, credential)| credential);
    let wanted = wanted.chain([reference]);
    let vault = Vault::open(Environment::new(dotenv), &Keychain::system(), wanted);
    let token = vault.get(reference)?;
    for (endpoint, credential) in of_endpoints {
        if credential == reference || vault.get(credential).is_ok_and(|secret| secret == token) {
            return Err(TargetError::OfEndpoint {
                endpoint: endpoint.name.clone(),
            });
        }
    }
    if token.expose().starts_with("sk-ant-") {
        return Err(TargetError::OfAnthropic);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_token_does_not_show_itself() {
        let target = Target {
            url: String::new(),
            token: Token::Client(Secret::new("hunter2").unwrap()),
            proxies: Proxies::default(),
        };

        let shown = format!("{target:?} {:?}", target.values(None, None));

        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn clients_are_sent_to_this_machine_or_to_a_name_that_the_user_gave_it() {
        let mut config = Config::default();
        config.server.allowed_hosts = vec!["Zephyr.lan".to_owned(), "192.0.2.7".to_owned()];
        let nothing = Config::default();

        for url in [
            "http://127.0.0.1:8080",
            "http://127.8.9.1:1",
            "http://[::1]:8080",
            "http://localhost:8080/",
        ] {
            assert!(check_url(url, &nothing).is_ok(), "{url}");
        }
        for url in ["http://zephyr.lan:8080", "http://192.0.2.7:80"] {
            assert!(check_url(url, &config).is_ok(), "{url}");
            assert!(check_url(url, &nothing).is_err(), "{url}");
        }
        for url in [
            "",
            "http://",
            "https://relay.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com:8080",
            "http://127.0.0.1@example.com",
            "http://10.0.0.1:8080",
        ] {
            assert!(check_url(url, &config).is_err(), "{url}");
            assert!(Target::open(url.to_owned()).is_err(), "{url}");
        }
    }
}
