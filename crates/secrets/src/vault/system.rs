//! The system's keychain: Keychain on macOS, Credential Manager on Windows, a Secret Service elsewhere.
//!
//! An entry has the service [`SERVICE`]. Its user name is the name in the configuration: `secret-tool lookup
//! service zephyr username NAME` finds it. Every call opens the keychain again. So a keychain that starts
//! later, or starts again, is found, and nothing stays open between calls.

use std::collections::BTreeSet;

use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use super::platform;
use super::store::{KeychainError, Store};
use crate::secret::Secret;

/// The service under which every entry is kept.
pub const SERVICE: &str = "zephyr";

/// The system's keychain.
pub struct SystemKeychain;

impl Store for SystemKeychain {
    fn get(&self, name: &str) -> Result<Secret, KeychainError> {
        let text = entry(name)?.get_password().map(Zeroizing::new);
        let text = text.map_err(|error| in_words(error, name))?;
        Secret::new(&text).map_err(|why| KeychainError::Unusable {
            name: name.to_owned(),
            why,
        })
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), KeychainError> {
        let set = entry(name)?.set_password(secret.expose());
        set.map_err(|error| in_words(error, name))
    }

    fn remove(&self, name: &str) -> Result<(), KeychainError> {
        let removed = entry(name)?.delete_credential();
        removed.map_err(|error| in_words(error, name))
    }

    fn names(&self) -> Result<BTreeSet<String>, KeychainError> {
        platform::check_open(&[("service", SERVICE)])?;
        let entries = platform::store().and_then(|store| platform::search(&*store, SERVICE));
        let entries = entries.map_err(|error| in_words(error, ""))?;
        let names = entries.iter().filter_map(Entry::get_specifiers);
        let ours = names.filter(|(service, _)| service == SERVICE);
        Ok(ours.map(|(_, name)| name).collect())
    }

    fn unlock(&self) -> Result<(), KeychainError> {
        platform::unlock(&[("service", SERVICE)])
    }
}

/// The entry of that name. Reading and writing do not have to unlock it first.
fn entry(name: &str) -> Result<Entry, KeychainError> {
    platform::check_open(&[("service", SERVICE), ("username", name)])?;
    let entry = platform::store().and_then(|store| store.build(SERVICE, name, None));
    entry.map_err(|error| in_words(error, name))
}

fn in_words(error: Error, name: &str) -> KeychainError {
    let failed = |why: String| KeychainError::Failed { why };
    match error {
        Error::NoEntry => KeychainError::Missing {
            name: name.to_owned(),
        },
        Error::NoStorageAccess(error) => platform::no_access(&*error),
        // These errors carry data that may be the secret.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            failed(format!("what is stored under {name} is no text"))
        }
        Error::Ambiguous(entries) => failed(format!(
            "{} entries are named {name}; remove all but one",
            entries.len()
        )),
        error @ (Error::PlatformFailure(_)
        | Error::BadStoreFormat(_)
        | Error::TooLong(..)
        | Error::Invalid(..)
        | Error::NoDefaultStore
        | Error::NotSupportedByStore(_)
        | _) => failed(error.to_string()),
    }
}
