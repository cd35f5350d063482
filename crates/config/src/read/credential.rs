//! The credential that a table names. The name is checked here. Nobody looks yet whether a secret is stored
//! under it.

use zephyr_core::config::CredentialRef;

use super::plain_secret::is_likely_secret;
use super::table::Table;

/// The reason why a text cannot name an entry of the keychain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryNameError {
    #[error("is empty")]
    Empty,
    /// The text is probably the secret itself.
    #[error("looks like a secret itself, and should be the name of a keychain entry")]
    Secret,
    #[error("has a control character or white space around it")]
    Unprintable,
}

/// Checks that this can name an entry of the keychain.
///
/// # Errors
///
/// It cannot. The message does not repeat the text.
pub fn check_entry_name(name: &str) -> Result<(), EntryNameError> {
    if name.trim().is_empty() {
        return Err(EntryNameError::Empty);
    }
    if is_likely_secret(name) {
        return Err(EntryNameError::Secret);
    }
    if name.chars().any(char::is_control) || name.trim() != name {
        return Err(EntryNameError::Unprintable);
    }
    Ok(())
}

/// The keys that name a credential.
pub(crate) struct CredentialKeys {
    env: &'static [&'static str],
    keychain: &'static str,
}

/// For the token that clients must send.
pub(crate) const CLIENT_TOKEN: CredentialKeys = CredentialKeys {
    env: &["client_token_env"],
    keychain: "client_token_keychain",
};

/// For the credential that an endpoint gets.
pub(crate) const AUTH_TOKEN: CredentialKeys = CredentialKeys {
    env: &["auth_token_env", "api_key_env"],
    keychain: "auth_token_keychain",
};

/// A table's credential.
#[derive(Clone)]
pub(crate) enum Credential {
    Absent,
    Named(CredentialRef),
    /// An error has been reported.
    Refused,
}

impl Credential {
    /// Reads those keys of the table.
    pub(crate) fn read(table: &Table<'_>, keys: &CredentialKeys) -> Self {
        let mut given = Vec::new();
        for key in keys.env {
            if let Some(name) = table.text(key) {
                given.push((*key, variable(table, key, name)));
            }
        }
        if let Some(name) = table.text(keys.keychain) {
            given.push((keys.keychain, entry(table, keys.keychain, name)));
        }
        if let [(first, _), (second, _), ..] = given.as_slice() {
            table.error(
                second,
                format!("is a second credential besides {first}"),
                "keep one of the two",
            );
            return Self::Refused;
        }
        match given.pop() {
            Some((_, credential)) => credential,
            None if table.has_plain_secret() => Self::Refused,
            None => Self::Absent,
        }
    }

    /// Whether none of those keys, and no plain secret, stands in the table.
    pub(crate) fn is_unmentioned(table: &Table<'_>, keys: &CredentialKeys) -> bool {
        let mut names = keys.env.iter().chain([&keys.keychain]);
        !names.any(|key| table.is_filled(key)) && !table.has_plain_secret()
    }

    pub(crate) fn named(&self) -> Option<&CredentialRef> {
        match self {
            Self::Named(reference) => Some(reference),
            Self::Absent | Self::Refused => None,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Named(_) | Self::Refused => false,
        }
    }
}

fn entry(table: &Table<'_>, key: &'static str, name: &str) -> Credential {
    match check_entry_name(name) {
        Ok(()) => Credential::Named(CredentialRef::Keychain(name.to_owned())),
        Err(error) => {
            let remedy = "write a name such as \"primary\", and store the secret under it with \
                          `zephyr token set primary`";
            table.error(key, error.to_string(), remedy);
            Credential::Refused
        }
    }
}

fn variable(table: &Table<'_>, key: &'static str, name: &str) -> Credential {
    if is_likely_secret(name) {
        table.error(
            key,
            "looks like a secret itself, and should be the name of an environment variable",
            "write a name such as \"AUTH_TOKEN_MAIN\", and the secret into .env beside this file",
        );
        return Credential::Refused;
    }
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = |char: char| char.is_ascii_alphanumeric() || char == '_';
    if !begins || !name.chars().all(goes_on) {
        table.error(
            key,
            "is not the name of an environment variable",
            "write a name of letters, digits and underscores, such as \"AUTH_TOKEN_MAIN\"",
        );
        return Credential::Refused;
    }
    Credential::Named(CredentialRef::Env(name.to_owned()))
}
