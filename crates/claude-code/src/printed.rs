//! What `connect` would set, for a person who sets it by hand.

use zephyr_core::config::CredentialRef;

use crate::connection::ClaudeCode;
use crate::error::Error;
use crate::key::Key;
use crate::proxies::Proxies;
use crate::target::{Credential, PLACEHOLDER};

/// What `zephyr connect claude-code --print` shows: the same as shell lines and as settings, without the
/// secret. Reads the settings for the `NO_PROXY` that is already there.
///
/// # Errors
///
/// The settings cannot be read.
pub fn printed(
    claude_code: &ClaudeCode,
    url: &str,
    credential: Credential<'_>,
    proxies: &Proxies,
) -> Result<String, Error> {
    let mut notes = String::new();
    let token = match credential {
        Credential::Login => {
            notes.push_str(
                "# No token: an endpoint has auth_type = \"passthrough\", so your own login stays in use.\n",
            );
            None
        }
        Credential::Own => {
            notes.push_str(
                "# Any word will do as the token; `zephyr connect claude-code` writes one that nobody else knows.\n",
            );
            Some(PLACEHOLDER)
        }
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
    let mut variables = vec![(Key::BaseUrl, url.to_owned())];
    variables.extend(token.map(|token| (Key::AuthToken, token.to_owned())));
    let bypass = claude_code.bypass(url, proxies)?;
    if !bypass.is_empty() {
        notes.push_str("# There is a proxy, and requests to Zephyr must not go through it.\n");
    }
    variables.extend(bypass);
    let mut env = serde_json::Map::new();
    let mut lines = String::new();
    for (key, value) in variables {
        lines.push_str(&format!("export {}={}\n", key.name(), quoted(&value)));
        env.insert(key.name().to_owned(), value.into());
    }
    let settings = serde_json::json!({ "env": env });
    Ok(format!("{notes}{lines}\n{settings:#}\n"))
}

/// Quotes a word for the shell.
fn quoted(value: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:,@[]".contains(char);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}
