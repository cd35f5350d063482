//! What `connect` would set, to be set by hand.

use zephyr_core::config::CredentialRef;

use crate::key::Key;
use crate::target::{Credential, PLACEHOLDER};

/// What `zephyr connect claude-code --print` shows: the same as shell lines and as settings, without
/// the secret.
pub fn printed(url: &str, credential: Credential<'_>) -> String {
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
    env.insert(Key::BaseUrl.name().to_owned(), url.into());
    let mut lines = format!("export {}={url}\n", Key::BaseUrl.name());
    if let Some(token) = token {
        env.insert(Key::AuthToken.name().to_owned(), token.into());
        lines.push_str(&format!("export {}={token}\n", Key::AuthToken.name()));
    }
    let settings = serde_json::json!({ "env": env });
    format!("{notes}{lines}\n{settings:#}\n")
}
