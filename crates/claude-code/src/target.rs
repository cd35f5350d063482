//! What the settings should say: where Zephyr listens, and which credential to send.
//!
//! The credential is the client token, if one is configured. Otherwise it is a placeholder, because Claude
//! Code sends no request without a credential, and Zephyr replaces it. With a passthrough endpoint no token
//! is set: the credential is then the user's own, and a token in the settings would override their login.

use std::io;
use std::path::{Path, PathBuf};

use zephyr_core::config::{Auth, Config, CredentialRef};
use zephyr_secrets::Secret;
use zephyr_secrets::environment::Environment;
use zephyr_secrets::vault::{Keychain, Vault, VaultError};

use crate::document::Document;
use crate::key::Key;
use crate::proxies::Proxies;
use crate::record::{Raw, Record};

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
    /// A word that is not a credential.
    Placeholder,
    /// The client token.
    Client(&'a CredentialRef),
}

/// Why the client token cannot be read.
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
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Login,
    Placeholder,
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
            None => Self::Placeholder,
        }
    }
}

impl Target {
    /// The proxy at `url`, with the configuration that was read from `path`. Blocks, because the keychain
    /// does.
    ///
    /// # Errors
    ///
    /// There is a client token, and it cannot be read.
    pub fn configured(url: String, config: &Config, path: &Path) -> Result<Self, TargetError> {
        let token = match Credential::of(config) {
            Credential::Login => Token::Login,
            Credential::Placeholder => Token::Placeholder,
            Credential::Client(reference) => {
                let dotenv = zephyr_secrets::environment::dotenv_path(path);
                let environment =
                    zephyr_secrets::environment::dotenv(&dotenv).map_err(|source| {
                        TargetError::Environment {
                            path: dotenv,
                            source,
                        }
                    })?;
                let environment = Environment::new(environment);
                let vault = Vault::open(environment, &Keychain::system(), [reference]);
                Token::Client(vault.get(reference)?)
            }
        };
        Ok(Self {
            url,
            token,
            proxies: Proxies::default(),
        })
    }

    /// The proxy at `url`, which needs no credential from its clients.
    pub fn open(url: String) -> Self {
        Self {
            url,
            token: Token::Placeholder,
            proxies: Proxies::default(),
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
            Token::Login => None,
            Token::Placeholder => Some(PLACEHOLDER),
            Token::Client(secret) => Some(secret.expose()),
        };
        let url = (Key::BaseUrl, Raw::string(&self.url));
        let token = token.map(|token| (Key::AuthToken, Raw::string(token)));
        let bypass = self.proxies.bypass(&self.url, former, older);
        std::iter::once(url).chain(token).chain(bypass).collect()
    }
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
}
