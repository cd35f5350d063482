//! Differences between the systems' keychains.

pub(super) use os::{check_open, no_access, search, store, unlock};

#[cfg(target_os = "macos")]
mod os {
    //! macOS itself asks the person when a program reads a locked keychain or an entry of another program.
    //! So nothing is asked before, and a "no" holds until somebody asks again.

    use std::collections::HashMap;
    use std::error::Error;
    use std::sync::Arc;

    use apple_native_keyring_store::keychain::Store;
    use keyring_core::Entry;
    use keyring_core::api::CredentialStore;

    use crate::vault::store::KeychainError;

    pub(in crate::vault) fn store() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(Store::new()?)
    }

    pub(in crate::vault) fn search(
        store: &CredentialStore,
        service: &str,
    ) -> keyring_core::Result<Vec<Entry>> {
        store.search(&HashMap::from([("service", service)]))
    }

    pub(in crate::vault) fn check_open(_attributes: &[(&str, &str)]) -> Result<(), KeychainError> {
        Ok(())
    }

    pub(in crate::vault) fn unlock(_attributes: &[(&str, &str)]) -> Result<(), KeychainError> {
        Ok(())
    }

    pub(in crate::vault) fn no_access(error: &(dyn Error + Send + Sync)) -> KeychainError {
        KeychainError::Refused {
            why: error.to_string(),
        }
    }
}

#[cfg(windows)]
mod os {
    //! The Credential Manager is open as long as its user is logged in.

    use std::collections::HashMap;
    use std::error::Error;
    use std::sync::Arc;

    use keyring_core::Entry;
    use keyring_core::api::CredentialStore;
    use windows_native_keyring_store::Store;

    use crate::vault::store::KeychainError;

    pub(in crate::vault) fn store() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(Store::new()?)
    }

    /// The entries of every program. The caller picks its own.
    pub(in crate::vault) fn search(
        store: &CredentialStore,
        _service: &str,
    ) -> keyring_core::Result<Vec<Entry>> {
        store.search(&HashMap::new())
    }

    pub(in crate::vault) fn check_open(_attributes: &[(&str, &str)]) -> Result<(), KeychainError> {
        Ok(())
    }

    pub(in crate::vault) fn unlock(_attributes: &[(&str, &str)]) -> Result<(), KeychainError> {
        Ok(())
    }

    pub(in crate::vault) fn no_access(error: &(dyn Error + Send + Sync)) -> KeychainError {
        KeychainError::Refused {
            why: error.to_string(),
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod os {
    //! A Secret Service on the session bus.
    //!
    //! The keyring crates unlock every entry that they find, and so show a dialog each time. They take a
    //! locked keyring without our entry for an open one. So a few calls of the Secret Service's own interface
    //! ask for the state first. They show no dialog.

    use std::collections::HashMap;
    use std::error::Error as StdError;
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use keyring_core::Entry;
    use keyring_core::api::CredentialStore;
    use zbus::blocking::connection::Builder;
    use zbus::blocking::{Connection, Proxy};
    use zbus::export::serde::Serialize;
    use zbus::zvariant::{DynamicDeserialize, DynamicType, OwnedObjectPath, OwnedValue};
    use zbus_secret_service_keyring_store::Store;

    use crate::vault::store::KeychainError;

    const BUS_NAME: &str = "org.freedesktop.secrets";
    const PATH: &str = "/org/freedesktop/secrets";
    const SERVICE: &str = "org.freedesktop.Secret.Service";
    const COLLECTION: &str = "org.freedesktop.Secret.Collection";
    const PROMPT: &str = "org.freedesktop.Secret.Prompt";

    /// The path that the Secret Service gives if there is nothing.
    const NOTHING: &str = "/";

    /// The longest wait for an answer of the Secret Service. The bus may have to start it first.
    const ANSWER: Duration = Duration::from_secs(10);

    /// The bus's error for a name that nobody has and for which it can start no program.
    const NOBODY: &[&str] = &[
        "org.freedesktop.DBus.Error.ServiceUnknown",
        "org.freedesktop.DBus.Error.NameHasNoOwner",
    ];
    const NOT_STARTED: &str = "org.freedesktop.DBus.Error.Spawn.";

    pub(in crate::vault) fn store() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(Store::new()?)
    }

    pub(in crate::vault) fn search(
        store: &CredentialStore,
        service: &str,
    ) -> keyring_core::Result<Vec<Entry>> {
        store.search(&HashMap::from([("service", service)]))
    }

    /// Whether an entry with these attributes, or a new one, can be read and written now.
    pub(in crate::vault) fn check_open(attributes: &[(&str, &str)]) -> Result<(), KeychainError> {
        let service = SecretService::reach()?;
        let (open, locked) = service.items(attributes)?;
        if !locked.is_empty() {
            return Err(KeychainError::Locked);
        }
        if !open.is_empty() {
            return Ok(());
        }
        // A locked collection may hide its entries.
        match service.locked_collection()? {
            Some(_) => Err(KeychainError::Locked),
            None => Ok(()),
        }
    }

    /// Opens the collection for new entries, and the entries with these attributes.
    pub(in crate::vault) fn unlock(attributes: &[(&str, &str)]) -> Result<(), KeychainError> {
        let service = SecretService::reach()?;
        let (_, mut locked) = service.items(attributes)?;
        locked.extend(service.locked_collection()?);
        if locked.is_empty() {
            return Ok(());
        }
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            service.call("Unlock", &locked)?;
        if prompt.as_str() == NOTHING {
            return Ok(());
        }
        match service
            .is_dismissed(&prompt)
            .map_err(|error| failed(&error))?
        {
            true => Err(KeychainError::Locked),
            false => Ok(()),
        }
    }

    /// The person dismissed the dialog, so the keyring is still locked.
    pub(in crate::vault) fn no_access(_error: &(dyn StdError + Send + Sync)) -> KeychainError {
        KeychainError::Locked
    }

    struct SecretService(Connection);

    impl SecretService {
        fn reach() -> Result<Self, KeychainError> {
            let connection = Builder::session()
                .and_then(|builder| builder.method_timeout(ANSWER).build())
                .map_err(|error| KeychainError::Absent {
                    why: format!("the session bus cannot be reached: {error}"),
                })?;
            Ok(Self(connection))
        }

        /// Entries with these attributes: the open ones, and the locked ones.
        fn items(
            &self,
            attributes: &[(&str, &str)],
        ) -> Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>), KeychainError> {
            let attributes: HashMap<&str, &str> = attributes.iter().copied().collect();
            self.call("SearchItems", &attributes)
        }

        /// The collection for new entries, if it is locked.
        fn locked_collection(&self) -> Result<Option<OwnedObjectPath>, KeychainError> {
            let path: OwnedObjectPath = self.call("ReadAlias", &"default")?;
            if path.as_str() == NOTHING {
                return Ok(None);
            }
            let is_locked = Proxy::new(&self.0, BUS_NAME, &path, COLLECTION)
                .and_then(|collection| collection.get_property::<bool>("Locked"))
                .map_err(|error| failed(&error))?;
            Ok(is_locked.then_some(path))
        }

        /// Shows the dialog and waits for its end.
        fn is_dismissed(&self, prompt: &OwnedObjectPath) -> zbus::Result<bool> {
            let prompt = Proxy::new(&self.0, BUS_NAME, prompt, PROMPT)?;
            let mut completed = prompt.receive_signal("Completed")?;
            prompt.call_method("Prompt", &"")?;
            let Some(answer) = completed.next() else {
                return Ok(true);
            };
            let (is_dismissed, _): (bool, OwnedValue) = answer.body().deserialize()?;
            Ok(is_dismissed)
        }

        fn call<A, R>(&self, method: &str, arguments: &A) -> Result<R, KeychainError>
        where
            A: Serialize + DynamicType,
            R: for<'d> DynamicDeserialize<'d>,
        {
            let answer = self
                .0
                .call_method(Some(BUS_NAME), PATH, Some(SERVICE), method, arguments);
            let answer = answer.map_err(|error| failed(&error))?;
            let body = answer.body();
            body.deserialize().map_err(|error| failed(&error))
        }
    }

    fn failed(error: &zbus::Error) -> KeychainError {
        if let zbus::Error::MethodError(name, ..) = error
            && (NOBODY.contains(&name.as_str()) || name.starts_with(NOT_STARTED))
        {
            return KeychainError::Absent {
                why: "no program on the session bus is a Secret Service".to_owned(),
            };
        }
        if let zbus::Error::InputOutput(error) = error
            && error.kind() == io::ErrorKind::TimedOut
        {
            return KeychainError::Silent;
        }
        KeychainError::Failed {
            why: error.to_string(),
        }
    }
}
