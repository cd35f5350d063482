//! What Claude Code is told: where Zephyr listens, and what to send it as a credential.
//!
//! The client token, where one is configured; else any word, because Claude Code sends no request
//! without a credential, and Zephyr replaces it. With a passthrough endpoint it is told nothing: the
//! credential is then the user's own, and a token in the settings would override their login.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use zephyr_core::config::{Auth, Config, CredentialRef};
use zephyr_secrets::Secret;
use zephyr_secrets::environment::Environment;
use zephyr_secrets::vault::{Keychain, Vault, VaultError};

use super::document::Key;
use super::record::Raw;
use crate::instance::local_url;

const PLACEHOLDER: &str = "zephyr";

/// What the settings are to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: String,
    token: Token,
}

/// What a configuration wants Claude Code to send as its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// The user's own: nothing is set.
    Login,
    /// Any word.
    Placeholder,
    /// The client token.
    Client(&'a CredentialRef),
}

/// Why the client token is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The file beside the configuration cannot be read.
    #[error("{} cannot be read", path.display())]
    Environment {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its reference leads to none.
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
    /// By that configuration.
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
    /// The proxy that listens on `proxy` with the configuration that was read from `path`. Blocks, as
    /// the keychain does.
    ///
    /// # Errors
    ///
    /// If there is a client token, and it cannot be had.
    pub fn configured(
        proxy: SocketAddr,
        config: &Config,
        path: &Path,
    ) -> Result<Self, TargetError> {
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
        let url = local_url(proxy);
        Ok(Self { url, token })
    }

    /// A proxy that wants no credential of its clients, and none of theirs.
    pub fn open(proxy: SocketAddr) -> Self {
        Self {
            url: local_url(proxy),
            token: Token::Placeholder,
        }
    }

    /// The base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the user's own login stays in use.
    pub fn keeps_login(&self) -> bool {
        self.token == Token::Login
    }

    /// Every key to set, in order; the URL first.
    pub(super) fn values(&self) -> Vec<(Key, Raw)> {
        let token = match &self.token {
            Token::Login => None,
            Token::Placeholder => Some(PLACEHOLDER),
            Token::Client(secret) => Some(secret.expose()),
        };
        let url = (Key::BaseUrl, Raw::string(&self.url));
        let token = token.map(|token| (Key::AuthToken, Raw::string(token)));
        std::iter::once(url).chain(token).collect()
    }
}

/// What `zephyr connect claude-code --print` shows: the same as shell lines and as settings, without
/// the secret.
pub fn printed(proxy: SocketAddr, credential: Credential<'_>) -> String {
    let url = local_url(proxy);
    let mut notes = String::new();
    let token = match credential {
        Credential::Login => {
            notes.push_str(
                "# No token: an endpoint has auth_type = \"passthrough\", so your own login stays in use.\n",
            );
            None
        }
        Credential::Placeholder => Some(PLACEHOLDER),
        Credential::Client(reference) => {
            let place = match reference {
                CredentialRef::Env(name) => format!("client_token_env = \"{name}\""),
                CredentialRef::Keychain(name) => format!("client_token_keychain = \"{name}\""),
            };
            notes = format!(
                "# Put the client token in the place of CLIENT_TOKEN: the secret that server.{place} names.\n"
            );
            Some("CLIENT_TOKEN")
        }
    };
    let mut env = serde_json::Map::new();
    env.insert(Key::BaseUrl.name().to_owned(), url.clone().into());
    let mut lines = format!("export {}={url}\n", Key::BaseUrl.name());
    if let Some(token) = token {
        env.insert(Key::AuthToken.name().to_owned(), token.into());
        lines.push_str(&format!("export {}={token}\n", Key::AuthToken.name()));
    }
    let settings = serde_json::json!({ "env": env });
    format!("{notes}{lines}\n{settings:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_token_does_not_show_itself() {
        let target = Target {
            url: String::new(),
            token: Token::Client(Secret::new("hunter2").unwrap()),
        };

        let shown = format!("{target:?} {:?}", target.values());

        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
